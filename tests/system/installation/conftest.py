"""An installation as an operator makes one: stores somewhere, and the program's own commands with settings."""

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User
from lotstream.deploy.embedded.kafka import EmbeddedKafka

ROOT = Path(__file__).resolve().parents[3]
STOP_S = 45.0
EPC = "3034257BF7194E4000001A85"
TAG = "01/80614141123458/21/6789"


@dataclass(frozen=True, slots=True)
class Stores:
    """A broker and a history that are there already."""

    bootstrap: str
    clickhouse: str
    writer: str
    reader: str
    ca_file: Path | None = None

    def select(self, query: str) -> str:
        """What the history answers the reading user, as tab separated text."""
        request = urllib.request.Request(f"{self.clickhouse}/?database=lotstream", data=query.encode())
        login = base64.b64encode(f"lotstream_reader:{self.reader}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
        with urllib.request.urlopen(request, timeout=10.0) as answer:
            text: str = answer.read().decode()
        return text.strip()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Callable[..., Stores]]:
    """Starts a broker (with `sasl`: user and password) and a history; both end with the test."""
    with ExitStack() as stack:

        def start(sasl: tuple[str, str] | None = None) -> Stores:
            writer, reader = secrets.token_hex(12), secrets.token_hex(12)
            users = [User("lotstream_writer", writer, Role.WRITER), User("lotstream_reader", reader, Role.READER)]
            place = tmp_path / "stores"
            place.mkdir()
            kafka = EmbeddedKafka(place / "kafka", sasl=sasl)
            stack.callback(kafka.stop)
            kafka.start()
            log = place / "clickhouse.log"
            history = stack.enter_context(EmbeddedClickHouse(place / "clickhouse", users=users, log_file=log))
            kafka.wait_ready()
            return Stores(kafka.bootstrap, history.url, writer, reader, kafka.ca_file)

        yield start


@dataclass(slots=True)
class Program:
    """`lotstream`, as `command` starts it, in a directory, with an environment that holds nothing else of ours."""

    command: Sequence[str | Path]
    directory: Path
    env: Mapping[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LOTSTREAM_"))}
        return {**clean, **self.env, **more}

    def run(self, *arguments: str, timeout_s: float = 60.0, **more: str) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        return subprocess.run(
            [*map(str, self.command), *arguments],
            cwd=self.directory,
            env=self.environment(more),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def start(self, name: str, *arguments: str, log: Path, **more: str) -> None:
        """A process that stays, under a name of the test."""
        with log.open("ab") as output:
            self.running[name] = subprocess.Popen(
                [*map(str, self.command), *arguments],
                cwd=self.directory,
                env=self.environment(more),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def stop(self) -> dict[str, int]:
        """SIGTERM to all; their exit codes."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        codes = {}
        for name, process in self.running.items():
            try:
                codes[name] = process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[name] = process.wait()
        self.running = {}
        return codes


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program of the checkout; whatever it started ends with the test."""
    place = tmp_path / "here"
    place.mkdir()
    found = Program([sys.executable, "-m", "lotstream.cli.main"], place, {})
    yield found
    found.stop()


def await_that(holds: Callable[[], bool], *, within_s: float, what: str) -> None:
    """Wait until it holds."""
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, f"Expected {what} within {within_s:g} s."
        time.sleep(0.2)


def read_of(epc: str, *, reader: str, antenna: int = 1) -> dict[str, Any]:
    """One tag inventory event, as an Impinj reader of the IoT interface sends it, seen now."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    seen = {"epcHex": epc, "antennaPort": antenna, "peakRssiCdbm": -5200, "lastSeenTime": now}
    return {"timestamp": now, "hostname": reader, "eventType": "tagInventory", "tagInventoryEvent": seen}


def post(url: str, body: object, *, token: str = "") -> dict[str, Any]:
    """The gateway's answer to a request."""
    request = urllib.request.Request(url, data=json.dumps(body).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=30.0) as answer:
        said: dict[str, Any] = json.load(answer)
    return said


def url_of(run_dir: Path, name: str) -> str:
    """Where a process listens, '' before it has said so."""
    try:
        return str(json.loads((run_dir / f"{name}.json").read_text())["url"])
    except FileNotFoundError:
        return ""


def is_ready(run_dir: Path, name: str) -> bool:
    """Whether /readyz of a process says yes."""
    url = url_of(run_dir, name)
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5.0) as answer:
            return bool(answer.status == 200)
    except (ValueError, OSError):
        return False


@pytest.fixture
def told() -> "Told":
    """The helpers of this file; tests here are no package that could import them."""
    return Told()


class Told:
    """What a test says and asks."""

    epc, tag, root = EPC, TAG, ROOT
    await_that = staticmethod(await_that)
    read_of = staticmethod(read_of)
    post = staticmethod(post)
    url_of = staticmethod(url_of)
    is_ready = staticmethod(is_ready)
