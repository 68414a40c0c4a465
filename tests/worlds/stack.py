"""The stages over logs in memory, driven in disorder: whatever may happen to owners and records happens here.

An owner of a partition crashes between any two steps, is replaced while it is frozen and goes on late; records are
read in any interleaving; the changelog is what the engine's own loader makes of it.
"""

import dataclasses
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from lotstream.runtime.settings import Settings
from lotstream.streams.engine.changelog import FENCE, ITEM, ChangelogRecord, ItemReplay
from lotstream.streams.engine.core import Acknowledge, Core, Output, Record, Stage, coalesce
from lotstream.streams.engine.plain import PlainLog
from lotstream.streams.locate.core import LocateCore
from lotstream.streams.locate.core import merge as merge_locate
from lotstream.streams.locate.stage import build_stage as build_locate
from lotstream.streams.locate.stage import topics_of as locate_topics
from lotstream.streams.register.stage import build_stage as build_register
from lotstream.streams.resolve.core import ResolveCore, ResolveLimits
from lotstream.streams.resolve.stage import build_stage as build_resolve
from lotstream.streams.resolve.stage import topics_of as resolve_topics
from lotstream.streams.smooth.policy import SmoothPolicy
from lotstream.streams.smooth.stage import build_stage as build_smooth
from tests.worlds.wire import Message
from tests.worlds.world import SECOND, START

PARTITIONS = 3
UNBOUNDED = 500  # more than any world here has of anything


def stages(
    settings: Settings, *, depth: int = UNBOUNDED, waiting: int = UNBOUNDED, remember_us: int = 3_600 * SECOND
) -> list[Stage]:
    """Smooth, register, resolve and locate; by default with bounds that these worlds do not reach."""
    limits = ResolveLimits(waiting_depth=UNBOUNDED, waiting_tags=waiting, parent_depth=UNBOUNDED)
    resolve, locate = resolve_topics(settings), locate_topics(settings)
    return [
        build_smooth(settings, policy=SmoothPolicy(remember_us=remember_us)),
        build_register(settings),
        dataclasses.replace(build_resolve(settings), build=lambda _: ResolveCore(resolve, limits)),
        dataclasses.replace(
            build_locate(settings),
            build=lambda number: LocateCore(locate, number, depth=depth),
            merge=lambda key, older, newer: merge_locate(key, older, newer, depth=depth),
        ),
    ]


class Owner:
    """Who has a partition of a stage, or believes so: a core, its number, and how far it has read."""

    def __init__(self, core: Core, *, number: int, positions: Mapping[str, int]) -> None:
        self.core = core
        self.number = number
        self.positions = defaultdict(int, positions)


class Place:
    """One partition of one stage: its changelog, and what is committed."""

    def __init__(self, stage: Stage, number: int, log: PlainLog) -> None:
        self.stage = stage
        self.number = number
        self._inputs = [(source, log.partition(source, number)) for source in stage.sources]
        self.committed: dict[str, int] = {}
        self._changelog: list[ChangelogRecord] = []
        self.owner = self.take_over()

    def take_over(self) -> Owner:
        """A new owner: its fence, the state up to it, and the committed positions."""
        fence = len(self._changelog)
        self._changelog.append(ChangelogRecord(fence, FENCE, b"somebody", -1))
        replay = self._replay()
        core = self.stage.build(self.number)
        core.load(list(replay.items.items()))
        self.owner = Owner(core, number=fence, positions=self.committed)
        for key, value in replay.rewrites().items():
            self._changelog.append(ChangelogRecord(len(self._changelog), key, value, fence))
        return self.owner

    @property
    def behind(self) -> bool:
        """Whether the owner has something to read."""
        positions = self.owner.positions
        return any(len(records) > positions[source] for source, records in self._inputs)

    @property
    def told(self) -> bool:
        """Whether there was ever anything to read."""
        return any(records for _, records in self._inputs)

    def pending(self, owner: Owner) -> list[tuple[str, Sequence[Record]]]:
        """What an owner has not read, by source."""
        return [
            (source, records[owner.positions[source] :])
            for source, records in self._inputs
            if len(records) > owner.positions[source]
        ]

    def items(self) -> dict[bytes, bytes]:
        """The state as the next owner will find it."""
        return self._replay().items

    def _replay(self) -> ItemReplay:
        replay = ItemReplay(merge=self.stage.merge)
        for record in self._changelog:
            replay.take(record)
        return replay

    def commit(self, owner: Owner) -> None:
        """What an owner has decided is done. Of a snapshot only one that is whole counts, with how far it goes."""
        self._write(owner)
        self.committed = dict(owner.positions)

    def store(self, owner: Owner) -> None:
        """What changed in an owner's core goes to the changelog, though it is not done."""
        if self.stage.acknowledge is Acknowledge.MESSAGE:
            self._write(owner)

    def _write(self, owner: Owner) -> None:
        for key, value in owner.core.changes().items():
            self._changelog.append(ChangelogRecord(len(self._changelog), ITEM + key, value, owner.number))


