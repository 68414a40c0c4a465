"""Nothing is lost and nothing is answered differently, whatever is killed."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.system.engine.conftest import Toy

pytestmark = pytest.mark.system

BOTH = ["fenced", "received", "decided", "published", "outputs delivered", "acknowledged", "committed"]
POINTS = {
    "message": [*BOTH, "changes delivered"],
    "checkpoint": [*BOTH, "snapshot delivered", "marker delivered"],
}
PASSES = {"fenced": 1, "received": 40, "decided": 40}


def test_kill_under_load(toy: Toy) -> None:
    """Two workers under load, killed -9 and terminated in turn: every record is answered, and always alike."""
    workers = [toy.start(instance="a"), toy.start(instance="b")]
    toy.wait_said("Ready", times=2)
    for round_, how in enumerate([signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL]):
        toy.feed_for(0.7, rate=2000)
        victim = workers[round_ % 2]
        victim.send_signal(how)
        victim.wait(10)
        workers[round_ % 2] = toy.start(instance="ab"[round_ % 2])
        toy.feed_for(0.7, rate=2000)
    toy.check()


def test_partitions_move(toy: Toy) -> None:
    """A worker that comes and one that goes for ever leave no record without its answer."""
    stays = toy.start()
    toy.wait_said("Ready")
    toy.feed(500)
    goes = toy.start()
    toy.feed_for(1.5, rate=2000)
    goes.kill()
    toy.feed_for(1.0, rate=1000)
    toy.check(seconds=20)
    assert stays.poll() is None


@pytest.mark.parametrize("kind", ["message", "checkpoint"])
def test_death_between_two_steps(broker: str, tmp_path: Path, kind: str) -> None:
    """A worker that dies between any two steps leaves no record unanswered and none answered differently."""

    def die(point: str) -> None:
        toy = Toy(broker, tmp_path / f"{point}.log", kind=kind)
        try:
            toy.feed(600)
            first = toy.start(instance="a", crash=point, passes=PASSES.get(point, 2))
            while first.poll() is None and toy.fed < 60_000:
                toy.feed(100)
                time.sleep(0.05)
            assert first.wait(10) == -signal.SIGKILL, toy.said()
            toy.start(instance="a")
            toy.feed(300)
            toy.check()
        finally:
            toy.stop()

    with ThreadPoolExecutor(4) as pool:
        for point, death in [(point, pool.submit(die, point)) for point in POINTS[kind]]:
            assert death.exception() is None, (point, death.exception())
