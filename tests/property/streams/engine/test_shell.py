"""The shell under any order of deliveries, deaths, moves and owners that do not know they were replaced.

The broker is a list per partition; what a worker sends stays under way until the schedule delivers it, and what is
under way when a worker dies arrives up to any point.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.streams.engine.changelog import ChangelogRecord, ItemReplay, parse_owner
from lotstream.streams.engine.config import EngineConfig
from lotstream.streams.engine.core import Acknowledge, Record, Stage
from lotstream.streams.engine.ledger import SourcePartition
from lotstream.streams.engine.plain import PlainLog, PlainLoop
from lotstream.streams.engine.snapshot import SnapshotReplay
from tests.property.streams.engine.conftest import (
    PARTITIONS,
    STAGES,
    UNITS,
    Chain,
    Client,
    Ended,
    Logs,
    Shelf,
    Shell,
    some,
)


class StoreKind(StrEnum):
    MEMORY = "memory"
    LOCAL = "local"


class Worker:
    def __init__(self, logs: Logs, stage: Stage, chance: random.Random, *, store: Shelf | None = None) -> None:
        self.logs = logs
        self.chance = chance
        self.stage = stage
        self.store = store
        self.built: list[Chain] = []
        self.client = Client(logs, chance)
        opening = None if store is None else lambda _: store.open(self)
        config = EngineConfig(brokers=("-",), group_prefix="-", linger_s=0.0, drain_s=0.2, store=opening)
        self.shell = Shell(replace(stage, build=self.build), config=config, broker=self.client)
        self.positions: dict[SourcePartition, int] = {}
        self.tasks = [asyncio.ensure_future(step) for step in self.shell.outbox.steps()]

    @property
    def dead(self) -> bool:
        return self.shell.ended is not None or any(task.done() for task in self.tasks)

    async def own(self, numbers: Iterable[int]) -> None:
        """What Faust does at an assignment."""
        self.client.at_once = True
        self.client.deliver_all()
        await calm()
        for number in numbers:
            self.logs.owners[number] = self.client
        self.built.clear()
        self.positions = await self.shell.take_over(numbers)
        for core in self.built:
            self.check_loaded(core)
        self.shell.flow()

    def build(self, number: int) -> Chain:
        core = self.stage.build(number)
        assert isinstance(core, Chain)
        self.built.append(core)
        return core

    def check_loaded(self, core: Chain) -> None:
        """Whatever a store had to do with it, the state is that of the whole changelog."""
        each = self.stage.acknowledge is Acknowledge.MESSAGE
        replay = ItemReplay(self.stage.merge) if each else SnapshotReplay()
        for offset, (key, value, headers) in enumerate(self.logs.records["changelog", core.partition]):
            replay.take(ChangelogRecord(offset, key or b"", value, parse_owner(headers)))
        items = replay.items if isinstance(replay, ItemReplay) else replay.finish()[0]
        assert {unit: b"%d" % last for unit, last in core.last.items()} == items

    async def give_back(self) -> None:
        """What Faust does at a revocation."""
        self.client.at_once = True
        self.client.deliver_all()
        await self.shell.drain()

    async def read(self, count: int) -> int:
        read = 0
        for place, position in list(self.positions.items()):
            for _, value, _ in self.logs.records[place][position : position + count]:
                await self.shell.receive(Record(*place, self.positions[place], 0, None, value))
                self.positions[place] += 1
                read += 1
        return read

    def die(self) -> None:
        for task in self.tasks:
            task.cancel()
        for _ in range(self.chance.randint(0, 3)):
            self.client.deliver(self.chance.randint(1, 4), told=False)
        self.client.pending.clear()
        if self.store is not None:
            self.store.leave(self)


async def calm() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


class World:
    """Two workers, a schedule, and zombies: workers whose partitions were given to others behind their back."""

    def __init__(self, kind: Acknowledge, chance: random.Random, stores: Sequence[Shelf | None]) -> None:
        self.stage = STAGES[kind]
        self.stores = stores
        self.chance = chance
        self.logs = Logs()
        self.workers: list[Worker] = []
        self.zombies: list[Worker] = []
        self.jobs: set[asyncio.Task[None]] = set()
        self.fed = 0

    def worker(self) -> Worker:
        return Worker(self.logs, self.stage, self.chance, store=self.chance.choice(self.stores))

    async def begin(self) -> None:
        self.workers = [self.worker() for _ in range(2)]
        await self.assign()

    async def assign(self) -> None:
        """Partitions go to workers at random."""
        numbers = list(range(PARTITIONS))
        self.chance.shuffle(numbers)
        cut = self.chance.randint(0, PARTITIONS)
        for worker, share in zip(self.workers, (numbers[:cut], numbers[cut:]), strict=True):
            await worker.own(share)

    async def step(self) -> None:
        act = self.chance.choices(
            [
                self.feed,
                self.read,
                self.deliver,
                self.commit,
                self.checkpoint,
                self.watch,
                self.move,
                self.kill,
                self.freeze,
                self.thaw,
            ],
            weights=[8, 10, 16, 4, 10, 3, 1, 4, 2, 2],
        )[0]
        await act()
        await calm()
        for worker in [worker for worker in self.workers if worker.dead]:
            await self.replace(worker)
        self.zombies = [zombie for zombie in self.zombies if not zombie.dead]

    async def feed(self) -> None:
        for _ in range(self.chance.randint(1, 6)):
            place = ("in", self.fed % UNITS % PARTITIONS)
            self.logs.records[place].append((None, b"%d" % self.fed, ()))
            self.fed += 1

    async def read(self) -> None:
        worker = self.chance.choice([*self.workers, *self.zombies])
        worker.client.at_once = False
        await worker.read(self.chance.randint(1, 4))

    async def deliver(self) -> None:
        worker = self.chance.choice([*self.workers, *self.zombies])
        worker.client.deliver(self.chance.randint(1, 4))

    async def commit(self) -> None:
        await self.chance.choice([*self.workers, *self.zombies]).shell.commit()

    async def checkpoint(self) -> None:
        worker = self.chance.choice([*self.workers, *self.zombies])
        job = asyncio.ensure_future(worker.shell.checkpoint())
        self.jobs.add(job)

    async def watch(self) -> None:
        with contextlib.suppress(Ended):
            await self.chance.choice([*self.workers, *self.zombies]).shell.watch()

    async def move(self) -> None:
        for worker in self.workers:
            await worker.give_back()
        await self.assign()

    async def kill(self) -> None:
        await self.replace(self.chance.choice(self.workers))

    async def freeze(self) -> None:
        """The group gives the partitions of a worker to another one; it does not know and goes on later."""
        worker = self.chance.choice(self.workers)
        self.zombies.append(worker)
        await self._newcomer(worker)

    async def thaw(self) -> None:
        """A replaced worker learns of it, and the group gives it the partitions of another one."""
        if self.zombies:
            zombie = self.zombies.pop(self.chance.randrange(len(self.zombies)))
            await zombie.give_back()
            worker = self.chance.choice(self.workers)
            await worker.give_back()
            numbers = [number for number, owner in self.logs.owners.items() if owner is worker.client]
            worker.die()
            self.workers[self.workers.index(worker)] = zombie
            await zombie.own(numbers)

    async def replace(self, worker: Worker) -> None:
        worker.die()
        await self._newcomer(worker)

    async def _newcomer(self, worker: Worker) -> None:
        numbers = [number for number, owner in self.logs.owners.items() if owner is worker.client]
        other = self.worker()
        self.workers[self.workers.index(worker)] = other
        await other.own(numbers)

    async def finish(self) -> None:
        """Heal: the zombies die, one worker does the rest."""
        for worker in [*self.workers, *self.zombies]:
            worker.die()
        last = self.worker()
        for attempt in range(3):
            await last.own(range(PARTITIONS))
            while await last.read(50):
                await calm()
            await last.give_back()
            if not last.dead:
                break
            last = self.worker()
            assert attempt < 2
        last.die()
        for job in self.jobs:
            job.cancel()

    def check(self) -> None:
        """Every number is answered, always alike, as the plain loop answers it; and all is committed."""
        plain = PlainLog()
        for number in range(PARTITIONS):
            for _, value, _ in self.logs.records["in", number]:
                plain.append("in", number, value=value)
        loop = PlainLoop([self.stage], log=plain)
        loop.run()
        right = {record.value for record in plain.topic("out")}
        said = {value for number in range(PARTITIONS) for _, value, _ in self.logs.records["out", number]}
        assert said == right
        ends = {("in", number): len(self.logs.records["in", number]) for number in range(PARTITIONS)}
        assert self.logs.commits == {place: end for place, end in ends.items() if end}


async def live(kind: Acknowledge, seed: int, steps: int, *, stores: Sequence[Shelf | None]) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    world = World(kind, random.Random(seed), stores)
    await world.begin()
    for _ in range(steps):
        await world.step()
    await world.finish()
    world.check()


@pytest.mark.parametrize("store", StoreKind)
@settings(max_examples=some(40), deadline=None)
@given(st.sampled_from(Acknowledge), st.integers(0, 2**32), st.integers(1, 120))
def test_every_record_is_answered_once_in_effect(store: StoreKind, kind: Acknowledge, seed: int, steps: int) -> None:
    """Whatever is delivered late, killed, moved or replaced unawares, the answers are those of the plain loop; without
    a local store and with one, which may miss its last writes when a worker has died."""
    stores = [None] if store is StoreKind.MEMORY else [Shelf(random.Random(seed + i)) for i in range(4)]
    asyncio.run(live(kind, seed, steps, stores=stores))
