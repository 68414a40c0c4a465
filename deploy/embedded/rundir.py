"""Directories with one owner, and what their owner publishes in them."""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

LOCK_NAME = "owner.lock"
HANDOVER_S = 8.0
"""How long a new owner waits for what a dead one has left behind to end."""


class DirectoryInUse(Exception):
    """Another process owns the directory."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A directory that is ours until `release`, or until we *and* every process that inherited `descriptor` end."""

    directory: Path
    descriptor: int

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def publish(self, name: str, facts: Mapping[str, object]) -> None:
        """Write `facts` as `name`.json, whole or not at all, readable by its owner only."""
        write_json(self.directory / f"{name}.json", facts)

    def withdraw(self, name: str) -> None:
        withdraw(self.directory, name)

    def release(self) -> None:
        os.close(self.descriptor)


def claim(directory: Path, *, what: str) -> Claim:
    """Make `directory` ours. `what` names it in messages: "run directory", "Kafka data directory".

    An owner that was killed may have left children that are still ending: then we wait for them a little.
    Raises DirectoryInUse.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / LOCK_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_up = time.monotonic() + HANDOVER_S
    while not _lock(descriptor):
        owner = path.read_text(encoding="ascii").strip()
        if is_alive(owner) or time.monotonic() > give_up:
            os.close(descriptor)
            raise DirectoryInUse(f"Expected a free {what}, got {directory}, in use by process {owner or '?'}.")
        time.sleep(0.1)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return Claim(directory, descriptor)


def published(directory: Path, name: str) -> dict[str, object] | None:
    """What was published as `name` by a process that is still there (its `pid`); None otherwise."""
    try:
        facts = json.loads((directory / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return facts if isinstance(facts, dict) and is_alive(str(facts.get("pid"))) else None


def withdraw(directory: Path, name: str) -> None:
    """Take back what was published as `name`."""
    (directory / f"{name}.json").unlink(missing_ok=True)


def write_json(path: Path, facts: Mapping[str, object]) -> None:
    """Replace `path` by `facts` in one step."""
    write_private(path, text=json.dumps(dict(facts), indent=2) + "\n")


def write_private(path: Path, *, text: str) -> None:
    """Replace `path` in one step by a file that only its owner can read."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    scratch = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)  # there only when it has not taken its place


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_alive(pid: str) -> bool:
    """Whether there is a process with this id; False for what is no number."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
