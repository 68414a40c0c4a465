"""Resolve's core: what one message becomes."""

from collections import defaultdict
from typing import Any

import pytest

from lotstream.runtime.errors import Reason
from lotstream.runtime.settings import Settings
from lotstream.schemas.base import MAX_DEPTH
from lotstream.schemas.identity import Binding, BindingRows, Relation
from lotstream.schemas.operations import parse_dead_letter
from lotstream.schemas.sightings import (
    Context,
    How,
    LotSighting,
    Mark,
    Sighting,
    SightingRows,
    State,
    decode_lot_sightings,
    decode_sightings,
    sighting_of,
)
from lotstream.schemas.unit_lots import FOREVER, Life, UnitLots, UnitLotsRows
from lotstream.streams.engine.core import Record, encode
from lotstream.streams.resolve.core import EARLY_US, merge
from lotstream.streams.resolve.infer import EVERY
from lotstream.streams.resolve.stage import build_stage

G = "09521234543213"
LOT, OTHER = f"01/{G}/10/A", f"01/{G}/10/B"
PALLET, CONTAINER = "00/095212345432100018", "00/095212345432100025"
SLOT = 60_000_000 // EVERY * EVERY + 1  # not one of the slots inferred by number
SECOND = 1_000_000


def unit(serial: int) -> str:
    return f"01/{G}/21/{serial}"


class Resolve:
    """One core over one partition, its answers decoded."""

    def __init__(self, **stream: object) -> None:
        self.stage = build_stage(Settings.model_validate({"topics": {"partitions": 1}, "stream": stream}))
        self.core = self.stage.build(0)
        self.offsets: defaultdict[str, int] = defaultdict(int)
        self.letters: list[Any] = []
        self.told: list[UnitLots] = []

    def apply(self, topic: str, value: bytes) -> list[Any]:
        record = Record(topic, 0, self.offsets[topic], 0, None, value)
        self.offsets[topic] += 1
        rows: list[Any] = []
        for output in self.core.apply(record):
            if output.topic == "dead-letters.v1":
                self.letters.append(parse_dead_letter(output.headers))
            elif isinstance(output.rows, UnitLotsRows):
                self.told += output.rows.rows
            else:
                decoder = decode_lot_sightings if output.topic == "lot-sightings.v1" else decode_sightings
                rows += decoder(encode(output))
        return rows

    def bind(self, *rows: Binding) -> list[Any]:
        return self.apply("identity.v1", BindingRows(rows).encode())

    def see(self, *rows: Sighting) -> list[Any]:
        return self.apply("sightings.v1", SightingRows(rows).encode())


@pytest.fixture
def resolve() -> Resolve:
    return Resolve()


def lot(first: int, last: int, **more: Any) -> Binding:
    return Binding(Relation.LOT, f"01/{G}", first, last, LOT, 0, 0, "c", 0, 0)._replace(**more)


def content(child: str, seconds: int = 0, **more: Any) -> Binding:
    at = SLOT * 30 * SECOND + seconds * SECOND
    return Binding(Relation.CONTENT, PALLET, -1, -1, child, 0, at, f"p{seconds}", 0, 0)._replace(**more)


def seen(tag: str, slot: int = 0, *, version: int = 1, marks: Mark = Mark.FINAL, **more: Any) -> Sighting:
    at = (SLOT + slot) * 30 * SECOND + 5 * SECOND
    given = {"slot": SLOT + slot, "version": (0, version), "first_us": at, "last_us": at, "recorded_us": at}
    given |= {"reads": 3, "marks": int(marks), "runs": [[at, at, 3, 1, 3, -5_000]], "location": "dc"}
    return sighting_of(tag, context=Context("dock", "r", 1, 2), **(given | more))


def test_a_sighting_passes_once_with_its_version(resolve: Resolve) -> None:
    """A bound unit's sighting leaves as it came, with its lot and the binding's offset."""
    resolve.bind(lot(50, 60))
    resolve.bind(lot(1, 9))
    row = seen(unit(4), version=7)
    (said,) = resolve.see(row)
    assert isinstance(said, LotSighting)
    assert (said.lot, said.binding, said.relabelled) == (LOT, 1, -1)
    assert said.sighting.fact == row.fact
    assert said.sighting.version == (0, 7)


def test_units_outside_the_range_are_not_of_the_lot(resolve: Resolve) -> None:
    """The serials beside a range, '007' and other tags belong to nobody."""
    resolve.bind(lot(5, 9))
    assert resolve.see(seen(unit(4)), seen(unit(10)), seen(f"01/{G}/21/007"), seen("hex/E2801160")) == []


def test_a_late_binding_releases_what_waited_each_time_it_is_read(resolve: Resolve) -> None:
    """A replayed binding says again what it released; other units go on waiting."""
    resolve.see(seen(unit(4)), seen(unit(99)))
    assert [row.sighting.tag for row in resolve.bind(lot(1, 9))] == [unit(4)]
    assert [row.sighting.tag for row in resolve.bind(lot(1, 9))] == [unit(4)]


