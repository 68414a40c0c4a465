"""Some of the worlds of `make recall-worlds`, each through the stages and the sinks into the real engine."""

from tests.recall_worlds.check import faults
from tests.recall_worlds.maker import RecallMaker
from tests.recall_worlds.play import warehouse

FIRST, WORLDS = 100, 4


def test_every_recall_comes_out_true() -> None:
    """Reached lots, links, units, amounts, recipients and document lines are exactly the brute force's, both ways."""
    with warehouse() as here:
        for seed in range(FIRST, FIRST + WORLDS):
            found = faults(here, RecallMaker(seed).world(), seed=seed)
            assert not found, f"python -m tests.recall_worlds --worlds 1 --seed {seed}"
