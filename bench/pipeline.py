"""The whole way on a real broker: reads.v1 -> smooth -> resolve -> locate -> movements.v1, one process per stage."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from bench.measure import Row, row
from bench.portal import SECOND, Portal, commissionings, message, world
from bench.reference import expected_sightings, standing
from bench.stages import where_now, where_seen
from bench.workers import Workers
from lotstream.deploy.embedded.kafka import EmbeddedKafka
from lotstream.runtime.settings import KafkaSettings, Settings
from lotstream.schemas.base import Origin
from lotstream.schemas.movements import decode_movements
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.reads import SourceEnd
from lotstream.schemas.sightings import Direction, decode_sightings
from lotstream.streams.engine.core import Record

STAGES = ("register", "smooth", "resolve", "locate")
MEASURED = STAGES[1:]
PATIENCE_S = 120.0
SENT_AFTER_S = 0.005  # a live batch leaves the gateway so long after its last read
LIVE_POINTS = 20  # read points of the latency run: 20,000 reads a second, half of what two cores carry


@dataclass(frozen=True, slots=True)
class Broker:
    """The running broker, seen by a plain client."""

    settings: Settings

    def producer(self) -> Producer:
        """Sends at once, whole."""
        return Producer(
            {"bootstrap.servers": self.settings.kafka.bootstrap, "linger.ms": 2, "acks": "all", "log_level": 0}
        )

    def send(self, producer: Producer, topic: str, *, key: str, value: bytes) -> None:
        """One message to where the product's own producers would send it."""
        number = partition_of(key, self.settings.topics.partitions)
        producer.produce(self.settings.topics.name(topic), value, key, number)
        producer.poll(0)

    def ends(self, topic: str) -> dict[int, int]:
        """Next offset of each partition."""
        name = self.settings.topics.name(topic)
        consumer = self._consumer()
        ends = {
            number: consumer.get_watermark_offsets(TopicPartition(name, number), timeout=10)[1]
            for number in range(self.settings.topics.partitions)
        }
        consumer.close()
        return ends

    def wait_committed(self, stage: str, topic: str, *, ends: dict[int, int]) -> None:
        """Until a stage has acknowledged a topic up to these offsets."""
        admin = AdminClient({"bootstrap.servers": self.settings.kafka.bootstrap})
        name = self.settings.topics.name(topic)
        asked = ConsumerGroupTopicPartitions(self.settings.group(stage), [TopicPartition(name, n) for n in ends])
        give_up = time.monotonic() + PATIENCE_S
        while True:
            (future,) = admin.list_consumer_group_offsets([asked]).values()
            done = {each.partition: each.offset for each in future.result().topic_partitions}
            if all(done.get(number, -1) >= end for number, end in ends.items() if end > 0):
                return
            if time.monotonic() > give_up:
                raise RuntimeError(f"Expected {stage} to acknowledge {topic} up to {ends}, got {done}.")
            time.sleep(0.05)

    def records(self, topic: str) -> Iterator[Record]:
        """Everything in a topic."""
        name, consumer = self.settings.topics.name(topic), self._consumer()
        left = {number: end for number, end in self.ends(topic).items() if end > 0}
        consumer.assign([TopicPartition(name, number, 0) for number in left])
        while left:
            for each in consumer.consume(1_000, 1.0):
                number, offset, value = each.partition(), each.offset(), each.value()
                assert number is not None
                assert offset is not None
                yield Record(name, number, offset, each.timestamp()[1] * 1_000, None, value)
                if offset + 1 >= left.get(number, 0):
                    left.pop(number, None)
        consumer.close()

    def follow(self, topic: str) -> Consumer:
        """A consumer at the end of a topic."""
        consumer = self._consumer()
        ends = self.ends(topic)
        name = self.settings.topics.name(topic)
        consumer.assign([TopicPartition(name, number, end) for number, end in ends.items()])
        return consumer

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.settings.kafka.bootstrap,
                "group.id": "bench",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 5,
                "log_level": 0,
            }
        )


@contextmanager
def running(settings: Settings, run_dir: Path) -> Iterator[tuple[Broker, Workers]]:
    """Broker and stages."""
    with EmbeddedKafka(run_dir / "kafka", run_dir=run_dir) as kafka:
        kafka.wait_ready()
        here = settings.model_copy(update={"kafka": KafkaSettings(bootstrap=kafka.bootstrap)})
        env = {
            "LOTSTREAM_KAFKA__BOOTSTRAP": kafka.bootstrap,
            "LOTSTREAM_TOPICS__PARTITIONS": str(settings.topics.partitions),
            "LOTSTREAM_RUN_DIR": str(run_dir),
            "LOTSTREAM_DATA_DIR": str(run_dir / "data"),
            "LOTSTREAM_LOG__LEVEL": "WARNING",
        }
        with Workers(STAGES, env=env, run_dir=run_dir) as workers:
            yield Broker(here), workers


