"""The sender of the reader doors: Kafka while it answers, the disk while it does not, and the way back.

1 receive -> 2 decide -> 3 publish, or keep (written and synced) -> 4 acknowledge. Whether Kafka is back is asked by the
oldest of what is kept, and by a request once in a while: what is kept may be stuck for a reason of its own. From then
on requests go to Kafka first, and the backlog follows a chunk at a time beside them. A record is let go when the
brokers have all of it, so a process that is killed sends some of it twice, and none never.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from lotstream.readers.batches import Target
from lotstream.readers.messages import Message, Sender
from lotstream.readers.producer import KafkaSender, Overloaded, Unsendable
from lotstream.readers.spool.facts import Refusals, buffered, lost
from lotstream.readers.spool.gauges import Gauges
from lotstream.readers.spool.records import Record
from lotstream.readers.spool.segments import Chunk, Spool, SpoolFull
from lotstream.runtime.clock import Clock
from lotstream.runtime.crash import crash_point
from lotstream.runtime.errors import Transient
from lotstream.runtime.health import Health
from lotstream.runtime.metrics import Metrics
from lotstream.schemas.operations import BlindWindow

log = logging.getLogger(__name__)
RETRY_AFTER_S = 5.0
FULL_US = 10_000_000  # how long nothing is tried after a refusal, so that windows do not flicker
CHUNK_BYTES = 1 << 18
LIVE_FIRST_BYTES = 1 << 20  # the backlog waits while more than this of other requests is under way
ASK_EVERY_S = 5.0
PAUSE_S = 0.5
YIELD_S = 0.02
TELL_EVERY_S = 1.0
T = TypeVar("T")


@dataclass(slots=True)
class _Waiting:
    record: Record
    kept: asyncio.Future[SpoolFull | None]


class Keeper:
    """A `Sender` that keeps what Kafka does not take. Lives on one event loop, between ``start`` and ``close``."""

    def __init__(
        self, sender: KafkaSender, spool: Spool, *, target: Target, clock: Clock, metrics: Metrics, health: Health
    ) -> None:
        self._sender = sender
        self._spool = spool
        self._target = target
        self._clock = clock
        self._gauges = Gauges(metrics, health)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._queue: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._filled = asyncio.Event()
        self._outage = False
        self._ask_at = 0.0  # monotonic
        self._taken = 0  # requests that Kafka took
        self._full = ""
        self._full_until_us = 0
        self._refusals = Refusals()
        self._to_say: list[Message] = []

    @property
    def away(self) -> bool:
        """Whether Kafka took neither the last request nor the oldest record."""
        return self._outage and self._filled.is_set()

    @property
    def takes(self) -> bool:
        """Whether a request is kept while Kafka is away, as far as the last one tells."""
        return not self._full

    async def run(self) -> None:
        """Send on what is kept, also by an earlier process, and tell how much it is; until cancelled."""
        if self._spool.records:
            self._filled.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_on())
            tasks.create_task(self._tell())

    async def send(self, messages: Sequence[Message]) -> None:
        """Returns when the brokers or the disk have every message. Raises Transient when neither takes them."""
        if not (self._asks() and await self._sent(messages)):
            await self._keep(messages)
        if self._refusals:
            self._take_again()

    async def close(self) -> None:
        """Let what is being written end, when ``run`` is over; the rest stays on the disk for the next process."""
        if self._writing is not None:
            await self._writing
        await self._on_disk(self._spool.close)
        self._disk.shutdown()

    def _asks(self) -> bool:
        if not self.away:
            return True
        now = time.monotonic()
        if now < self._ask_at:
            return False
        self._ask_at = now + ASK_EVERY_S
        return True

    async def _sent(self, messages: Sequence[Message]) -> bool:
        try:
            await self._sender.send(messages, patient=False)
        except (Overloaded, Unsendable):
            raise  # Kafka is there, and it is for the sender to slow down or to send less
        except Transient as outage:
            self._leave(outage)
            return False
        self._outage = False
        self._taken += 1
        return True

    async def _keep(self, messages: Sequence[Message]) -> None:
        record = Record(self._clock.now_us(), tuple(messages))
        if record.kept_us >= self._full_until_us:
            waiting = _Waiting(record, asyncio.get_running_loop().create_future())
            self._queue.append(waiting)
            self._start_writing()
            # shielded: a client that goes away must not take the record from those written with it
            full = await asyncio.shield(waiting.kept)
            if full is None:
                return
            self._full, self._full_until_us = str(full), record.kept_us + FULL_US
        self._gauges.refused.inc()
        self._say(self._refusals.refuse(messages, now_us=record.kept_us, why=self._full))
        raise Transient(self._full, retry_after_s=RETRY_AFTER_S)

    def _start_writing(self) -> None:
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        """Everything that waits, in one write and one sync, until nothing waits."""
        speechless = False
        while self._queue or (self._to_say and not speechless):
            waiting, self._queue = self._queue, []
            if self._to_say:
                speechless = not await self._speak()
            if waiting:
                full = await self._append([one.record for one in waiting])
                for one in waiting:
                    one.kept.set_result(full)
        self._writing = None

    async def _speak(self) -> bool:
        """Whether what is to be said is on the disk, or, when that has no room at all, on the brokers."""
        said = list(self._to_say)
        if await self._append([Record(self._clock.now_us(), tuple(said))], spare=True) is not None:
            if self._outage:
                return False
            try:
                await self._sender.send(said)
            except Transient:
                return False
        del self._to_say[: len(said)]
        return True

    async def _append(self, records: Sequence[Record], *, spare: bool = False) -> SpoolFull | None:
        try:
            await self._on_disk(lambda: self._spool.append(records, spare=spare))
        except SpoolFull as full:
            return full
        self._gauges.kept.inc(len(records))
        self._filled.set()
        return None

    async def _send_on(self) -> None:
        """The backlog, for ever."""
        most_bytes = CHUNK_BYTES
        while True:
            await self._filled.wait()
            taken = self._taken
            try:
                most_bytes = await self._send_some(most_bytes)
            except Transient as outage:
                if self._taken == taken and not isinstance(outage, Overloaded):
                    self._leave(outage)
                await asyncio.sleep(PAUSE_S)
            except OSError as error:
                log.error("spool_unreadable", extra={"cause": str(error)})
                await asyncio.sleep(PAUSE_S)

    async def _send_some(self, most_bytes: int) -> int:
        """Send a chunk and let it go; how much to read next: 0, one by one, once the brokers refuse some of it."""
        chunk = await self._on_disk(partial(self._spool.read, most_bytes))
        if chunk is None:
            self._filled.clear()
            return CHUNK_BYTES
        try:
            await self._send_chunk(chunk)
        except Unsendable as never:
            if len(chunk.records) > 1:
                return 0
            chunk, most_bytes = await self._set_aside(chunk, never), CHUNK_BYTES
        crash_point("spool", "sent on")
        await self._on_disk(partial(self._spool.advance, chunk))
        return most_bytes

    async def _send_chunk(self, chunk: Chunk) -> None:
        for damage in chunk.damage:
            log.error("spool_damaged", extra={"file": damage.file, "bytes": damage.size, "cause": damage.why})
        messages = self._windows([lost(damage, now_us=self._clock.now_us()) for damage in chunk.damage])
        messages += [buffered(message) for record in chunk.records for message in record.messages]
        await self._sender.send(messages)
        if self._outage:
            log.info("spool_drains", extra={"records": self._spool.records})
            self._outage = False
        if self._refusals:
            self._take_again()
        while self._sender.pending_bytes > LIVE_FIRST_BYTES:
            await asyncio.sleep(YIELD_S)

    async def _set_aside(self, chunk: Chunk, never: Unsendable) -> Chunk:
        """What the brokers refuse for ever does not stop what is behind it: its file is kept, and a window says so."""
        aside = chunk.set_aside(never.detail)
        await self._send_chunk(replace(aside, records=()))
        return aside

    def _leave(self, outage: Transient) -> None:
        if not self._outage:
            log.warning("spooling", extra={"cause": outage.detail})
            self._ask_at = time.monotonic() + ASK_EVERY_S
        self._outage = True

    def _take_again(self) -> None:
        self._full, self._full_until_us = "", 0
        self._say(self._refusals.end(now_us=self._clock.now_us()))

    def _say(self, windows: Sequence[BlindWindow]) -> None:
        """Blind windows go through the spool, Kafka or no Kafka: they must not be lost with this process."""
        self._to_say += self._windows(windows)
        self._start_writing()

    def _windows(self, windows: Sequence[BlindWindow]) -> list[Message]:
        return [self._target.message(window.subject, window.encode()) for window in windows]

    async def _tell(self) -> None:
        while True:
            try:
                state = await self._on_disk(self._spool.state)
                self._gauges.show(state, now_us=self._clock.now_us(), away=self._outage, full=self._full)
            except OSError as error:
                log.error("spool_unreadable", extra={"cause": str(error)})
            await asyncio.sleep(TELL_EVERY_S)

    async def _on_disk(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, call)


class Unkept:
    """A `Sender` for those who can send again: while Kafka is away they hear it at once."""

    def __init__(self, sender: Sender, keeper: Keeper) -> None:
        self._sender = sender
        self._keeper = keeper

    async def send(self, messages: Sequence[Message]) -> None:
        """See `Sender`."""
        if self._keeper.away:
            raise Transient(
                "Expected Kafka, got an outage that only readers are kept for.", retry_after_s=RETRY_AFTER_S
            )
        await self._sender.send(messages)
