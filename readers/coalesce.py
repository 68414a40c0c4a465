"""Few reads of many requests into one message: what a door costs downstream follows messages, not reads.

A group goes out at once while nothing of its reader and read point is under way. What comes meanwhile waits for
the message before it, for a full batch, or for the longest wait, whichever is first; its request waits with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from lotstream.readers.batches import Arrival, Group
from lotstream.readers.formats.items import VendorRead
from lotstream.readers.mapping import Place
from lotstream.readers.messages import Message
from lotstream.runtime.errors import Transient
from lotstream.schemas.base import Origin

Stamped = tuple[Group, Arrival]
_Key = tuple[str, Place, int, str, Origin]


@dataclass(slots=True)
class _Waiting:
    group: Group
    arrival: Arrival
    rows: list[VendorRead]
    delivered: asyncio.Future[Transient | None]
    timer: asyncio.TimerHandle | None = None

    def add(self, group: Group, arrival: Arrival) -> None:
        self.rows += group.rows
        self.arrival = replace(self.arrival, received_us=max(self.arrival.received_us, arrival.received_us))


@dataclass(slots=True)
class _Lane:
    under_way: int = 0
    waiting: _Waiting | None = None


@dataclass(slots=True)
class Coalescer:
    """Publishes groups of reads. ``encode`` makes messages of a group, ``send`` returns when they are delivered."""

    send: Callable[[Sequence[Message]], Awaitable[None]]
    encode: Callable[[Group, Arrival], list[Message]]
    reads: int
    wait_s: float
    _lanes: dict[_Key, _Lane] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def publish(self, groups: Sequence[Stamped], messages: Sequence[Message]) -> None:
        """Returns when ``messages`` and every read of ``groups`` are delivered. Raises Transient."""
        direct = list(messages)
        mine: list[_Key] = []
        waits: list[asyncio.Future[Transient | None]] = []
        for group, arrival in groups:
            key = (group.reader, group.place, group.clock_offset_us, arrival.source, arrival.origin)
            lane = self._lanes.get(key)
            if lane is not None and self.wait_s and len(group.rows) < self.reads:
                waits.append(self._join(key, lane, group=group, arrival=arrival))
                continue
            direct += self.encode(group, arrival)
            self._lanes.setdefault(key, _Lane()).under_way += 1
            mine.append(key)
        try:
            if direct:
                await self.send(direct)
        finally:
            for key in mine:
                self._done(key)
        for delivered in waits:
            # shielded: one request that is given up must not give up the others in its batch
            failure = await asyncio.shield(delivered)
            if failure is not None:
                raise failure

    async def drain(self) -> None:
        """Returns when nothing waits any more."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _join(self, key: _Key, lane: _Lane, *, group: Group, arrival: Arrival) -> asyncio.Future[Transient | None]:
        if lane.waiting is not None and len(lane.waiting.rows) + len(group.rows) > self.reads:
            self._flush(key, lane)
        if lane.waiting is None:
            loop = asyncio.get_running_loop()
            lane.waiting = _Waiting(group, arrival, list(group.rows), loop.create_future())
            lane.waiting.timer = loop.call_later(self.wait_s, self._flush, key, lane)
        else:
            lane.waiting.add(group, arrival)
        return lane.waiting.delivered

    def _flush(self, key: _Key, lane: _Lane) -> None:
        waiting, lane.waiting = lane.waiting, None
        if waiting is None:
            return
        if waiting.timer is not None:
            waiting.timer.cancel()
        lane.under_way += 1
        task = asyncio.get_running_loop().create_task(self._deliver(key, waiting))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, key: _Key, waiting: _Waiting) -> None:
        failure: Transient | None = None
        try:
            await self.send(self.encode(replace(waiting.group, rows=waiting.rows), waiting.arrival))
        except Transient as outage:
            failure = outage
        finally:
            self._done(key)
        waiting.delivered.set_result(failure)

    def _done(self, key: _Key) -> None:
        lane = self._lanes[key]
        lane.under_way -= 1
        if lane.waiting is not None:
            self._flush(key, lane)
        elif not lane.under_way:
            del self._lanes[key]
