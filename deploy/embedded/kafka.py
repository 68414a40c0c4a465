"""Apache Kafka itself, one node, as a child process that dies with us.

with EmbeddedKafka() as kafka:      # fetches the jars once, starts, waits until ready, stops
    kafka.bootstrap                 # "127.0.0.1:21234"
"""

import importlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from lotstream.deploy.embedded.jars import Progress, cache_dir, fetch_jars, find_jars, read_lock
from lotstream.deploy.embedded.java import find_java
from lotstream.deploy.embedded.kafka_archive import class_archive
from lotstream.deploy.embedded.kafka_config import (
    Credentials,
    Node,
    check_sasl,
    properties_text,
    server_properties,
)
from lotstream.deploy.embedded.kafka_jvm import Jvm, KafkaFailed
from lotstream.deploy.embedded.kafka_log import KafkaLog
from lotstream.deploy.embedded.kafka_storage import KAFKA_VERSION, Storage, format_storage, is_formatted
from lotstream.deploy.embedded.ports import LOOPBACK, free_port, is_free
from lotstream.deploy.embedded.process import Child
from lotstream.deploy.embedded.rundir import Claim, claim, withdraw, write_json, write_private

PORT_ATTEMPTS = 5
READY_S = 60.0
STOP_S = 20.0
LOOK_EVERY_S = 0.02


