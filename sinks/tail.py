"""The tail of the topics: what came after a vector of offsets, read again into the history, beside the sinks.

The sinks go on from where they had committed; from the vector to the ends of the topics is read here. Whatever
comes twice is one.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaException, TopicPartition

from lotstream.runtime.clock import Clock
from lotstream.runtime.errors import Rejected, Transient
from lotstream.runtime.kafka import client_config
from lotstream.runtime.settings import Settings
from lotstream.sinks.loop import OFFSET_COLUMNS, message_of
from lotstream.sinks.manifest import Vector
from lotstream.sinks.rows import COLUMNS, SINKS, Message, Row, Sink, columns_of
from lotstream.sinks.store import Store

ROWS = 100_000
TIMEOUT_S = 30.0


class OtherTopics(LookupError):
    """The topics end before the vector: they are not those that were archived or backed up."""


@dataclass(slots=True)
class Tail:
    """What was read again."""

    messages: int = 0
    refused: int = 0  # of these, messages that are no rows: their dead letters were written when they first came
    gaps: list[str] = field(default_factory=list)  # 'topic:partition: offsets [a, b) are in neither'


class TailReader:
    """Reads the topics of the sinks from a vector to their ends as of now. Belongs to no consumer group."""

    def __init__(self, settings: Settings, *, store: Store, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock

    def read(self, since: Vector, *, whole: frozenset[str] = frozenset()) -> Tail:
        """What came from ``since`` on; of the topics in ``whole`` all that there is. Raises OtherTopics, Transient."""
        config = client_config(self._settings.kafka, client_id="lotstream-tail")
        consumer = Consumer(config | {"group.id": "lotstream-tail", "enable.auto.commit": False})
        tail = Tail()
        try:
            for sink in SINKS:
                self._read_sink(
                    consumer, sink, since={} if sink.topic in whole else since.get(sink.topic, {}), tail=tail
                )
        except KafkaException as error:
            raise Transient(f"Kafka does not give the tail of its topics: {error.args[0].str()}") from error
        finally:
            consumer.close()
        return tail

    def _read_sink(self, consumer: Consumer, sink: Sink, *, since: Mapping[int, int], tail: Tail) -> None:
        spans = self._spans(consumer, sink.topic, since=since, tail=tail)
        rows: dict[str, list[Row]] = {}
        for message in self._messages(consumer, sink, spans):
            tail.messages += 1
            try:
                for table, some in sink.rows(message).items():
                    rows.setdefault(table, []).extend(some)
            except Rejected:
                tail.refused += 1
            if sum(map(len, rows.values())) >= ROWS:
                self._insert(rows, tail)
        self._insert(rows, tail)
        now = self._clock.now_us()
        ends = [(sink.topic, number, now, end) for number, (_, end) in spans.items()]
        self._store.insert("sink_offsets", columns_of(ends), names=OFFSET_COLUMNS)

    def _spans(
        self, consumer: Consumer, topic: str, *, since: Mapping[int, int], tail: Tail
    ) -> dict[int, tuple[int, int]]:
        spans: dict[int, tuple[int, int]] = {}
        for number in range(self._settings.topics.partitions):
            there = TopicPartition(self._settings.topics.name(topic), number)
            low, high = consumer.get_watermark_offsets(there, timeout=TIMEOUT_S)
            start = since.get(number, 0)
            if high < start:
                raise OtherTopics(f"Expected {topic}:{number} to reach offset {start}, got its end at {high}.")
            if since and low > start:
                tail.gaps.append(f"{topic}:{number}: offsets [{start}, {low}) are in neither")
            spans[number] = max(low, start), high
        return spans

    def _messages(self, consumer: Consumer, sink: Sink, spans: Mapping[int, tuple[int, int]]) -> Iterator[Message]:
        topic = self._settings.topics.name(sink.topic)
        left = {number: end for number, (start, end) in spans.items() if start < end}
        consumer.assign([TopicPartition(topic, number, spans[number][0]) for number in left])
        heard = time.monotonic()
        while left:
            for raw in consumer.consume(1000, 0.5):
                error = raw.error()
                if error is not None:
                    if error.fatal():
                        raise KafkaException(error)
                    continue
                heard = time.monotonic()
                message = message_of(raw)
                end = left.get(message.partition, 0)
                if message.offset < end:
                    yield message
                if message.offset + 1 >= end:
                    left.pop(message.partition, None)
            if time.monotonic() - heard > TIMEOUT_S:
                raise Transient(f"Expected the rest of {topic} within {TIMEOUT_S:.0f} s, got silence.")

    def _insert(self, rows: dict[str, list[Row]], tail: Tail) -> None:
        for table, some in rows.items():
            self._put(table, some, tail)
        rows.clear()

    def _put(self, table: str, rows: list[Row], tail: Tail) -> None:
        try:
            self._store.insert(table, columns_of(rows), names=COLUMNS[table])
        except Rejected:
            if len(rows) == 1:
                tail.refused += 1
                return
            middle = len(rows) // 2
            self._put(table, rows[:middle], tail)
            self._put(table, rows[middle:], tail)
