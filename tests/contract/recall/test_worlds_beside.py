"""Some of the worlds of `make recall-worlds`, side by side in one history; and some by hand."""

from tests.recall_worlds.beside import Beside, faults
from tests.recall_worlds.maker import PARTIES, RecallMaker
from tests.recall_worlds.play import warehouse
from tests.worlds.world import Event, Kind, Read, World, pallet, tag

FIRST, WORLDS = 108, 6
MADE = Event(name="made", kind=Kind.MAKE, at=0, tags=(tag(1), tag(2)), lot="A", location="plant")
PACKED = Event(name="packed", kind=Kind.PACK, at=10, tags=(tag(1),), parent=pallet(1), location="plant")
SENT = Event(
    name="sent", kind=Kind.SHIP, at=30, tags=(pallet(1),), location="store", party=PARTIES[0], document="7", line="1"
)
READ = Read(tag=pallet(1), at=70, point="shelf", version=1, location="at shelf")
SAID = Event(name="said", kind=Kind.SEE, at=80, tags=(tag(1),), location="hall")
EMPTIED = Event(name="emptied", kind=Kind.UNPACK, at=20, tags=(tag(1),), parent=pallet(1), location="plant")
BY_HAND: dict[int, World] = {
    1: (MADE, PACKED, SENT),  # the pallet was sent with a unit in it
    2: (MADE, PACKED, EMPTIED, SENT),  # and here without any
    3: (MADE, PACKED, SENT, READ, SAID),  # of one slot: what was read of the pallet outranks what was said of the unit
}


def test_every_recall_comes_out_true() -> None:
    """Reached lots, links, places, recipients, scopes and figures are exactly the brute force's; nothing of one world
    is told of another."""
    made = {seed: RecallMaker(seed).world() for seed in range(FIRST, FIRST + WORLDS)}
    with warehouse() as here:
        beside = Beside(here.settings)
        found = faults(beside, {**BY_HAND, **made})
        beside.close()
    assert not found, f"python -m tests.recall_worlds --worlds {WORLDS} --seed {FIRST}"
