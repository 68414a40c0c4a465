"""What the embedded ClickHouse promises beyond ClickHouse: its users, its cage, its limits, its end."""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lotstream.deploy.embedded.clickhouse import ClickHouseFailed, EmbeddedClickHouse, Role, User
from lotstream.deploy.embedded.clickhouse_sandbox import landlock_version
from lotstream.deploy.embedded.rundir import DirectoryInUse, published

USERS = [User("writer", "w", Role.WRITER), User("reader", "r", Role.READER)]
OWNER = """
import sys, time
from pathlib import Path
from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User
server = EmbeddedClickHouse(Path(sys.argv[1]), users=[User("writer", "w", Role.WRITER)])
print(server.start(), server.pid, flush=True)
time.sleep(300)
"""
WRITER = {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": "w"}
Start = Callable[..., EmbeddedClickHouse]


@pytest.fixture
def ours(embedded_target: Any) -> Any:
    """The embedded server."""
    return embedded_target


@pytest.fixture
def table(ours: Any) -> Iterator[str]:
    """An empty table of the embedded server."""
    name = f"t_{secrets.token_hex(4)}"
    ours.done(f"CREATE TABLE {name} (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
    yield name
    ours.ask(f"DROP TABLE {name}")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A factory of servers of this test's own, over one data directory."""
    servers: list[EmbeddedClickHouse] = []

    def make(**options: Any) -> EmbeddedClickHouse:
        server = EmbeddedClickHouse(tmp_path / "data", users=USERS, log_file=tmp_path / "log" / "ch.log", **options)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()


def ask(server: EmbeddedClickHouse, sql: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST", "/", sql, headers or WRITER)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def rss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def gone(pid: int, *, within_s: float) -> bool:
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"X-ClickHouse-User": "writer"}, 403),
        ({"X-ClickHouse-User": "nobody", "X-ClickHouse-Key": "w"}, 403),
        ({"X-ClickHouse-User": "reader", "X-ClickHouse-Key": "w"}, 403),
        ({"Authorization": "Basic !!!"}, 403),
        ({"Authorization": "Bearer x"}, 403),
        ({**WRITER, "Authorization": "Basic d3JpdGVyOnc="}, 403),
        (WRITER, 200),
        ({"Authorization": "Basic d3JpdGVyOnc="}, 200),
    ],
)
def test_who_may_ask(start: Start, headers: dict[str, str], status: int) -> None:
    """Nobody asks anything without a name and its password, shown in one way."""
    server = start()
    found, text = ask(server, "SELECT 1", {"Accept": "*/*", **headers})
    assert found == status
    assert status == 200 or "Code: 516" in text


MACHINE = [
    "SELECT file('/etc/hostname')",
    "SELECT `file`/**/('/etc/hostname')",
    "SELECT * APPLY(file) FROM (SELECT '/etc/hostname')",
    "SELECT arrayMap(file, ['/etc/hostname'])",
    "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "SELECT * FROM `/etc/hostname`",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM url('file:///etc/hostname', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1', system.one)",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT * FROM executable('id', 'LineAsString', 'a String')",
    "SELECT * FROM Python(sys)",
    "SELECT 1 INTO OUTFILE '{probe}'",
    "SELECT 1 INTO /* here */ OUTFILE '{probe}' FORMAT CSV",
    "INSERT INTO FUNCTION file('{probe}') SELECT 1",
    "INSERT INTO t FROM INFILE '/etc/hostname' FORMAT LineAsString",
    "CREATE TABLE f (a Int8) ENGINE = File(CSV)",
    "CREATE TABLE f ENGINE = Memory AS SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "CREATE TABLE f (a Int8) ENGINE = EmbeddedRocksDB(0, '{probe}') PRIMARY KEY a",
    "CREATE TABLE f (a Int8) ENGINE = Executable('id', 'CSV')",
    "CREATE TABLE f (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '{probe}/')",
    "CREATE DATABASE f ENGINE = Filesystem('/etc')",
    "CREATE DICTIONARY f (a UInt64) PRIMARY KEY a SOURCE(EXECUTABLE(COMMAND 'id' FORMAT 'CSV')) LAYOUT(FLAT())"
    " LIFETIME(0)",
    "CREATE FUNCTION f AS x -> file(x)",
    "BACKUP DATABASE default TO File('{probe}')",
    "SYSTEM SHUTDOWN",
    "SYSTEM KILL",
    "SET dialect = 'kusto'",
    "CREATE USER intruder",
]


