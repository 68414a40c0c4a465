"""A broker in memory, and what a schedule may do to it: what is sent stays under way until it is delivered."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from lotstream.streams.engine.store import Contents, StoreFailed

PARTITIONS = 2
UNITS = 6

settings.register_profile("millions", max_examples=20_000, deadline=None)  # of some hundreds of steps each


def some(examples: int) -> int:
    """So many examples, but as many as a profile says that was asked for by --hypothesis-profile."""
    asked = settings.default.max_examples if settings.default else examples
    return asked if asked > 1_000 else examples


Copies = dict[int, tuple[dict[bytes, bytes], int | None]]


class Shelf:
    """A store in memory, which outlives the workers that use it as a disk does. One at a time can open it; of one that
    died the last writes may be gone."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.holder: object = None
        self.copies: Copies = {}
        self.before: list[Copies] = [{}]

    def open(self, worker: object) -> "Shelf":
        if self.holder not in (None, worker):
            raise StoreFailed("Expected to be alone, got another one.")
        self.holder = worker
        return self

    def leave(self, worker: object) -> None:
        if self.holder is worker:
            self.holder = None
            if self.chance.random() < 0.5:
                self.copies = dict(self.chance.choice(self.before[-8:]))

    def begin(self) -> None:
        return

    def through(self, number: int) -> int | None:
        return self.copies.get(number, ({}, None))[1]

    def items(self, number: int) -> Iterator[tuple[bytes, bytes]]:
        yield from sorted(self.copies[number][0].items())

    def write(self, number: int, records: Contents, *, through: int | None) -> None:
        held = dict(self.copies.get(number, ({}, None))[0])
        for key, value in records:
            held.pop(key, None) if value is None else held.update({key: value})
        self.copies[number] = (held, through)
        self.before.append(dict(self.copies))

    def clear(self, number: int) -> None:
        self.copies.pop(number, None)


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

    async def load(
        self, topic: str, fences: Mapping[int, int], *, takes: Mapping[int, Take], starts: Mapping[int, int]
    ) -> int:
        read = 0
        for number, fence in fences.items():
            records = list(enumerate(self.logs.records[topic, number]))[starts[number] : fence + 1]
            for offset, (key, value, headers) in records:
                if key is not None:  # else a cleaner has taken it
                    takes[number](ChangelogRecord(offset, key, value, parse_owner(headers)))
                    read += 1
        return read

    def behind(self, expected: Mapping[SourcePartition, int]) -> int:
        return 0


class Ended(Exception):
    """Stands for the end of the process."""


class Shell(StageShell):
    ended: ExitCode | None = None

    def end(self, code: ExitCode, reason: str) -> NoReturn:
        self.ended = code
        raise Ended(reason)
