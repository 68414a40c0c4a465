"""What stands around the cores of one stage: it receives, lets decide, publishes, acknowledges, in this order.

    1 receive      the record is the next one of its source partition, and the ledger expects the one after it
    2 decide       the core is asked; nothing else happens to it meanwhile
    3 publish      outputs, then the changes of state, go through the outbox
    4 acknowledge  in order, when every output and changelog record sent on its behalf is delivered

Faust is behind `Broker`; this module knows none of it.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import NoReturn

from lotstream.streams.engine.broker import Bounds, Broker
from lotstream.streams.engine.changelog import FENCE, ItemReplay, Process
from lotstream.streams.engine.config import (
    Applied,
    Assigned,
    Committed,
    EngineConfig,
    ExitCode,
    Jumped,
    Loaded,
    Ready,
    Restated,
    Revoked,
)
from lotstream.streams.engine.core import Acknowledge, Output, Record, Stage, encode
from lotstream.streams.engine.exclusive import Exclusive
from lotstream.streams.engine.exits import end_process
from lotstream.streams.engine.ledger import Ledger, Place, SourceLedger, SourcePartition
from lotstream.streams.engine.mirror import Mirror, Tail
from lotstream.streams.engine.outbox import STORE_S, Delivered, Outbox, Sent
from lotstream.streams.engine.owned import Changelog, Owned
from lotstream.streams.engine.snapshot import MARKER


class StageShell:
    """The partitions of one stage that this process owns, from assignment to revocation."""

    def __init__(
        self,
        stage: Stage,
        *,
        config: EngineConfig,
        broker: Broker,
        backlog: Callable[[], bool] = lambda: False,
    ) -> None:
        self.stage = stage
        self.config = config
        self.ledger = Ledger()
        self._step = partial(config.on_step, stage.name)
        self._broker = broker
        self._process = Process(config.instance or "", uuid.uuid4().hex)
        self._first_fences: dict[int, int] = {}
        self._owned: dict[int, Owned] = {}
        self._flowing = False
        self._epoch = 0
        self._applied = 0
        self._applied_s = 0.0
        self._commit_lock = asyncio.Lock()
        self._checkpoint_lock = asyncio.Lock()
        self._exclusive = Exclusive(broker, stage.exclusive)
        self._mirror = Mirror(stage, config)
        self.outbox = Outbox(
            self._exclusive,
            ended=lambda reason: self.end(ExitCode.UNDELIVERED, reason),
            each=stage.acknowledge is Acknowledge.MESSAGE,
            linger_s=config.linger_s,
            store_s=min(STORE_S, config.commit_s / 2),
            backlog=backlog,
            step=self._step,
            delivery_timeout_s=config.delivery_timeout_s,
        )

    def end(self, code: ExitCode, reason: str) -> NoReturn:
        """The process ends; nothing that is not acknowledged will be."""
        end_process(code, reason, stage=self.stage.name, on_event=self.config.on_event)

    # -- records ---------------------------------------------------------------------------------------------

    async def receive(self, record: Record) -> None:
        """One record, through the four steps. Records that are not this process's to decide, or not again, are
        passed over: they come again to whom they concern."""
        await self.outbox.room()
        owned = self._owned.get(record.partition)
        if owned is None or not self._flowing:
            return
        source = owned.sources[record.topic]
        place = source.place(record.offset)
        if place is Place.HOLE:
            place = await self._hole(source, record)
        if place is Place.NEXT and owned.mine and self._flowing:
            self._decide(owned, record, source=source)

    def _decide(self, owned: Owned, record: Record, *, source: SourceLedger) -> None:
        # 1 receive
        source.receive(record.offset)
        self._step("received")
        # 2 decide
        began = time.perf_counter()
        with self._guard(f"{record.topic}:{record.partition}:{record.offset}", advice=self.config.advice):
            outputs = list(owned.core.apply(record))
        owned.heard_at = time.monotonic()
        owned.dirty = True
        self._applied += 1
        self._applied_s += time.perf_counter() - began
        self._step("decided")
        # 3 publish; 4 acknowledge: in the outbox, when all of it is delivered
        self.outbox.add(source, record.offset, outputs=outputs, keeper=owned if self.outbox.each else None)

    @contextmanager
    def _guard(self, where: str, *, advice: Callable[[str], str] = lambda _: "") -> Iterator[None]:
        try:
            yield
        except Exception as bug:  # noqa: BLE001 - the guard: whatever a core raises is a bug, and ends the process
            point = bug.__traceback__
            while point is not None and point.tb_next is not None:
                point = point.tb_next
            line = "?" if point is None else f"{point.tb_frame.f_code.co_qualname}:{point.tb_lineno}"
            self.end(ExitCode.BUG, f"Expected outputs for {where}, got {bug!r} from {line}.\n{advice(where)}".rstrip())

    async def _hole(self, source: SourceLedger, record: Record) -> Place:
        """Records between the expected one and this one are missing: fine below the log's start, fatal elsewhere."""
        place = (record.topic, record.partition)
        start = (await self._broker.log_starts([place]))[place]
        if source.place(record.offset) is Place.HOLE:
            if start < record.offset:
                self.end(
                    ExitCode.HOLE,
                    f"Expected offset {source.expected} of {place[0]}:{place[1]}, got {record.offset}.",
                )
            await self._jump(source, place, start=record.offset)
        return source.place(record.offset)

    async def _jump(self, source: SourceLedger, place: SourcePartition, *, start: int) -> None:
        """Say what is gone, and go on behind it only when that is delivered."""
        jumped = Jumped(self.stage.name, *place, source.expected, start)
        self.config.on_event(jumped)
        if self.stage.gone is not None:
            output = self.stage.gone(jumped)
            message = (output.key, encode(output), output.headers)
            await self._delivered(await self._broker.send((output.topic, output.partition), [message]))
        source.jump(start)

    # -- assignment ------------------------------------------------------------------------------------------

    async def take_over(self, numbers: Iterable[int]) -> dict[SourcePartition, int]:
        """Own exactly these partition numbers, with their state loaded. Returns where to read each source from.

        A partition kept from before stays as it is when its new fence directly follows its last changelog record:
        then nobody else has owned it in between. May be cancelled at any point by the next assignment.
        """
        wanted = sorted(set(numbers))
        self._flowing = False
        self._epoch += 1
        epoch = self._epoch
        self.config.on_event(Assigned(self.stage.name, tuple(wanted)))
        for number in [number for number in self._owned if number not in wanted]:
            self._forget(number)
        fences = await self._fence(wanted)
        self._keep(fences)
        new = [number for number in wanted if number not in self._owned]
        if new:
            loaded = await self._load({number: fences.get(number, -1) for number in new})
            if epoch != self._epoch:
                return {}
            for owned in loaded:
                self._own(owned)
        return {(topic, n): s.expected for n, owned in self._owned.items() for topic, s in owned.sources.items()}

    def flow(self) -> None:
        """Records may come now."""
        now = time.monotonic()
        for owned in self._owned.values():
            owned.heard_at = now
        self._flowing = True
        self.config.on_event(Ready(self.stage.name, tuple(sorted(self._owned))))

    async def drain(self) -> None:
        """Take no more records, finish what is under way within `drain_s`, checkpoint, commit. What could not be
        finished is forgotten: the next owner does it again."""
        if not self._flowing:
            return
        self._flowing = False
        self._epoch += 1
        try:
            async with asyncio.timeout(self.config.drain_s):
                await self.outbox.settled()
                await self.checkpoint()
                await self.commit()
            drained = True
        except TimeoutError:
            drained = False
            for number in list(self._owned):
                self._forget(number)
        self.config.on_event(Revoked(self.stage.name, drained))

    def _forget(self, number: int) -> None:
        owned = self._owned.pop(number)
        owned.mine = False
        self._exclusive.forget(number)
        for topic in owned.sources:
            self.ledger.forget((topic, number))

    def _own(self, owned: Owned) -> None:
        self._owned[owned.number] = owned
        for topic, source in owned.sources.items():
            self.ledger.start((topic, owned.number), source)

    async def _fence(self, numbers: Iterable[int]) -> dict[int, int]:
        """Append a fence to each changelog partition; its offset is the owner's number."""
        changelog = self.stage.changelog
        if changelog is None:
            return {}
        sent = {
            number: await self._broker.send((changelog, number), [(FENCE, self._process.encode(), ())])
            for number in numbers
        }
        await self._delivered([part for parts in sent.values() for part in parts])
        self._step("fenced")
        fences = {number: parts[0].delivery.result().offset for number, parts in sent.items()}
        self._first_fences = fences | self._first_fences
        return fences

    def _keep(self, fences: Mapping[int, int]) -> None:
        """Keep the partitions nobody else has written to since; the others will be loaded."""
        for number, owned in list(self._owned.items()):
            last = None if owned.changelog is None else owned.changelog.last
            if last is not None and last + 1 == fences[number]:
                self._mirror.renew(number, fence=fences[number], process=self._process.encode())
                owned.changelog = self._changelog(number, fences[number])
            else:
                self._forget(number)

    def _changelog(self, number: int, fence: int) -> Changelog:
        assert self.stage.changelog is not None
        return Changelog(
            self.stage.changelog,
            number,
            fence=fence,
            sender=self._broker,
            mirror=self._mirror,
            fenced=lambda reason: self.end(ExitCode.FENCED, reason),
        )

    # -- loading ---------------------------------------------------------------------------------------------

    async def _load(self, fences: Mapping[int, int]) -> list[Owned]:
        began = time.perf_counter()
        bounds = await self._bounds(fences)
        ends = await self._broker.log_ends(self._exclusive.places(fences))
        tails, read = await self._mirror.load(fences, read=self._broker.load)
        loaded = [
            await self._build(number, tail, fence=fences[number], bounds=bounds) for number, tail in tails.items()
        ]
        self._exclusive.begin(ends)
        self.config.on_event(Loaded(self.stage.name, tuple(fences), read, time.perf_counter() - began))
        return loaded

    async def _bounds(self, numbers: Iterable[int]) -> Bounds:
        sources = [(topic, number) for number in numbers for topic in self.stage.sources]
        return Bounds(
            await self._broker.committed(sources),
            await self._broker.log_starts(sources),
            await self._broker.log_ends(sources),
        )

    async def _build(self, number: int, tail: Tail, *, fence: int, bounds: Bounds) -> Owned:
        replay = tail.replay
        if self._process.has_twin(replay.fences.seen, since=self._first_fences.get(number, fence)):
            self.end(ExitCode.FENCED, f"Expected to be the only worker named {self._process.name!r}, got another one.")
        core = self.stage.build(number)
        changelog = None if self.stage.changelog is None else self._changelog(number, fence)
        if isinstance(replay, ItemReplay):
            items, rewrites, snapshot = replay.items, replay.rewrites(), None
            through = {topic: bounds.committed[topic, number] for topic in self.stage.sources}
        else:
            items, snapshot, rewrites = replay.finish()
            known = {} if replay.marker is None else replay.marker.through
            through = {topic: known.get(topic) for topic in self.stage.sources}
        if changelog is not None:
            await self._delivered(await changelog.append(rewrites.items()))
            await self._mirror.keep(number, tail, fence=fence, rewrites=rewrites, last=changelog.last)
        core.load(items.items())
        sources = {
            topic: await self._source((topic, number), offset, bounds=bounds) for topic, offset in through.items()
        }
        return Owned(number, core, sources, changelog, self._guard, snapshot)

    async def _source(self, place: SourcePartition, offset: int | None, *, bounds: Bounds) -> SourceLedger:
        """The ledger of a source from the offset that its state stands at."""
        start, end = bounds.starts[place], bounds.ends[place]
        if offset is not None and offset > end:
            self.end(ExitCode.HOLE, f"Expected {place[0]}:{place[1]} to reach offset {offset}, got its end at {end}.")
        ledger = SourceLedger(start if offset is None else offset, committed=bounds.committed[place])
        if ledger.expected < start:
            await self._jump(ledger, place, start=start)
        return ledger

    # -- acknowledging ---------------------------------------------------------------------------------------

    async def commit(self) -> bool:
        """Commit what the ledger says; the bookkeeping moves only when Kafka took it."""
        async with self._commit_lock:
            self._say_applied()
            offsets = self.ledger.committable()
            if not offsets:
                return False
            self._step("acknowledged")
            if not await self._taken(offsets):
                return False
            self._step("committed")
            self.ledger.committed(offsets)
            expected = {place: source.first for place, source in self.ledger.sources().items()}
            self.config.on_event(Committed(self.stage.name, offsets, self._broker.behind(expected)))
            return True

    async def _taken(self, offsets: Mapping[SourcePartition, int]) -> bool:
        limit_s = self.config.delivery_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await self._broker.commit(offsets)
        except TimeoutError:
            self.end(ExitCode.UNDELIVERED, f"Expected Kafka to take offsets in {limit_s} s, got no answer.")

    def _say_applied(self) -> None:
        if self._applied:
            self.config.on_event(Applied(self.stage.name, self._applied, self._applied_s))
            self._applied, self._applied_s = 0, 0.0

    async def checkpoint(self) -> None:
        """Snapshot what was applied since the last one: outputs delivered, changes delivered, marker delivered, and
        only then is it acknowledged."""
        if self.outbox.each:
            return
        async with self._checkpoint_lock:
            taken = [self._take(owned) for owned in self._owned.values() if owned.dirty]
            if not taken:
                return
            await self.outbox.settled()
            self._step("outputs delivered")
            await self._append(
                [(owned, list(owned.snapshot.records(changes))) for owned, changes, _ in taken if owned.snapshot]
            )
            self._step("snapshot delivered")
            await self._append(
                [
                    (owned, [(MARKER, owned.snapshot.marker(through).encode())])
                    for owned, _, through in taken
                    if owned.snapshot
                ]
            )
            self._step("marker delivered")
            for owned, _, through in taken:
                if owned.snapshot is not None:
                    owned.snapshot.confirm()
                for topic, offset in through.items():
                    owned.sources[topic].acknowledge_below(offset)

    def _take(self, owned: Owned) -> tuple[Owned, Mapping[bytes, bytes | None], dict[str, int]]:
        owned.dirty = False
        return owned, dict(owned.core.changes()), owned.through()

    async def _append(self, writes: Iterable[tuple[Owned, list[tuple[bytes, bytes | None]]]]) -> None:
        sent: list[Sent] = []
        for owned, records in writes:
            if owned.mine and owned.changelog is not None:
                sent += await owned.changelog.append(records)
        await self._delivered(sent)

    async def _delivered(self, sent: list[Sent]) -> None:
        deliveries = [part.delivery for part in sent]
        if deliveries:
            _, late = await asyncio.wait(deliveries, timeout=self.config.delivery_timeout_s)
            failures = [d.exception() for d in deliveries if d.done() and d.exception() is not None]
            if late or failures:
                self.end(
                    ExitCode.UNDELIVERED,
                    f"Expected {len(deliveries)} deliveries, got {len(late)} late, {failures[:1]}.",
                )

    # -- clockwork -------------------------------------------------------------------------------------------

    async def checkpoint_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self.config.checkpoint_s)
            if self._flowing:
                await self.checkpoint()

    async def watch_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self.config.watch_s)
            await self.watch()

    async def watch(self) -> None:
        """Look for what others wrote where only an owner writes. Into a changelog in which nothing happens no own
        offset would tell, and by the time one does, compaction may have preferred the other's record."""
        if not self._flowing:
            return
        epoch, changelog = self._epoch, self.stage.changelog
        logs = [] if changelog is None else [(changelog, number) for number in self._owned]
        ends = await self._broker.log_ends([*logs, *self._exclusive.places(self._owned)])
        if not self._flowing or epoch != self._epoch:
            return
        for place in logs:
            log = self._owned[place[1]].changelog
            if log is not None:
                log.verify(ends.pop(place))
        for number in self._exclusive.strange(ends):
            self._restate(self._owned[number])

    def _restate(self, owned: Owned) -> None:
        with self._guard(f"partition {owned.number}, said again"):
            outputs = [] if self.stage.restate is None else list(self.stage.restate(owned.core))
        self.outbox.say(outputs)
        self.config.on_event(Restated(self.stage.name, owned.number, len(outputs)))

    async def idle_for_ever(self) -> None:
        """Append the stage's idle record where nothing came for as long as it says."""
        while True:
            await asyncio.sleep(self.stage.idle_after_s / 4)
            if self._flowing:
                await self.idle(time.monotonic())

    async def idle(self, now: float) -> None:
        make = self.stage.idle
        if make is None:
            return
        for owned in list(self._owned.values()):
            if now - owned.heard_at >= self.stage.idle_after_s:
                owned.heard_at = now
                output: Output = make(owned.number)
                message = (output.key, encode(output), output.headers)
                for part in await self._broker.send((output.topic, output.partition), [message]):
                    part.delivery.add_done_callback(self._idle_delivered)

    def _idle_delivered(self, delivery: asyncio.Future[Delivered]) -> None:
        if not delivery.cancelled() and (failure := delivery.exception()) is not None:
            self.end(ExitCode.UNDELIVERED, f"Expected the delivery of an idle record, got {failure!r}.")
