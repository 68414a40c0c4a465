"""A broker in memory, and what a schedule may do to it: what is sent stays under way until it is delivered."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from hypothesis import settings

from lotstream.streams.engine.changelog import ChangelogRecord, parse_owner
from lotstream.streams.engine.config import ExitCode
from lotstream.streams.engine.core import Acknowledge, Output, Record, Stage
from lotstream.streams.engine.ledger import SourcePartition
from lotstream.streams.engine.loader import Take
from lotstream.streams.engine.outbox import Message, Place, Sent
from lotstream.streams.engine.shell import StageShell

PARTITIONS = 2
UNITS = 6

settings.register_profile("millions", max_examples=20_000, deadline=None)  # of some hundreds of steps each


def some(examples: int) -> int:
    """So many examples, but as many as a profile says that was asked for by --hypothesis-profile."""
    asked = settings.default.max_examples if settings.default else examples
    return asked if asked > 1_000 else examples


@dataclass(frozen=True)
class At:
    offset: int


class Chain:
    """Says which number of its unit came before; does not answer a number twice."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.last: dict[bytes, int] = {}
        self.changed: set[bytes] = set()

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        self.last = {key: int(value) for key, value in items}

    def apply(self, record: Record) -> Iterable[Output]:
        number = int(record.value or b"")
        unit = b"%d" % (number % UNITS)
        before = self.last.get(unit, -1)
        if number > before:
            self.last[unit] = number
            self.changed.add(unit)
            yield Output("out", self.partition, b"%d|%d" % (number, before))

    def changes(self) -> Mapping[bytes, bytes | None]:
        changed, self.changed = self.changed, set()
        return {unit: b"%d" % self.last[unit] if unit in self.last else None for unit in changed}


class Count(Chain):
    """Counts, and is wrong as soon as a record is applied twice; every third one of a unit begins anew."""

    def apply(self, record: Record) -> Iterable[Output]:
        number = int(record.value or b"")
        unit = b"%d" % (number % UNITS)
        self.last[unit] = self.last.get(unit, 0) + 1
        self.changed.add(unit)
        yield Output("out", self.partition, b"%d|%d" % (number, self.last[unit]))
        if self.last[unit] == 3:
            del self.last[unit]


def newest(key: bytes, older: bytes, newer: bytes) -> bytes:
    return max(older, newer, key=int)


STAGES = {
    kind: Stage(
        name=kind.value,
        sources=("in",),
        partitions=PARTITIONS,
        build=core,
        changelog="changelog",
        acknowledge=kind,
        merge=newest if kind is Acknowledge.MESSAGE else None,
    )
    for kind, core in ((Acknowledge.MESSAGE, Chain), (Acknowledge.CHECKPOINT, Count))
}


@dataclass
class Logs:
    """What the brokers hold."""

    records: defaultdict[SourcePartition, list[Message]] = field(default_factory=lambda: defaultdict(list))
    commits: dict[SourcePartition, int] = field(default_factory=dict)
    owners: dict[int, "Client"] = field(default_factory=dict)


@dataclass(eq=False)
class Pending:
    place: SourcePartition
    messages: list[Message]
    delivery: "asyncio.Future[At]"


class Client:
    """One worker's connection: sends wait in `pending` until they are delivered, in their order."""

    def __init__(self, logs: Logs, chance: random.Random) -> None:
        self.logs = logs
        self.chance = chance
        self.pending: list[Pending] = []
        self.at_once = True

    def deliver(self, count: int, *, told: bool = True) -> None:
        """Let up to `count` sends to one partition arrive; `told` says whether the sender learns of it."""
        if not self.pending:
            return
        place = self.chance.choice(sorted({pending.place for pending in self.pending}))
        for arriving in [pending for pending in self.pending if pending.place == place][:count]:
            self.pending.remove(arriving)
            log = self.logs.records[place]
            if told and not arriving.delivery.done():
                arriving.delivery.set_result(At(len(log)))
            log.extend(arriving.messages)

    def deliver_all(self) -> None:
        while self.pending:
            self.deliver(len(self.pending))

    async def send(self, place: Place, messages: Sequence[Message]) -> list[Sent]:
        delivery: asyncio.Future[At] = asyncio.get_running_loop().create_future()
        self.pending.append(Pending(place, list(messages), delivery))
        if self.at_once:
            self.deliver_all()
        return [Sent(delivery, len(messages))]

    async def commit(self, offsets: Mapping[SourcePartition, int]) -> bool:
        if any(self.logs.owners.get(partition) is not self for _, partition in offsets):
            return False
        self.logs.commits.update(offsets)
        return True

    async def committed(self, sources: Iterable[SourcePartition]) -> Mapping[SourcePartition, int | None]:
        return {place: self.logs.commits.get(place) for place in sources}

    async def log_starts(self, sources: Iterable[SourcePartition]) -> Mapping[SourcePartition, int]:
        return dict.fromkeys(sources, 0)

    async def log_ends(self, sources: Iterable[SourcePartition]) -> dict[SourcePartition, int]:
        return {place: len(self.logs.records[place]) for place in sources}

    async def load(self, topic: str, fences: Mapping[int, int], *, takes: Mapping[int, Take]) -> int:
        for number, fence in fences.items():
            for offset, (key, value, headers) in enumerate(self.logs.records[topic, number][: fence + 1]):
                takes[number](ChangelogRecord(offset, key or b"", value, parse_owner(headers)))
        return 0

    def behind(self, expected: Mapping[SourcePartition, int]) -> int:
        return 0


class Ended(Exception):
    """Stands for the end of the process."""


class Shell(StageShell):
    ended: ExitCode | None = None

    def end(self, code: ExitCode, reason: str) -> NoReturn:
        self.ended = code
        raise Ended(reason)
