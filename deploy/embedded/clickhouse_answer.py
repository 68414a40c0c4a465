"""Answers: whole when they are short, streamed when they are long, and honest when they break in the middle."""

import secrets
import string
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus

from lotstream.deploy.embedded.clickhouse_codings import accepted_coding, pack
from lotstream.deploy.embedded.clickhouse_errors import ClickHouseError
from lotstream.deploy.embedded.clickhouse_formats import content_type
from lotstream.deploy.embedded.clickhouse_query import Run
from lotstream.deploy.embedded.clickhouse_sessions import Session

SMALL = 1 << 20
"""An answer up to this many bytes is sent whole, with its length and its summary."""
TRUE = ("1", "true")


@dataclass(slots=True)
class Answer:
    """`whole` when it is short, else `pieces`, which raise Broken when the query fails in the middle."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    whole: bytes = b""
    pieces: Iterator[bytes] | None = None


class Broken(Exception):
    """The query failed after the answer had begun; the client has been told in the stream."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a client wants its answer: packed in `coding`, or not; complete before it begins, or as it comes."""

    coding: str | None
    whole: bool

    @classmethod
    def by(cls, headers: Mapping[str, str], params: Mapping[str, str]) -> "Wanted":
        """What headers and parameters of a request ask for."""
        packed = params.get("enable_http_compression") in TRUE
        coding = accepted_coding(headers.get("accept-encoding", "")) if packed else None
        return cls(coding, params.get("wait_end_of_query") in TRUE)


def run_query(run: Run, wanted: Wanted, *, session: Session, stack: ExitStack) -> Answer:
    """Run the query and answer with its beginning at least; a long answer takes over what `stack` holds.

    Raises ClickHouseError while nothing has been answered.
    """
    started = time.perf_counter_ns()
    pieces = run.start(session.handle, whole=wanted.whole)
    head = bytearray()
    for piece in pieces:
        head += piece
        if len(head) > SMALL:
            rest = _chain(bytes(head), pieces, stack=stack.pop_all())
            next(rest)  # from here on its end gives back what the stack holds
            return _streamed(run, wanted, pieces=rest)
    session.settle(run.query.statement.verb)
    headers = {**_headers(run), "X-ClickHouse-Summary": run.summary(time.perf_counter_ns() - started)}
    whole = bytes(head)
    if whole and wanted.coding:
        headers["Content-Encoding"] = wanted.coding
        whole = b"".join(pack([whole], coding=wanted.coding))
    return Answer(HTTPStatus.OK, headers, whole)


def _streamed(run: Run, wanted: Wanted, *, pieces: Iterator[bytes]) -> Answer:
    tag = "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))
    headers = {
        **_headers(run),
        "X-ClickHouse-Summary": run.summary(0),
        "X-ClickHouse-Exception-Tag": tag,
    }
    told = _Told(pieces, tag)
    out: Iterator[bytes] = told.pieces()
    if wanted.coding:
        headers["Content-Encoding"] = wanted.coding
        out = pack(out, coding=wanted.coding)
    return Answer(HTTPStatus.OK, headers, pieces=told.breaking(out))


def _headers(run: Run) -> dict[str, str]:
    if not run.query.statement.reads:
        return {}
    return {"X-ClickHouse-Format": run.output, "Content-Type": content_type(run.output)}


def _chain(head: bytes, rest: Iterator[bytes], *, stack: ExitStack) -> Iterator[bytes]:
    with stack:
        yield b""
        yield head
        yield from rest


class _Told:
    """Pieces of an answer; an error in the middle becomes the server's marked block, and the stream ends broken."""

    def __init__(self, pieces: Iterator[bytes], tag: str) -> None:
        self._pieces = pieces
        self._tag = tag.encode()
        self._failed = False

    def pieces(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except ClickHouseError as error:
            self._failed = True
            text, tag = error.text.encode(), self._tag
            yield b"\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n" % (tag, text, len(text) + 1, tag)

    def breaking(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        yield from pieces
        if self._failed:
            raise Broken
