"""The stack that all faults share, what they may do to it, and whether it has healed."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx

from lotstream.deploy.embedded.ports import free_port
from lotstream.deploy.embedded.process import Child, spawn
from lotstream.runtime.clickhouse import client_arguments
from tests.chaos.stack import LOTSTREAM, Stack
from tests.faults.fault import NotShown, expect
from tests.faults.feed import Account

MOUNTS = {"kafka": 700, "clickhouse": 400, "spool": 24}  # MB of a disk of its own, where that is allowed
FOR_EVER = float("inf")
_READS = """
SELECT substring(tag, 5), sum(reads) FROM (
  SELECT tag, reads, bitTest(marks, 3) AS retracted FROM sightings WHERE startsWith(tag, 'hex/E2FA')
  ORDER BY version DESC LIMIT 1 BY tag, read_point, slot, lane, origin, path)
WHERE NOT retracted GROUP BY tag"""


@dataclass
class Extra:
    """A process beside the stack, in a run directory of its own."""

    child: Child
    run: Path
    log: Path

    def ends(self, within_s: float = 30.0) -> int:
        """Its exit code."""
        return self.child.wait(within_s)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def url(self, within_s: float = 30.0) -> str:
        """The address of a gateway, once it listens."""
        return str(_later(lambda: json.loads((self.run / "gateway.json").read_text())["url"], within_s))

    def ready(self, name: str) -> bool:
        """Whether it says that it is ready."""
        with suppress(OSError, ValueError, httpx.HTTPError):
            url = json.loads((self.run / f"{name}.json").read_text())["url"]
            return httpx.get(f"{url}/readyz", timeout=5.0).is_success
        return False

    def unready(self) -> str:
        """What the checks say of a gateway that must not be ready."""
        url = self.url()

        def faults() -> str:
            answer = httpx.get(f"{url}/readyz", timeout=5.0)
            expect(answer.status_code == 503, "Expected a gateway that is not ready, got one that is.")
            return "; ".join(
                check["detail"] for check in answer.json()["checks"].values() if check["detail"].startswith("Expected")
            )

        return _later(faults, 30.0)


def _later(ask: Callable[[], str], within_s: float) -> str:
    until = time.monotonic() + within_s
    while True:
        with suppress(OSError, ValueError, KeyError, httpx.HTTPError):
            if said := ask():
                return said
        expect(time.monotonic() < until, f"Expected an answer within {within_s:.0f} s, got none.")
        time.sleep(0.1)


class Ground(Stack):
    """A stack that can be hurt in every way that there is a fault for."""

    account: Account

    def __post_init__(self) -> None:
        super().__post_init__()
        self.spool = self.directory / "spool" / "files"
        self._own["LOTSTREAM_GATEWAY__SPOOL_DIR"] = str(self.spool)

    @property
    def names(self) -> list[str]:
        """The processes that are tended."""
        return list(self._processes)

    @property
    def reader(self) -> str:
        """A name for readers of the present fault."""
        return f"r{len(self.account.issued)}"

    def process(self, name: str) -> Child:
        """The present incarnation."""
        child = self._processes[name].child
        assert child is not None
        return child

    @contextmanager
    def down(self, name: str, number: signal.Signals = signal.SIGKILL) -> Iterator[None]:
        """Ended, and not started again meanwhile."""
        process, child = self._processes[name], self.process(name)
        process.not_before = FOR_EVER
        child.send(number)
        child.wait(30)
        try:
            yield
        finally:
            process.not_before = 0.0

    @contextmanager
    def frozen(self, pid: int) -> Iterator[None]:
        """Stopped, and continued afterwards."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def altered(self, name: str, **env: str) -> Iterator[None]:
        """Restarted with other settings, and again with its own afterwards."""
        process = self._processes[name]
        own = process.env
        process.env = own | env
        self.renew(name)
        try:
            yield
        finally:
            process.env = own
            self.renew(name)

    def renew(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End it and return when the next incarnation is ready."""
        with self.down(name, number):
            pass
        self.await_ready(name)

    @contextmanager
    def kafka_down(self) -> Iterator[None]:
        """Killed, and started again on the same port and data."""
        self.kafka.kill()
        try:
            yield
        finally:
            self.kafka.restart()

    def await_ready(self, name: str, within_s: float = 60.0) -> None:
        self.wait(lambda: self._is_ready(name), f"{name} ready", within_s=within_s)

    def wait(self, condition: Callable[[], bool], what: str, *, within_s: float = 30.0) -> float:
        """Seconds until it was so. Raises Misbehaved."""
        began = time.monotonic()
        while not condition():
            expect(time.monotonic() - began < within_s, f"Expected {what} within {within_s:.0f} s, got none.")
            time.sleep(0.1)
        return time.monotonic() - began

    def check(self, name: str, check: str) -> str:
        """What a process says of one of its checks."""
        address = json.loads((self.run_dir / f"{name}.json").read_text())["url"]
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5.0) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        return str(json.loads(body)["checks"][check]["detail"])

    def metric(self, name: str, metric: str) -> float:
        """The greatest value of a metric of a process; 0 without one."""
        address = json.loads((self.run_dir / f"{name}.json").read_text())["url"]
        with urllib.request.urlopen(f"{address}/metrics", timeout=5.0) as answer:
            lines = answer.read().decode().splitlines()
        return max((float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric)), default=0.0)

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """What the history answers to a reading user."""
        client = clickhouse_connect.get_client(
            **client_arguments(self.settings.clickhouse, "reader"), query_retries=0, send_receive_timeout=30
        )
        try:
            return [tuple(row) for row in client.query(query, parameters).result_rows]
        finally:
            client.close()

    def command(self, statement: str) -> None:
        """A statement of the writing user."""
        client = clickhouse_connect.get_client(**client_arguments(self.settings.clickhouse, "writer"))
        client.command(statement.replace("$", self.settings.clickhouse.database))
        client.close()

    def answered(self) -> dict[str, int]:
        """Tag -> reads of it in the history, of every tag that any fault has issued."""
        database = self.settings.clickhouse.database
        return {tag: int(times) for tag, times in self.rows(_READS.replace("FROM sight", f"FROM {database}.sight"))}

    @contextmanager
    def extra(self, *command: str, name: str = "extra", **env: str) -> Iterator[Extra]:
        """A further process; killed at the end when it still runs."""
        run = self.directory / "extra" / f"{name}-{time.monotonic_ns()}"
        run.mkdir(parents=True)
        own = {"LOTSTREAM_RUN_DIR": str(run), "LOTSTREAM_DATA_DIR": str(run / "data")}
        own |= {"LOTSTREAM_GATEWAY__PORT": str(free_port()), "LOTSTREAM_GATEWAY__SPOOL_DIR": str(run / "spool")}
        child = spawn([*LOTSTREAM, *command], log=run / "log", env=self.env | own | env)
        try:
            yield Extra(child, run, run / "log")
        finally:
            child.send(signal.SIGKILL)
            child.wait(10)

    def refuses(self, *command: str, said: str, **env: str) -> str:
        """A process that must not start: it ends by itself with a code, and says what is wrong."""
        with self.extra(*command, **env) as extra:
            try:
                code = extra.ends()
            except subprocess.TimeoutExpired:
                code = 0
            log = extra.said()
        expect(code > 0, f"Expected an exit code above 0, got {code}: {log[-300:]}")
        expect(said in log, f"Expected {said!r} in what it says, got {log[-400:]!r}.")
        line = next(line for line in reversed(log.splitlines()) if said in line)
        return f"exit {code}: {line.strip()[:160]}"

    def extra_run(self, *command: str, **env: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            [*LOTSTREAM, *command], env=self.env | env, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout + done.stderr

    def dies_at(self, name: str, point: str) -> str:
        """Armed to die by itself at a named point; returns when it has, and its successor is ready."""
        process = self._processes[name]
        process.point = point
        self.renew(name)
        self.wait(lambda: not process.point, f"{name} dead at {point}", within_s=40.0)
        self.await_ready(name)
        return f"{name} died at {point}, and what it had sent came again with the same keys"

    @contextmanager
    def full(self, mount: str, *, but: int = 0) -> Iterator[None]:
        """Not a byte left on a disk, ``but`` so many; raises NotShown where disks of its own are not allowed."""
        place = self.directory / mount
        if not os.path.ismount(place):
            raise NotShown("no file system may be mounted here")
        filler = place / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while (free := shutil.disk_usage(place).free) > but:
                file.write(bytes(1 << 20 if free > but + (2 << 20) else 4096))
        try:
            yield
        finally:
            filler.unlink()


def mount(directory: Path) -> None:
    """Disks of its own for what may become full; without the right to mount they stay ordinary directories."""
    for name, megabytes in MOUNTS.items():
        place = directory / name
        place.mkdir(parents=True)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)], capture_output=True, check=False
        )
