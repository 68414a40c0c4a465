"""The bridge between the event loop and librdkafka's idempotent producer.

Delivery reports come on a thread. It counts them down per call of ``send`` and wakes the loop once for all calls
that a poll has finished, not once a message.
"""

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from lotstream.readers.messages import Message
from lotstream.runtime.errors import Transient
from lotstream.runtime.kafka import client_config, client_log
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import KafkaSettings

log = logging.getLogger(__name__)
RETRY_AFTER_S = 1.0
PATIENCE_S = 3.0
_LOOK_EVERY_S = 0.25
_POLL_S = 0.1
_RETIRE_S = 5.0
_UNSENDABLE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE, KafkaError.INVALID_RECORD})


class Overloaded(Transient):
    """The brokers are there and slower than what comes in."""


class Unsendable(Transient):
    """The brokers refuse this very message, and will as long as they are set as they are."""


class _Delivery:
    """The reports that one ``send`` waits for. ``report`` runs on the polling thread, or where handing over failed."""

    __slots__ = ("_done", "_left", "_lock", "failed", "future", "producer", "size")

    def __init__(
        self, count: int, *, size: int, future: asyncio.Future[KafkaError | None], done: "deque[_Delivery]"
    ) -> None:
        self._left = count
        self._done = done
        self._lock = threading.Lock()
        self.size = size
        self.future = future
        self.producer: Producer | None = None
        self.failed: list[KafkaError] = []

    def report(self, error: KafkaError | None, _message: object) -> None:
        with self._lock:
            if error is not None:
                self.failed.append(error)
            self._left -= 1
            last = not self._left
        if last:
            self._done.append(self)


