"""Keeps the local store beside the changelog: what a load has found, then whatever Kafka took from the owner.

A load takes what the store has, and reads of the changelog the records behind it, up to the owner's fence. They must
follow each other without a hole: where compaction has taken one away, or another topic stands behind the name, a
deletion may be missing, and the changelog is read from its start. A store that fails is left; the stage goes on.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from lotstream.streams.engine.changelog import FENCE, ChangelogRecord, ItemReplay, Rewrites, encode_fence
from lotstream.streams.engine.config import EngineConfig, StoreLeft
from lotstream.streams.engine.core import Acknowledge, Stage
from lotstream.streams.engine.loader import Take
from lotstream.streams.engine.snapshot import SnapshotReplay
from lotstream.streams.engine.store import Contents, Store, StoreFailed

CHUNK_RECORDS = 2_000  # of a first copy, between which the event loop gets its turn

Replay = ItemReplay | SnapshotReplay


class Read(Protocol):
    """Reads changelog partitions, each from its start (0 when it has none there) up to its fence."""

    def __call__(
        self, topic: str, fences: Mapping[int, int], *, takes: Mapping[int, Take], starts: Mapping[int, int]
    ) -> Awaitable[int]: ...


class Tail:
    """The records of a changelog partition from `start` on, on the way into a replay that has what was before."""

    __slots__ = ("_next", "keys", "replay", "start", "torn")

    def __init__(self, replay: Replay, *, start: int = 0) -> None:
        self.replay = replay
        self.start = start
        self.torn = False
        self.keys: set[bytes] = set()
        self._next = start

    def take(self, record: ChangelogRecord) -> None:
        self.torn = self.torn or (record.offset != self._next and self.start > 0)
        self._next = record.offset + 1
        self.keys.add(record.key)
        self.replay.take(record)


class Mirror:
    """The local store of one stage, as long as it works; without one in the configuration it does nothing."""

    def __init__(self, stage: Stage, config: EngineConfig) -> None:
        self._stage = stage
        self._topic = stage.changelog
        self._opening = config.store
        self._on_event = config.on_event
        self._store: Store | None = None
        self._newest: dict[int, int] = {}  # the last load's fence, by partition
        self._followed: dict[int, int] = {}  # the fence of the owner whose records the copy follows

    def _fresh(self) -> Replay:
        return ItemReplay(self._stage.merge) if self._stage.acknowledge is Acknowledge.MESSAGE else SnapshotReplay()

    def _left(self, reason: str) -> None:
        self._on_event(StoreLeft(self._stage.name, reason))

    # -- loading ---------------------------------------------------------------------------------------------

    async def load(self, fences: Mapping[int, int], *, read: Read) -> tuple[dict[int, Tail], int]:
        """The replays of these partitions up to their fences, and how many records Kafka was asked for."""
        if self._topic is None:
            return {number: Tail(self._fresh()) for number in fences}, 0
        self._newest |= fences
        await self._begin()
        tails = {number: self._tail(number, fence) for number, fence in fences.items()}
        count = await self._read(fences, tails, read=read)
        if torn := {number: fences[number] for number, tail in tails.items() if tail.torn}:
            self._left(f"Expected every record behind the copies of partitions {sorted(torn)}, got holes.")
            tails |= {number: Tail(self._fresh()) for number in torn}
            count += await self._read(torn, tails, read=read)
        return tails, count

    async def _begin(self) -> None:
        if self._opening is not None and self._topic is not None:
            with self._working():
                if self._store is None:
                    self._store = await asyncio.to_thread(self._opening, self._topic)
                await asyncio.to_thread(self._store.begin)

    def _tail(self, number: int, fence: int) -> Tail:
        self._followed.pop(number, None)
        with self._working():
            through = None if self._store is None else self._store.through(number)
            if self._store is not None and through is not None and through <= fence:
                replay = self._fresh()
                replay.resume(self._store.items(number))
                return Tail(replay, start=through)
        return Tail(self._fresh())

    async def _read(self, fences: Mapping[int, int], tails: Mapping[int, Tail], *, read: Read) -> int:
        assert self._topic is not None
        # without a store nobody asks for the keys, of which there may be millions
        takes = {n: tails[n].replay.take if self._store is None else tails[n].take for n in fences}
        return await read(self._topic, fences, takes=takes, starts={n: tails[n].start for n in fences})

    async def keep(self, number: int, tail: Tail, *, fence: int, rewrites: Rewrites, last: int | None) -> None:
        """Bring the copy up to the owner's `last` record, when it has loaded and written again what it had to. From now
        on it follows the owner."""
        if self._store is None or last is None:
            return
        with self._working():
            if not tail.start:
                self._store.clear(number)
            held = [*({key: tail.replay.held(key) for key in tail.keys} | rewrites).items()]
            for at in range(0, len(held), CHUNK_RECORDS):
                self._store.write(number, held[at : at + CHUNK_RECORDS], through=None)
                await asyncio.sleep(0)
                if self._store is None or self._newest[number] != fence:
                    return
            self._store.write(number, (), through=last + 1)
            self._followed[number] = fence

    # -- following -------------------------------------------------------------------------------------------

    def renew(self, number: int, *, fence: int, process: bytes) -> None:
        """The owner goes on under another fence, which stands right behind its last record."""
        self._newest[number] = fence
        if number in self._followed:
            self._followed[number] = fence
            self.follow(number, [(FENCE, encode_fence(fence, process))], owner=fence, through=fence + 1)

    def follow(self, number: int, records: Contents, *, owner: int, through: int | None) -> None:
        """Kafka took these records of the owner. `through` None: nobody knows where they stand, and the copy ends."""
        if self._store is None or self._followed.get(number) != owner:
            return
        if through is None:
            del self._followed[number]
            return
        with self._working():
            self._store.write(number, records, through=through)

    @contextmanager
    def _working(self) -> Iterator[None]:
        try:
            yield
        except StoreFailed as failure:
            self._store = self._opening = None
            self._left(str(failure))
