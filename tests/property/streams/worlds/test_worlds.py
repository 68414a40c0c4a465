"""Some of the worlds of `make worlds`, each against the oracle: promise 2, that the order does not matter."""

import pytest

from tests.worlds.check import faults
from tests.worlds.world import Maker

FIRST, WORLDS, PARTS = 7_000, 160, 8


@pytest.mark.parametrize("part", range(PARTS))
def test_every_world_comes_out_true(part: int) -> None:
    """Told in order, and told in disorder with copies, crashes and owners that were replaced: the oracle's answer."""
    for seed in range(FIRST + part, FIRST + WORLDS, PARTS):
        assert not faults(Maker(seed).world(), seed=seed), f"python -m tests.worlds --worlds 1 --seed {seed}"
