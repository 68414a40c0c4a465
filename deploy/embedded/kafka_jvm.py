"""The virtual machine that runs the broker and its tools."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lotstream.deploy.embedded.kafka_archive import ClassArchive
from lotstream.deploy.embedded.kafka_config import argument_file, jvm_arguments
from lotstream.deploy.embedded.kafka_log import KafkaLog, open_log
from lotstream.deploy.embedded.kafka_storage import Storage
from lotstream.deploy.embedded.process import Child, spawn
from lotstream.deploy.embedded.rundir import write_private

TOOL_S = 60.0


class KafkaFailed(Exception):
    """The broker ended, or was not ready in time. The message has the last lines of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jvm:
    """How to start a main class of Kafka for one data directory; `descriptor` is the claim on that directory."""

    java: Path
    class_path: tuple[Path, ...]
    heap_mb: int
    storage: Storage
    archive: ClassArchive
    descriptor: int
    env: Mapping[str, str]

    def run_tool(self, main: Sequence[str]) -> None:
        """Run a main class until it ends. Raises KafkaFailed with what it said unless it ends well."""
        child, log = self._spawn([*self.archive.reading(), *self._arguments(), *main])
        code = _end_of(child)
        self.storage.arguments_file.unlink()
        if code:
            raise KafkaFailed(f"Expected {main[0]} to succeed, got exit code {code}:\n{log.tail}")

    def start_broker(self) -> tuple[Child, KafkaLog]:
        """Start the broker; it reads the class archive, or writes one when there is none and it ends in order."""
        sharing = self.archive.reading()
        if not sharing and self.archive.make_base(self._dump):
            sharing = self.archive.writing(self.storage.class_scratch)
        return self._spawn([*sharing, *self._arguments(), "kafka.Kafka", str(self.storage.properties_file)])

    def _arguments(self) -> list[str]:
        return jvm_arguments(self.class_path, heap_mb=self.heap_mb, temp_dir=self.storage.temp_dir)

    def _dump(self, arguments: Sequence[str]) -> int:
        child, _ = self._spawn(arguments)
        return _end_of(child)

    def _spawn(self, arguments: Sequence[str]) -> tuple[Child, KafkaLog]:
        write_private(self.storage.arguments_file, text=argument_file(arguments))
        log = open_log(self.storage.log_file)
        command = [str(self.java), f"@{self.storage.arguments_file}"]
        # paths reach the virtual machine in the encoding of the locale
        env = dict(self.env) | {"LC_ALL": "C.UTF-8"}
        return spawn(command, log=log.path, keep=[self.descriptor], env=env), log


def _end_of(child: Child) -> int:
    try:
        return child.wait(TOOL_S)
    except subprocess.TimeoutExpired:
        child.send(signal.SIGKILL)
        return child.wait(TOOL_S)
