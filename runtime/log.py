"""The records of a topic, by no group: as they are now, or as they come."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from lotstream.runtime.errors import Transient
from lotstream.runtime.kafka import client_config
from lotstream.runtime.settings import KafkaSettings
from lotstream.runtime.topics import QUIET

Headers = tuple[tuple[str, bytes], ...]
_AT_ONCE = 1_000
_POLL_S = 0.1
_ENDS = (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record; ``timestamp_us`` is Kafka's, us since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp_us: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def where(self) -> str:
        """topic:partition:offset."""
        return f"{self.topic}:{self.partition}:{self.offset}"


def read_log(
    kafka: KafkaSettings,
    topic: str,
    *,
    since_us: int = 0,
    starts: Mapping[int, int] | None = None,
    timeout_s: float = 10.0,
) -> Iterator[LogRecord]:
    """Records up to the ends of their partitions: of all of them since an instant, or of some from an offset on.

    Within a partition they come in order. Raises Transient when the brokers are silent for ``timeout_s`` or have no
    such topic.
    """
    with _consumer(kafka) as consumer:
        there = _partitions(consumer, topic, timeout_s=timeout_s)
        if starts is None:
            left = _since(consumer, topic, there, since_us=since_us, timeout_s=timeout_s)
        else:
            left = {number: start for number, start in starts.items() if number in there}
        consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in left.items()])
        silent_s = 0.0
        while left:
            messages = consumer.consume(_AT_ONCE, _POLL_S)
            silent_s = 0.0 if messages else silent_s + _POLL_S
            if silent_s >= timeout_s:
                raise Transient(f"Expected the brokers to give {topic}, got nothing for {timeout_s:.0f} s.")
            for message in messages:
                if (error := message.error()) is None:
                    yield _record(message)
                elif error.code() in _ENDS:
                    left = {number: start for number, start in left.items() if number != message.partition()}
                elif error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART or error.fatal():
                    raise Transient(f"Expected to read {topic}, got {error.name()}. See: lotstream topics plan.")


def follow_log(
    kafka: KafkaSettings, topic: str, *, since_us: int | None = None, timeout_s: float = 10.0
) -> Iterator[LogRecord]:
    """Records as they come, without end: from an instant on, or from now. An outage of the brokers is waited out.

    Raises Transient when they do not answer at the start, or have no such topic.
    """
    with _consumer(kafka) as consumer:
        there = _partitions(consumer, topic, timeout_s=timeout_s)
        starts = dict.fromkeys(there, OFFSET_END)
        if since_us is not None:
            starts |= _since(consumer, topic, there, since_us=since_us, timeout_s=timeout_s)
        consumer.assign([TopicPartition(topic, number, start) for number, start in starts.items()])
        while True:
            for message in consumer.consume(_AT_ONCE, _POLL_S):
                error = message.error()
                if error is None:
                    yield _record(message)
                elif error.fatal():
                    raise Transient(f"Expected to read {topic}, got {error.name()}.")


@contextmanager
def _consumer(kafka: KafkaSettings) -> Iterator[Consumer]:
    config = client_config(kafka, client_id="lotstream-log") | QUIET
    consumer = Consumer(
        config
        | {
            "group.id": "lotstream-log",  # asked for by librdkafka, and never used
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
        }
    )
    try:
        yield consumer
    except KafkaException as error:
        raise Transient(f"Expected the brokers to answer, got {error.args[0].str()}.") from error
    finally:
        consumer.close()


def _partitions(consumer: Consumer, topic: str, *, timeout_s: float) -> Sequence[int]:
    found = consumer.list_topics(topic, timeout=timeout_s).topics[topic]
    if found.error is not None:
        raise Transient(f"Expected topic {topic}, got {found.error.name()}. Make it: lotstream topics apply.")
    return sorted(found.partitions)


def _since(
    consumer: Consumer, topic: str, partitions: Sequence[int], *, since_us: int, timeout_s: float
) -> dict[int, int]:
    """The first offset of each partition that has any record since the instant."""
    if not since_us:
        return dict.fromkeys(partitions, OFFSET_BEGINNING)
    asked = [TopicPartition(topic, number, since_us // 1_000) for number in partitions]
    starts = consumer.offsets_for_times(asked, timeout=timeout_s)
    return {place.partition: place.offset for place in starts if place.offset >= 0}


def _record(message: Any) -> LogRecord:
    headers = tuple((name, value or b"") for name, value in message.headers() or ())
    place = (message.topic(), message.partition(), message.offset())
    return LogRecord(*place, message.timestamp()[1] * 1_000, message.key(), message.value(), headers)
