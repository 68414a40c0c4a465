"""The processes under test, started by their commands, tended like a service manager would, and hurt on demand."""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User
from lotstream.deploy.embedded.kafka import EmbeddedKafka
from lotstream.deploy.embedded.kafka_jvm import KafkaFailed
from lotstream.deploy.embedded.ports import free_port
from lotstream.deploy.embedded.process import Child, spawn
from lotstream.runtime.crash import VARIABLE
from lotstream.runtime.settings import Settings, StateStore, load_settings
from tests.chaos.plan import SESSION_S, WORKERS, Fault, Kind
from tests.chaos.world import SITE

LOTSTREAM = (sys.executable, "-m", "lotstream.cli.main")
STAGES = {"door": ("register", "smooth"), "lot": ("resolve", "locate")}
READY_S = 60.0
POINT_S = 25.0  # a point that is not reached in this time is passed over
Say = Callable[[str], None]


@dataclass
class Process:
    """A process that is wanted, its present incarnation, and when the next one may begin."""

    command: tuple[str, ...]
    env: dict[str, str]
    child: Child | None = None
    not_before: float = 0.0
    point: str = ""
    armed: bool = False


@dataclass
class Stack:
    """Broker, history, gateway, sink and two workers per stage, in one directory."""

    directory: Path
    say: Say
    store: StateStore = StateStore.MEMORY
    ends: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.run_dir = self.directory / "run"
        self.run_dir.mkdir(parents=True)
        site = self.directory / "site.toml"
        site.write_text(SITE)
        password = secrets.token_urlsafe(12)
        users = [User("lotstream_writer", password, Role.WRITER), User("lotstream_reader", password, Role.READER)]
        self.kafka = EmbeddedKafka(self.directory / "kafka", run_dir=self.run_dir)
        self.clickhouse = EmbeddedClickHouse(
            self.directory / "clickhouse", users=users, run_dir=self.run_dir, log_file=self.run_dir / "clickhouse.log"
        )
        self._own = {
            "LOTSTREAM_TOPICS__PARTITIONS": "4",
            "LOTSTREAM_CLICKHOUSE__PASSWORD": password,
            "LOTSTREAM_CLICKHOUSE__READER_PASSWORD": password,
            "LOTSTREAM_GATEWAY__PORT": str(free_port()),
            "LOTSTREAM_GATEWAY__SITE_FILE": str(site),
            "LOTSTREAM_RUN_DIR": str(self.run_dir),
            "LOTSTREAM_DATA_DIR": str(self.directory / "data"),
            "LOTSTREAM_STREAM__SESSION_TIMEOUT_S": str(SESSION_S),
            "LOTSTREAM_STREAM__CHECKPOINT_S": "1.0",
            "LOTSTREAM_STREAM__COMMIT_S": "0.5",
            "LOTSTREAM_STREAM__STORE": self.store,
            "LOTSTREAM_LOG__LEVEL": "WARNING",
        }
        self._lock = threading.RLock()
        self._processes: dict[str, Process] = {}
        self._added = 0
        self._over = threading.Event()
        self._tender = threading.Thread(target=self._tend, daemon=True)

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self._own['LOTSTREAM_GATEWAY__PORT']}"

    def __enter__(self) -> Self:
        with ThreadPoolExecutor(2) as pool:
            for started in [pool.submit(self.kafka.__enter__), pool.submit(self.clickhouse.__enter__)]:
                started.result()
        self._own |= {
            "LOTSTREAM_KAFKA__BOOTSTRAP": self.kafka.bootstrap,
            "LOTSTREAM_CLICKHOUSE__URL": self.clickhouse.url,
        }
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("LOTSTREAM_")} | self._own
        self.settings: Settings = load_settings(None, self.env)
        for command in (["topics", "apply"], ["migrate"]):
            subprocess.run([*LOTSTREAM, *command], env=self.env, check=True, stdout=subprocess.DEVNULL)
        self._processes = {
            "gateway": Process(("gateway",), {}),
            "sink": Process(("sink", "all"), {}),
            **{name: self._worker(name, fixed=True) for name in WORKERS},
        }
        for name in self._processes:
            self._start(name)
        self._tender.start()
        self.wait_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._tender.is_alive():
            self._tender.join(10)
        with self._lock:
            for process in self._processes.values():
                if process.child is not None:
                    process.child.send(signal.SIGCONT)
                    process.child.send(signal.SIGKILL)
        self.clickhouse.stop()
        self.kafka.stop()

    def wait_ready(self) -> None:
        """Return when every process that is wanted serves."""
        until = time.monotonic() + READY_S
        while waiting := [name for name in list(self._processes) if not self._is_ready(name)]:
            if time.monotonic() > until:
                logs = "\n".join(self.log(name) for name in waiting)
                raise RuntimeError(f"Expected {waiting} to become ready in {READY_S:.0f} s, got:\n{logs}")
            time.sleep(0.1)

    def wait_sent_on(self) -> None:
        """Return when the gateway keeps nothing any more of what it acknowledged while Kafka was away."""
        until = time.monotonic() + READY_S
        while self._kept():
            if time.monotonic() > until:
                raise RuntimeError(f"Expected the gateway to send on what it keeps in {READY_S:.0f} s.")
            time.sleep(0.1)

    def _kept(self) -> float:
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5.0) as answer:
            page = answer.read().decode()
        return float(next(line.split()[1] for line in page.splitlines() if line.startswith("lotstream_spool_records ")))

    def log(self, name: str) -> str:
        """The end of a process' output."""
        file = self.run_dir / f"{name}.log"
        return file.read_text(errors="replace")[-2_000:] if file.exists() else ""

    def strike(self, fault: Fault) -> None:
        """Do what the fault says and return when it is over; what ended is started anew by the tender."""
        match fault.kind:
            case Kind.ADD:
                with self._lock:
                    self._added += 1
                    name = f"{fault.target}-extra-{self._added}"
                    self._processes[name] = self._worker(name, fixed=False)
                    self._start(name)
            case Kind.REMOVE:
                self._remove(signal.SIGKILL if fault.for_s > 1.5 else signal.SIGTERM)
            case Kind.POINT:
                self._die_at(fault)
            case Kind.FREEZE:
                self._freeze(fault)
            case _:
                self._end(fault, signal.SIGKILL if fault.kind is Kind.KILL else signal.SIGTERM)

    def _end(self, fault: Fault, number: signal.Signals) -> None:
        if fault.target == "kafka":
            self.kafka.kill()
            time.sleep(fault.for_s)
            self._restart_kafka()
        elif fault.target == "clickhouse":
            self.clickhouse.kill()
            time.sleep(fault.for_s)
            self.clickhouse.start()
        else:
            with self._lock:
                process = self._processes[fault.target]
                process.not_before = time.monotonic() + fault.for_s
                if process.child is not None:
                    process.child.send(number)

    def _restart_kafka(self) -> None:
        """Again and again, as a service manager would: on a busy machine a start may take longer than it should."""
        while True:
            try:
                self.kafka.restart()
                return
            except KafkaFailed as failed:
                self.say(f"kafka did not start: {str(failed).splitlines()[0]}")

    def _freeze(self, fault: Fault) -> None:
        if fault.target == "kafka":
            pid = self.kafka.pid
            os.kill(pid, signal.SIGSTOP)
            time.sleep(fault.for_s)
            os.kill(pid, signal.SIGCONT)
            return
        with self._lock:
            process = self._processes[fault.target]
            child = process.child
            if child is None:
                return
            child.send(signal.SIGSTOP)
        time.sleep(fault.for_s)
        child.send(signal.SIGCONT)

    def _die_at(self, fault: Fault) -> None:
        with self._lock:
            process = self._processes[fault.target]
            process.point = fault.point
            child = process.child
        if child is not None:
            child.send(signal.SIGTERM)
            try:
                child.wait(5.0)
            except subprocess.TimeoutExpired:
                child.send(signal.SIGKILL)
        until = time.monotonic() + POINT_S
        while process.point and time.monotonic() < until:
            time.sleep(0.1)
        if process.point:
            process.point = ""
            self.say(f"{fault.target} did not reach {fault.point} in {POINT_S:.0f} s")

    def _remove(self, number: signal.Signals) -> None:
        with self._lock:
            extra = [name for name in self._processes if "extra" in name]
            if not extra:
                return
            process = self._processes.pop(extra[0])
            if process.child is not None:
                process.child.send(number)
        self.say(f"{extra[0]} goes for ever")

    def _worker(self, name: str, *, fixed: bool) -> Process:
        command = ("worker", "--name", name, *STAGES[name.partition("-")[0]])
        return Process(command, {"LOTSTREAM_STREAM__INSTANCE_ID": name} if fixed else {})

    def _start(self, name: str) -> None:
        process = self._processes[name]
        (self.run_dir / f"{name}.json").unlink(missing_ok=True)
        armed = {VARIABLE: process.point} if process.point else {}
        process.child = spawn(
            [*LOTSTREAM, *process.command], log=self.run_dir / f"{name}.log", env=self.env | process.env | armed
        )
        process.armed = bool(armed)

    def _tend(self) -> None:
        while not self._over.wait(0.1):
            with self._lock:
                for name, process in list(self._processes.items()):
                    if process.child is None or process.child.running or time.monotonic() < process.not_before:
                        continue
                    code = process.child.wait(5.0)
                    self.ends[str(code)] += 1
                    self.say(f"{name} ended with {code}{self._reason(name, code)}")
                    if process.armed and code == -signal.SIGKILL:
                        process.point = ""
                    self._start(name)

    def _reason(self, name: str, code: int) -> str:
        lines = [line for line in self.log(name).splitlines() if line.strip()]
        return f": {lines[-1][:200]}" if code > 0 and lines else ""

    def _is_ready(self, name: str) -> bool:
        file = self.run_dir / f"{name}.json"
        try:
            address = json.loads(file.read_text())["url"]
            with urllib.request.urlopen(f"{address}/readyz", timeout=2.0) as answer:
                return bool(answer.status == 200)
        except (OSError, ValueError, urllib.error.URLError):
            return False
