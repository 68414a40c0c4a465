"""How long state takes to come back: `python -m tests.chaos.recovery` measures the toy of the engine's tests.

A million small records and sixteen thousand chunks out of a changelog, a restart under the same name, the failover to
another worker after a kill, and how long the partitions that did not move stood meanwhile.
"""

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from confluent_kafka import Producer

from lotstream.deploy.embedded.kafka import EmbeddedKafka
from lotstream.streams.engine.changelog import FENCE, ITEM, owner_headers
from tests.system.engine.conftest import PARTITIONS, Toy

CHUNK_BYTES = 1_280


def fill(toy: Toy, count: int, *, value: bytes) -> None:
    """A changelog as one owner would have left it."""
    producer = Producer(toy.client | {"linger.ms": 20, "queue.buffering.max.messages": 2_000_000})
    topic = f"changelog-{toy.id}"
    for partition in range(PARTITIONS):
        producer.produce(topic, b"filler -", FENCE, partition)
    producer.flush()
    headers = list(owner_headers(0))
    for number in range(count):
        producer.produce(topic, value, ITEM + b"%d" % number, number % PARTITIONS, headers=headers)
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()


def loaded_s(toy: Toy) -> float:
    """What the newest worker says of its load."""
    return float(re.findall(r"Loaded\(.*seconds=([0-9.e-]+)\)", toy.said())[-1])


def cpu_s(pid: int) -> float:
    """What a process has taken of a processor so far; it does not depend on who else uses the machine."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(broker: str, directory: Path, *, count: int, value: bytes) -> tuple[float, float]:
    """Seconds that a load took, and processor seconds from the start of the process to readiness."""
    toy = Toy(broker, directory / f"load-{count}.log", kind="message", units=10**9)
    try:
        fill(toy, count, value=value)
        worker = toy.start()
        toy.wait_said("Ready", seconds=120)
        return loaded_s(toy), cpu_s(worker.pid)
    finally:
        toy.stop()


def restart(broker: str, directory: Path) -> float:
    """From the start of the process under its old name to readiness."""
    toy = Toy(broker, directory / "restart.log", kind="message")
    try:
        for name in "ab":
            toy.start(instance=name)
        toy.wait_said("Ready", times=2)
        toy.feed(2_000)
        toy.check()
        toy.workers[0].terminate()
        toy.workers[0].wait(10)
        ready, began = toy.said().count("Ready"), time.monotonic()
        toy.start(instance="a")
        toy.wait_said("Ready", times=ready + 1)
        return time.monotonic() - began
    finally:
        toy.stop()


def failover(broker: str, directory: Path) -> dict[str, float]:
    """A worker is killed for good: until the other has its partitions, and how long that one stood."""
    toy = Toy(broker, directory / "failover.log", kind="message")
    try:
        toy.start()
        toy.wait_said("Ready")
        toy.start()
        toy.wait_said("Ready", times=3)
        toy.feed(2_000)
        toy.check()
        toy.workers[0].kill()
        ready, began, before = toy.said().count("Ready"), time.monotonic(), len(toy.said())
        toy.wait_said("Ready", times=ready + 1, seconds=30)
        whole = time.monotonic() - began
        lines = toy.said()[before:].splitlines()
        revoked = next(float(line.split()[0]) for line in lines if "Revoked(" in line)
        back = next(float(line.split()[0]) for line in lines if "Ready(" in line)
        toy.check()
        return {"failover_s": whole, "unmoved_paused_s": back - revoked}
    finally:
        toy.stop()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lotstream-recovery-") as name, EmbeddedKafka() as kafka:
        directory, broker = Path(name), kafka.bootstrap
        _, bare_s = load(broker, directory, count=0, value=b"")
        million_s, million_cpu_s = load(broker, directory, count=1_000_000, value=b"1234567890")
        chunks_s, chunks_cpu_s = load(broker, directory, count=16_000, value=b"0" * CHUNK_BYTES)
        figures = {
            "million_records_s": million_s,
            "million_records_cpu_s": million_cpu_s - bare_s,
            "sixteen_thousand_chunks_s": chunks_s,
            "sixteen_thousand_chunks_cpu_s": chunks_cpu_s - bare_s,
            "restart_s": restart(broker, directory),
            **failover(broker, directory),
        }
    print(json.dumps({name: round(seconds, 2) for name, seconds in figures.items()}))


if __name__ == "__main__":
    sys.exit(main())
