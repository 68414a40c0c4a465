"""Every way in which ClickHouse can be away, by the real engine: an outage by its code, over when the cause is over."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User
from lotstream.runtime.errors import Transient
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks.store import ClickhouseStore

WRITER = User("writer", "w", Role.WRITER)


@dataclass
class Server:
    """An engine of its own, and a sink's store towards it."""

    directory: Path
    engine: EmbeddedClickHouse
    store: ClickhouseStore
    inserted: int = 0

    def insert(self) -> None:
        """One row, each its own."""
        self.store.insert("facts", [[self.inserted]], names=("a",))
        self.inserted += 1

    def refuses(self, words: str) -> None:
        """An insert is an outage, with ClickHouse's own name of it in the message."""
        with pytest.raises(Transient, match=words):
            self.insert()

    def check(self) -> None:
        """Inserts go on, and every row that was taken is there once."""
        self.insert()
        assert self.store.query("SELECT count(), uniqExact(a) FROM d.facts") == [(self.inserted, self.inserted)]

    def serve(self, *users: User) -> None:
        """The same data and port with other users."""
        port = self.engine.port
        self.engine.stop()
        log = self.directory / "log"
        self.engine = EmbeddedClickHouse(self.directory / "data", users=users, port=port, log_file=log)
        self.engine.start()


@contextmanager
def served(directory: Path) -> Iterator[Server]:
    """An engine with an empty table."""
    engine = EmbeddedClickHouse(directory / "data", users=[WRITER], log_file=directory / "log")
    with engine:
        settings = ClickhouseSettings(url=engine.url, database="d", user="writer", password="w")
        store = ClickhouseStore(settings)
        store.command("CREATE DATABASE d")
        store.command("CREATE TABLE d.facts (a UInt64) ENGINE = MergeTree ORDER BY a")
        found = Server(directory, engine, store)
        yield found
        store.close()
        found.engine.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for most of these tests: each leaves it well."""
    with served(tmp_path_factory.mktemp("outages")) as found:
        yield found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MB of its own."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_killed(server: Server) -> None:
    """SIGKILL is an outage until the next start."""
    server.insert()
    server.engine.kill()
    server.refuses("onnection")
    server.engine.start()
    server.check()


def test_read_only(server: Server) -> None:
    """A user who may only read cannot insert, until he may."""
    server.serve(User("writer", "w", Role.READER))
    server.refuses("READONLY")
    server.serve(WRITER)
    server.check()


def test_another_password(server: Server) -> None:
    """Rights that are wrong are somebody's to set right; no row is to blame."""
    server.serve(User("writer", "another", Role.WRITER))
    server.refuses("AUTHENTICATION_FAILED")
    server.serve(WRITER)
    server.check()


def test_too_many_parts(server: Server) -> None:
    """An insert waits for merges."""
    server.insert()
    server.store.command("SYSTEM STOP MERGES d.facts")
    server.store.command("ALTER TABLE d.facts MODIFY SETTING parts_to_delay_insert = 1, parts_to_throw_insert = 1")
    server.refuses("TOO_MANY_PARTS")
    server.store.command("ALTER TABLE d.facts RESET SETTING parts_to_delay_insert, parts_to_throw_insert")
    server.store.command("SYSTEM START MERGES d.facts")
    server.check()


def test_a_full_disk(small_disk: Path) -> None:
    """Less room than the engine sets aside for a part is an outage, and needs no repair once there is some."""
    with served(small_disk) as server:
        server.insert()
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file:
            while shutil.disk_usage(small_disk).free > 512 << 10:
                file.write(bytes(65_536))
        server.refuses("NOT_ENOUGH_SPACE|CANNOT_")
        filler.unlink()
        server.check()
