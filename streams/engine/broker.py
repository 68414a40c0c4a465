"""What the shell asks of the consumer group and the brokers: all that it knows of Kafka."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from lotstream.streams.engine.ledger import SourcePartition
from lotstream.streams.engine.loader import Take
from lotstream.streams.engine.outbox import Sender


class Broker(Sender, Protocol):
    """What the shell asks of the consumer group and the brokers."""

    async def commit(self, offsets: Mapping[SourcePartition, int]) -> bool: ...

    async def committed(self, sources: Iterable[SourcePartition]) -> Mapping[SourcePartition, int | None]: ...

    async def log_starts(self, sources: Iterable[SourcePartition]) -> Mapping[SourcePartition, int]: ...

    async def log_ends(self, sources: Iterable[SourcePartition]) -> dict[SourcePartition, int]: ...

    async def load(
        self, topic: str, fences: Mapping[int, int], *, takes: Mapping[int, Take], starts: Mapping[int, int]
    ) -> int: ...

    def behind(self, expected: Mapping[SourcePartition, int]) -> int: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of source partitions: the offset committed last, and the log's first and next offsets."""

    committed: Mapping[SourcePartition, int | None]
    starts: Mapping[SourcePartition, int]
    ends: Mapping[SourcePartition, int]