@pytest.mark.parametrize("role", ["writer", "reader"])
@pytest.mark.parametrize("sql", MACHINE)
def test_the_machine_is_out_of_reach(ours: Any, tmp_path: Path, role: str, sql: str) -> None:
    """No user reads or writes the machine's files, reaches other servers, runs commands or stops the server."""
    login = ours.writer if role == "writer" else ours.reader
    probe = tmp_path / "probe"
    reply = ours.ask(sql.format(probe=probe), login=login)
    assert reply.status >= 400, reply.text
    assert Path("/etc/hostname").read_text(encoding="utf-8").strip() not in reply.text
    assert not probe.exists()
    assert ours.done("SELECT 1") == "1\n"


@pytest.mark.parametrize(
    "sql",
    [
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "INSERT INTO {t} VALUES (1, 'a')",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "ALTER TABLE {t} ADD COLUMN z Int8",
        "TRUNCATE TABLE {t}",
        "RENAME TABLE {t} TO u",
        "OPTIMIZE TABLE {t}",
        "SYSTEM STOP MERGES",
        "KILL QUERY WHERE 1",
        "SET readonly = 0; DROP TABLE {t}",
    ],
)
def test_readers_stay_readers(ours: Any, table: str, sql: str) -> None:
    """A reader cannot write, and no session, setting or second statement makes it a writer."""
    for params in ({}, {"session_id": f"r-{table}"}, {"readonly": "0"}, {"readonly": "0", "session_id": f"q-{table}"}):
        assert ours.ask(sql.format(t=table), login=ours.reader, params=params).status >= 400
        assert ours.ask(f"DROP TABLE {table}", login=ours.reader, params=params).status >= 400
    assert ours.ask("SET max_threads = 1", login=ours.reader).status == 200
    assert ours.done(f"SELECT count() FROM {table}") == "0\n"


def test_sessions_belong_to_their_user(ours: Any) -> None:
    """A reader cannot enter a writer's session by its id."""
    session = {"session_id": "private"}
    ours.done("CREATE TEMPORARY TABLE mine (a UInt8)", params=session)
    assert ours.ask("SELECT * FROM mine", params=session, login=ours.reader).code == 60


def test_session_of_a_concurrent_client(ours: Any) -> None:
    """A session serves one request at a time: another gets 373 at once."""
    params = {"session_id": "busy"}
    slow = threading.Thread(target=ours.ask, args=("SELECT sleep(2)",), kwargs={"params": params})
    slow.start()
    time.sleep(0.5)
    assert ours.ask("SELECT 1", params=params).code == 373
    slow.join()
    assert ours.ask("SELECT 1", params=params).status == 200


def test_sessions_end(ours: Any) -> None:
    """A session ends with its time-out, or when its client closes it."""
    for params in ({"session_id": "brief", "session_timeout": "1"}, {"session_id": "shut", "close_session": "1"}):
        ours.done("CREATE TEMPORARY TABLE mine (a UInt8)", params=params)
        time.sleep(1.2)
        assert ours.ask("SELECT 1", params={**params, "session_check": "1"}).code == 372


def test_too_many_queries(start: Start) -> None:
    """Beyond the limit of queries at once a query is refused with 202, and clients may try again."""
    server = start(max_queries=2)
    answers: list[tuple[int, str]] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(server, "SELECT sleep(1)"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200, 200, 429, 429, 429]
    assert ask(server, "SELECT 1") == (200, "1\n")


