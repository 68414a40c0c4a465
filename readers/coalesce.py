"""Few reads of many requests into one message: what a door costs downstream follows messages, not reads.

A group goes out at once while nothing of its reader and read point is under way. What comes meanwhile waits for
the message before it, for a full batch, or for the longest wait, whichever is first; its request waits with it.
Dead letters stay messages of their own, and go out together: what a broker is asked costs more than what it is given.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from lotstream.readers.batches import Arrival, Group
from lotstream.readers.formats.items import VendorRead
from lotstream.readers.mapping import Place
from lotstream.readers.messages import Message
from lotstream.runtime.errors import Transient
from lotstream.schemas.base import Origin

Stamped = tuple[Group, Arrival]
LETTERS_S = 0.01
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
class Letters:
    """Dead letters of many requests at once: they go out at most every LETTERS_S, to one partition, that of the first
    of them."""

    send: Callable[[Sequence[Message]], Awaitable[None]]
    _waiting: list[Message] = field(default_factory=list)
    _next: asyncio.Task[Transient | None] | None = None
    _at_s: float = 0.0

    def add(self, letters: Sequence[Message]) -> asyncio.Future[Transient | None]:
        """Done when the letters, of which there is one at least, are delivered, or with why not."""
        self._waiting += letters
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._deliver())
        return self._next

    async def _deliver(self) -> Transient | None:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self._at_s - clock())
        self._at_s = clock() + LETTERS_S
        waiting, self._waiting, self._next = self._waiting, [], None
        return await _failure(self.send([each.moved(waiting[0].partition) for each in waiting]))


@dataclass(slots=True)
class Coalescer:
    """Publishes groups of reads. ``encode`` makes messages of a group, ``send`` returns when they are delivered."""

    send: Callable[[Sequence[Message]], Awaitable[None]]
    encode: Callable[[Group, Arrival], list[Message]]
    reads: int
    wait_s: float
    _letters: Letters = field(init=False)
    _lanes: dict[_Key, _Lane] = field(default_factory=dict)
    _tasks: set[asyncio.Task[Transient | None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._letters = Letters(self.send)

    async def publish(
        self, groups: list[Stamped], messages: Sequence[Message], *, letters: Sequence[Message] = ()
    ) -> None:
        """Returns when ``messages``, ``letters`` and every read of ``groups`` are delivered. Raises Transient.

        Empties ``groups``: rows that are encoded are not held for as long as the brokers take.
        """
        # shielded: one request that is given up must not give up the others in its batch
        waits = [asyncio.shield(self._letters.add(letters))] if letters else []
        direct = list(messages)
        mine = self._take(groups, direct=direct, waits=waits)
        groups.clear()
        try:
            if direct:
                await self.send(direct)
        finally:
            for key in mine:
                self._done(key)
        for delivered in waits:
            failure = await delivered
            if failure is not None:
                raise failure

    def _take(
        self, groups: Sequence[Stamped], *, direct: list[Message], waits: list[asyncio.Future[Transient | None]]
    ) -> list[_Key]:
        """The lanes of the groups that go out at once; the others wait with what is there already."""
        mine: list[_Key] = []
        for group, arrival in groups:
            key = (group.reader, group.place, group.clock_offset_us, arrival.source, arrival.origin)
            lane = self._lanes.get(key)
            if lane is not None and self.wait_s and len(group.rows) < self.reads:
                waits.append(asyncio.shield(self._join(key, lane, group=group, arrival=arrival)))
                continue
            direct += self.encode(group, arrival)
            self._lanes.setdefault(key, _Lane()).under_way += 1
            mine.append(key)
        return mine

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
        task.add_done_callback(partial(_settle, waiting.delivered))

    async def _deliver(self, key: _Key, waiting: _Waiting) -> Transient | None:
        try:
            rows = replace(waiting.group, rows=waiting.rows)
            return await _failure(self.send(self.encode(rows, waiting.arrival)))
        finally:
            self._done(key)

    def _done(self, key: _Key) -> None:
        lane = self._lanes[key]
        lane.under_way -= 1
        if lane.waiting is not None:
            self._flush(key, lane)
        elif not lane.under_way:
            del self._lanes[key]


async def _failure(sending: Awaitable[None]) -> Transient | None:
    try:
        await sending
    except Transient as outage:
        return outage
    return None


def _settle(delivered: asyncio.Future[Transient | None], task: asyncio.Task[Transient | None]) -> None:
    """A bug is told to everyone who waits, too: nobody may wait for ever."""
    if task.cancelled():
        delivered.cancel()
    elif bug := task.exception():
        delivered.set_exception(bug)
    else:
        delivered.set_result(task.result())
