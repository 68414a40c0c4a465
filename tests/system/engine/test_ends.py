"""When a worker cannot go on safely it ends loudly, with a code that says why, and a restart loses nothing."""

import signal
import time
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition

from lotstream.deploy.embedded.kafka import EmbeddedKafka
from tests.system.engine.conftest import PARTITIONS, UNITS, Toy, feed_all

pytestmark = pytest.mark.system


def test_bug(message_toy: Toy) -> None:
    """An exception in a core ends the process with 70 and says how to go on; the record is not acknowledged, those
    before it are kept."""
    toy = message_toy
    toy.feed(400)
    worker = toy.start(instance="a")
    toy.check()
    toy.producer.produce(f"in-{toy.id}", b"bug", None, 0)
    toy.producer.flush()
    assert worker.wait(10) == 70
    assert f"in-{toy.id}:0:100" in toy.said()
    assert "Expected no bug, got one." in toy.said()
    assert f"to go on: park in-{toy.id}:0:100\n" in toy.said()
    assert toy.committed()[0] <= 100


def test_hole(message_toy: Toy) -> None:
    """A missing offset inside a source ends the process with 71: it would be records that were lost on the way."""
    toy = message_toy
    toy.feed(400)
    producer = Producer({**toy.client, "transactional.id": toy.id})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(f"in-{toy.id}", b"400", None, 0)
    producer.commit_transaction()  # the control record takes an offset that no consumer ever sees
    while toy.ends(f"in-{toy.id}")[0] < 102:
        time.sleep(0.05)
    toy.feed(8)
    worker = toy.start()
    assert worker.wait(15) == 71
    assert f"Expected offset 101 of in-{toy.id}:0, got 102." in toy.said()


def test_below_the_logs_start(toy: Toy) -> None:
    """Records below the log's start are gone: the worker says which, and goes on."""
    toy.feed(400)
    first = toy.start(instance="a")
    toy.check()
    toy.wait_committed()
    first.terminate()
    assert first.wait(10) == 0
    for number in range(400, 800):
        toy.producer.produce(f"in-{toy.id}", b"%d" % number, None, number % PARTITIONS)
    toy.producer.flush()
    gone = toy.admin.delete_records([TopicPartition(f"in-{toy.id}", 0, 150)])
    for deleted in gone.values():
        deleted.result()
    toy.start(instance="a")
    toy.wait_said("Jumped(")
    assert f"topic='in-{toy.id}', partition=0, expected=100, start=150" in toy.said()
    lost = [number for number in range(400, 600) if number % PARTITIONS == 0]
    toy.fed = 800
    answered = toy.answers(without=lost)
    if toy.settings["kind"] == "message":
        assert answered[600] == 600 - UNITS * 3  # the last one of its unit that was read


def test_source_made_again(toy: Toy) -> None:
    """A source that ends before what was read is another log: 71, and not a silence until it has grown."""
    toy.feed(400)
    first = toy.start()
    toy.check()
    toy.wait_committed()
    first.terminate()
    first.wait(10)
    toy.recreate(f"in-{toy.id}")
    toy.commit(100)
    second = toy.start()
    assert second.wait(15) == 71
    assert "to reach offset 100, got its end at 0." in toy.said()


@pytest.mark.alone
def test_frozen(toys: list[Toy]) -> None:
    """A worker that was frozen for longer than its session ends with 72 when it wakes, and has done no harm."""
    frozen = [toy.start() for toy in toys]
    for toy in toys:
        toy.wait_said("Ready")
        toy.feed(400)
        toy.check()
    for worker in frozen:
        worker.send_signal(signal.SIGSTOP)
    for toy in toys:
        toy.start()
    feed_all(toys, 7.0, rate=400)
    for worker in frozen:
        worker.send_signal(signal.SIGCONT)
    assert {worker.wait(10) for worker in frozen} == {72}
    for toy in toys:
        toy.feed(400)
        toy.check()


@pytest.mark.alone
def test_zombies(toys: list[Toy]) -> None:
    """Frozen for two sessions under load and waking without noticing it, a worker goes on as the owner that it was:
    what it still writes is merged or ignored, and every record has its one answer."""
    zombies = [toy.start(blind=True) for toy in toys]
    for toy in toys:
        toy.wait_said("Ready")
    feed_all(toys, 1.0, rate=1000)
    for toy in toys:
        toy.feed(2000)
    for worker in zombies:
        worker.send_signal(signal.SIGSTOP)
    for toy in toys:
        toy.start()
    feed_all(toys, 12.0, rate=200)
    for worker in zombies:
        worker.send_signal(signal.SIGCONT)
    feed_all(toys, 2.0, rate=400)
    for toy in toys:
        # owners that saw the stale write have ended, with 73, and are started anew as a service manager would
        assert {worker.poll() for worker in toy.workers} <= {None, 73}
        toy.start()
        toy.check()