def measure_pipeline(portal: Portal, settings: Settings, *, live_s: int) -> list[Row]:
    """The row of the whole way, and one per process of it."""
    now_us = int(time.time()) * SECOND
    past = replace(portal, start_us=now_us - 3_600 * SECOND, origin=Origin.BUFFERED)
    with (
        tempfile.TemporaryDirectory(prefix="lotstream-bench-") as directory,
        running(settings, Path(directory)) as (broker, workers),
    ):
        commission(broker, past)
        before = workers.cost()
        _play(broker, past)
        spent = workers.cost()
        equal = _equal(broker, past)
        latencies_s = _latencies(broker, replace(portal, seed=portal.seed + 1), seconds=live_s)
    cpu_s = spent.since(before)
    rows = [
        row(f"{name} process", reads=past.reads, cpu_s=cpu_s[name], latencies_s=(), rss_mb=rss, equal=equal)
        for name, rss in spent.rss_mb.items()
        if name in MEASURED
    ]
    whole = row(
        "pipeline",
        reads=past.reads,
        cpu_s=sum(cpu_s[name] for name in MEASURED),
        latencies_s=latencies_s,
        rss_mb=sum(spent.rss_mb[name] for name in MEASURED),
        equal=equal,
    )
    return [*rows, whole]


def commission(broker: Broker, portal: Portal) -> None:
    """The lots of a load, known to resolve."""
    producer = broker.producer()
    for event in commissionings(portal):
        broker.send(producer, "events.v1", key=event.subject, value=event.encode())
    producer.flush()
    broker.wait_committed("register", "events.v1", ends=broker.ends("events.v1"))
    broker.wait_committed("resolve", "identity.v1", ends=broker.ends("identity.v1"))


def _play(broker: Broker, portal: Portal) -> None:
    """All reads as fast as they go in, the ends of their sources, and everything that follows from them."""
    producer = broker.producer()
    for batch in world(portal):
        value = message(portal, batch, received_us=int(time.time() * SECOND))
        broker.send(producer, "reads.v1", key=f"dock-{batch.point}", value=value)
    producer.flush()
    for point in range(portal.points):
        end = SourceEnd(source=f"reader-{point}", door=f"dock-{point}")
        broker.send(producer, "reads.v1", key=end.door, value=end.encode())
    producer.flush()
    for stage, topic in (("smooth", "reads.v1"), ("resolve", "sightings.v1"), ("locate", "lot-sightings.v1")):
        broker.wait_committed(stage, topic, ends=broker.ends(topic))


def _equal(broker: Broker, portal: Portal) -> bool:
    """Sightings are those of the reference, and units are where the reference sees them."""
    stream = broker.settings.stream
    expected = expected_sightings(
        portal, world(portal), silence_us=round(stream.silence_s * SECOND), observe=stream.observe_count
    )
    sightings = [each for record in broker.records("sightings.v1") for each in decode_sightings(record.value)]
    seen = where_seen(sightings)
    moved = where_now(broker.records("movements.v1"))
    return standing(sightings) == expected and {unit: moved.get(unit) for unit in seen} == seen


def _latencies(broker: Broker, portal: Portal, *, seconds: int) -> list[float]:
    """From the gateway's stamp to a client that reads the movement, in seconds.

    Only movements that a tag's appearance makes: a direction is known when the visit is over, whatever the speed.
    """
    consumer = broker.follow("movements.v1")
    latencies_s: list[float] = []
    done = threading.Event()

    def listen() -> None:
        while not done.is_set():
            for each in consumer.consume(100, 0.05):
                now_us = time.time() * SECOND
                latencies_s.extend(
                    (now_us - moved.recorded_us) / SECOND
                    for moved in decode_movements(each.value())
                    if moved.direction == Direction.UNKNOWN
                )

    listener = threading.Thread(target=listen)
    listener.start()
    start_us = int((time.time() + 2.0) * SECOND)
    live = replace(portal, start_us=start_us, points=LIVE_POINTS, batches=2 * seconds, origin=Origin.LIVE)
    producer = broker.producer()
    ready = [(batch, f"dock-{batch.point}") for batch in world(live)]
    for place, (batch, door) in enumerate(ready):
        # doors do not send at the same instant: their batches are spread over the half second
        due_us = int(batch.time_us[-1]) + SENT_AFTER_S * SECOND + (place % live.points) * 500_000 / live.points
        time.sleep(max(0.0, (due_us - time.time() * SECOND) / SECOND))
        broker.send(producer, "reads.v1", key=door, value=message(live, batch, received_us=int(time.time() * SECOND)))
    producer.flush()
    time.sleep(1.0)
    done.set()
    listener.join()
    consumer.close()
    return latencies_s