def test_body_limit(start: Start) -> None:
    """A body over the limit is refused with 413, packed or not, and inserts nothing."""
    server = start(max_body_bytes=1 << 20)
    ask(server, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    status, text = ask(server, "INSERT INTO t FORMAT CSV\n" + "1\n" * (1 << 20))
    assert (status, text[:9]) == (413, "Code: 425")
    assert ask(server, "SELECT count() FROM t") == (200, "0\n")


def through(server: EmbeddedClickHouse, form: str, rows: int) -> int:
    """The most memory that the server holds, in kB, while it answers with so many rows of 300 bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    sql = f"SELECT number, repeat('x', 300) FROM numbers({rows}) FORMAT {form}"
    connection.request("POST", "/", sql, WRITER)
    answer = connection.getresponse()
    size = highest = 0
    while piece := answer.read(1 << 20):
        size += len(piece)
        highest = max(highest, rss_kb(server.pid))
    connection.close()
    assert size > rows * 300
    return highest


@pytest.mark.parametrize("form", ["Native", "JSONEachRow", "JSON", "CSVWithNames"])
def test_memory_of_answers_is_bounded(start: Start, form: str) -> None:
    """An answer of 600 MB takes no more of the server's memory than one of 150 MB."""
    server = start()
    small = through(server, form, 500_000)
    assert through(server, form, 2_000_000) - small < 150_000


def test_memory_of_inserts_is_bounded(start: Start) -> None:
    """The data of an insert do not stay in memory: 400 MB take no more of it than 100 MB."""
    server = start()
    ask(server, "CREATE TABLE t (a UInt64, s String) ENGINE = Null")
    seen = []
    for count in (100, 400):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        pieces = ((b"1," + b"x" * 1000 + b"\n") * 1000 for _ in range(count))
        url = "/?query=INSERT+INTO+t+FORMAT+CSV&min_insert_block_size_bytes=10000000&max_insert_block_size=10000"
        connection.request("POST", url, pieces, WRITER, encode_chunked=True)
        assert connection.getresponse().status == 200
        connection.close()
        seen.append(rss_kb(server.pid))
    assert seen[1] - seen[0] < 150_000


def test_client_that_leaves(start: Start) -> None:
    """A client that goes away in the middle of an answer leaves no query behind."""
    server = start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/", "SELECT number, 'left' FROM numbers(100000000000)", WRITER)
    connection.getresponse().read(1000)
    connection.close()
    give_up = time.monotonic() + 10
    sql = "SELECT count() FROM system.processes WHERE query LIKE '%left%' AND query NOT LIKE '%processes%'"
    while ask(server, sql)[1] != "0\n":
        assert time.monotonic() < give_up
        time.sleep(0.1)


def test_no_delay(ours: Any) -> None:
    """A short answer is there within milliseconds: one write, no waiting for acknowledgements."""
    connection = http.client.HTTPConnection(ours.host, ours.port, timeout=10)
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        connection.request("POST", "/", "SELECT 1", ours.writer.header)
        connection.getresponse().read()
        times.append(time.perf_counter() - begin)
    connection.close()
    assert sorted(times)[len(times) // 2] < 0.03


@pytest.mark.parametrize(
    "raw",
    [
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{auth}\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n{auth}\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n{auth}\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -3\r\n{auth}\r\n\r\n",
        b"BREW / HTTP/1.1\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
    ],
)
def test_nonsense_is_refused(ours: Any, raw: bytes) -> None:
    """What is no request gets a refusal or a closed connection, and the server goes on."""
    auth = f"Authorization: {ours.writer.header['Authorization']}".encode()
    with socket.create_connection((ours.host, ours.port), timeout=10) as connection:
        connection.sendall(raw.replace(b"{auth}", auth))
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert ours.done("SELECT 1") == "1\n"


def test_published_endpoint(start: Start, tmp_path: Path) -> None:
    """A running server publishes where it is, without passwords, and takes it back when it stops."""
    server = start(run_dir=tmp_path)
    facts = published(tmp_path, "clickhouse")
    assert facts is not None
    assert (facts["url"], facts["pid"]) == (server.url, server.pid)
    assert "password" not in json.dumps(facts)
    server.stop()
    assert published(tmp_path, "clickhouse") is None


def test_data_survive_a_kill(start: Start) -> None:
    """What was acknowledged is there after kill -9, on the same port, in the database default too."""
    server = start()
    port = server.port
    ask(server, "CREATE DATABASE d")
    for name in ("d.t", "t"):
        ask(server, f"CREATE TABLE {name} (a UInt64) ENGINE = MergeTree ORDER BY a")
    for number in range(20):
        for name in ("d.t", "t"):
            assert ask(server, f"INSERT INTO {name} VALUES ({number})")[0] == 200
    server.kill()
    assert not server.running
    server.start()
    assert server.port == port
    for name in ("d.t", "t"):
        assert ask(server, f"SELECT count(), sum(a) FROM {name}") == (200, "20\t190\n")


def test_stop_lets_queries_end(start: Start) -> None:
    """A stop waits for the answers under way."""
    server = start()
    answers: list[tuple[int, str]] = []
    thread = threading.Thread(target=lambda: answers.append(ask(server, "SELECT sleep(1.5)")))
    thread.start()
    time.sleep(0.5)
    begin = time.monotonic()
    server.stop()
    thread.join()
    assert answers == [(200, "0\n")]
    assert time.monotonic() - begin < 5


def test_second_owner(start: Start, tmp_path: Path) -> None:
    """A second owner of the data directory is told who has it."""
    start()
    with pytest.raises(DirectoryInUse, match=f"in use by process {os.getpid()}"):
        start()


def test_port_that_is_taken(start: Start) -> None:
    """A port that somebody else holds is named in the error."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ClickHouseFailed, match=f"port {port}"):
            start(port=port)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_ends_with_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    """The server ends when its parent does, however that ended, and the directory is free again."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline().split()[1])
    owner.send_signal(number)
    owner.wait(10)
    owner.stdout.close()
    assert gone(pid, within_s=10)
    with EmbeddedClickHouse(tmp_path, users=USERS) as server:
        assert ask(server, "SELECT 1") == (200, "1\n")


def test_start_is_quick(start: Start) -> None:
    """A start takes about a second at most, where the machine is not busy."""
    server = start()
    server.stop()
    begin = time.monotonic()
    server.start()
    assert time.monotonic() - begin < 5


def test_sandbox_is_entered(ours: Any) -> None:
    """Where the kernel has Landlock the server is in its cage: it may not gain privileges."""
    if not landlock_version():
        pytest.skip("this kernel has no Landlock")
    status = Path(f"/proc/{ours.embedded.pid}/status").read_text(encoding="ascii")
    assert "NoNewPrivs:\t1" in status


COLUMNS = [
    "number",
    "toString(number)",
    "repeat('x', number % 300)",
    "toNullable(number % 3)",
    "NULL",
    "toLowCardinality(toString(number % 7))",
    "CAST(if(number % 2 = 0, NULL, 'x'), 'LowCardinality(Nullable(String))')",
    "range(number % 5)",
    "arrayMap(x -> toLowCardinality(toString(x)), range(number % 3))",
    "CAST([], 'Array(LowCardinality(String))')",
    "arrayMap(x -> range(x), range(number % 4))",
    "[NULL, toString(number)]",
    "map('k', number, 'l', 2)",
    "(number, 'x', [1, 2])",
    "CAST((1, 'x'), 'Tuple(`a b` UInt8, c LowCardinality(String))')",
    "CAST([(1, 'x')], 'Nested(a UInt8, b String)')",
    "tuple()",
    "toUInt128(number)",
    "toInt256(number)",
    "toDecimal64(number, 6)",
    "CAST(number, 'Decimal(38, 6)')",
    "toDateTime64(number, 6, 'UTC')",
    "toDate(number % 1000)",
    "toDateTime(number, 'UTC')",
    "toFixedString('abc', 7)",
    "generateUUIDv4()",
    "toIPv4('1.2.3.4')",
    "toIPv6('::1')",
    "CAST('b', 'Enum8(\\'a\\' = 1, \\'b\\' = 2)')",
    "true",
    "toFloat32(number)",
    "INTERVAL 3 DAY",
    "(1., 2.)::Point",
    "[[(1., 2.)]]::Polygon",
]


def test_native_for_newer_clients(ours: Any) -> None:
    """Blocks in the newer revision are the older ones with the info of a block and of each column put in."""
    source = "FROM (SELECT number FROM numbers(1000)) ORDER BY number FORMAT Native"
    revision = {"client_protocol_version": "54460", "max_block_size": "5000"}
    expected = b"\x01\x00\x02\xff\xff\xff\xff\x00" + bytes([len(COLUMNS)]) + b"\xe8\x07"
    stable = [column for column in COLUMNS if "generateUUID" not in column] + [
        "toUUID('" + "1" * 8 + "-1111" * 3 + "-" + "1" * 12 + "')"
    ]
    for index, column in enumerate(stable):
        alone = ours.ask(f"SELECT {column} AS c{index} {source}").body
        assert alone[:3] == b"\x01\xe8\x07"
        name_end = 4 + alone[3]
        type_end = name_end + 1 + alone[name_end]
        expected += alone[3:type_end] + b"\x00" + alone[type_end:]
    listed = ", ".join(f"{column} AS c{index}" for index, column in enumerate(stable))
    assert ours.ask(f"SELECT {listed} {source}", params=revision).body == expected
    assert ours.ask(f"SELECT {listed} {source}", params={"client_protocol_version": "54405"}).body[0] == len(COLUMNS)
