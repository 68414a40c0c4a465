"""ClickHouse's HTTP dialect: what a request asks for, and the answer in the server's words."""

import json
import os
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus

from lotstream.deploy.embedded.clickhouse_codings import accepted_coding, pack, unpack
from lotstream.deploy.embedded.clickhouse_engine import Counts, Engine, Handle
from lotstream.deploy.embedded.clickhouse_errors import ClickHouseError, Code, http_status, refuse
from lotstream.deploy.embedded.clickhouse_form import parse_form
from lotstream.deploy.embedded.clickhouse_formats import content_type, joins, join_blocks
from lotstream.deploy.embedded.clickhouse_sessions import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S, Session, Sessions, Wish
from lotstream.deploy.embedded.clickhouse_sql import Statement, parse_statement
from lotstream.deploy.embedded.clickhouse_users import Role, Users, parse_credentials

DISPLAY_NAME = "lotstream-embedded"
SMALL = 1 << 20
"""An answer up to this many bytes is sent whole, with its length and summary."""
_TRANSPORT = frozenset(
    "query database session_id session_timeout session_check close_session query_id compress decompress buffer_size"
    " wait_end_of_query enable_http_compression http_zlib_compression_level client_protocol_version quota_key role user"
    " password default_format send_progress_in_http_headers http_headers_progress_interval_ms stacktrace"
    " cancel_http_readonly_queries_on_client_close".split()
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server allows: bytes of an unpacked body, queries at once."""

    body_bytes: int = 1 << 30
    queries: int = 100


@dataclass(slots=True)
class Request:
    """A request as read from the connection; header names in lower case."""

    method: str
    path: str
    params: dict[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    """`whole` when it is short; `pieces` when it is streamed, with the tag that marks an exception in the middle."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    whole: bytes | None = None
    pieces: Iterator[bytes] | None = None


class Front:
    """Answers requests. One for all connections."""

    def __init__(self, engine: Engine, users: Users, limits: Limits) -> None:
        self.engine = engine
        self.sessions = Sessions(engine)
        self.limits = limits
        self._users = users
        self._slots = threading.BoundedSemaphore(limits.queries)

    def answer(self, request: Request) -> Answer:
        """The answer to one request; errors are answers too."""
        query_id = request.params.get("query_id") or request.headers.get("x-clickhouse-query-id") or str(uuid.uuid4())
        try:
            return self._answer(request, query_id)
        except ClickHouseError as error:
            return self.failure(error, query_id)

    def failure(self, error: ClickHouseError, query_id: str = "") -> Answer:
        """The server's way to say no."""
        headers = {
            "X-ClickHouse-Exception-Code": str(int(error.code)),
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
        }
        if query_id:
            headers["X-ClickHouse-Query-Id"] = query_id
        status = http_status(error.code)
        if status is HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        return Answer(status, headers, whole=error.text.encode() + b"\n")

    def _answer(self, request: Request, query_id: str) -> Answer:
        if request.path == "/ping":
            return Answer(HTTPStatus.OK, {"Content-Type": "text/html; charset=UTF-8"}, whole=b"Ok.\n")
        if request.path == "/replicas_status":
            return Answer(HTTPStatus.OK, {"Content-Type": "text/plain; charset=UTF-8"}, whole=b"Ok.\n")
        if request.path not in ("/", "") or request.method not in ("GET", "POST", "HEAD"):
            return Answer(HTTPStatus.NOT_FOUND, whole=b"There is no handle " + request.path.encode() + b"\n")
        role = self._users.authenticate(parse_credentials(request.headers, request.params))
        query, params = self._take_query(request)
        if request.method != "POST" and not query.strip():
            return Answer(HTTPStatus.OK, {"Content-Type": "text/html; charset=UTF-8"}, whole=b"Ok.\n")
        statement = parse_statement(query)
        if not self._slots.acquire(blocking=False):
            raise refuse(
                Code.TOO_MANY_SIMULTANEOUS_QUERIES,
                f"Too many simultaneous queries. Maximum: {self.limits.queries}.",
            )
        with ExitStack() as stack:
            stack.callback(self._slots.release)
            work = _Work(query, params, statement, self._format(request, params, statement), query_id)
            session = stack.enter_context(self.sessions.converse(_wish(request, params, role)))
            if request.method != "POST":
                _require_reading(session, statement)
            return self._work(work, session, request, stack)

    def _take_query(self, request: Request) -> tuple[bytes, dict[str, str]]:
        params = request.params
        if params.get("compress") == "1" or params.get("decompress") == "1":
            raise refuse(
                Code.NOT_IMPLEMENTED,
                "Expected HTTP compression (Accept-Encoding, Content-Encoding), got compress or decompress.",
            )
        body = unpack(
            request.body, coding=request.headers.get("content-encoding", "").lower(), limit=self.limits.body_bytes
        )
        if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            params = {**params, **parse_form(request.headers["content-type"], body)}
            body = b""
        written = params.get("query", "").encode()
        return (written + b"\n" if written and body else written) + body, params

    def _format(self, request: Request, params: Mapping[str, str], statement: Statement) -> str:
        wanted = request.headers.get("x-clickhouse-format") or params.get("default_format") or "TabSeparated"
        return wanted if statement.verb == "insert" else statement.format or wanted

    def _work(self, work: "_Work", session: Session, request: Request, stack: ExitStack) -> Answer:
        started = time.perf_counter_ns()
        if work.statement.selects and joins(work.output):
            pieces = work.stream(session.handle)
            head = b""
            for piece in pieces:
                head += piece
                if len(head) >= SMALL:
                    return self._streamed(work, _chain(head, pieces, stack.pop_all()), request)
            whole = head
        else:
            whole = work.run(session.handle)
        session.settle(work.statement.verb)
        return self._whole(work, whole, request, time.perf_counter_ns() - started)

    def _headers(self, work: "_Work") -> dict[str, str]:
        headers = {
            "X-ClickHouse-Query-Id": work.query_id,
            "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
            "X-ClickHouse-Timezone": self.engine.timezone,
        }
        if work.statement.verb != "insert":
            headers["X-ClickHouse-Format"] = work.output
            headers["Content-Type"] = content_type(work.output)
        return headers

    def _whole(self, work: "_Work", whole: bytes, request: Request, elapsed_ns: int) -> Answer:
        headers = self._headers(work)
        headers["X-ClickHouse-Summary"] = work.summary(elapsed_ns)
        coding = _coding(request)
        if coding and whole:
            headers["Content-Encoding"] = coding
            whole = b"".join(pack([whole], coding=coding))
        return Answer(HTTPStatus.OK, headers, whole=whole)

    def _streamed(self, work: "_Work", pieces: Iterator[bytes], request: Request) -> Answer:
        headers = self._headers(work)
        headers["X-ClickHouse-Summary"] = work.summary(0)
        coding = _coding(request)
        if coding:
            headers["Content-Encoding"] = coding
            pieces = pack(pieces, coding=coding)
        return Answer(HTTPStatus.OK, headers, pieces=pieces)


@dataclass(slots=True)
class _Work:
    """One query on its way through the engine."""

    query: bytes
    params: Mapping[str, str]
    statement: Statement
    output: str
    query_id: str
    counts: Counts = field(default_factory=Counts)

    @property
    def bound(self) -> dict[str, str]:
        return {name[6:]: value for name, value in self.params.items() if name.startswith("param_")}

    def stream(self, handle: Handle) -> Iterator[bytes]:
        blocks = handle.stream(self.query, output=self.output, params=self.bound, counts=self.counts)
        return join_blocks(blocks, format_name=self.output)

    def run(self, handle: Handle) -> bytes:
        statement = self.statement
        if statement.head is None or statement.data is None:
            return handle.run(self.query, output=self.output, params=self.bound, counts=self.counts)
        # The engine's parser skips blanks before inline data, which in a binary format are data: they come as a file.
        file = os.memfd_create("insert")
        try:
            _write_all(file, memoryview(self.query)[statement.data :])
            source = f"FROM INFILE '/proc/self/fd/{file}' FORMAT {statement.format}"
            sql = self.query[: statement.head] + source.encode()
            return handle.run(sql, output=self.output, params=self.bound, counts=self.counts)
        finally:
            os.close(file)

    def summary(self, elapsed_ns: int) -> str:
        counts = self.counts
        facts = {
            "read_rows": counts.read_rows,
            "read_bytes": counts.read_bytes,
            "written_rows": counts.written_rows,
            "written_bytes": counts.written_bytes,
            "total_rows_to_read": counts.read_rows,
            "result_rows": counts.result_rows,
            "result_bytes": counts.result_bytes,
            "elapsed_ns": elapsed_ns,
        }
        return json.dumps({name: str(value) for name, value in facts.items()}, separators=(",", ":"))


def _write_all(file: int, data: memoryview) -> None:
    while data:
        data = data[os.write(file, data) :]


def _chain(head: bytes, rest: Iterator[bytes], stack: ExitStack) -> Iterator[bytes]:
    with stack:
        yield head
        yield from rest


def _coding(request: Request) -> str | None:
    if request.params.get("enable_http_compression") not in ("1", "true"):
        return None
    return accepted_coding(request.headers.get("accept-encoding", ""))


def _wish(request: Request, params: Mapping[str, str], role: Role) -> Wish:
    settings = {
        name: value
        for name, value in params.items()
        if name and name not in _TRANSPORT and not name.startswith("param_")
    }
    session = params.get("session_id", "")
    reading = role is Role.READER or (request.method != "POST" and not session)
    return Wish(
        user=role.value,
        readonly=reading,
        settings=settings,
        database=request.headers.get("x-clickhouse-database") or params.get("database", ""),
        session=session,
        timeout_s=_session_timeout(params),
        must_exist=params.get("session_check") == "1",
        close=params.get("close_session") == "1",
    )


def _session_timeout(params: Mapping[str, str]) -> int:
    text = params.get("session_timeout", str(DEFAULT_TIMEOUT_S))
    if not text.isdecimal():
        raise refuse(Code.INVALID_SESSION_TIMEOUT, f"Invalid session timeout: '{text}'.")
    if int(text) > MAX_TIMEOUT_S:
        raise refuse(
            Code.INVALID_SESSION_TIMEOUT,
            f"Session timeout '{text}' is larger than max_session_timeout: {MAX_TIMEOUT_S}.",
        )
    return int(text)


def _require_reading(session: Session, statement: Statement) -> None:
    """GET is read-only; in a session that writes, the handle itself cannot be made so for one request."""
    if not (statement.reads or statement.verb in ("set", "use")):
        raise refuse(
            Code.READONLY, "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly."
        )
