"""The servers that the ClickHouse contract holds for, and a plain way to ask them."""

import base64
import http.client
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit

import pytest

from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User

SERVER = "LOTSTREAM_TEST_CLICKHOUSE"
READER = "LOTSTREAM_TEST_CLICKHOUSE_READER"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came over the wire."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> int:
        """ClickHouse's code of the error, 0 without one."""
        return int(self.headers.get("X-ClickHouse-Exception-Code", "0"))


@dataclass(frozen=True, slots=True)
class Login:
    name: str
    password: str

    @property
    def header(self) -> dict[str, str]:
        pair = f"{self.name}:{self.password}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


@dataclass(slots=True)
class Target:
    """One server under the contract; `embedded` is ours when it is not somebody else's."""

    host: str
    port: int
    writer: Login
    reader: Login | None
    embedded: EmbeddedClickHouse | None = None
    database: str = field(default_factory=lambda: f"contract_{secrets.token_hex(6)}")

    def ask(
        self,
        body: str | bytes = b"",
        *,
        method: str = "POST",
        path: str = "/",
        login: Login | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own, in the database of the contract."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            url = f"{path}?{urlencode({'database': self.database, **(params or {})})}"
            sent = {**(login or self.writer).header, **(headers or {})}
            connection.request(method, url, body if body or method == "POST" else None, sent)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def done(self, body: str | bytes, **options: Mapping[str, str]) -> str:
        """The text of an answer that must be well."""
        reply = self.ask(body, **options)
        assert reply.status == 200, reply.text
        return reply.text


def _login(url: str) -> Login:
    parts = urlsplit(url)
    return Login(unquote(parts.username or "default"), unquote(parts.password or ""))


def _named_server() -> Target:
    url = os.environ.get(SERVER)
    if not url:
        pytest.skip(f"{SERVER} names no server")
    parts = urlsplit(url)
    reader = os.environ.get(READER)
    return Target(parts.hostname or "127.0.0.1", parts.port or 8123, _login(url), _login(reader) if reader else None)


@pytest.fixture(scope="session")
def embedded_clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    """The embedded server, with a writing and a reading user."""
    directory: Path = tmp_path_factory.mktemp("clickhouse")
    users = [User("writer", "w:ö pass", Role.WRITER), User("reader", "r-pass", Role.READER)]
    with EmbeddedClickHouse(directory / "data", users=users, log_file=directory / "clickhouse.log") as server:
        yield server


def _in_own_database(found: Target) -> Iterator[Target]:
    assert found.ask(f"CREATE DATABASE {found.database}", params={"database": "default"}).status == 200
    yield found
    found.ask(f"DROP DATABASE {found.database}", params={"database": "default"})


@pytest.fixture(scope="session")
def embedded_target(embedded_clickhouse: EmbeddedClickHouse) -> Iterator[Target]:
    """The embedded server, with a database of its own."""
    writer, reader = Login("writer", "w:ö pass"), Login("reader", "r-pass")
    yield from _in_own_database(Target("127.0.0.1", embedded_clickhouse.port, writer, reader, embedded_clickhouse))


@pytest.fixture(scope="session")
def named_target() -> Iterator[Target]:
    """The server that the environment names, with a database of its own."""
    yield from _in_own_database(_named_server())


@pytest.fixture(scope="session", params=["embedded", "named"])
def target(request: pytest.FixtureRequest) -> Target:
    """Every server that is at hand."""
    found = request.getfixturevalue(f"{request.param}_target")
    assert isinstance(found, Target)
    return found


@pytest.fixture
def reader(target: Target) -> Login:
    """The reading user of the server."""
    if target.reader is None:
        pytest.skip(f"{READER} names no reading user")
    return target.reader


@pytest.fixture
def table(target: Target) -> Iterator[str]:
    """An empty table of two columns, `a UInt64` and `s String`, that remembers 100 insert tokens."""
    name = f"t_{secrets.token_hex(4)}"
    target.done(
        f"CREATE TABLE {name} (a UInt64, s String) ENGINE = MergeTree ORDER BY a"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    yield name
    target.ask(f"DROP TABLE {name}")
