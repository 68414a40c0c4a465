"""One sink: a topic's messages into ClickHouse, every row there before its offset is committed.

    1 receive -> 2 decide (rows; what is not understood becomes a dead letter) -> 3 insert -> 4 commit

An outage is waited for with the partitions paused; nothing is read meanwhile, so memory stays bounded. A message
that comes twice makes the same rows, and every table is right with them.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from lotstream.runtime.clock import Clock
from lotstream.runtime.errors import Rejected, Transient
from lotstream.runtime.kafka import client_config
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.retry import Backoff, Stopped, persist
from lotstream.runtime.settings import Settings
from lotstream.schemas.operations import DeadLetter
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.topics import DEAD_LETTERS
from lotstream.sinks.rows import COLUMNS, Message, Row, Rows, Sink, columns_of
from lotstream.sinks.store import Store

log = logging.getLogger(__name__)

POLL_S = 0.1
OFFSETS_EVERY_S = 1.0
_BACKOFF = Backoff(first_s=0.2, longest_s=5.0)


class PartitionsLost(Exception):
    """The group moved on while rows were held: they are forgotten, and come again to their new owner."""


@dataclass(slots=True)
class Pending:
    """What was received and is not committed yet."""

    rows: Rows = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    rejected: list[tuple[Message, Rejected]] = field(default_factory=list)
    next: dict[tuple[str, int], int] = field(default_factory=dict)
    count: int = 0
    size: int = 0
    since: float = 0.0

    def add(self, message: Message, rows: Rows) -> None:
        """Hold a message's rows."""
        for table, some in rows.items():
            self.rows.setdefault(table, []).extend(some)
            self.count += len(some)
        self.pass_over(message)

    def pass_over(self, message: Message) -> None:
        """Move the offset past a message."""
        if not self.next:
            self.since = time.monotonic()
        self.messages.append(message)
        self.size += len(message.value or b"")
        self.next[message.topic, message.partition] = message.offset + 1


