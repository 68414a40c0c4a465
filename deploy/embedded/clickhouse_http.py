"""ClickHouse's HTTP dialect: what a request asks for, and the answer in the server's words."""

import secrets
import string
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from lotstream.deploy.embedded.clickhouse_body import Body, WireBody
from lotstream.deploy.embedded.clickhouse_codings import accepted_coding, pack
from lotstream.deploy.embedded.clickhouse_engine import Engine
from lotstream.deploy.embedded.clickhouse_errors import ClickHouseError, Code, http_status, refuse
from lotstream.deploy.embedded.clickhouse_form import MAX_FORM, parse_form
from lotstream.deploy.embedded.clickhouse_formats import content_type
from lotstream.deploy.embedded.clickhouse_native import REVISION
from lotstream.deploy.embedded.clickhouse_query import Query, Run, read_query
from lotstream.deploy.embedded.clickhouse_sessions import Session, Sessions
from lotstream.deploy.embedded.clickhouse_users import Users, parse_credentials
from lotstream.deploy.embedded.clickhouse_wish import parse_wish

DISPLAY_NAME = "lotstream-embedded"
SMALL = 1 << 20
"""An answer up to this many bytes is sent whole, with its length and its summary."""
_TRUE = ("1", "true")


@dataclass(frozen=True)
class Limits:
    """What the server allows: bytes of an unpacked body, queries at once."""

    body_bytes: int = 4 << 30
    queries: int = 100


@dataclass(slots=True)
class Request:
    """A request as read from the connection; header names in lower case, its body still on the wire."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: WireBody


@dataclass(slots=True)
class Answer:
    """`whole` when it is short, else `pieces`, which raise Broken when the query fails in the middle."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    whole: bytes = b""
    pieces: Iterator[bytes] | None = None


class Broken(Exception):
    """The query failed after the answer had begun; the client has been told in the stream."""


