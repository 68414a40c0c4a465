"""Doors that stand side by side: which saw a tag, and which only overheard it."""

import itertools
import struct
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from lotstream.schemas.base import NOT_REPORTED, Origin
from lotstream.schemas.reads import ReadBatch
from lotstream.schemas.sightings import Direction, Mark, Sighting, State

TAG = "3034257BF7194E4000001A85"
SECOND = 1_000_000
LENGTH = struct.Struct("<I")  # of the head of a segment
CLEAR, FAINT = -4_000, -6_500


def seen(make_batch: Any, number: int, times: list[float], rssi: int, **more: Any) -> ReadBatch:
    """Reads of the tag at one of the doors, by a reader of its own."""
    reads = [(time, TAG, 1, rssi) for time in times]
    own = {"reader": f"r{number}", "source": f"r{number}", "read_point": f"dock-{number}", "inside": f"hall-{number}"}
    batch: ReadBatch = make_batch(reads, **{**own, **more})
    return batch


def words(door: Any) -> dict[str, str]:
    """The newest word on each read point's newest slot."""
    return {
        row.form.context.read_point: State(row.form.state).name.lower()
        for row in sorted(door.newest().values(), key=lambda row: row.slot)
    }


def told(door: Any, *batches: ReadBatch) -> Any:
    """The door when all of it is final."""
    for batch in batches:
        door.apply(batch.encode(), at_s=9)
    door.tick(60)
    return door


@pytest.fixture
def near(make_batch: Any) -> Callable[..., ReadBatch]:
    """Reads at one of the neighbouring doors."""

    def make(number: int, times: list[float], rssi: int, **more: Any) -> ReadBatch:
        return seen(make_batch, number, times, rssi, **more)

    return make


def test_the_door_that_hears_better_wins(make_door: Any, near: Any) -> None:
    """In any order of arrival one door of three observed the tag, the others overheard it."""
    batches = [near(1, [1, 2, 3, 4], CLEAR), near(2, [1.5, 2.5], FAINT), near(3, [1, 5], FAINT - 500)]
    for order in itertools.permutations(batches):
        assert words(told(make_door(), *order)) == {
            "dock-1": "observed",
            "dock-2": "cross_read",
            "dock-3": "cross_read",
        }


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"times": [1, 2, 3], "rssi": CLEAR}, "observed"),  # as strong, and more reads
        ({"times": [1, 2], "rssi": CLEAR}, "cross_read"),  # alike: the later name
        ({"times": [1, 2], "rssi": FAINT, "door": "dock-2"}, "observed"),  # of no group
        ({"times": [1, 2], "rssi": FAINT, "door": "other"}, "observed"),  # of another one
        ({"times": [1, 2, 20, 21], "rssi": FAINT}, "observed"),  # it saw the tag when the first did not
        ({"times": [20, 21], "rssi": FAINT}, "observed"),  # through one door, then through the next
        ({"times": [1], "rssi": FAINT}, "glimpsed"),  # too little to be weighed
        ({"times": [1, 2], "rssi": NOT_REPORTED}, "observed"),  # no strength: not to be compared
    ],
)
def test_what_a_neighbour_is(make_door: Any, near: Any, other: dict[str, Any], expected: str) -> None:
    """Strength before reads before name; within a group alone, and while the better door observed it alone."""
    times, rssi = other.pop("times"), other.pop("rssi")
    assert words(told(make_door(), near(1, [1, 2], CLEAR), near(0, times, rssi, **other)))["dock-0"] == expected


def test_a_scan_is_no_cross_read(make_door: Any, near: Any, make_batch: Any) -> None:
    """What somebody scanned was there, and a door that read its tag meanwhile overheard it."""
    key = "01/80614141123458/21/6789"
    scan = make_batch([(2, key, 0)], rssi=None, reader="gun", source="gun", read_point="gun", door="dock")
    reads = make_batch([(1, TAG, 1, CLEAR), (3, TAG, 1, CLEAR)])
    assert words(told(make_door(), reads, scan)) == {"gun": "observed", "dock-1": "cross_read"}


def test_without_strengths_reads_decide(make_door: Any, near: Any) -> None:
    """Readers that tell no strength are weighed by their reads."""
    door = told(make_door(), near(1, [1, 2], NOT_REPORTED), near(2, [1, 2, 3], NOT_REPORTED))
    assert words(door) == {"dock-1": "cross_read", "dock-2": "observed"}


def test_a_late_read_turns_it(make_door: Any, near: Any) -> None:
    """A final sighting is told again when the neighbour turns out better, and again when that is outdone."""
    door = told(make_door(), near(1, [1, 2], FAINT))
    assert words(door) == {"dock-1": "observed"}
    door.apply(near(2, [1, 2, 3], CLEAR).encode(), at_s=61)
    door.tick(62)
    assert words(door) == {"dock-1": "cross_read", "dock-2": "observed"}
    door.apply(near(1, [1.1, 2.1, 3.1, 4.1], 0, sequence=1).encode(), at_s=63)
    door.tick(64)
    assert words(door) == {"dock-1": "observed", "dock-2": "cross_read"}


