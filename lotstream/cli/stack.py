"""Which processes run together on one machine: broker, engine, gateway, worker, sink. Used by up and demo."""

import os
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from lotstream.cli.exits import Refused
from lotstream.cli.wanted import wanted_topics
from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User
from lotstream.deploy.embedded.kafka import EmbeddedKafka
from lotstream.deploy.embedded.nursery import Forked, Nursery
from lotstream.deploy.embedded.ports import free_port
from lotstream.deploy.embedded.rundir import Claim, claim, published, write_private
from lotstream.runtime.settings import Settings, load_settings
from lotstream.runtime.topics import TopicAdmin, first_producer
from lotstream.sinks.migrate import migrate

EMBEDDED_PARTITIONS = 4
READY_S = 60.0
STOP_S = 20.0
RESTART_AFTER_S = 1.0
TEND_EVERY_S = 0.5
STACK = "stack"
Progress = Callable[[str], None]

PROCESSES: Mapping[str, tuple[str, ...]] = {
    "gateway": ("gateway",),
    "worker-door": ("worker", "--name", "worker-door", "register", "smooth"),
    "worker-lot": ("worker", "--name", "worker-lot", "resolve", "locate"),
    "sink": ("sink", "all"),
}
PROGRAM = "lotstream.cli.main:main"
ROOMS = ("lotstream.cli.gateway", "lotstream.cli.worker", "lotstream.cli.sink")


class StackFailed(Refused):
    """A process of the stack did not become ready; the message names its log."""


