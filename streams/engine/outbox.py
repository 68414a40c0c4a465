"""What leaves a stage, in windows: collected for a few milliseconds, sent together, acknowledged together.

A window passes through three steps, and windows pass each step in their order:

    publish     its outputs are sent, one message per (topic, partition) as far as order, key and headers allow
    store       when all of them are delivered, the changes of state that the same records made are sent
    acknowledge when those are delivered too, the source records of the window are done

State therefore never runs ahead of outputs: what the changelog contains, the world has been told. Steps of
different windows overlap, so nothing waits for the broker but the acknowledgement. Outputs are in a hurry, state is
not: a window leaves its records to the next one until `store_s` have passed, and their state is written once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from lotstream.streams.engine.core import Headers, Output, encode, join, joinable
from lotstream.streams.engine.ledger import SourceLedger

LONGEST_S = 0.05  # a window that grows under a backlog
STORE_S = 0.2  # state waits so long for more of it: outputs do not wait, and commits come once a second

Changes = Mapping[bytes, bytes | None]
Place = tuple[str, int]  # topic, partition


class Delivered(Protocol):
    """What a broker says of a message that it took."""

    @property
    def offset(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """`count` messages on their way, in one piece; `delivery` has the offset of the first, or fails."""

    delivery: asyncio.Future[Delivered]
    count: int


Message = tuple[bytes | None, bytes | None, Headers]  # key, value, headers


class Sender(Protocol):
    """Hands messages over, in their order."""

    async def send(self, place: Place, messages: Sequence[Message]) -> list[Sent]: ...


class Keeper(Protocol):
    """Knows what changed in its state, and sends it to a changelog."""

    def collect(self) -> Changes: ...

    async def store(self, changes: Changes) -> list[Sent]: ...


@dataclass(slots=True)
class Window:
    """Records decided in one go of a few milliseconds, and what came of them."""

    records: list[tuple[SourceLedger, int]] = field(default_factory=list)
    outputs: dict[Place, list[Output]] = field(default_factory=dict)
    keepers: dict[int, Keeper] = field(default_factory=dict)
    changes: list[tuple[Keeper, Changes]] = field(default_factory=list)
    absolute: dict[tuple[Place, bytes | None], int] = field(default_factory=dict)
    opened_at: float = 0.0
    rows: int = 0
    sent: list[Sent] = field(default_factory=list)
    barriers: list[asyncio.Future[None]] = field(default_factory=list)

    def add(self, output: Output) -> None:
        """Join the output to the newest message for its partition, or open another message."""
        place = (output.topic, output.partition)
        messages = self.outputs.setdefault(place, [])
        if output.absolute:
            index = self.absolute.setdefault((place, output.key), len(messages))
            messages[index : index + 1] = [output]
        elif messages and joinable(messages[-1], output):
            join(messages[-1], output)
        else:
            messages.append(output)
        self.rows += 1 if isinstance(output.rows, bytes) else len(output.rows)


class Outbox:
    """The windows of one stage.

    `each` says whether a record is acknowledged by itself (else by a checkpoint, later). `room_rows` bounds what is
    under way: a record counts one, and one more for each row it put out. A window closes after `linger_s`, later
    when more records wait to be decided (`backlog`). `ended(reason)` is called when a delivery failed or took longer
    than `delivery_timeout_s`, and must not return. `step(name)` is called between every two steps.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        ended: Callable[[str], NoReturn],
        each: bool = True,
        linger_s: float = 0.005,
        store_s: float = 0.0,
        backlog: Callable[[], bool] = lambda: False,
        step: Callable[[str], None] = lambda name: None,
        window_rows: int = 2_000,
        room_rows: int = 100_000,
        delivery_timeout_s: float = 120.0,
    ) -> None:
        self._sender = sender
        self._ended = ended
        self.each = each
        self._linger_s = linger_s
        self._store_s = store_s
        self._store_at = 0.0
        self._storing: asyncio.TimerHandle | None = None
        self._backlog = backlog
        self._step = step
        self._window_rows = window_rows
        self._room_rows = room_rows
        self._delivery_timeout_s = delivery_timeout_s
        self._open = Window()
        self._timer: asyncio.TimerHandle | None = None
        self._publishing = False
        self._due = False
        self._under_way = 0
        self._room = asyncio.Event()
        self._room.set()
        self._closed: asyncio.Queue[Window] = asyncio.Queue()
        self._published: asyncio.Queue[Window] = asyncio.Queue()
        self._stored: asyncio.Queue[Window] = asyncio.Queue()

    def add(
        self,
        source: SourceLedger,
        offset: int,
        *,
        outputs: Iterable[Output],
        keeper: Keeper | None = None,
    ) -> None:
        """Take over what a record came to. Never waits: between decision and here nothing may come in between."""
        self._open.records.append((source, offset))
        if keeper is not None:
            self._open.keepers[id(keeper)] = keeper
        self._under_way += 1
        self.say(outputs)

    def say(self, outputs: Iterable[Output]) -> None:
        """Take over outputs; by itself, for those that no record stands behind."""
        window = self._open
        before = window.rows
        for output in outputs:
            window.add(output)
        self._under_way += window.rows - before
        if self._under_way >= self._room_rows:
            self._room.clear()
        if window.rows >= self._window_rows:
            self._close()
        elif self._timer is None:
            window.opened_at = time.monotonic()
            self._timer = asyncio.get_running_loop().call_later(self._linger_s, self._time_is_up)

    async def room(self) -> None:
        """Wait while too much is under way."""
        if not self._room.is_set():
            await self._room.wait()

    @property
    def under_way(self) -> int:
        """Records and rows taken over and not yet delivered."""
        return self._under_way

    async def settled(self) -> None:
        """Wait until everything added so far, and only that, is delivered and acknowledged."""
        barrier: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open.barriers.append(barrier)
        self._close()
        await barrier

    def _time_is_up(self) -> None:
        """Close the window, but let it grow while the one before is still being handed over, or more records wait."""
        if self._publishing:
            self._due = True
        elif self._backlog() and time.monotonic() - self._open.opened_at < LONGEST_S:
            self._timer = asyncio.get_running_loop().call_later(self._linger_s, self._time_is_up)
        else:
            self._close()

    def _close(self) -> None:
        self._due = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        window, self._open = self._open, Window()
        if window.keepers and not window.barriers and time.monotonic() < self._store_at:
            self._leave(window)
        else:
            self._collect(window)
        self._closed.put_nowait(window)

    def _leave(self, window: Window) -> None:
        """Leave the records of a window, whose outputs go now, to the next one, with their state; and what is absolute
        where nothing else would be overtaken by it or overtake it."""
        self._open.records, window.records = window.records, []
        self._open.keepers, window.keepers = window.keepers, {}
        for place in [place for place, outputs in window.outputs.items() if all(each.absolute for each in outputs)]:
            self._open.outputs[place] = window.outputs.pop(place)
        self._open.absolute = {of: index for of, index in window.absolute.items() if of[0] in self._open.outputs}
        if self._storing is None:
            self._storing = asyncio.get_running_loop().call_later(self._store_at - time.monotonic(), self._store)

    def _store(self) -> None:
        self._store_at = 0.0  # the event loop's clock may be a little ahead of ours
        self._close()

    def _collect(self, window: Window) -> None:
        # here, between two decisions, the changes are those of the records up to this window and of no other
        window.changes = [(keeper, keeper.collect()) for keeper in window.keepers.values()]
        self._store_at = time.monotonic() + self._store_s
        if self._storing is not None:
            self._storing.cancel()
            self._storing = None

    def steps(self) -> tuple[Awaitable[None], ...]:
        """The three steps, as coroutines that run for ever."""
        return (self._publish(), self._keep(), self._acknowledge())

    async def _publish(self) -> None:
        while True:
            window = await self._closed.get()
            self._publishing = True
            for place, outputs in window.outputs.items():
                messages = [(output.key, encode(output), output.headers) for output in outputs]
                window.sent += await self._in_time(self._sender.send(place, messages))
            window.outputs.clear()
            self._step("published")
            self._published.put_nowait(window)
            self._publishing = False
            if self._due:
                self._close()

    async def _keep(self) -> None:
        while True:
            window = await self._published.get()
            await self._delivered(window)
            self._step("outputs delivered")
            for keeper, changes in window.changes:
                window.sent += await self._in_time(keeper.store(changes))
            self._stored.put_nowait(window)

    async def _acknowledge(self) -> None:
        while True:
            window = await self._stored.get()
            await self._delivered(window)
            self._step("changes delivered")
            if self.each:
                for source, offset in window.records:
                    source.acknowledge(offset)
            self._under_way -= len(window.records) + window.rows
            if self._under_way < self._room_rows:
                self._room.set()
            for barrier in window.barriers:
                if not barrier.done():
                    barrier.set_result(None)

    async def _in_time(self, sending: Awaitable[list[Sent]]) -> list[Sent]:
        try:
            async with asyncio.timeout(self._delivery_timeout_s):
                return await sending
        except TimeoutError:
            self._ended(f"Expected a message to be taken in {self._delivery_timeout_s} s, got no room or no topic.")

    async def _delivered(self, window: Window) -> None:
        """Wait for the deliveries of a window; one that fails or never comes ends the process."""
        deliveries, window.sent = [sent.delivery for sent in window.sent], []
        if not deliveries:
            return
        _, late = await asyncio.wait(deliveries, timeout=self._delivery_timeout_s)
        if late:
            self._ended(
                f"Expected {len(deliveries)} deliveries in {self._delivery_timeout_s} s, {len(late)} are missing."
            )
        for delivery in deliveries:
            if not delivery.cancelled() and (failure := delivery.exception()) is not None:
                self._ended(f"Expected a delivery, got {failure!r}.")
