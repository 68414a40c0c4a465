"""Nothing is lost and nothing is answered differently, whatever is killed."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.system.engine.conftest import STORES, Toy, feed_all, stores

pytestmark = pytest.mark.system

BOTH = ["fenced", "received", "decided", "published", "outputs delivered", "acknowledged", "committed"]
POINTS = {
    "message": [*BOTH, "changes delivered"],
    "checkpoint": [*BOTH, "snapshot delivered", "marker delivered"],
}
PASSES = {"fenced": 1, "received": 40, "decided": 40}


@pytest.mark.alone
def test_kill_under_load(toys: list[Toy]) -> None:
    """Two workers under load, killed -9 and terminated in turn: every record is answered, and always alike."""
    workers = {(toy, name): toy.start(instance=name) for toy in toys for name in "ab"}
    for toy in toys:
        toy.wait_said("Ready", times=2)
    for name, how in zip("abab", [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL], strict=True):
        feed_all(toys, 0.7, rate=1000)
        for toy in toys:
            workers[toy, name].send_signal(how)
        for toy in toys:
            workers[toy, name].wait(10)
            workers[toy, name] = toy.start(instance=name)
        feed_all(toys, 0.7, rate=1000)
    for toy in toys:
        toy.check()


@pytest.mark.alone
def test_partitions_move(toys: list[Toy]) -> None:
    """A worker that comes and one that goes for ever leave no record without its answer."""
    stay = [toy.start() for toy in toys]
    for toy in toys:
        toy.wait_said("Ready")
        toy.feed(500)
    go = [toy.start() for toy in toys]
    feed_all(toys, 1.5, rate=1000)
    for worker in go:
        worker.kill()
    feed_all(toys, 1.0, rate=1000)
    for toy in toys:
        toy.check()
    assert {worker.poll() for worker in stay} == {None}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("kind", ["message", "checkpoint"])
def test_death_between_two_steps(broker: str, tmp_path: Path, kind: str, store: str) -> None:
    """A worker that dies between any two steps leaves no record unanswered and none answered differently."""

    def die(point: str) -> None:
        toy = Toy(broker, tmp_path / f"{point}.log", kind=kind, **stores(store, tmp_path))
        try:
            toy.feed(600)
            first = toy.start(instance="a", crash=point, passes=PASSES.get(point, 2))
            end = time.monotonic() + 60
            while first.poll() is None and time.monotonic() < end:
                toy.feed(20)
                time.sleep(0.05)
            assert first.poll() == -signal.SIGKILL, toy.said()
            toy.start(instance="a")
            toy.feed(300)
            toy.check(seconds=60)
        finally:
            toy.stop()

    with ThreadPoolExecutor(4) as pool:
        for death in [pool.submit(die, point) for point in POINTS[kind]]:
            death.result()
