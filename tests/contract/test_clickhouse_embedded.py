"""What the embedded ClickHouse promises about itself: its users, its limits, its memory, its end."""

import http.client
import json
import os
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
    """An answer of 600 MB takes no more of the server's memory than four of 150 MB, one after the other."""
    server = start()
    small = max(through(server, form, 500_000) for _ in range(4))
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


def test_kills_under_load(start: Start) -> None:
    """Killed in the middle of inserts, again and again: every acknowledged batch is there, each exactly once."""
    server = start()
    ask(
        server,
        "CREATE TABLE t (b UInt64, n UInt64) ENGINE = MergeTree ORDER BY b"
        " SETTINGS non_replicated_deduplication_window = 1000",
    )
    batch = 0
    for _ in range(4):
        killer = threading.Timer(0.4, server.kill)
        killer.start()
        try:
            while True:
                rows = "".join(f"{batch},{number}\n" for number in range(1000))
                sql = f"INSERT INTO t SETTINGS insert_deduplication_token = 'b{batch}' FORMAT CSV\n{rows}"
                if ask(server, sql)[0] == 200:
                    batch += 1
        except (OSError, http.client.HTTPException):
            killer.join()
        server.start()
    assert batch > 20
    counted = f"SELECT count() >= {batch}, min(c), max(c) FROM (SELECT b, count() AS c FROM t GROUP BY b)"
    assert ask(server, counted) == (200, "1\t1000\t1000\n")
