"""ClickHouse's engine as a child process that speaks ClickHouse's HTTP dialect and dies with us.

with EmbeddedClickHouse(data_dir, users=[User("lotstream", "secret", Role.WRITER)], log_file=log) as clickhouse:
    clickhouse.url                  # "http://127.0.0.1:21234"

Unlike the server it has no TCP protocol, and it refuses, in clear words: external data, `compress=1`/`decompress=1`
(HTTP compression works), roles, input(), dictionaries, functions of users' own, backups, and whatever reads or writes
files of the machine or speaks to other servers. A query id is given back, but the engine's own differ from it.
"""

import errno
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lotstream.deploy.embedded.clickhouse_users import Role, User
from lotstream.deploy.embedded.ports import LOOPBACK, free_port
from lotstream.deploy.embedded.process import Child, spawn
from lotstream.deploy.embedded.rundir import Claim, claim, withdraw, write_json

__all__ = ["ClickHouseFailed", "EmbeddedClickHouse", "Role", "User"]

PORT_ATTEMPTS = 5
READY_S = 30.0
STOP_S = 20.0
LOOK_EVERY_S = 0.01
PORT_TAKEN = errno.EADDRINUSE
"""The child's exit code for a port that somebody else holds."""


class ClickHouseFailed(Exception):
    """The server ended, or was not ready in time. The message has the last lines of its log."""


class EmbeddedClickHouse:
    """One server on 127.0.0.1 over `data_dir`. `users` are its credentials; nobody else may ask anything.

    `port` 0 chooses a free one, which later starts keep. While the server runs, `clickhouse.json` with url, port
    and pid is published in `run_dir` (by default the data directory); passwords are not in it. Beyond `max_queries`
    at once, or a body of more than `max_body_bytes` unpacked, a request is refused.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        users: Sequence[User],
        log_file: Path | None = None,
        port: int = 0,
        run_dir: Path | None = None,
        max_queries: int = 100,
        max_body_bytes: int = 4 << 30,
    ) -> None:
        self._directory = data_dir.absolute()
        self._users = tuple(users)
        self._log = (log_file or self._directory / "clickhouse.log").absolute()
        self._wanted = port
        self._port = 0
        self._run_dir = (run_dir or self._directory).absolute()
        self._limits = (max_queries, max_body_bytes)
        self._claim: Claim | None = None
        self._child: Child | None = None
        self._log_start = 0

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`. Raises ClickHouseFailed before the first start."""
        if not self._port:
            raise ClickHouseFailed("Expected a server, got none started yet.")
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the server. Raises ClickHouseFailed when it was never started."""
        return self._started().pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def log_file(self) -> Path:
        return self._log

    def start(self) -> str:
        """Start the server; returns its URL once it answers pings.

        Raises DirectoryInUse, ClickHouseFailed.
        """
        if self.running:
            return self.url
        if self._claim is None:
            self._claim = claim(self._directory, what="ClickHouse data directory")
        self._log.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(1 if self._wanted else PORT_ATTEMPTS):
            self._port = self._wanted or self._port or free_port()
            if self._launch(self._claim):
                self._run_dir.mkdir(parents=True, exist_ok=True)
                write_json(self._run_dir / "clickhouse.json", self._facts())
                return self.url
            self._port = 0
        raise ClickHouseFailed(f"Expected port {self._wanted or 'of five choices one'} to be free, got it taken.")

    def wait_ready(self, timeout: float = READY_S) -> None:
        """Return when the server answers. Raises ClickHouseFailed after `timeout` seconds."""
        if not self._await_ping(timeout):
            raise ClickHouseFailed(f"Expected a ClickHouse server on {self.url}, got its port taken.{self._tail()}")

    def stop(self, timeout: float = STOP_S) -> None:
        """End the server in order (SIGTERM), by force after `timeout` seconds; the directory is free afterwards."""
        if self._child is not None:
            self._child.send(signal.SIGTERM)
            try:
                self._child.wait(timeout)
            except subprocess.TimeoutExpired:
                self._child.send(signal.SIGKILL)
                self._child.wait(timeout)
        self._retire()

    def kill(self) -> None:
        """End the server by SIGKILL, as a crash would; `start` begins again on the same data and port."""
        child = self._started()
        child.send(signal.SIGKILL)
        child.wait(STOP_S)

    def _started(self) -> Child:
        if self._child is None:
            raise ClickHouseFailed("Expected a server, got none started yet.")
        return self._child

    def _retire(self) -> None:
        self._child = None
        if self._claim is not None:
            withdraw(self._run_dir, "clickhouse")
            self._claim.release()
            self._claim = None

    def _launch(self, held: Claim) -> bool:
        """Whether the server came up; False when its port is taken."""
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        secrets = os.memfd_create("users")
        try:
            os.write(secrets, json.dumps([(user.name, user.password, user.role) for user in self._users]).encode())
            self._child = spawn(self._command(secrets), log=self._log, keep=[held.descriptor, secrets])
        finally:
            os.close(secrets)
        return self._await_ping(READY_S)

    def _command(self, secrets: int) -> list[str]:
        module = "lotstream.deploy.embedded.clickhouse_server"
        options = ["--data", str(self._directory), "--port", str(self._port), "--users-fd", str(secrets)]
        queries, body_bytes = self._limits
        options += ["--max-queries", str(queries), "--max-body-bytes", str(body_bytes)]
        return [sys.executable, "-m", module, *options]

    def _await_ping(self, timeout: float) -> bool:
        child = self._started()
        give_up = time.monotonic() + timeout
        while time.monotonic() < give_up:
            if not child.running:
                if child.wait(1.0) == PORT_TAKEN:
                    return False
                raise ClickHouseFailed(f"Expected the ClickHouse server to run, got its end.{self._tail()}")
            if _pings(self._port):
                return True
            time.sleep(LOOK_EVERY_S)
        raise ClickHouseFailed(f"Expected a ClickHouse server within {timeout:.0f} s, got none.{self._tail()}")

    def _facts(self) -> dict[str, object]:
        return {"url": self.url, "port": self._port, "pid": self.pid, "log": str(self._log)}

    def _tail(self) -> str:
        if not self._log.exists():
            return ""
        with self._log.open("rb") as file:
            file.seek(self._log_start)
            lines = file.read().decode("utf-8", "replace").splitlines()[-12:]
        return "".join(f"\n  {line}" for line in lines)


def _pings(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1.0)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().read() == b"Ok.\n"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
