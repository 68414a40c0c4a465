"""ClickHouse's HTTP dialect: what a request asks for, and the answer in the server's words."""

import threading
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from lotstream.deploy.embedded.clickhouse_answer import TRUE, Answer, Wanted, run_query
from lotstream.deploy.embedded.clickhouse_body import Body, WireBody
from lotstream.deploy.embedded.clickhouse_engine import Engine
from lotstream.deploy.embedded.clickhouse_errors import ClickHouseError, Code, http_status, refuse
from lotstream.deploy.embedded.clickhouse_form import MAX_FORM, parse_form
from lotstream.deploy.embedded.clickhouse_native import REVISION
from lotstream.deploy.embedded.clickhouse_query import Query, Run, read_query
from lotstream.deploy.embedded.clickhouse_sessions import Sessions
from lotstream.deploy.embedded.clickhouse_users import Users, parse_credentials
from lotstream.deploy.embedded.clickhouse_wish import parse_wish

DISPLAY_NAME = "lotstream-embedded"


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


class Front:
    """Answers requests. One for all connections."""

    def __init__(self, engine: Engine, *, users: Users, limits: Limits) -> None:
        self.sessions = Sessions(engine)
        self._engine = engine
        self._users = users
        self._limits = limits
        self._slots = threading.BoundedSemaphore(limits.queries)

    def answer(self, request: Request) -> Answer:
        """The answer to one request; errors are answers too."""
        query_id = request.params.get("query_id") or request.headers.get("x-clickhouse-query-id") or str(uuid.uuid4())
        try:
            answer = self._answer(request)
        except ClickHouseError as error:
            answer = self.failure(error)
        answer.headers["X-ClickHouse-Query-Id"] = query_id
        answer.headers["X-ClickHouse-Server-Display-Name"] = DISPLAY_NAME
        return answer

    def failure(self, error: ClickHouseError) -> Answer:
        """The server's way to say no."""
        status = http_status(error.code)
        headers = {
            "X-ClickHouse-Exception-Code": str(int(error.code)),
            "Content-Type": "text/plain; charset=UTF-8",
        }
        if status is HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
            headers["Retry-After"] = "1"
        text = error.text if "(version " in error.text else f"{error.text} (version {self._engine.version})"
        return Answer(status, headers, text.encode() + b"\n")

    def _answer(self, request: Request) -> Answer:
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
            run = _run(query, request.headers, params=params, scratch=self._engine.scratch)
            answer = run_query(run, Wanted.by(request.headers, params), session=session, stack=stack)
        answer.headers["X-ClickHouse-Timezone"] = self._engine.timezone
        return answer

    def _take_query(self, request: Request) -> tuple[Query | None, Mapping[str, str]]:
        params = request.params
        if params.get("compress") in TRUE or params.get("decompress") in TRUE:
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


def _plain(text: str, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    return Answer(status, {"Content-Type": "text/plain; charset=UTF-8"}, text.encode())


def _run(query: Query, headers: Mapping[str, str], *, params: Mapping[str, str], scratch: Path) -> Run:
    wanted = headers.get("x-clickhouse-format") or params.get("default_format") or "TabSeparated"
    bound = {name[6:]: value for name, value in params.items() if name.startswith("param_")}
    revision = params.get("client_protocol_version", "0")
    revised = revision.isascii() and revision.isdecimal() and int(revision) >= REVISION
    output = query.statement.format or wanted
    return Run(query, output, params=bound, directory=scratch, revised=revised)


def _require_reading(query: Query) -> None:
    """Read-only handles still take SYSTEM and KILL, and the one of a session that writes cannot be made read-only."""
    if not (query.statement.reads or query.statement.verb in ("set", "use")):
        message = "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly."
        raise refuse(Code.READONLY, message)
