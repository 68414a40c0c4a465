"""Workers come, go, tick and share a process, over plain and over secured connections."""

import re
import shutil
import time
from pathlib import Path

import pytest

from lotstream.deploy.embedded.kafka import EmbeddedKafka
from tests.system.engine.conftest import PARTITIONS, Toy, stores

pytestmark = pytest.mark.system


@pytest.mark.alone
def test_restart_under_its_name(toy: Toy) -> None:
    """A worker that stops and comes back under its name is ready within 3 s, and the others notice nothing."""
    first = toy.start(instance="a")
    toy.start(instance="b")
    toy.wait_said("Ready", times=2)
    toy.feed(400)
    toy.check()
    assigned = toy.said().count("Assigned")
    first.terminate()
    assert first.wait(5) == 0
    ready = toy.said().count("Ready")
    began = time.monotonic()
    toy.start(instance="a")
    toy.wait_said("Ready", times=ready + 1)
    assert time.monotonic() - began < 3.0
    assert toy.said().count("Assigned") == assigned + 1
    toy.feed(400)
    toy.check()
    toy.wait_committed()


@pytest.mark.parametrize("kind", ["message", "checkpoint"])
def test_a_restart_with_a_store_reads_what_is_newer(broker: str, tmp_path: Path, kind: str) -> None:
    """A worker that was killed comes back to its directory and reads its own fences of the changelog, and no more; one
    without the directory reads all of it, and both know the same."""
    toy = Toy(broker, tmp_path / "workers.log", kind=kind, **stores("rocksdb", tmp_path))
    try:
        first = toy.start(instance="a")
        toy.feed(2000)
        toy.check()
        toy.wait_committed()
        first.kill()
        first.wait()
        second = toy.start(instance="a")
        toy.wait_said("Loaded", times=2)
        toy.feed(200)
        toy.check()
        toy.wait_committed()
        second.kill()
        second.wait()
        shutil.rmtree(tmp_path / "stores")
        toy.start(instance="a")
        toy.wait_said("Loaded", times=3)
        fences, newer, whole = map(int, re.findall(r"records=(\d+),", toy.said()))
        assert fences == newer == PARTITIONS < whole
        toy.feed(200)
        toy.check()
    finally:
        toy.stop()


@pytest.mark.alone
def test_idle_records(broker: str, tmp_path: Path) -> None:
    """Where nothing comes for the idle time, each partition gets an idle record, and one again after the next."""
    toy = Toy(broker, tmp_path / "workers.log", kind="checkpoint")
    try:
        toy.start(tick=0.4)
        toy.wait_said("Ready")
        time.sleep(1.6)
        ends = toy.ends(f"in-{toy.id}")
        assert all(2 <= end <= 5 for end in ends), ends
        toy.feed(100)
        toy.check()
    finally:
        toy.stop()


def test_two_stages_in_one_process(broker: str, tmp_path: Path) -> None:
    """Stages that share a process and an event loop do what they do alone."""
    one = Toy(broker, tmp_path / "one.log", kind="message")
    two = Toy(broker, tmp_path / "two.log", kind="checkpoint")
    try:
        worker = one.start(instance="a", also=[{"id": two.id, **two.settings}])
        one.feed(2000)
        two.feed(2000)
        one.check()
        two.check()
        worker.terminate()
        assert worker.wait(10) == 0
        assert one.said().count("drained=True") == 2
    finally:
        one.stop()
        two.stop()


def test_secured(tmp_path: Path) -> None:
    """Consumer, producer and loader all speak SASL_SSL with SCRAM."""
    with EmbeddedKafka(sasl=("engine", "engine-secret")) as kafka:
        toy = Toy(
            kafka.bootstrap,
            tmp_path / "workers.log",
            kind="message",
            ca_file=str(kafka.ca_file),
            username="engine",
            password="engine-secret",
        )
        try:
            toy.feed(400)
            first = toy.start(instance="a")
            toy.check()
            first.terminate()
            assert first.wait(10) == 0
            toy.start(instance="a")
            toy.feed(PARTITIONS)
            toy.check()
        finally:
            toy.stop()
