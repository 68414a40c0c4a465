"""The gateway as it runs: its own process behind HTTP, with a broker that takes what it sends."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
from confluent_kafka import Consumer, TopicPartition

from bench.workers import GATEWAY, Workers
from lotstream.deploy.embedded.kafka import EmbeddedKafka


class Door:
    """A running gateway: what it answers, what it costs, what it has sent."""

    def __init__(self, client: httpx.Client, workers: Workers, *, bootstrap: str) -> None:
        self._client = client
        self._workers = workers
        self._bootstrap = bootstrap

    def post(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        """One request, answered 2xx."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._client.post(path, content=body, headers={"Content-Type": "application/json"} | named)
        return answer.raise_for_status()

    def get(self, path: str) -> httpx.Response:
        """What the gateway says of a resource of its own."""
        return self._client.get(path).raise_for_status()

    def cpu_s(self) -> float:
        """CPU seconds of the process so far, all threads of it: those of Kafka's client too."""
        return self._workers.precise_cpu_s(GATEWAY)

    def sent(self, topic: str) -> int:
        """Messages in a topic."""
        consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "bench"})
        partitions = consumer.list_topics(topic).topics[topic].partitions
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[1] for number in partitions]
        consumer.close()
        return sum(ends)


@contextmanager
def running_door(**settings: str) -> Iterator[Door]:
    """Broker and gateway; ``settings`` are environment variables without their prefix."""
    with tempfile.TemporaryDirectory(prefix="lotstream-bench-") as directory:
        run_dir = Path(directory)
        with EmbeddedKafka(run_dir / "kafka", run_dir=run_dir) as kafka:
            kafka.wait_ready()
            env = {
                "LOTSTREAM_KAFKA__BOOTSTRAP": kafka.bootstrap,
                "LOTSTREAM_TOPICS__PARTITIONS": "4",
                "LOTSTREAM_GATEWAY__PORT": "0",
                "LOTSTREAM_RUN_DIR": str(run_dir),
                "LOTSTREAM_DATA_DIR": str(run_dir / "data"),
                "LOTSTREAM_LOG__LEVEL": "WARNING",
            } | {f"LOTSTREAM_{name}": value for name, value in settings.items()}
            with Workers([GATEWAY], env=env, run_dir=run_dir) as workers:
                url = orjson.loads((run_dir / f"{GATEWAY}.json").read_bytes())["url"]
                with httpx.Client(base_url=url, timeout=60.0) as client:
                    yield Door(client, workers, bootstrap=kafka.bootstrap)
