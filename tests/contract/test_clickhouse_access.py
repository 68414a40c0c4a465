"""What the embedded ClickHouse refuses, whom it serves, and how: beyond what ClickHouse itself promises."""

import http.client
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lotstream.deploy.embedded.clickhouse_sandbox import landlock_version


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
    "SELECT * FROM sqlite('x.db', 't')",
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


def test_old_clients(ours: Any) -> None:
    """A client of HTTP/1.0 gets a long answer without chunks, to the end of the connection."""
    auth = ours.writer.header["Authorization"]
    with socket.create_connection((ours.host, ours.port), timeout=30) as connection:
        query = b"SELECT number FROM numbers(500000)"
        connection.sendall(
            b"POST / HTTP/1.0\r\nContent-Length: %d\r\nAuthorization: %s\r\n\r\n" % (len(query), auth.encode())
        )
        connection.sendall(query)
        answer = connection.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body.count(b"\n") == 500_000


@pytest.mark.parametrize("params", [{"role": "admin"}, {"compress": "1"}, {"decompress": "1"}])
def test_nothing_is_silently_ignored(ours: Any, params: dict[str, str]) -> None:
    """What the embedded server cannot do it says."""
    assert ours.ask("SELECT 1", params=params).code in (48, 511)


def test_parameters_in_another_encoding(ours: Any) -> None:
    """A parameter that is no UTF-8 is refused, not bent."""
    connection = http.client.HTTPConnection(ours.host, ours.port, timeout=10)
    connection.request("POST", "/?param_a=%FF", "SELECT {a:String}", ours.writer.header)
    assert connection.getresponse().status == 400
    connection.close()
