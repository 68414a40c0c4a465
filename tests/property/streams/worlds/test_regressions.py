"""Worlds that once came out wrong, shrunk; each is told in order and in disorder, with room and with little."""

from dataclasses import replace

import pytest

from tests.worlds.check import faults
from tests.worlds.passages import Batch
from tests.worlds.world import Event, Kind, Read, State, World, pallet, tag

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
    # a newer version of a sighting, from before the packing, was read first by the heir of one who had told the older
    "a pallet that was packed while it was read turns out to have been elsewhere": (
        Event(name="pack1", kind=Kind.PACK, at=20, parent=pallet(3), amounts=(("H", 30),), told=5),
        Read(tag=pallet(3), at=29, point="gate", version=4, location="at gate"),
        Read(tag=pallet(3), at=10, point="gate", version=5, location="by gate", state=State.CROSS_READ),
    ),
    # told late, the two reads came in lanes of their own: the first one is of the lot (the check was too strict)
    "a unit ends between two reads of one slot": (
        MADE,
        Event(name="end8", kind=Kind.END, at=200, tags=(tag(2),), location="hall"),
        Batch(number=9, point="north", reads=((tag(2), 1, 194_521),)),
        Batch(number=13, point="north", reads=((tag(2), 1, 200_421),)),
    ),
}


@pytest.mark.parametrize("name", WORLDS)
def test_it_comes_out_true(name: str) -> None:
    """What was found is mended."""
    for seed in (1, 2):
        assert not faults(WORLDS[name], seed=seed)
