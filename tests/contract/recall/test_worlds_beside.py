"""Some of the worlds of `make recall-worlds`, side by side in one history."""

from tests.recall_worlds.beside import Beside, faults
from tests.recall_worlds.maker import RecallMaker
from tests.recall_worlds.play import warehouse

FIRST, WORLDS = 108, 6


def test_every_recall_comes_out_true() -> None:
    """Reached lots, links, places, recipients, scopes and figures are exactly the brute force's; nothing of one world
    is told of another."""
    with warehouse() as here:
        beside = Beside(here.settings)
        found = faults(beside, {seed: RecallMaker(seed).world() for seed in range(FIRST, FIRST + WORLDS)})
        beside.close()
    assert not found, f"python -m tests.recall_worlds --worlds {WORLDS} --seed {FIRST}"
