"""A sink on the real broker, and stores that behave badly."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from lotstream.runtime.clock import SystemClock
from lotstream.runtime.errors import Reason, Rejected, Transient
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings, load_settings
from lotstream.sinks.loop import SinkLoop
from lotstream.sinks.rows import SINKS, Sink
from lotstream.sinks.store import Store
from lotstream.sinks.webhook import WEBHOOK

PATIENCE_S = 20.0
BLIND_WINDOWS = next(sink for sink in SINKS if sink.name == "blind-windows")
NO_PARKS: Mapping[str, Rejected] = {}


class KeepingStore:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.passed: list[tuple[Any, ...]] = []  # the vector of offsets: topic, partition, at, next
        self.inserts = 0

    def insert(self, table: str, columns: Sequence[Sequence[Any]], *, names: Sequence[str]) -> None:
        self.inserts += 1
        kept = self.passed if table == "sink_offsets" else self.rows
        kept += zip(*columns, strict=True)


class FailingStore(KeepingStore):
    """Is away for its first calls."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def insert(self, table: str, columns: Sequence[Sequence[Any]], *, names: Sequence[str]) -> None:
        if self.failures:
            self.failures -= 1
            raise Transient("away", retry_after_s=0.01)
        super().insert(table, columns, names=names)


class RefusingStore(KeepingStore):
    """Refuses every insert that has a certain detail in it."""

    def __init__(self, poison: str) -> None:
        super().__init__()
        self.poison = poison

    def insert(self, table: str, columns: Sequence[Sequence[Any]], *, names: Sequence[str]) -> None:
        if any(self.poison in column for column in columns):
            raise Rejected(Reason.ROW_REFUSED, "poison")
        super().insert(table, columns, names=names)


class Bench:
    """Topics of one test, its messages, and what a group has committed."""

    def __init__(self, bootstrap: str, prefix: str, *, batch_ms: int = 50, sink: Sink = BLIND_WINDOWS) -> None:
        self.sink = sink
        self.env = {
            "LOTSTREAM_KAFKA__BOOTSTRAP": bootstrap,
            "LOTSTREAM_TOPICS__PREFIX": prefix,
            "LOTSTREAM_TOPICS__PARTITIONS": "2",
            "LOTSTREAM_SINK__BATCH_MS": str(batch_ms),
            "LOTSTREAM_STREAM__SESSION_TIMEOUT_S": "6",
        }
        self.settings: Settings = load_settings(None, self.env)
        self.topic = self.settings.topics.name(sink.topic)
        self.letters = self.settings.topics.name("dead-letters.v1")
        self.config = {"bootstrap.servers": bootstrap}
        self.admin = AdminClient(self.config)
        for future in self.admin.create_topics([NewTopic(self.topic, 2, 1), NewTopic(self.letters, 2, 1)]).values():
            future.result()

    def send(self, values: Sequence[bytes]) -> None:
        producer = Producer(self.config)
        for number, value in enumerate(values):
            producer.produce(self.topic, value, partition=number % 2)
        assert producer.flush(10) == 0

    def committed(self) -> int:
        group = self.settings.group(f"sink-{self.sink.name}")
        # librdkafka 2.16 ends the process when asked for offsets on a cluster that has never had a group
        if group not in {there.group_id for there in self.admin.list_consumer_groups().result().valid}:
            return 0
        found = self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result()
        return sum(max(0, at.offset) for at in found.topic_partitions)

    def dead_letters(self) -> list[Any]:
        consumer = Consumer(self.config | {"group.id": "look", "enable.auto.commit": False})
        places = [TopicPartition(self.letters, number, 0) for number in range(2)]
        ends = [consumer.get_watermark_offsets(place, PATIENCE_S)[1] for place in places]
        consumer.assign(places)
        found = consumer.consume(sum(ends), PATIENCE_S) if any(ends) else []
        consumer.close()
        return found

    @contextmanager
    def running(self, store: Store, parks: Mapping[str, Rejected] = NO_PARKS) -> Iterator[SinkLoop]:
        known = {"settings": self.settings, "clock": SystemClock(), "metrics": Metrics()}
        loop = SinkLoop(self.sink, store=store, parks=parks, **known)
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            yield loop
        finally:
            loop.stop()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def wait(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < until, "the condition did not come true in time"
            time.sleep(0.05)


@pytest.fixture
def bench(kafka: str, request: pytest.FixtureRequest) -> Bench:
    """Topics of its own for one test."""
    return Bench(kafka, request.node.name[:40].replace("[", ".").replace("]", "") + ".")


@pytest.fixture
def patient_bench(kafka: str, request: pytest.FixtureRequest) -> Bench:
    """The same with a sink that collects rows for a minute."""
    return Bench(kafka, request.node.name[:40] + ".", batch_ms=60_000)


@pytest.fixture
def webhook_bench(kafka: str, request: pytest.FixtureRequest) -> Bench:
    """The same with the sink that posts alerts."""
    return Bench(kafka, request.node.name[:40] + ".", sink=WEBHOOK)


@pytest.fixture
def stores() -> Any:
    """The doubles by name."""
    return type("Stores", (), {"keeping": KeepingStore, "failing": FailingStore, "refusing": RefusingStore})
