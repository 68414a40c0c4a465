"""A real broker and the gateway as its command starts it."""

import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from lotstream.deploy.embedded.kafka import EmbeddedKafka

PARTITIONS = 4
READY_S = 60.0


def _values(column: list[int] | str) -> list[int]:
    """A column of a read batch, packed or not: 'i4:' and the base64 of values of four bytes, and so on."""
    if isinstance(column, list):
        return column
    raw, size = b64decode(column[3:]), int(column[1])
    return [int.from_bytes(raw[at : at + size], "little", signed=column[0] == "i") for at in range(0, len(raw), size)]


class Doors:
    """One gateway process over one broker, with a topic prefix of its own."""

    def __init__(self, kafka: EmbeddedKafka, run: Path, *, env: dict[str, str]) -> None:
        self.kafka = kafka
        self.run = run
        self.prefix = f"t{time.time_ns()}."
        self.env = {
            **os.environ,
            "LOTSTREAM_KAFKA__BOOTSTRAP": kafka.bootstrap,
            "LOTSTREAM_TOPICS__PREFIX": self.prefix,
            "LOTSTREAM_TOPICS__PARTITIONS": str(PARTITIONS),
            "LOTSTREAM_GATEWAY__PORT": "0",
            "LOTSTREAM_RUN_DIR": str(run),
            "LOTSTREAM_DATA_DIR": str(run / "data"),
            **env,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client()

    def lotstream(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.run / "gateway.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "lotstream.cli.main", *words], env=self.env, stdout=log, stderr=log
            )

    def start(self) -> None:
        assert self.lotstream("topics", "apply").wait(60) == 0, self.log()
        self.process = self.lotstream("gateway")
        published = self.run / "gateway.json"
        until = time.monotonic() + READY_S
        while True:
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            try:
                url = json.loads(published.read_text())["url"]
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except (OSError, ValueError, httpx.TransportError):
                pass
            time.sleep(0.05)
        self.client = httpx.Client(base_url=url, timeout=60.0)

    def log(self) -> str:
        return (self.run / "gateway.log").read_text()[-3_000:]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def close(self) -> None:
        self.client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        # the broker comes back sooner with fewer of them
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap})
        ours = [name for name in admin.list_topics(timeout=30).topics if name.startswith(self.prefix)]
        for deleted in admin.delete_topics(ours).values() if ours else ():
            deleted.result(30)

    def messages(self, topic: str) -> list[Any]:
        """Everything in a topic, up to its ends now."""
        consumer = Consumer(
            {"bootstrap.servers": self.kafka.bootstrap, "group.id": "look", "enable.auto.commit": False}
        )
        name = self.prefix + topic
        ends = {p: self._end(consumer, TopicPartition(name, p)) for p in range(PARTITIONS)}
        consumer.assign([TopicPartition(name, p, 0) for p in ends])
        found: list[Any] = []
        while len(found) < sum(ends.values()):
            found += consumer.consume(500, 0.2)
        consumer.close()
        return found

    def _end(self, consumer: Consumer, part: TopicPartition) -> int:
        """A broker that has just come back may not lead its partitions yet."""
        until = time.monotonic() + READY_S
        while True:
            try:
                return consumer.get_watermark_offsets(part, 10)[1]
            except KafkaException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def reads(self) -> list[dict[str, Any]]:
        return [value for m in self.messages("reads.v1") if (value := json.loads(m.value()))["kind"] == "reads"]

    def identities(self) -> list[tuple[str, int, str, int]]:
        """(reader, antenna, tag, the reader's own time) of every read."""
        return [
            (batch["reader"], antenna, batch["tags"][tag], batch["t0_us"] + last)
            for batch in self.reads()
            for antenna, tag, last in zip(*(_values(batch[name]) for name in ("antenna", "tag", "last")), strict=True)
        ]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka


@pytest.fixture
def doors(broker: EmbeddedKafka, tmp_path: Path) -> Iterator[Callable[..., Doors]]:
    """Starts gateways; none is left behind."""
    started: list[Doors] = []

    def start(**env: str) -> Doors:
        run = tmp_path / f"gateway-{len(started)}"
        run.mkdir()
        one = Doors(broker, run, env=env)
        started.append(one)
        one.start()
        return one

    yield start
    for one in started:
        one.close()
