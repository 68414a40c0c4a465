"""What a sink holds between receiving and committing, and how it feels."""

import time
from dataclasses import dataclass, field

from lotstream.runtime.errors import Rejected
from lotstream.sinks.rows import Message, Rows

Place = tuple[str, int]  # topic, partition


@dataclass(slots=True)
class Pending:
    """What was received and is not committed yet."""

    rows: Rows = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    rejected: list[tuple[Message, Rejected]] = field(default_factory=list)
    next: dict[Place, int] = field(default_factory=dict)
    count: int = 0
    size: int = 0
    since: float = 0.0  # monotonic

    def add(self, message: Message, rows: Rows) -> None:
        """Hold a message's rows."""
        for table, some in rows.items():
            if some:
                self.rows.setdefault(table, []).extend(some)
                self.count += len(some)
        self._pass_over(message)

    def reject(self, message: Message, why: Rejected) -> None:
        """Hold a message for the dead letters."""
        self.rejected.append((message, why))
        self._pass_over(message)

    def blame(self, place: tuple[int, int], why: Rejected) -> None:
        """Reject the message at (partition, offset), of which a row was refused; once is enough."""
        message = next(m for m in self.messages if (m.partition, m.offset) == place)
        if all(rejected is not message for rejected, _ in self.rejected):
            self.rejected.append((message, why))

    def _pass_over(self, message: Message) -> None:
        if not self.next:
            self.since = time.monotonic()
        self.messages.append(message)
        self.size += len(message.value or b"")
        self.next[message.topic, message.partition] = message.offset + 1


@dataclass(slots=True)
class Pulse:
    """A sink as others see it; written by its thread, read by any. Instants are monotonic."""

    joined: bool = False  # the group has given it its share of partitions, which may be none
    waiting: str = ""  # the outage that it waits for
    behind: int = 0  # messages left in Kafka at the last commit
    held_since: float = 0.0  # 0: nothing is held
    asked_since: float = 0.0  # ClickHouse is asked for the same thing since then; 0: nothing is asked
    beaten: float = field(default_factory=time.monotonic)
    committed: float = field(default_factory=time.monotonic)

    def beat(self) -> None:
        """The loop goes round."""
        self.beaten = time.monotonic()

    def wait(self, outage: str) -> None:
        """An outage is waited for; '' when it is over."""
        self.waiting = outage
        self.beat()

    def commit(self, behind: int) -> None:
        """Offsets were committed."""
        self.behind = behind
        self.committed = time.monotonic()
        self.beat()