class Stack:
    """The embedded stack of one run directory. Whatever ends us ends every process of it."""

    def __init__(self, settings: Settings, *, jars: Path | None = None) -> None:
        self._given = settings
        self._run = settings.run_dir.absolute()
        self._claim: Claim | None = None
        self._secrets: dict[str, str] = {}
        data = settings.data_dir.absolute()
        self._run.mkdir(parents=True, exist_ok=True)
        users = [User(settings.clickhouse.user, self._secret("writer"), Role.WRITER)]
        users.append(User(settings.clickhouse.reader_user, self._secret("reader"), Role.READER))
        self.kafka = EmbeddedKafka(data / "kafka", jars=jars, run_dir=self._run)
        self.clickhouse = EmbeddedClickHouse(
            data / "clickhouse", users=users, run_dir=self._run, log_file=self._run / "clickhouse.log"
        )
        self._nursery = Nursery(ROOMS, main=PROGRAM, log=self._run / "processes.log")
        self._children: dict[str, Forked] = {}
        self._ended: dict[str, float] = {}
        self.env: dict[str, str] = {}
        self.settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start_stores(self, progress: Progress) -> None:
        """Start Kafka and ClickHouse, and make topics and tables. Raises DirectoryInUse, KafkaFailed …"""
        self._claim = claim(self._run, what="run directory")
        progress("Kafka and ClickHouse start")
        self._nursery.start()
        with ThreadPoolExecutor(1) as pool:
            history = pool.submit(self._start_history)
            self.kafka.start()
            self.kafka.wait_ready()
            progress("topics are made")
            self._make_topics()
            history.result()
        self.env = self._environment()
        self.settings = load_settings(None, os.environ | self.env)

    def start_processes(self, progress: Progress) -> None:
        """Start what works on the stores; `await_ready` waits for more. Raises NurseryFailed."""
        assert self._claim is not None
        progress("gateway, register, smooth, resolve, locate and sinks start")
        for name in PROCESSES:
            self._spawn(name)
        self._claim.publish(STACK, {"pid": os.getpid(), "env": self.env, "processes": list(PROCESSES)})

    def await_ready(self, *names: str) -> None:
        """Return when these processes are ready, all of them when none is named. Raises StackFailed."""
        until = time.monotonic() + READY_S
        for name in names or PROCESSES:
            while not is_ready(self.url(name)):
                if not self._children[name].running or time.monotonic() > until:
                    raise StackFailed(f"Expected {name} to become ready, got none; see {self._run / f'{name}.log'}")
                time.sleep(0.02)

    def stop(self) -> None:
        """End all of it in order: the doors first, the stores last."""
        for child in self._children.values():
            child.send(signal.SIGTERM)
        for child in self._children.values():
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.send(signal.SIGKILL)
        self._children = {}
        self._nursery.close()
        with ThreadPoolExecutor(2) as pool:
            for ended in [pool.submit(self.kafka.stop), pool.submit(self.clickhouse.stop)]:
                ended.result()
        if self._claim is not None:
            self._claim.withdraw(STACK)
            self._claim.release()
            self._claim = None

    def kill(self, name: str) -> None:
        """End a process of ours by SIGKILL, as a crash would; `tend` starts it anew."""
        self._children[name].send(signal.SIGKILL)

    def tend(self) -> list[str]:
        """Start anew what has ended by itself; the names of what was started."""
        started = []
        for name, child in self._children.items():
            if child.running:
                continue
            ended = self._ended.setdefault(name, time.monotonic())
            if time.monotonic() - ended >= RESTART_AFTER_S:
                del self._ended[name]
                started.append(name)
        for name in started:
            self._spawn(name)
        return started

    def watch(self, say: Progress, ended: Sequence[object] = ()) -> None:
        """Start anew what ends by itself, until there is something in `ended`."""
        while not ended:
            time.sleep(TEND_EVERY_S)
            for name in self.tend():
                say(f"{name} ended and was started anew")

    def url(self, name: str) -> str:
        """Address of a process' health server, '' while it has none."""
        facts = published(self._run, name)
        return str(facts["url"]) if facts else ""

    def _make_topics(self) -> None:
        settings = load_settings(None, os.environ | self._broker())
        with first_producer(settings.kafka):
            admin = TopicAdmin(settings.kafka)
            admin.apply(admin.plan(wanted_topics(settings)))

    def _start_history(self) -> None:
        self.clickhouse.start()
        self.clickhouse.wait_ready()
        here = {"url": self.clickhouse.url, "password_file": self._run / "writer.secret"}
        migrate(self._given.clickhouse.model_copy(update=here))

    def _broker(self) -> dict[str, str]:
        partitions = self._given.topics.partitions
        fields = type(self._given.topics).model_fields
        if partitions == fields["partitions"].default:
            partitions = EMBEDDED_PARTITIONS
        return {
            "LOTSTREAM_KAFKA__BOOTSTRAP": self.kafka.bootstrap,
            "LOTSTREAM_TOPICS__PARTITIONS": str(partitions),
        }

    def _environment(self) -> dict[str, str]:
        return {
            **self._broker(),
            "LOTSTREAM_CLICKHOUSE__URL": self.clickhouse.url,
            "LOTSTREAM_CLICKHOUSE__PASSWORD_FILE": str(self._run / "writer.secret"),
            "LOTSTREAM_CLICKHOUSE__READER_PASSWORD_FILE": str(self._run / "reader.secret"),
            "LOTSTREAM_GATEWAY__PORT": str(self._given.gateway.port or free_port()),
            "LOTSTREAM_RUN_DIR": str(self._run),
            "LOTSTREAM_DATA_DIR": str(self._given.data_dir.absolute()),
            "LOTSTREAM_STREAM__INSTANCE_ID": "local",
            "LOTSTREAM_STREAM__CHECKPOINT_S": str(self._given.stream.checkpoint_s),
            "LOTSTREAM_STREAM__COMMIT_S": str(self._given.stream.commit_s),
            "LOTSTREAM_SINK__BATCH_MS": str(self._given.sink.batch_ms),
            **({"LOTSTREAM_GATEWAY__SITE_FILE": str(f.absolute())} if (f := self._given.gateway.site_file) else {}),
        }

    def _secret(self, role: str) -> str:
        file = self._run / f"{role}.secret"
        if not file.exists():
            write_private(file, text=secrets.token_urlsafe(18))
        return file.read_text(encoding="ascii").strip()

    def _spawn(self, name: str) -> None:
        (self._run / f"{name}.json").unlink(missing_ok=True)
        log = self._run / f"{name}.log"
        self._children[name] = self._nursery.spawn(name, PROCESSES[name], log=log, env={**os.environ, **self.env})


def is_ready(url: str) -> bool:
    """Whether a process' /readyz says so."""
    if not url:
        return False
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2.0) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
