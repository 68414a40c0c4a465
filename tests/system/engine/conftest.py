"""A real broker, toy workers as processes of their own, and an account of every record."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from lotstream.deploy.embedded.kafka import EmbeddedKafka

PARTITIONS = 4
UNITS = 100
STORES = ("memory", "rocksdb")
WORKER = Path(__file__).parent / "toy_worker.py"


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    with EmbeddedKafka() as kafka:
        yield kafka.bootstrap


class Toy:
    """Topics of their own, a producer, workers; `stop` leaves nothing running."""

    def __init__(self, broker: str, log: Path, **settings: object) -> None:
        self.broker = broker
        self.client: dict[str, str] = {"bootstrap.servers": broker}
        if "ca_file" in settings:
            self.client |= {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": str(settings["username"]),
                "sasl.password": str(settings["password"]),
                "ssl.ca.location": str(settings["ca_file"]),
            }
        self.id = f"toy{time.time_ns()}"
        self.settings = settings
        self.log = log
        self.directory = log.parent
        self.fed = 0
        self.workers: list[subprocess.Popen[bytes]] = []
        self.admin = AdminClient(self.client)
        self.producer = Producer(
            {**self.client, "linger.ms": 2, "enable.idempotence": True}
        )  # in order, whatever is retried
        topics = [
            NewTopic(f"in-{self.id}", PARTITIONS, 1, config={"message.timestamp.type": "LogAppendTime"}),
            NewTopic(f"out-{self.id}", PARTITIONS, 1),
            NewTopic(f"changelog-{self.id}", PARTITIONS, 1, config={"cleanup.policy": "compact"}),
        ]
        for created in self.admin.create_topics(topics).values():
            created.result()

    def start(self, **settings: object) -> subprocess.Popen[bytes]:
        said = {"broker": self.broker, "id": self.id, "units": UNITS, **self.settings, **settings}
        with self.log.open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, str(WORKER), json.dumps(said)], stdout=log, stderr=log, cwd=self.directory
            )
        self.workers.append(worker)
        return worker

    def feed(self, count: int) -> None:
        """The next numbers, each into the partition of its unit."""
        for number in range(self.fed, self.fed + count):
            self.producer.produce(f"in-{self.id}", b"%d" % number, None, number % PARTITIONS)
            if number % 500 == 0:
                self.producer.poll(0)
        self.fed += count
        self.producer.flush(10)

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_said(self, words: str, *, times: int = 1, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while self.said().count(words) < times:
            assert time.monotonic() < end, f"Expected {words!r} {times} times, got:\n{self.said()}"
            time.sleep(0.02)

    def answers(self, *, seconds: float = 30.0, without: Iterable[int] = ()) -> dict[int, int]:
        """Number -> answer, when every number fed has one. Two different answers to one number fail at once."""
        wanted = set(range(self.fed)) - set(without)
        consumer = Consumer({**self.client, "group.id": f"scan{time.time_ns()}", "auto.offset.reset": "earliest"})
        consumer.assign([TopicPartition(f"out-{self.id}", number, 0) for number in range(PARTITIONS)])
        found: dict[int, int] = {}
        end = time.monotonic() + seconds
        while len(found) < len(wanted) and time.monotonic() < end:
            for message in consumer.consume(1000, 0.1):
                if message.error() is None:
                    for line in message.value().split(b"\n"):
                        number, answer = map(int, line.split(b"|"))
                        assert found.setdefault(number, answer) == answer, (number, found[number], answer)
        consumer.close()
        missing = sorted(wanted - found.keys())
        assert not missing, (
            f"Expected {self.fed} answers, got {len(missing)} less: {missing[:8]}\n{self.said()[-4000:]}"
        )
        return found

    def check(self, *, seconds: float = 30.0) -> None:
        """Every number has one answer, the right one."""
        answers = self.answers(seconds=seconds)
        wrong = {n: answer for n, answer in answers.items() if answer != self.right(n)}
        assert not wrong, f"Expected right answers, {len(wrong)} are wrong: {sorted(wrong.items())[:8]}"

    def right(self, number: int) -> int:
        if self.settings.get("kind") == "checkpoint":
            return number // UNITS % 4 + 1
        return number - UNITS if number >= UNITS else -1

    def committed(self) -> list[int]:
        group = f"{self.id}-{self.settings.get('kind', 'message')}"
        consumer = Consumer({**self.client, "group.id": group})
        places = [TopicPartition(f"in-{self.id}", number) for number in range(PARTITIONS)]
        offsets = [place.offset for place in consumer.committed(places, timeout=5)]
        consumer.close()
        return offsets

    def ends(self, topic: str) -> list[int]:
        """The next offset of each partition."""
        consumer = Consumer({**self.client, "group.id": "ends"})
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, n), timeout=5)[1] for n in range(PARTITIONS)]
        consumer.close()
        return ends

    def recreate(self, topic: str) -> None:
        """Delete a topic and create it again."""
        for deleted in self.admin.delete_topics([topic]).values():
            deleted.result()
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                for created in self.admin.create_topics([NewTopic(topic, PARTITIONS, 1)]).values():
                    created.result()
                return
            except KafkaException:
                time.sleep(0.1)

    def commit(self, offset: int) -> None:
        """Commit an offset for each partition of the source, in the name of the workers' group."""
        group = f"{self.id}-{self.settings.get('kind', 'message')}"
        consumer = Consumer({**self.client, "group.id": group})
        consumer.commit(
            offsets=[TopicPartition(f"in-{self.id}", n, offset) for n in range(PARTITIONS)], asynchronous=False
        )
        consumer.close()

    def wait_committed(self, *, seconds: float = 15.0) -> None:
        """Until everything fed is committed."""
        end = time.monotonic() + seconds
        while sum(max(0, offset) for offset in self.committed()) < self.fed:
            assert time.monotonic() < end, f"Expected {self.fed} committed, got {self.committed()}\n{self.said()}"
            time.sleep(0.1)

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()


def stores(store: str, directory: Path) -> dict[str, str]:
    """The settings of a toy worker for a store."""
    return {"stores": str(directory / "stores")} if store == "rocksdb" else {}


@pytest.fixture(params=["message", "checkpoint"])
def toy(request: pytest.FixtureRequest, broker: str, tmp_path: Path) -> Iterator[Toy]:
    """Toy stages of both kinds of acknowledgement."""
    made = Toy(broker, tmp_path / "workers.log", kind=request.param)
    yield made
    made.stop()


@pytest.fixture
def toys(broker: str, tmp_path: Path) -> Iterator[list[Toy]]:
    """Both kinds at once, each without a local store and with one, for tests that mostly wait."""
    made = [
        Toy(broker, tmp_path / f"{kind}-{store}.log", kind=kind, **stores(store, tmp_path))
        for kind in ("message", "checkpoint")
        for store in STORES
    ]
    yield made
    for toy in made:
        toy.stop()


def feed_all(toys: list[Toy], seconds: float, *, rate: int) -> None:
    """A steady load on each of them."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for toy in toys:
            toy.feed(rate // 20)
        time.sleep(0.05)


@pytest.fixture
def message_toy(broker: str, tmp_path: Path) -> Iterator[Toy]:
    made = Toy(broker, tmp_path / "workers.log", kind="message")
    yield made
    made.stop()
