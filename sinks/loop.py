"""One sink: a topic's messages into ClickHouse, every row there before its offset is committed.

    1 receive -> 2 decide (rows; what is not understood becomes a dead letter) -> 3 insert -> 4 commit

An outage is waited for with the partitions paused; nothing is read meanwhile, so memory stays bounded. A message
that comes twice makes the same rows, and every table is right with them.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from lotstream.runtime.clock import Clock
from lotstream.runtime.crash import crash_point
from lotstream.runtime.errors import Rejected, Transient
from lotstream.runtime.kafka import client_config, client_log
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.retry import Backoff, Stopped, persist
from lotstream.runtime.settings import Settings
from lotstream.sinks.held import Pending, Place, Pulse
from lotstream.sinks.letters import Letters, Naming
from lotstream.sinks.rows import COLUMNS, Message, Row, Rows, Sink, columns_of
from lotstream.sinks.store import Store

log = logging.getLogger(__name__)

POLL_S = 0.1
RECEIVE = 200  # messages at a time: what is held is looked at in between
OFFSETS_EVERY_S = 1.0
OFFSET_COLUMNS = ("topic", "partition", "at", "next")
_BACKOFF = Backoff(first_s=0.2, longest_s=2.0)  # a rebalance waits for us meanwhile
_NO_PARKS: Mapping[str, Rejected] = MappingProxyType({})
_HOPELESS = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED})


class PartitionsLost(Exception):
    """The group moved on while rows were held: they are forgotten, and come again to their new owner."""


class SinkLoop:
    """Runs one sink until asked to stop. One thread, one consumer, one store."""

    def __init__(
        self,
        sink: Sink,
        *,
        settings: Settings,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        parks: Mapping[str, Rejected] = _NO_PARKS,
    ) -> None:
        self.name = sink.name
        self.pulse = Pulse()
        self._sink = sink
        self._settings = settings
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._parks = parks
        self._pending = Pending()
        self._stop = threading.Event()
        self._strays: list[Any] = []
        self._lost = False
        self._unrecorded: dict[Place, int] = {}
        self._recorded_at = 0.0
        config = client_config(settings.kafka, client_id=f"sink-{sink.name}")
        self._letters = Letters(sink, settings=settings, clock=clock, config=config)
        self._consumer = Consumer(
            config
            | {
                "group.id": settings.group(f"sink-{sink.name}"),
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 500,
                "queued.max.messages.kbytes": 32_768,
                "session.timeout.ms": int(settings.stream.session_timeout_s * 1000),
                "heartbeat.interval.ms": 500,  # with its answer a member learns that it must join again
            },
            logger=client_log(__name__),
        )

    def stop(self) -> None:
        """Ask the loop to end: what is held is inserted and committed first, if ClickHouse takes it."""
        self._stop.set()

    def run(self) -> None:
        """Receive, insert and commit until stopped."""
        topic = self._settings.topics.name(self._sink.topic)
        self._consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        try:
            while not self._stop.is_set():
                self.pulse.beat()
                self._receive()
                if self._due():
                    self._flush()
                if self._recording_due():
                    self._record_offsets()
            self._flush(within_s=10.0)
            self._record_offsets(within_s=10.0)
        except Stopped:
            log.warning("sink %s stops with rows uncommitted: they come again", self.name)
        finally:
            self._consumer.close()

    # 1 receive, 2 decide
    def _receive(self) -> None:
        strays, self._strays = self._strays, []
        for raw in strays + self._consumer.consume(RECEIVE, POLL_S):
            error = raw.error()
            if error is not None:
                if error.fatal() or error.code() in _HOPELESS:
                    raise KafkaException(error)
                continue  # librdkafka tries again by itself
            message = message_of(raw)
            try:
                self._pending.add(message, self._rows(message))
            except Rejected as rejected:
                self._pending.reject(message, rejected)
        self.pulse.held_since = self._pending.since if self._pending.next else 0.0

    def _rows(self, message: Message) -> Rows:
        if self._parks and (why := self._parks.get(message.where)) is not None:
            raise why
        with Naming(message):
            return self._sink.rows(message)

    def _due(self) -> bool:
        held, sink = self._pending, self._settings.sink
        full = held.count >= sink.batch_rows or held.size >= sink.max_pending_bytes
        return bool(held.next) and (full or time.monotonic() - held.since >= sink.batch_ms / 1000)

    def _flush(self, within_s: float | None = None) -> None:
        self._lost = False
        held = self._pending
        if not held.next:
            return
        try:
            crash_point(self.name, "decided")
            # 3 insert
            for table, rows in held.rows.items():
                self._insert(table, rows, held=held, within_s=within_s)
                crash_point(self.name, "inserted")
            self._letters.write(held.rejected)
            self._unrecorded |= held.next
            crash_point(self.name, "letters delivered")
            # 4 commit
            self._commit(held)
            crash_point(self.name, "committed")
        except PartitionsLost:
            log.warning("sink %s lost its partitions with %d rows held", self.name, held.count)
        if self._pending is held:
            self._pending = Pending()
        self.pulse.held_since = 0.0

    def _insert(self, table: str, rows: Sequence[Row], *, held: Pending, within_s: float | None) -> None:
        started = time.monotonic()
        try:
            self._waited(lambda: self._store.insert(table, columns_of(rows), names=COLUMNS.get(table, ())), within_s)
        except Rejected as refused:
            self._narrow(table, rows, held=held, refused=refused, within_s=within_s)
            return
        labels = {"sink": self.name, "table": table}
        self._metrics.histogram("lotstream_sink_insert_seconds").labels(**labels).observe(time.monotonic() - started)
        self._metrics.counter("lotstream_sink_rows_total").labels(**labels).inc(len(rows))
        self._metrics.counter("lotstream_sink_batches_total").labels(**labels).inc()

    def _narrow(
        self, table: str, rows: Sequence[Row], *, held: Pending, refused: Rejected, within_s: float | None
    ) -> None:
        """Halve a refused insert until the rows at fault stand alone; the rest is inserted."""
        if len(rows) > 1:
            middle = len(rows) // 2
            self._insert(table, rows[:middle], held=held, within_s=within_s)
            self._insert(table, rows[middle:], held=held, within_s=within_s)
            return
        held.blame(tuple(rows[0][-2:]), refused)

    def _waited(self, call: Callable[[], Any], within_s: float | None) -> None:
        """Do it, however long ClickHouse is away; keep the group membership alive meanwhile."""

        def once() -> None:
            if self._lost:
                raise PartitionsLost
            call()

        self.pulse.asked_since = time.monotonic()
        try:
            once()  # also when asked to stop: what is held is drained
        except Transient as outage:
            self._wait_out(once, outage, within_s)
        finally:
            self.pulse.asked_since = 0.0

    def _wait_out(self, once: Callable[[], None], outage: Transient, within_s: float | None) -> None:
        def report(outage: Transient, wait_s: float) -> None:
            self._metrics.counter("lotstream_sink_retries_total").labels(sink=self.name).inc()
            log.warning("sink %s waits %.1f s: %s", self.name, wait_s, outage)
            self.pulse.wait(str(outage))
            self._consumer.pause(self._consumer.assignment())
            # keeps the membership alive; partitions that a rebalance brings now are not paused yet
            stray = self._consumer.poll(0)
            if stray is not None:
                self._strays.append(stray)
            if self._lost:
                raise PartitionsLost

        report(outage, 0.0)
        stop = self._stop if within_s is None else threading.Event()
        try:
            persist(once, stop=stop, backoff=_BACKOFF, within_s=within_s, report=report)
        except Transient:
            raise Stopped("Expected ClickHouse within the time to stop, got none.") from None
        finally:
            self.pulse.wait("")
            self._consumer.resume(self._consumer.assignment())

    def _recording_due(self) -> bool:
        return bool(self._unrecorded) and time.monotonic() - self._recorded_at >= OFFSETS_EVERY_S

    def _record_offsets(self, within_s: float | None = None) -> None:
        """Add to the vector of offsets passed: everything below them is in the tables."""
        if not self._unrecorded:
            return
        self._lost = False
        passed, now, prefix = dict(self._unrecorded), self._clock.now_us(), len(self._settings.topics.prefix)
        rows = [(topic[prefix:], partition, now, following) for (topic, partition), following in passed.items()]
        try:
            self._waited(lambda: self._store.insert("sink_offsets", columns_of(rows), names=OFFSET_COLUMNS), within_s)
        except PartitionsLost:
            return  # it stays true, whoever owns them now, and is recorded next time
        self._unrecorded = {place: at for place, at in self._unrecorded.items() if passed.get(place) != at}
        self._recorded_at = time.monotonic()

    def _commit(self, held: Pending) -> None:
        offsets = [TopicPartition(topic, partition, following) for (topic, partition), following in held.next.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # the rows are in; uncommitted, they come again and change nothing
            log.warning("sink %s could not commit: %s", self.name, error)
            return
        self.pulse.commit(self._behind(held))
        sink = {"sink": self.name}
        self._metrics.gauge("lotstream_sink_lag_records").labels(**sink).set(self.pulse.behind)
        self._metrics.gauge("lotstream_sink_commit_timestamp_seconds").labels(**sink).set_to_current_time()
        records = self._metrics.counter("lotstream_sink_records_total")
        records.labels(**sink, topic=self._sink.topic).inc(len(held.messages))

    def _behind(self, held: Pending) -> int:
        """Messages of the committed partitions that are in Kafka and not yet in ClickHouse, as last fetched."""
        behind = 0
        for (topic, partition), following in held.next.items():
            _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            behind += max(0, end - following)
        return behind

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.pulse.joined = True
        try:
            committed = consumer.committed(partitions, timeout=5.0) if partitions else []
        except KafkaException as error:
            log.warning("sink %s does not learn what was committed: %s", self.name, error)
            return
        # a predecessor may have ended between its commit and the record of it
        self._unrecorded |= {(at.topic, at.partition): at.offset for at in committed if at.offset >= 0}

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # a partition that is paused when it goes would come back paused
        consumer.resume(partitions)
        self._lost = True
        self._pending = Pending()
        self._strays = []


def message_of(raw: Any) -> Message:
    """What librdkafka received, as sinks take it."""
    headers = tuple((name, value or b"") for name, value in raw.headers() or ())
    return Message(
        raw.topic(), raw.partition(), raw.offset(), raw.value(), headers, raw.timestamp()[1] * 1000, raw.key()
    )
