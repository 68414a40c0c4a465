"""The broker's log, read for what the broker says of itself."""

from dataclasses import dataclass
from pathlib import Path

LISTENING = "Awaiting socket connections on"
STARTED = "Kafka Server started"
TAKEN = "Address already in use"
LISTENERS = 2
KEEP_BYTES = 16 << 20
TAIL_LINES = 12


@dataclass(frozen=True, slots=True)
class KafkaLog:
    """The part of the log that one start of the broker has written, from `offset` on."""

    path: Path
    offset: int

    @property
    def text(self) -> str:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read().decode("utf-8", "replace")

    @property
    def listens(self) -> bool:
        return self.text.count(LISTENING) >= LISTENERS

    @property
    def started(self) -> bool:
        return STARTED in self.text

    @property
    def port_taken(self) -> bool:
        return TAKEN in self.text

    @property
    def tail(self) -> str:
        """The last lines, for a message."""
        return "\n".join(self.text.splitlines()[-TAIL_LINES:])


def open_log(path: Path) -> KafkaLog:
    """The log of a start that is about to happen; a long one of earlier starts is put aside as `.1`."""
    size = path.stat().st_size if path.exists() else 0
    if size > KEEP_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    path.touch(mode=0o600)
    return KafkaLog(path, path.stat().st_size)
