"""`make chaos-compare`: one log, one load, one seed; an app of stock Faust and the same app on the engine, both hurt
alike, and what each of them lost."""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from lotstream.deploy.embedded.kafka import EmbeddedKafka

HERE = Path(__file__).parent
PARTITIONS, UNITS, RATE = 4, 400, 400
SETTLE_S = 60.0
FREEZE_S = 9.0


@dataclass(frozen=True)
class Blow:
    """At an instant, the worker 0 or 1 of both apps gets a signal."""

    at_s: float
    worker: int
    number: signal.Signals


def blows(seed: int, *, kills: int) -> list[Blow]:
    """From the seed alone; every fourth one is a freeze that outlives the session."""
    chance = random.Random(seed)
    found, at_s = [], 8.0
    for index in range(kills):
        number = signal.SIGSTOP if index % 4 == 3 else chance.choice([signal.SIGKILL, signal.SIGTERM])
        found.append(Blow(at_s, chance.randrange(2), number))
        at_s += chance.uniform(6.0, 12.0) + (FREEZE_S if number is signal.SIGSTOP else 0.0)
    return found


@dataclass
class Contender:
    """Two workers of one app, and what they answered."""

    name: str
    command: list[str]
    settings: dict[str, object]
    directory: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        self.workers = [self._spawn(number) for number in range(2)]

    def hit(self, blow: Blow) -> None:
        self.workers[blow.worker].send_signal(blow.number)

    def thaw(self, number: int) -> None:
        self.workers[number].send_signal(signal.SIGCONT)

    def tend(self) -> None:
        """What ended begins again."""
        self.workers = [
            self._spawn(number) if worker.poll() is not None else worker for number, worker in enumerate(self.workers)
        ]

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()

    def _spawn(self, number: int) -> subprocess.Popen[bytes]:
        named = {"instance": f"w{number}", "directory": str(self.directory / f"{self.name}-{number}")}
        with (self.directory / f"{self.name}-{number}.log").open("ab") as log:
            said = json.dumps(self.settings | named)
            return subprocess.Popen([*self.command, said], stdout=log, stderr=log)


def answers(broker: str, topic: str) -> dict[int, set[int]]:
    """Number -> what was said of it."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "scan", "enable.auto.commit": False})
    places = [TopicPartition(topic, number, 0) for number in range(PARTITIONS)]
    left = {at.partition: end for at in places if (end := consumer.get_watermark_offsets(at, timeout=10)[1])}
    consumer.assign([TopicPartition(topic, number, 0) for number in left])
    found: dict[int, set[int]] = {}
    while left:
        for message in consumer.consume(1000, 0.2):
            if message.error() is not None:
                continue
            for line in message.value().split(b"\n"):
                number, before = map(int, line.split(b"|"))
                found.setdefault(number, set()).add(before)
            if message.offset() + 1 >= left.get(message.partition(), 0):
                left.pop(message.partition(), None)
    consumer.close()
    return found


def committed(broker: str, group: str, topic: str) -> list[int]:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": group})
    offsets = consumer.committed([TopicPartition(topic, number) for number in range(PARTITIONS)], timeout=10)
    consumer.close()
    return [max(0, at.offset) for at in offsets]


def judged(broker: str, source: str, *, output: str, group: str, sent: int) -> dict[str, int]:
    """`lost`: without an answer and below what the group has committed, so that nobody reads it ever again.
    `open`: without an answer and still to be read. `wrong`: another predecessor than the right one."""
    said, offsets = answers(broker, output), committed(broker, group, source)
    missing = [number for number in range(sent) if number not in said]
    lost = sum(number // PARTITIONS < offsets[number % PARTITIONS] for number in missing)
    wrong = sum(before != {number - UNITS if number >= UNITS else -1} for number, before in said.items())
    return {"lost": lost, "open": len(missing) - lost, "wrong": wrong}


def run(seed: int, kills: int, directory: Path) -> dict[str, object]:
    """Both apps through one load and one row of blows."""
    with EmbeddedKafka(directory / "kafka") as kafka:
        broker = kafka.bootstrap
        source, outputs = "in-toy", {"stock": "out-stock", "engine": "out-engine"}
        logs = ("stock-last-changelog", "changelog-toy")
        topics = [NewTopic(name, PARTITIONS, 1) for name in (source, *outputs.values())]
        topics += [NewTopic(name, PARTITIONS, 1, config={"cleanup.policy": "compact"}) for name in logs]
        admin = AdminClient({"bootstrap.servers": broker})
        for made in admin.create_topics(topics).values():
            made.result()
        toy = str(HERE.parent / "system" / "engine" / "toy_worker.py")
        common: dict[str, object] = {"broker": broker, "units": UNITS}
        both = [
            Contender(
                "stock",
                [sys.executable, str(HERE / "stock.py")],
                common | {"id": "stock", "source": source, "output": outputs["stock"]},
                directory,
            ),
            Contender(
                "engine",
                [sys.executable, toy],
                common | {"id": "toy", "kind": "message", "output": outputs["engine"]},
                directory,
            ),
        ]
        try:
            for contender in both:
                contender.start()
            sent = _load(broker, source, both=both, planned=blows(seed, kills=kills))
            until = time.monotonic() + SETTLE_S
            while time.monotonic() < until:
                for contender in both:
                    contender.tend()
                time.sleep(2.0)
                if all(len(answers(broker, output)) >= sent for output in outputs.values()):
                    break
            return {
                "seed": seed,
                "kills": kills,
                "records": sent,
                "stock_faust": judged(broker, source, output=outputs["stock"], group="stock", sent=sent),
                "lotstream": judged(broker, source, output=outputs["engine"], group="toy-message", sent=sent),
            }
        finally:
            for contender in both:
                contender.stop()


def _load(broker: str, source: str, *, both: list[Contender], planned: list[Blow]) -> int:
    """A steady load while the blows fall; returns how many records were taken."""
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 5, "enable.idempotence": True})
    began, sent, thaw = time.monotonic(), 0, list[tuple[float, int]]()
    left = list(planned)
    over_s = planned[-1].at_s + FREEZE_S + 8.0 if planned else 10.0
    while (now := time.monotonic() - began) < over_s:
        while sent < now * RATE:
            producer.produce(source, b"%d" % sent, b"%d" % (sent % UNITS), sent % PARTITIONS)
            sent += 1
        producer.poll(0)
        if left and now >= left[0].at_s:
            blow = left.pop(0)
            sys.stderr.write(f"{now:7.2f} {blow.number.name} worker {blow.worker} of both\n")
            for contender in both:
                contender.hit(blow)
            if blow.number is signal.SIGSTOP:
                thaw.append((now + FREEZE_S, blow.worker))
        while thaw and now >= thaw[0][0]:
            _, worker = thaw.pop(0)
            for contender in both:
                contender.thaw(worker)
        for contender in both:
            contender.tend()
        time.sleep(0.02)
    producer.flush(30)
    return sent


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos-compare", description=__doc__)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lotstream-compare-") as directory:
        answer = run(arguments.seed, arguments.kills, Path(directory))
    print(json.dumps(answer))
    ours = answer["lotstream"]
    return 0 if isinstance(ours, dict) and not any(ours.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
