"""Each deviation from Faust is needed: with Faust's own method put back, a promise breaks."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.engine.conftest import Toy

pytestmark = pytest.mark.system

Make = Callable[..., Toy]


@pytest.fixture
def make(broker: str, tmp_path: Path) -> Iterator[Make]:
    made: list[Toy] = []

    def new(**settings: object) -> Toy:
        toy = Toy(broker, tmp_path / f"{len(made)}.log", **{"kind": "message", **settings})
        made.append(toy)
        return toy

    yield new
    for toy in made:
        toy.stop()


def stopped(toy: Toy, without: str | None) -> float:
    """Feed, answer, stop; returns the seconds from the start to readiness."""
    toy.feed(400)
    worker = toy.start(instance="a", without=[without] if without else [])
    toy.wait_said("Ready")
    toy.check()
    worker.terminate()
    worker.wait(6)
    ready = next(line for line in toy.said().splitlines() if "Ready(" in line)
    return float(ready.split()[0])


def test_offsets_come_from_the_ledger(make: Make) -> None:
    """Faust's own commit knows nothing of what the engine acknowledged: nothing would be committed while it runs."""
    kept, lost = make(), make()
    kept.start()
    lost.start(without=["StageConsumer.commit"])
    for toy in (kept, lost):
        toy.feed(400)
        toy.check()
    kept.wait_committed()
    time.sleep(1)
    assert kept.committed() == [100] * 4
    assert max(lost.committed()) < 0


@pytest.mark.alone
def test_a_stop_is_bounded(make: Make) -> None:
    """Faust's own wait looks for acknowledgements that are the engine's to give, and never ends."""
    kept, lost = make(), make()
    stopped(kept, None)
    assert "drained=True" in kept.said()
    with pytest.raises(subprocess.TimeoutExpired):
        stopped(lost, "StageConsumer.wait_empty")


@pytest.mark.alone
def test_tables_do_not_cost_a_second(make: Make) -> None:
    """Faust's table manager waits a second at every start for tables that do not exist."""
    kept, lost = make(), make()
    assert stopped(lost, "StageTables.on_start") - stopped(kept, None) > 0.7


def test_state_says_where_to_read(make: Make) -> None:
    """Reading goes on where the snapshot stands, also when the group's offsets were moved by hand."""
    for without, goes_on in ((None, True), ("StageConsumer.perform_seek", False)):
        toy = make(kind="checkpoint")
        toy.feed(400)
        first = toy.start()
        toy.check()
        toy.wait_committed()
        first.terminate()
        first.wait(10)
        toy.feed(400)
        toy.commit(150)
        second = toy.start(without=[without] if without else [])
        if goes_on:
            toy.check()
        else:
            assert second.wait(15) == 71


def test_state_is_loaded_before_records_flow(make: Make) -> None:
    """With Faust's own resumption no state is ever loaded, and no record is decided."""
    toy = make()
    toy.feed(4)
    toy.start(without=["StageRecovery._resume_streams"])
    time.sleep(2)
    assert "Loaded" not in toy.said()


def test_a_crashed_service_ends_the_process(make: Make) -> None:
    """Faust lets a worker live on after the commit handler has crashed: it works and never commits again."""
    kept, lost = make(breaks="commit"), make(breaks="commit", without=["StageApp._crash"])
    ends, lives = kept.start(), lost.start()
    kept.feed(4)
    lost.feed(4)
    assert ends.wait(15) == 70
    lost.answers()
    time.sleep(1)
    assert lives.poll() is None


def test_nothing_is_written_to_the_disk(make: Make, tmp_path: Path) -> None:
    """Faust makes directories where the worker was started; state needs none here."""
    made = {}
    for without in (None, "StageApp._create_directories"):
        toy = make()
        toy.directory = tmp_path / f"home-{without}"
        toy.directory.mkdir()
        stopped(toy, without)
        made[without] = list(toy.directory.iterdir())
    assert made[None] == []
    assert made["StageApp._create_directories"] != []


@pytest.mark.alone
def test_a_number_of_all_sources_goes_to_one_worker(make: Make) -> None:
    """Round robin, Faust's choice without tables, deals partition n of two sources to two workers."""
    for without, together in (None, True), ("StageThread._create_worker_consumer", False):
        toy, other = make(), make()
        both = {"sources": [f"in-{toy.id}", f"in-{other.id}"], "without": [without] if without else []}
        workers = [toy.start(**both) for _ in range(3)]
        end = time.monotonic() + 12
        while time.monotonic() < end and not any(worker.poll() for worker in workers):
            if together and toy.said().count("Ready") >= 3:
                break
            time.sleep(0.1)
        assert ("Expected to be assigned" not in toy.said()) is together