class KafkaSender:
    """A `Sender` over one idempotent producer. Use within one event loop, between ``start`` and ``close``."""

    def __init__(
        self,
        kafka: KafkaSettings,
        *,
        metrics: Metrics,
        within_s: float = 10.0,
        max_pending_bytes: int = 1 << 26,
        build: Callable[..., Producer] = Producer,
    ) -> None:
        self._config: dict[str, Any] = client_config(kafka, client_id="lotstream-gateway") | {
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 2,
            "compression.type": "lz4",
            # the sender of a request hears within this time, and may then send it again
            "delivery.timeout.ms": int(within_s * 1000),
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 2 * max_pending_bytes // 1024,
        }
        self._within_s = within_s
        self._max_pending = max_pending_bytes
        self._pending = 0
        self._gauge = metrics.gauge("lotstream_gateway_pending_bytes")
        self._seconds = metrics.histogram("lotstream_publish_seconds")
        self._published = metrics.counter("lotstream_batches_published_total")
        self._failures = metrics.counter("lotstream_publish_failures_total")
        self._build = build
        self._retired: set[asyncio.Future[None]] = set()
        self._done: deque[_Delivery] = deque()
        self._impatient: deque[tuple[float, asyncio.Future[KafkaError | None]]] = deque()
        self._looked = 0.0
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._producer: Producer | None = None
        self._thread = threading.Thread(target=self._poll, name="kafka-delivery", daemon=True)

    @property
    def pending_bytes(self) -> int:
        """Bytes handed over whose delivery is not yet reported."""
        return self._pending

    def start(self) -> None:
        """Start in the running loop. Connects in the background: a broker that is away is no error here."""
        self._loop = asyncio.get_running_loop()
        self._producer = self._build(self._config, logger=client_log(__name__))
        self._thread.start()
        self._give_up()

    async def send(self, messages: Sequence[Message], *, patient: bool = True) -> None:
        """See `Sender`. Without patience the outage is told after PATIENCE_S: the messages may arrive all the same."""
        if not messages:
            return
        assert self._loop is not None
        size = sum(len(message.value) for message in messages)
        if self._pending and self._pending + size > self._max_pending:
            raise Overloaded("Expected Kafka to keep up, got too many bytes waiting.", retry_after_s=RETRY_AFTER_S)
        delivery = _Delivery(len(messages), size=size, future=self._loop.create_future(), done=self._done)
        delivery.producer = self._producer
        self._count(size)
        started = time.perf_counter()
        self._produce(messages, delivery)
        if not patient:
            self._impatient.append((started + PATIENCE_S, delivery.future))
        error = await delivery.future
        self._measure(messages, time.perf_counter() - started, failed=error is not None)
        if error is not None:
            log.warning("delivery_failed", extra={"messages": len(delivery.failed), "cause": error.str()})
            fate = Unsendable if error.code() in _UNSENDABLE else Transient
            raise fate(f"Expected Kafka to take it, got {error.name()}.", retry_after_s=RETRY_AFTER_S)

    async def close(self) -> None:
        """Wait for what is under way, then stop the thread."""
        if self._loop is None or self._producer is None:
            return
        await self._loop.run_in_executor(None, self._producer.flush, self._within_s)
        self._stop.set()
        self._looking.cancel()
        await self._loop.run_in_executor(None, self._thread.join)

    def _give_up(self) -> None:
        """Tell those who have waited long enough that nothing has come; all wait equally long, the oldest is first."""
        assert self._loop is not None
        now, waiting = time.perf_counter(), self._impatient
        # after a standstill of our own the reports that came meanwhile are heard first
        stood = now - self._looked > 1.0
        self._looked = now
        while not stood and waiting and (waiting[0][1].done() or waiting[0][0] <= now):
            future = waiting.popleft()[1]
            if not future.done():
                future.set_result(KafkaError(KafkaError._TIMED_OUT))
        self._looking = self._loop.call_later(_LOOK_EVERY_S, self._give_up)

    def _produce(self, messages: Sequence[Message], delivery: _Delivery) -> None:
        assert self._producer is not None
        for message in messages:
            try:
                self._producer.produce(
                    message.topic,
                    message.value,
                    message.key,
                    message.partition,
                    on_delivery=delivery.report,
                    headers=list(message.headers) or None,
                )
            except BufferError:
                delivery.report(KafkaError(KafkaError._QUEUE_FULL), None)
            except KafkaException as refused:
                delivery.report(refused.args[0], None)

    def _poll(self) -> None:
        assert self._loop is not None
        assert self._producer is not None
        while not self._stop.is_set():
            self._producer.poll(_POLL_S)
            if self._done:
                finished = [self._done.popleft() for _ in range(len(self._done))]
                self._loop.call_soon_threadsafe(self._settle, finished)

    def _settle(self, finished: list[_Delivery]) -> None:
        for delivery in finished:
            self._count(-delivery.size)
            if not delivery.future.done():
                delivery.future.set_result(delivery.failed[0] if delivery.failed else None)

            if delivery.producer is self._producer and any(map(_is_fatal, delivery.failed)):
                self._renew()

    def _renew(self) -> None:
        """Another producer in place of one that will take nothing ever again (librdkafka's fatal errors)."""
        assert self._loop is not None
        assert self._producer is not None
        old, self._producer = self._producer, self._build(self._config, logger=client_log(__name__))
        log.error("producer_renewed")
        retired = self._loop.run_in_executor(None, _retire, old)
        self._retired.add(retired)
        retired.add_done_callback(self._retired.discard)

    def _measure(self, messages: Sequence[Message], seconds: float, *, failed: bool) -> None:
        for topic, times in Counter(message.topic for message in messages).items():
            self._seconds.labels(topic).observe(seconds)
            (self._failures if failed else self._published).labels(topic).inc(times)

    def _count(self, size: int) -> None:
        self._pending += size
        self._gauge.set(self._pending)


def _is_fatal(error: KafkaError) -> bool:
    return bool(error.fatal()) or error.code() == KafkaError._FATAL


def _retire(producer: Producer) -> None:
    """What the old producer still holds is reported as failed: its requests hear 503 and come again."""
    producer.purge()
    producer.flush(_RETIRE_S)