class Front:
    """Answers requests. One for all connections."""

    def __init__(self, engine: Engine, users: Users, limits: Limits) -> None:
        self.sessions = Sessions(engine)
        self._engine = engine
        self._users = users
        self._limits = limits
        self._slots = threading.BoundedSemaphore(limits.queries)

    @property
    def scratch(self) -> Path:
        return self._engine.scratch

    def answer(self, request: Request) -> Answer:
        """The answer to one request; errors are answers too."""
        query_id = request.params.get("query_id") or request.headers.get("x-clickhouse-query-id") or str(uuid.uuid4())
        try:
            return self._answer(request, query_id)
        except ClickHouseError as error:
            return self.failure(error, query_id)

    def failure(self, error: ClickHouseError, query_id: str = "") -> Answer:
        """The server's way to say no."""
        status = http_status(error.code)
        headers = {
            "X-ClickHouse-Exception-Code": str(int(error.code)),
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
            "Content-Type": "text/plain; charset=UTF-8",
        }
        if status is HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
            headers["Retry-After"] = "1"
        text = error.text if "(version " in error.text else f"{error.text} (version {self._engine.version})"
        return Answer(status, headers, text.encode() + b"\n")

    def _answer(self, request: Request, query_id: str) -> Answer:
        if request.path in ("/ping", "/replicas_status"):
            return _plain("Ok.\n")
        if request.path not in ("/", "") or request.method not in ("GET", "HEAD", "POST"):
            return _plain(f"There is no handle {request.path}\n", HTTPStatus.NOT_FOUND)
        role = self._users.authenticate(parse_credentials(request.headers, request.params))
        query, params = self._take_query(request)
        if query is None:
            return _plain("Ok.\n")
        wish = parse_wish(request.headers, params, role=role, reading=request.method != "POST")
        if not self._slots.acquire(blocking=False):
            message = f"Too many simultaneous queries. Maximum: {self._limits.queries}."
            raise refuse(Code.TOO_MANY_SIMULTANEOUS_QUERIES, message)
        with ExitStack() as stack:
            stack.callback(self._slots.release)
            session = stack.enter_context(self.sessions.converse(wish, verb=query.statement.verb))
            if wish.reading:
                _require_reading(query)
            return self._work(request, _run(query, request, params, self.scratch), session, stack, query_id)

    def _take_query(self, request: Request) -> tuple[Query | None, Mapping[str, str]]:
        params = request.params
        if params.get("compress") in _TRUE or params.get("decompress") in _TRUE:
            message = "Expected Accept-Encoding and Content-Encoding, got compress or decompress."
            raise refuse(Code.NOT_IMPLEMENTED, message)
        coding = request.headers.get("content-encoding", "")
        body = Body(request.body, coding=coding, limit=self._limits.body_bytes)
        kind = request.headers.get("content-type", "")
        if kind.lower().startswith("multipart/form-data"):
            params = {**params, **parse_form(kind, body.take(MAX_FORM))}
        written = params.get("query", "").encode()
        if request.method != "POST" and not written.strip():
            return None, params
        return read_query(written, body), params

    def _work(self, request: Request, run: Run, session: Session, stack: ExitStack, query_id: str) -> Answer:
        started = time.perf_counter_ns()
        pieces = run.start(session.handle, whole=request.params.get("wait_end_of_query") in _TRUE)
        head = bytearray()
        for piece in pieces:
            head += piece
            if len(head) > SMALL:
                rest = _chain(bytes(head), pieces, stack.pop_all())
                next(rest)  # from here on its end gives back what the stack holds
                return self._streamed(request, run, rest, query_id)
        session.settle(run.query.statement.verb)
        headers = self._headers(run, query_id)
        headers["X-ClickHouse-Summary"] = run.summary(time.perf_counter_ns() - started)
        whole = bytes(head)
        if whole and (coding := _coding(request)):
            headers["Content-Encoding"] = coding
            whole = b"".join(pack([whole], coding=coding))
        return Answer(HTTPStatus.OK, headers, whole)

    def _streamed(self, request: Request, run: Run, pieces: Iterator[bytes], query_id: str) -> Answer:
        headers = self._headers(run, query_id)
        headers["X-ClickHouse-Summary"] = run.summary(0)
        tag = "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))
        headers["X-ClickHouse-Exception-Tag"] = tag
        told = _Told(pieces, tag)
        out: Iterator[bytes] = told.pieces()
        if coding := _coding(request):
            headers["Content-Encoding"] = coding
            out = pack(out, coding=coding)
        return Answer(HTTPStatus.OK, headers, pieces=told.breaking(out))

    def _headers(self, run: Run, query_id: str) -> dict[str, str]:
        headers = {
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
            "X-ClickHouse-Timezone": self._engine.timezone,
        }
        if run.query.statement.reads:
            headers["X-ClickHouse-Format"] = run.output
            headers["Content-Type"] = content_type(run.output)
        return headers


class _Told:
    """Pieces of an answer; an error in the middle becomes the server's marked block, and the stream ends broken."""

    def __init__(self, pieces: Iterator[bytes], tag: str) -> None:
        self._pieces = pieces
        self._tag = tag
        self._failed = False

    def pieces(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except ClickHouseError as error:
            self._failed = True
            text = error.text.encode()
            tag = self._tag.encode()
            yield b"\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n" % (tag, text, len(text) + 1, tag)

    def breaking(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        yield from pieces
        if self._failed:
            raise Broken


def _plain(text: str, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    return Answer(status, {"Content-Type": "text/plain; charset=UTF-8"}, text.encode())


def _run(query: Query, request: Request, params: Mapping[str, str], scratch: Path) -> Run:
    wanted = request.headers.get("x-clickhouse-format") or params.get("default_format") or "TabSeparated"
    bound = {name[6:]: value for name, value in params.items() if name.startswith("param_")}
    revision = params.get("client_protocol_version", "0")
    revised = revision.isascii() and revision.isdecimal() and int(revision) >= REVISION
    return Run(query, query.statement.format or wanted, bound, scratch, revised)


def _chain(head: bytes, rest: Iterator[bytes], stack: ExitStack) -> Iterator[bytes]:
    with stack:
        yield b""
        yield head
        yield from rest


def _coding(request: Request) -> str | None:
    if request.params.get("enable_http_compression") not in _TRUE:
        return None
    return accepted_coding(request.headers.get("accept-encoding", ""))


def _require_reading(query: Query) -> None:
    """Read-only handles still take SYSTEM and KILL, and the one of a session that writes cannot be made read-only."""
    if not (query.statement.reads or query.statement.verb in ("set", "use")):
        message = "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly."
        raise refuse(Code.READONLY, message)
