"""Worlds that once came out wrong, shrunk; each is told in order and in disorder, with room and with little."""

from dataclasses import replace

import pytest

from tests.worlds.check import faults
from tests.worlds.passages import Batch
from tests.worlds.world import Event, Kind, World, pallet, tag

MADE = Event(name="make1", kind=Kind.MAKE, at=0, first=1, last=7, lot="A")

WORLDS: dict[str, World] = {
    # a batch over two frames of the reader's time made two sightings of one slot, of which one was lost
    "two runs told late in one batch": (
        MADE,
        Batch(number=7, point="south", reads=((tag(6), 0, 224_669), (tag(6), 0, 233_669))),
    ),
    # the slot that goes on with a visit was not told to what is inside: the pallet was out, its contents were not
    "a pallet leaves over the end of a slot": (
        MADE,
        Event(name="pack2", kind=Kind.PACK, at=0, parent=pallet(1), tags=(tag(1),)),
        Batch(
            number=3,
            point="north",
            reads=tuple((pallet(1), antenna, time) for antenna, time in ((1, 29_500), (1, 29_900), (2, 30_400))),
        ),
    ),
    # of more lanes of one slot than are kept, the others stayed under a lot that the unit had left, and nobody was told
    "a unit that had ended is read, and told late bit by bit": (
        MADE,
        Event(name="end2", kind=Kind.END, at=140, tags=(tag(1),)),
        *(
            Batch(number=3 + number, point="south", reads=((tag(1), 1, 200_000 + 700 * number),))
            for number in range(16)
        ),
    ),
    # the same of a unit that was made by mistake: its lot was told that it is nobody's, and passes all of it over
    "a unit that was never made is read, and told late bit by bit": (
        MADE,
        replace(MADE, wrong=True),
        *(Batch(number=3 + number, point="south", reads=((tag(1), 1, 10_000 + 700 * number),)) for number in range(16)),
    ),
}


@pytest.mark.parametrize("name", WORLDS)
def test_it_comes_out_true(name: str) -> None:
    """What was found is mended."""
    for seed in (1, 2):
        assert not faults(WORLDS[name], seed=seed)