class Stack:
    """All stages over one log."""

    def __init__(self, chain: Iterable[Stage], chance: random.Random, *, begin_us: int = START) -> None:
        self.log = PlainLog(now_us=begin_us)
        self.places = [Place(stage, number, self.log) for stage in chain for number in range(stage.partitions)]
        self._chance = chance
        self._frozen: list[tuple[Place, Owner]] = []
        self.thawed = False

    def run(self, messages: Sequence[Message], *, calm: bool = False) -> None:
        """Append the messages bit by bit, and work in between as chance will have it; then until all is read."""
        for one in messages:
            self.log.now_us += self._chance.randrange(4) * SECOND
            self.log.append(one.topic, one.partition, value=one.encode())
            if not calm:
                for _ in range(self._chance.randrange(4)):
                    self._work()
        self._let_time_pass()
        while calm and self._sweep():
            pass
        while not calm and self._work():
            pass
        while self._frozen:
            self._thaw()
            while self._sweep():
                pass

    def _let_time_pass(self) -> None:
        """Nothing is read at any door any more, until all that was read is final."""
        ticks = [place.stage.idle(place.number) for place in self.places if place.stage.idle and place.told]
        for _ in range(3):
            self.log.now_us += 300 * SECOND
            for tick in ticks:
                self.log.write(tick)

    def _sweep(self) -> int:
        return sum(self._step(place) for place in self.places if place.behind)

    def _work(self) -> bool:
        waiting = [place for place in self.places if place.behind]
        if not waiting:
            return False
        fate = self._chance.random()
        if self._frozen and fate > 0.9:
            self._thaw()
            return True
        place = self._chance.choice(waiting)
        if fate < 0.05:
            self._frozen.append((place, place.owner))
            place.take_over()
        elif fate < 0.15:
            self._crash(place)
        else:
            self._step(place)
        return True

    def _take(self, place: Place, owner: Owner) -> Sequence[Record]:
        """Some records of one source."""
        pending = place.pending(owner)
        if not pending:
            return ()
        source, records = self._chance.choice(pending)
        count = self._chance.randint(1, min(len(records), 8))
        owner.positions[source] += count
        return records[:count]

    def _step(self, place: Place) -> bool:
        """Decide, publish, store, commit: as it should be."""
        owner = place.owner
        records = self._take(place, owner)
        self._publish(self._decide(place, owner, records))
        if place.stage.acknowledge is Acknowledge.MESSAGE or self._chance.random() < 0.5:
            place.commit(owner)
        return bool(records)

    def _decide(self, place: Place, owner: Owner, records: Iterable[Record]) -> list[Output]:
        outputs: list[Output] = []
        for record in records:
            outputs += owner.core.apply(record)
            if self._chance.random() < 0.3:
                place.store(owner)
        return outputs

    def _publish(self, outputs: Iterable[Output]) -> None:
        for output in coalesce(outputs):
            self.log.write(output)

    def _crash(self, place: Place) -> None:
        """The records are not committed: their outputs, or their changes, or both, may have been delivered."""
        owner = place.owner
        outputs = self._decide(place, owner, self._take(place, owner))
        if self._chance.random() < 0.5:
            self._publish(outputs)
        if self._chance.random() < 0.5:
            place.store(owner)
        place.take_over()

    def _thaw(self) -> None:
        """A replaced owner wakes up, does what it had before it, and then sees that it is not one any more. What it
        writes alone, its successor says again: the engine sees to that."""
        self.thawed = True
        place, owner = self._frozen.pop(self._chance.randrange(len(self._frozen)))
        outputs = self._decide(place, owner, self._take(place, owner))
        self._publish(output for output in outputs if output.topic not in place.stage.exclusive)
        place.store(owner)
        if self._chance.random() < 0.5:
            place.take_over()