class SinkLoop:
    """Runs one sink until asked to stop. One thread, one consumer, one store."""

    def __init__(self, sink: Sink, *, settings: Settings, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._sink = sink
        self._settings = settings
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._pending = Pending()
        self._stop = threading.Event()
        self._strays: list[Any] = []
        self._lost = False
        self._paused = False
        self._offsets_at = 0.0
        self.last_commit = time.monotonic()
        config = client_config(settings.kafka, client_id=f"sink-{sink.name}")
        self._producer_config = config | {"acks": "all", "enable.idempotence": True}
        self._consumer = Consumer(
            config
            | {
                "group.id": settings.group(f"sink-{sink.name}"),
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 200,
                "queued.max.messages.kbytes": 32_768,
                "session.timeout.ms": int(settings.stream.session_timeout_s * 1000),
            }
        )

    def stop(self) -> None:
        """Ask the loop to end: what is held is inserted and committed first, if ClickHouse takes it."""
        self._stop.set()

    def run(self) -> None:
        """Receive, insert and commit until stopped."""
        topic = self._settings.topics.name(self._sink.topic)
        self._consumer.subscribe([topic], on_revoke=self._revoked, on_lost=self._revoked)
        try:
            while not self._stop.is_set():
                self._receive()
                if self._due():
                    self._flush()
            if self._pending.next:
                self._flush(within_s=10.0)
        except Stopped:
            log.warning("sink %s stops with rows uncommitted: they come again", self._sink.name)
        finally:
            self._consumer.close()

    # 1 receive, 2 decide
    def _receive(self) -> None:
        strays, self._strays = self._strays, []
        for raw in strays + self._consumer.consume(1000, POLL_S):
            error = raw.error()
            if error is not None:
                if error.fatal() or error.code() in _HOPELESS:
                    raise KafkaException(error)
                continue  # librdkafka tries again by itself
            message = Message(raw.topic(), raw.partition(), raw.offset(), raw.value(), tuple(raw.headers() or ()))
            try:
                self._pending.add(message, self._sink.rows(message))
            except Rejected as rejected:
                self._pending.rejected.append((message, rejected))
                self._pending.pass_over(message)

    def _due(self) -> bool:
        held, sink = self._pending, self._settings.sink
        full = held.count >= sink.batch_rows or held.size >= sink.max_pending_bytes
        return bool(held.next) and (full or time.monotonic() - held.since >= sink.batch_ms / 1000)

    def _flush(self, within_s: float | None = None) -> None:
        self._lost = False
        held = self._pending
        try:
            # 3 insert
            for table, rows in held.rows.items():
                self._insert(table, rows, held=held, within_s=within_s)
            self._dead_letter(held.rejected)
            self._record_offsets(held, within_s)
            # 4 commit
            self._commit(held)
        except PartitionsLost:
            log.warning("sink %s lost its partitions with %d rows held", self._sink.name, held.count)
        if self._pending is held:
            self._pending = Pending()

    def _insert(self, table: str, rows: Sequence[Row], *, held: Pending, within_s: float | None) -> None:
        first, last = rows[0], rows[-1]
        token = f"{self._sink.topic}:{first[-2]}:{first[-1]}-{last[-2]}:{last[-1]}:{len(rows)}"
        started = time.monotonic()
        try:
            self._waited(
                lambda: self._store.insert(table, columns_of(rows), names=COLUMNS[table], token=token), within_s
            )
        except Rejected as refused:
            self._narrow(table, rows, held=held, refused=refused, within_s=within_s)
            return
        labels = {"sink": self._sink.name, "table": table}
        self._metrics.histogram("lotstream_sink_insert_seconds").labels(**labels).observe(time.monotonic() - started)
        self._metrics.counter("lotstream_sink_rows_total").labels(**labels).inc(len(rows))
        self._metrics.counter("lotstream_sink_batches_total").labels(**labels).inc()

    def _narrow(
        self, table: str, rows: Sequence[Row], *, held: Pending, refused: Rejected, within_s: float | None
    ) -> None:
        """Halve a refused insert until the messages at fault stand alone; the rest is inserted."""
        if len(rows) > 1:
            middle = len(rows) // 2
            self._insert(table, rows[:middle], held=held, within_s=within_s)
            self._insert(table, rows[middle:], held=held, within_s=within_s)
            return
        place = tuple(rows[0][-2:])
        message = next(m for m in held.messages if (m.partition, m.offset) == place)
        if all(m is not message for m, _ in held.rejected):
            held.rejected.append((message, refused))

    def _waited(self, call: Callable[[], Any], within_s: float | None) -> None:
        """Do it, however long ClickHouse is away; keep the group membership alive meanwhile."""

        def once() -> None:
            if self._lost:
                raise PartitionsLost
            call()

        def report(outage: Transient, wait_s: float) -> None:
            self._metrics.counter("lotstream_sink_retries_total").labels(sink=self._sink.name).inc()
            log.warning("sink %s waits %.1f s: %s", self._sink.name, wait_s, outage)
            self._consumer.pause(self._consumer.assignment())
            self._paused = True
            # keeps the membership alive; partitions that a rebalance brings now are not paused yet
            stray = self._consumer.poll(0)
            if stray is not None:
                self._strays.append(stray)

        stop = self._stop if within_s is None else threading.Event()
        try:
            persist(once, stop=stop, backoff=_BACKOFF, within_s=within_s, report=report)
        except Transient:
            raise Stopped("Expected ClickHouse within the time to stop, got none.") from None
        if self._paused:
            self._consumer.resume(self._consumer.assignment())
            self._paused = False

    def _dead_letter(self, rejected: Sequence[tuple[Message, Rejected]]) -> None:
        if not rejected or self._sink.topic == DEAD_LETTERS:
            return
        topic = self._settings.topics.name(DEAD_LETTERS)
        failed: list[KafkaError] = []
        producer = Producer(self._producer_config)
        for message, why in rejected:
            letter = DeadLetter(
                reason=why.reason,
                detail=why.detail[:2000],
                field=why.field or "",
                source=f"sink-{self._sink.name}",
                stage="sink",
                origin=message.where,
                received_us=self._clock.now_us(),
            )
            producer.produce(
                topic,
                message.value,
                partition=partition_of(letter.source, self._settings.topics.partitions),
                headers=list(letter.headers()),
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )
        if producer.flush(30.0) or failed:
            raise KafkaException(failed[0] if failed else KafkaError(KafkaError._MSG_TIMED_OUT))

    def _record_offsets(self, held: Pending, within_s: float | None) -> None:
        if time.monotonic() - self._offsets_at < OFFSETS_EVERY_S:
            return
        now = self._clock.now_us()
        prefix = len(self._settings.topics.prefix)
        rows = [(topic[prefix:], partition, now, following) for (topic, partition), following in held.next.items()]
        self._waited(
            lambda: self._store.insert("sink_offsets", columns_of(rows), names=OFFSET_COLUMNS, token=f"offsets:{now}"),
            within_s,
        )
        self._offsets_at = time.monotonic()

    def _commit(self, held: Pending) -> None:
        offsets = [TopicPartition(topic, partition, following) for (topic, partition), following in held.next.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # the rows are in; uncommitted, they come again and change nothing
            log.warning("sink %s could not commit: %s", self._sink.name, error)
            return
        self.last_commit = time.monotonic()
        self._metrics.gauge("lotstream_sink_commit_timestamp_seconds").labels(
            sink=self._sink.name
        ).set_to_current_time()
        self._metrics.counter("lotstream_sink_records_total").labels(sink=self._sink.name, topic=self._sink.topic).inc(
            len(held.messages)
        )

    def _revoked(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._lost = True
        self._pending = Pending()
        self._strays = []


OFFSET_COLUMNS = ("topic", "partition", "at", "next")
_HOPELESS = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED})