def test_a_cross_read_says_no_direction_and_no_more(make_door: Any, near: Any, make_batch: Any) -> None:
    """Who went out through one door did not go out through the next; more of its reads tell nothing new."""
    out = {"inner": [1], "outer": [2], "outside": "yard"}
    times = [(1.0, TAG, 1), (2.0, TAG, 1), (3.0, TAG, 2), (4.0, TAG, 2)]
    own = {"reader": "r2", "source": "r2", "read_point": "dock-2", "inside": "hall-2"}
    faint = make_batch([(*read, FAINT) for read in times], **own, **out)
    door = told(make_door(), make_batch([(*read, CLEAR) for read in times], **out), faint)
    row = next(row for row in door.newest().values() if row.form.context.read_point == "dock-2")
    assert (row.form.direction, row.form.location) == (Direction.UNKNOWN, "hall-2")
    more = door.apply(near(2, [5], FAINT, sequence=9, **out).encode(), at_s=61)
    assert [each.form.state for each in more] == [State.CROSS_READ]


def test_a_parked_pallet_is_overheard_slot_after_slot(make_door: Any, near: Any) -> None:
    """Each slot that goes on from a cross-read opens as one, so that nothing moves at every boundary."""
    door = make_door()
    for n in range(100):
        for number, rssi in ((1, CLEAR), (2, FAINT)):
            door.apply(near(number, [float(n)], rssi, sequence=n).encode(), at_s=n + 0.1)
    door.tick(160)
    assert {row.form.state for row in versions(door, "dock-2", 1)} == {State.CROSS_READ}
    assert {row.form.state for row in versions(door, "dock-1", 1)} == {State.OBSERVED}


def test_where_the_neighbour_had_it_before_a_visit_begins(make_door: Any, near: Any) -> None:
    """What goes on from a cross-read and is none itself starts there: contents are told again where visits begin."""
    door = make_door()
    door.apply(near(1, [20, 24, 28], CLEAR).encode(), at_s=29)
    door.apply(near(2, [22, 26, 29, 31, 35], FAINT).encode(), at_s=36)
    door.tick(90)
    first, second = (versions(door, "dock-2", n)[-1] for n in (0, 1))
    assert (first.form.state, second.form.state) == (State.CROSS_READ, State.OBSERVED)
    assert not second.marks & Mark.CONTINUES_BEFORE
    door.apply(near(2, [21, 23, 25, 27], 0, sequence=1).encode(), at_s=91)  # all of it was louder here
    door.tick(92)
    assert versions(door, "dock-2", 0)[-1].form.state == State.OBSERVED
    assert versions(door, "dock-2", 1)[-1].marks & Mark.CONTINUES_BEFORE


def test_neighbours_are_forgotten_together(make_door: Any, near: Any) -> None:
    """A buffer that is slow at one door keeps what the other saw: it is weighed against that."""
    door = make_door()
    door.apply(near(1, [1, 2, 3], CLEAR).encode(), at_s=4)
    late = {"origin": Origin.BUFFERED, "source": "b"}
    door.apply(near(2, [0.5], FAINT, **late).encode(), at_s=5)
    for at_s in range(50, 400, 50):
        door.apply(near(2, [1.5 + at_s / 1_000], FAINT, sequence=at_s, **late).encode(), at_s=at_s)
    door.end("b", at_s=401)
    assert words(door)["dock-2"] == "cross_read"


def test_a_changelog_of_before_is_read(door: Any, near: Any) -> None:
    """What was kept before doors were weighed is of its own read point alone, and becomes final like the rest."""
    door.apply(near(1, [1, 2], CLEAR).encode(), at_s=3)
    door.apply(near(2, [1, 2], FAINT).encode(), at_s=3)
    table = {key: _without_door(value) if key[:2] == b"s/" else value for key, value in door.core.changes().items()}
    door.core = door.build()
    door.core.load(table.items())
    door.tick(60)
    assert words(door) == {"dock-1": "observed", "dock-2": "observed"}


def _without_door(segment: bytes) -> bytes:
    (length,) = LENGTH.unpack_from(segment)
    head = orjson.loads(segment[LENGTH.size : LENGTH.size + length])
    for block in head["blocks"]:
        block["place"].pop()
    raw = orjson.dumps(head)
    return LENGTH.pack(len(raw)) + raw + segment[LENGTH.size + length :]


def versions(door: Any, point: str, slot: int) -> list[Sighting]:
    """All that was told of a read point in a slot, in order."""
    first = min(row.slot for row in door.versions)
    return [row for row in door.versions if row.form.context.read_point == point and row.slot == first + slot]