def test_a_corrected_lot_takes_what_was_kept_with_it(resolve: Resolve) -> None:
    """A wrong commissioning is taken back and said anew: retracted under the old lot, true under the new."""
    resolve.see(seen(unit(4)))
    resolve.bind(lot(1, 9))
    rows = resolve.bind(lot(1, 9, retracted=1), lot(1, 9, object=OTHER, event="d"))
    said = {(row.lot, bool(row.sighting.marks & Mark.RETRACTED)) for row in rows}
    assert said == {(LOT, True), (OTHER, False)}


def test_a_visit_that_outlasts_its_unit_is_taken_from_the_lot(resolve: Resolve) -> None:
    """The newest version of a sighting lies after the unit's end: its lot learns that the older one holds no more."""
    resolve.bind(lot(1, 9))
    row = seen(unit(4), marks=Mark.NONE)
    resolve.bind(lot(4, 4, object="", action=1, at_us=row.last_us + 1, event="end"))
    assert [said.lot for said in resolve.see(row)] == [LOT]
    (said,) = resolve.see(seen(unit(4), version=2, last_us=row.last_us + 2))
    assert (said.lot, said.sighting.marks) == (LOT, Mark.FINAL | Mark.RETRACTED | Mark.ELSEWHERE)


def test_what_a_crash_left_behind_is_taken_back(resolve: Resolve) -> None:
    """An owner inferred, died, and the next one read the unpacking first: it denies what the other may have said."""
    resolve.bind(content(unit(1)))
    (before,) = resolve.see(seen(PALLET))
    again = Resolve()
    again.bind(content(unit(1)))
    again.bind(content(unit(1), -9, action=1), content(unit(1), -10), content(unit(1), retracted=1))
    (after,) = again.see(seen(PALLET))
    assert after.fact == before.fact
    assert after.version > before.version
    assert after.marks & Mark.RETRACTED


def test_what_a_crash_left_behind_is_taken_back_by_a_late_packing_list(resolve: Resolve) -> None:
    """An owner inferred, died, and the next one read a newer version, from before the packing, and then the packing."""
    row = seen(PALLET)
    resolve.bind(content(unit(1), 4))
    (before,) = resolve.see(row)
    again = Resolve()
    again.see(seen(PALLET, version=2, last_us=row.last_us - 2 * SECOND))
    (after,) = again.bind(content(unit(1), 4))
    assert after.fact == before.fact
    assert after.version > before.version
    assert after.marks & Mark.RETRACTED
    assert [row.tag for row in again.bind(content(unit(2), 4))] == [unit(2)]  # the first has been told


def test_every_lot_that_was_named_for_a_unit_learns_its_lives(resolve: Resolve) -> None:
    """One binding says it all; from the second word on each lot is told, in runs of units with equal lives."""
    resolve.bind(lot(1, 9))
    assert resolve.told == []
    resolve.bind(lot(4, 6, object=OTHER, event="d", at_us=500))
    lives = (Life(0, 499, LOT), Life(500, FOREVER, OTHER))
    assert resolve.told == [UnitLots(name, f"01/{G}", 4, 6, 1, -1, lives) for name in (LOT, OTHER)]
    resolve.bind(lot(1, 9, retracted=1))
    assert [(row.lot, row.first, row.last, row.binding) for row in resolve.told[2:]] == [
        (LOT, 1, 3, 2), (LOT, 4, 6, 2), (OTHER, 4, 6, 2), (LOT, 7, 9, 2),
    ]  # fmt: skip


def test_a_lot_is_told_what_was_given_up_before_it_was_known() -> None:
    """More unknown tags than may wait: a unit bound later may have been among them, one made days later was not."""
    resolve = Resolve(unknown_tags=1)
    rows = [seen(unit(serial), serial) for serial in (1, 2, 3)]
    resolve.see(*rows)
    resolve.bind(lot(4, 4, at_us=rows[0].last_us))
    assert [row.horizon_us for row in resolve.told] == [rows[1].last_us]
    resolve.bind(lot(5, 5, at_us=rows[0].last_us + 2 * EARLY_US))
    assert len(resolve.told) == 1


def test_a_version_that_says_nothing_new_infers_nothing(resolve: Resolve) -> None:
    """A pallet is inferred when it is first observed, when its place changes and when its slot closes; not between."""
    resolve.bind(content(unit(1)), content(unit(2)))
    inferred = [
        len(resolve.see(seen(PALLET, version=version, marks=marks, **more)))
        for version, marks, more in [
            (1, Mark.NONE, {"state": int(State.GLIMPSED)}),
            (2, Mark.NONE, {}),
            (3, Mark.NONE, {"reads": 9}),
            (4, Mark.NONE, {"location": "yard"}),
            (5, Mark.FINAL, {"location": "yard"}),
            (5, Mark.FINAL, {"location": "yard"}),
            (4, Mark.NONE, {"location": "yard"}),
            (6, Mark.FINAL | Mark.RETRACTED, {"location": "yard"}),
            (7, Mark.NONE, {"location": "yard"}),
        ]
    ]
    assert inferred == [0, 2, 0, 2, 2, 2, 0, 2, 2]