def test_foreign_write(toy: Toy) -> None:
    """A record of somebody else in the changelog ends its owner with 73; the next owner reads past it."""
    toy.feed(400)
    first = toy.start(instance="a")
    toy.check()
    toy.wait_committed()
    for number in range(PARTITIONS):
        for key in (b"K1", b"A1", b"B1", b"M"):
            toy.producer.produce(f"changelog-{toy.id}", b"99999", key, number)
    toy.producer.flush()
    toy.feed(400)
    assert first.wait(15) == 73
    toy.start(instance="a")
    toy.check()


@pytest.mark.alone
def test_foreign_write_into_silence(toys: list[Toy]) -> None:
    """An owner to whom nothing comes sees it too, before compaction could prefer the other's record."""
    workers = [toy.start(watch=0.5) for toy in toys]
    for toy in toys:
        toy.wait_said("Ready", seconds=40)
        toy.feed(400)
        toy.check()
        toy.wait_committed()
    time.sleep(2.0)
    assert {worker.poll() for worker in workers} == {None}
    for toy in toys:
        toy.producer.produce(f"changelog-{toy.id}", b"1", b"K1", 0)
        toy.producer.flush()
    assert {worker.wait(15) for worker in workers} == {73}


def test_undelivered(broker: str, tmp_path: Path) -> None:
    """A message that no topic takes ends the process with 74, and its record stays unacknowledged."""
    toy = Toy(broker, tmp_path / "workers.log", kind="message")
    try:
        toy.feed(4)
        worker = toy.start(output="nowhere", delivery_timeout=1.5)
        assert worker.wait(15) == 74
        assert max(toy.committed()) < 1
    finally:
        toy.stop()


def test_one_name_twice(message_toy: Toy) -> None:
    """Two workers with one name do not take each other's partitions for ever: they end with 73 and say why."""
    toy = message_toy
    older = toy.start(instance="a")
    toy.wait_said("Ready")
    toy.feed(400)
    toy.start(instance="a")
    assert older.wait(20) == 73
    assert "to be the only worker named 'a'" in toy.said()
    toy.start(instance="a")
    toy.feed(400)
    toy.check()


@pytest.mark.alone
def test_a_broker_that_goes_while_a_worker_connects(tmp_path: Path) -> None:
    """That is no bug: the worker ends with 75 or waits, and whoever starts it again loses nothing."""
    with EmbeddedKafka(tmp_path / "kafka") as kafka:
        toy = Toy(kafka.bootstrap, tmp_path / "workers.log", kind="message")
        try:
            toy.feed(400)
            worker = toy.start(breaks="verify")
            toy.wait_said("verified", seconds=20)
            kafka.kill()
            assert worker.wait(60) == 75
            kafka.restart()
            toy.start()
            toy.check()
        finally:
            toy.stop()


@pytest.mark.alone
def test_a_stop_without_a_broker_is_bounded(tmp_path: Path) -> None:
    """A worker that is asked to stop while the broker is away is gone in time, and its records come again."""
    with EmbeddedKafka(tmp_path / "kafka") as kafka:
        toys = [Toy(kafka.bootstrap, tmp_path / f"{kind}.log", kind=kind) for kind in ("message", "checkpoint")]
        try:
            workers = [toy.start(instance="a") for toy in toys]
            for toy in toys:
                toy.wait_said("Ready", seconds=40)
                toy.feed(400)
            kafka.kill()
            time.sleep(2.0)
            for worker in workers:
                worker.terminate()
            assert {worker.wait(25) for worker in workers} <= {0, 76}
            kafka.restart()
            for toy in toys:
                toy.start(instance="a")
                toy.check()
        finally:
            for toy in toys:
                toy.stop()


def test_topics_that_do_not_fit(message_toy: Toy) -> None:
    """A source that is missing is said at the start; a worker does not wait for it in silence."""
    worker = message_toy.start(sources=["nowhere"])
    assert worker.wait(15) == 1
    assert "Expected 4 partitions of 'nowhere', got 0." in message_toy.said()


@pytest.mark.alone
def test_broker_killed(tmp_path: Path) -> None:
    """Workers live through the death of the broker, and lose nothing and answer nothing differently."""
    with EmbeddedKafka(tmp_path / "kafka") as kafka:
        toys = [Toy(kafka.bootstrap, tmp_path / f"{kind}.log", kind=kind) for kind in ("message", "checkpoint")]
        try:
            workers = [toy.start(instance="a") for toy in toys]
            for toy in toys:
                toy.wait_said("Ready")
                toy.feed(400)
            kafka.kill()
            kafka.restart()
            for toy in toys:
                toy.feed(400)
                toy.check()
                toy.wait_committed(
                    seconds=40.0
                )  # what a dying broker took away with it is asked for again after a timeout
            assert {worker.poll() for worker in workers} == {None}
        finally:
            for toy in toys:
                toy.stop()