class EmbeddedKafka:
    """One broker on 127.0.0.1. Without `data_dir` its data is in a temporary directory that `stop` removes.

    `port` 0 chooses a free one. `sasl` (user, password) makes its only door SASL_SSL with SCRAM-SHA-512 and a
    certificate that `ca_file` vouches for; without it the door is PLAINTEXT. `jars` is a directory that holds all
    jars of the lock, for machines without a network. While the broker runs, `kafka.json` with bootstrap, pid and
    version is published in `run_dir` (by default the data directory).
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        port: int = 0,
        sasl: tuple[str, str] | None = None,
        jars: Path | None = None,
        run_dir: Path | None = None,
        heap_mb: int = 512,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._temporary = data_dir is None
        scratch = Path(tempfile.gettempdir()) / f"lotstream-kafka-{os.urandom(6).hex()}"
        self._storage = Storage((data_dir or scratch).absolute())
        self._port = port
        if sasl:
            check_sasl(sasl)
        self._sasl = sasl
        self._jars = jars
        self._run_dir = run_dir or self._storage.directory
        self._heap_mb = heap_mb
        self._env = dict(os.environ if env is None else env)
        self._claim: Claim | None = None
        self._node: Node | None = None
        self._jvm: Jvm | None = None
        self._child: Child | None = None
        self._log: KafkaLog | None = None

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
    def bootstrap(self) -> str:
        """`127.0.0.1:port`. Raises KafkaFailed before the first start."""
        if self._node is None:
            raise KafkaFailed("Expected a broker, got none started yet.")
        return f"{LOOPBACK}:{self._node.port}"

    @property
    def pid(self) -> int:
        """The process id of the virtual machine. Raises KafkaFailed when it was never started."""
        return self._started_child().pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def ca_file(self) -> Path | None:
        """The certificate that clients must trust, PEM; None for a broker without `sasl`."""
        return self._storage.tls_dir / "ca.pem" if self._sasl else None

    @property
    def log_file(self) -> Path:
        return self._storage.log_file

    def start(self, on_progress: Progress | None = None) -> str:
        """Start the broker; returns its bootstrap address once it listens (`wait_ready` waits for more).

        `on_progress` is called with (jars ready, jars in all). Raises JarError, JavaMissing, DirectoryInUse,
        WrongDataDirectory, KafkaFailed.
        """
        if self.running:
            return self.bootstrap
        if self._claim is None:
            self._claim = claim(self._storage.directory, what="Kafka data directory")
        formatted = is_formatted(self._storage, sasl=self._sasl)
        self._jvm = self._build_jvm(self._claim, on_progress=on_progress)
        for _ in range(PORT_ATTEMPTS):
            self._configure(self._chosen_port())
            if not formatted:
                made = cache_dir(self._env).with_name("formatted")
                format_storage(self._storage, sasl=self._sasl, run=self._jvm.run_tool, cache=made)
                formatted = True
            if self._launch(self._jvm):
                self._publish()
                return self.bootstrap
        raise KafkaFailed(f"Expected a free port, got {PORT_ATTEMPTS} that were taken.")

    def wait_ready(self, timeout: float = READY_S) -> None:
        """Return when the broker has joined its cluster and answers. Raises KafkaFailed after `timeout` seconds."""
        self._await(lambda log: log.started, timeout=timeout, what="ready")

    def stop(self, timeout: float = STOP_S) -> None:
        """End the broker in order (SIGTERM), by force after `timeout` seconds; the directory is free afterwards."""
        self._end(timeout)
        self._child = None
        withdraw(self._run_dir, "kafka")
        if self._claim is not None:
            self._claim.release()
            self._claim = None
        if self._temporary:
            shutil.rmtree(self._storage.directory, ignore_errors=True)

    def kill(self) -> None:
        """End the broker as a crash would (SIGKILL), and return when it is gone. Port and directory stay ours."""
        child = self._started_child()
        child.send(signal.SIGKILL)
        child.wait(STOP_S)

    def restart(self, timeout: float = READY_S) -> None:
        """Start again on the same port and data, after `kill` or in place of a running broker; ready on return."""
        self._end(STOP_S)
        if self._node is not None:
            self._port = self._node.port
        self.start()
        self.wait_ready(timeout)

    def _end(self, timeout: float) -> None:
        if self._child is None or self._jvm is None:
            return
        self._child.send(signal.SIGTERM)
        try:
            code = self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return
        if code == -signal.SIGTERM:
            self._jvm.archive.adopt(self._storage.class_scratch)

    def _build_jvm(self, claimed: Claim, *, on_progress: Progress | None) -> Jvm:
        java, cache = find_java(self._env), cache_dir(self._env)
        if self._jars:
            class_path = find_jars(read_lock(), directory=self._jars, on_progress=on_progress)
        else:
            class_path = fetch_jars(read_lock(), cache=cache, on_progress=on_progress)
        shutil.rmtree(self._storage.temp_dir, ignore_errors=True)
        self._storage.temp_dir.mkdir()
        return Jvm(
            java=java,
            class_path=tuple(class_path),
            heap_mb=self._heap_mb,
            storage=self._storage,
            archive=class_archive(java, class_path=class_path, cache=cache.with_name("classes")),
            descriptor=claimed.descriptor,
            env=self._env,
        )

    def _chosen_port(self) -> int:
        if self._port and not is_free(self._port):
            raise KafkaFailed(f"Expected port {self._port} to be free, got it in use.")
        return self._port or free_port()

    def _configure(self, port: int) -> None:
        credentials = None
        if self._sasl:
            tls = importlib.import_module("lotstream.deploy.embedded.kafka_tls")  # few need it, and it is not small
            credentials = Credentials(*self._sasl, tls.provide_certificate(self._storage.tls_dir))
        self._node = Node(
            port=port, controller_port=free_port(), log_dir=self._storage.log_dir, credentials=credentials
        )
        write_private(self._storage.properties_file, text=properties_text(server_properties(self._node)))

    def _launch(self, jvm: Jvm) -> bool:
        self._child, self._log = jvm.start_broker()
        try:
            self._await(lambda log: log.listens, timeout=READY_S, what="listening")
        except KafkaFailed:
            if not self._log.port_taken:
                raise
            self.kill()
            return False
        return True

    def _await(self, said: Callable[[KafkaLog], bool], *, timeout: float, what: str) -> None:
        child, log = self._started_child(), self._log
        assert log is not None
        give_up = time.monotonic() + timeout
        while not said(log):
            if not child.running:
                raise KafkaFailed(f"Expected a broker {what}, got one that ended. {log.path} says:\n{log.tail}")
            if log.port_taken:
                raise KafkaFailed(f"Expected a free port, got one taken. {log.path} says:\n{log.tail}")
            if time.monotonic() > give_up:
                raise KafkaFailed(f"Expected a broker {what} in {timeout:g} s, got:\n{log.tail}")
            time.sleep(LOOK_EVERY_S)

    def _publish(self) -> None:
        facts = {"bootstrap": self.bootstrap, "pid": self.pid, "kafka": KAFKA_VERSION, "log": str(self.log_file)}
        self._run_dir.mkdir(parents=True, exist_ok=True)
        write_json(self._run_dir / "kafka.json", facts | ({"ca_file": str(self.ca_file)} if self._sasl else {}))

    def _started_child(self) -> Child:
        if self._child is None:
            raise KafkaFailed("Expected a broker, got none started yet.")
        return self._child