def test_a_parked_pallet_is_inferred_once_an_hour(resolve: Resolve) -> None:
    """Slots that only continue a visit infer nothing, but for every 120th by number."""
    resolve.bind(content(unit(1)))
    marks = Mark.FINAL | Mark.CONTINUES_BEFORE
    inferred = [slot for slot in range(2 * EVERY) if resolve.see(seen(PALLET, slot, marks=marks))]
    assert inferred == [EVERY - 1, 2 * EVERY - 1]


def test_what_is_packed_into_a_parked_pallet_is_there_within_the_hour(resolve: Resolve) -> None:
    """Packed while its pallet stands at a door, with no place said, a unit is told by the next slot that tells."""
    resolve.see(seen(PALLET))
    assert resolve.bind(content(unit(1), 40)) == []
    marks = Mark.FINAL | Mark.CONTINUES_BEFORE
    inferred = [slot for slot in range(1, 2 * EVERY) if resolve.see(seen(PALLET, slot, marks=marks))]
    assert inferred == [EVERY - 1, 2 * EVERY - 1]


def test_what_is_inferred_carries_origin_path_and_versions(resolve: Resolve) -> None:
    """An inferred sighting names its origin and path; its version is the origin's, then the binding's offset."""
    resolve.bind(lot(1, 9))
    resolve.bind(content(unit(1)))
    (row,) = resolve.see(seen(PALLET, version=7))
    assert (row.tag, row.form.origin, row.form.path, row.version) == (unit(1), PALLET, (PALLET,), (0, 7, 1))


def test_cases_with_serials_carry_their_contents_too(resolve: Resolve) -> None:
    """Once a trade item is known to be a package, a late packing list of another of its units is made up for."""
    case = "01/19521234543210/21/"
    resolve.bind(content(unit(1), subject=f"{case}1"), lot(1, 9))
    assert [row.tag for row in resolve.see(seen(f"{case}1"))] == [unit(1)]
    assert resolve.see(seen(f"{case}2")) == []
    assert [row.tag for row in resolve.bind(content(unit(2), subject=f"{case}2"))] == [unit(2)]


def test_a_declared_origin_stays_declared(resolve: Resolve) -> None:
    """What follows from a booking is booked, not seen."""
    resolve.bind(content(unit(1)))
    (row,) = resolve.see(seen(PALLET, how=int(How.DECLARED), lane="event:s"))
    assert (row.form.how, row.form.lane, row.reads) == (How.DECLARED, "event:s", 0)


def test_a_retracted_origin_retracts_what_followed(resolve: Resolve) -> None:
    """A pallet's sighting is taken back: so is what was inferred from it."""
    resolve.bind(content(unit(1)))
    resolve.see(seen(PALLET))
    (row,) = resolve.see(seen(PALLET, version=2, marks=Mark.FINAL | Mark.RETRACTED))
    assert row.marks & Mark.RETRACTED


@pytest.mark.parametrize(
    ("path", "reason"),
    [((PALLET, unit(1)), Reason.CYCLE), (tuple(f"00/{n}" for n in range(MAX_DEPTH)), Reason.DEPTH_EXCEEDED)],
)
def test_endless_nesting_goes_to_the_dead_letters(resolve: Resolve, path: tuple[str, ...], reason: Reason) -> None:
    """A child among its own parents, or below more than eight of them, is told and not followed."""
    resolve.bind(content(unit(1)))
    assert resolve.see(seen(PALLET, origin=path[0], path=path)) == []
    assert [letter.reason for letter in resolve.letters] == [reason]


def test_what_is_not_understood_goes_to_the_dead_letters(resolve: Resolve) -> None:
    """Broken messages of either source leave with their reason; the next one is decided as ever."""
    assert resolve.apply("sightings.v1", b"{") == []
    assert resolve.apply("identity.v1", b'{"kind":"bindings"}') == []
    assert [letter.reason for letter in resolve.letters] == [Reason.JSON_INVALID, Reason.SCHEMA_INVALID]
    resolve.bind(lot(1, 9))
    assert len(resolve.see(seen(unit(1)))) == 1


def test_copies_of_state_merge(resolve: Resolve) -> None:
    """Two owners' items of one key have one union: first said, highest version, newest horizon."""
    assert merge(b"B[]", b"[3,9,1]", b"[5,7,2]") == b"[3,7,2]" == merge(b"B[]", b"[5,7,2]", b"[3,9,1]")
    assert merge(b"U", b"17", b"5") == b"17"
