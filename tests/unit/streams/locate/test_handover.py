"""Units of a lot that turn out to be another's: who is told what, and what each then counts."""

from collections.abc import Iterator
from typing import Any

import pytest

from lotstream.runtime.settings import Settings
from lotstream.schemas.base import SLOT_US
from lotstream.schemas.movements import LOT_LOCATIONS, LotLocations
from lotstream.schemas.sightings import (
    Context,
    Declaration,
    How,
    LotSighting,
    LotSightingRows,
    Mark,
    decode_lot_sightings,
    sighting_of,
)
from lotstream.schemas.unit_lots import FOREVER, Life, UnitLots, UnitLotsRows
from lotstream.streams.engine.core import Record, encode
from lotstream.streams.locate.belongings import PREFIX as TOLD
from lotstream.streams.locate.core import SETTLED
from lotstream.streams.locate.stage import build_stage

GTIN = "09521234543213"
A, B = f"01/{GTIN}/10/A", f"01/{GTIN}/10/B"
SLOT = 60_000_000


class Locate:
    """One core over one partition; `state` is what it has written."""

    def __init__(self) -> None:
        self._stage = build_stage(Settings.model_validate({"topics": {"partitions": 1}}))
        self.core = self._stage.build(0)
        self.state: dict[bytes, bytes] = {}
        self.told: list[UnitLots] = []
        self._offset = 0

    def hear(self, rows: Any, *, offset: int | None = None) -> list[LotSighting]:
        """What is handed over on a message."""
        self._offset = self._offset + 1 if offset is None else offset
        said = list(self.core.apply(Record("lot-sightings.v1", 0, self._offset, 0, None, rows.encode())))
        changes = self.core.changes()
        self.state |= {key: value for key, value in changes.items() if value is not None}
        for key in [key for key, value in changes.items() if value is None]:
            self.state.pop(key, None)
        self.told += [row for out in said if isinstance(out.rows, UnitLotsRows) for row in out.rows.rows]
        return [row for out in said if out.topic == "lot-sightings.v1" for row in decode_lot_sightings(encode(out))]

    def restart(self) -> None:
        self.core = self._stage.build(0)
        self.core.load(list(self.state.items()))

    def counts(self) -> dict[str, dict[str, int]]:
        """lot -> location -> units, of what stands."""
        return {said.lot: {row.location: row.items for row in said.units} for said in self._said()}

    def exceeded(self) -> dict[str, int]:
        """lot -> units of which more is known in history."""
        return {said.lot: said.depth_exceeded or 0 for said in self._said()}

    def _said(self) -> Iterator[LotLocations]:
        assert self._stage.restate is not None
        for output in self._stage.restate(self.core):
            if output.topic == "lot-locations.v1":
                yield LOT_LOCATIONS.validate_json(encode(output))


@pytest.fixture
def locate() -> Locate:
    return Locate()


def seen(serial: int | str, slot: int, *, lot: str = A, version: int = 1, binding: int = 1, **more: Any) -> Any:
    at = (SLOT + slot) * SLOT_US + 5
    row = sighting_of(
        f"01/{GTIN}/21/{serial}",
        context=Context("dock", "r", 1, 1),
        **({"location": f"place {slot}", "slot": SLOT + slot, "version": (0, version), "first_us": at} | more),
        last_us=at,
        recorded_us=at,
    )
    return LotSightingRows([LotSighting(lot, binding, -1, row)])


def told(*lives: tuple[int, int, str], lot: str = A, binding: int = 9, serials: tuple[int, int] = (1, 64)) -> Any:
    return UnitLotsRows([UnitLots(lot, f"01/{GTIN}", *serials, binding, -1, tuple(Life(*life) for life in lives))])


def test_a_corrected_label_takes_the_unit_along(locate: Locate) -> None:
    """The unit is never read again: its sightings go to the right lot, and the wrong one counts it no more."""
    locate.hear(seen(5, 0))
    locate.hear(seen(200, 0))
    away, there = locate.hear(told((0, FOREVER, B)))
    assert (away.lot, away.binding, away.relabelled) == (A, 9, 9)
    assert away.sighting.marks & Mark.RETRACTED and away.sighting.marks & Mark.ELSEWHERE
    assert (there.lot, there.relabelled, there.sighting.fact) == (B, 9, away.sighting.fact)
    assert (there.sighting.version, there.sighting.form.location) == ((0, 1), "place 0")
    assert locate.hear(LotSightingRows([away, there])) == []
    assert locate.counts() == {A: {"place 0": 1}, B: {"place 0": 1}}
    locate.restart()
    assert locate.counts() == {A: {"place 0": 1}, B: {"place 0": 1}}


def test_each_lot_keeps_its_own_time(locate: Locate) -> None:
    """A tag is used again: what was seen before stays with the first lot, what came after goes to the second."""
    for slot in range(3):
        locate.hear(seen(5, slot))
    border = (SLOT + 2) * SLOT_US
    handed = locate.hear(told((0, border - 1, A), (border, FOREVER, B)))
    assert [(row.lot, row.sighting.slot - SLOT) for row in handed] == [(A, 2), (B, 2)]
    assert locate.counts()[A] == {"place 1": 1}


def test_late_words_of_an_owner_that_was_replaced_are_forwarded(locate: Locate) -> None:
    """A sighting decided before the correction goes on to the right lot; one decided after it stays."""
    locate.hear(told((0, FOREVER, B)))
    assert [row.lot for row in locate.hear(seen(5, 0, binding=8))] == [A, B]
    assert locate.hear(seen(5, 1, binding=9)) == []
    assert locate.hear(seen(5, 2, lot=B, binding=8)) == []
    assert locate.counts()[A] == {}


def test_a_unit_of_no_lot_waits_where_it_was(locate: Locate) -> None:
    """The only binding is taken back, then another comes: the sightings are handed over then."""
    locate.hear(seen("X", 0))
    nobody, somebody = (
        UnitLotsRows([UnitLots(A, f"01/{GTIN}/21/X", -1, -1, binding, -1, lives)])
        for binding, lives in ((8, ()), (9, (Life(0, FOREVER, B),)))
    )
    assert [row.lot for row in locate.hear(nobody)] == [A]
    assert locate.counts()[A] == {}
    assert [row.lot for row in locate.hear(somebody)] == [A, B]


def test_a_unit_that_comes_back_is_counted_again(locate: Locate) -> None:
    """The correction itself was wrong: what had been said to be elsewhere is said anew, above it."""
    locate.hear(seen(5, 0))
    locate.hear(told((0, FOREVER, B)))
    (row,) = locate.hear(told((0, FOREVER, A), binding=11))
    assert (row.lot, row.relabelled, row.sighting.marks & Mark.RETRACTED) == (A, 11, 0)
    assert locate.counts()[A] == {"place 0": 1}
    assert locate.hear(told((0, FOREVER, B), binding=10)) == [row]
    assert locate.counts()[A] == {"place 0": 1}


def test_a_crash_between_state_and_output_hands_over_again(locate: Locate) -> None:
    """What the first attempt wrote does not keep the second from saying the same, and the lot's places with it."""
    locate.hear(seen(5, 0))
    first = locate.hear(told((0, FOREVER, B)), offset=7)
    locate.restart()
    assert locate.hear(told((0, FOREVER, B)), offset=7) == first


def test_what_is_taken_back_stays_so_under_every_lot(locate: Locate) -> None:
    """A retracted sighting is handed over as retracted."""
    locate.hear(seen(5, 0, version=2, marks=int(Mark.FINAL | Mark.RETRACTED)))
    away, there = locate.hear(told((0, FOREVER, B)))
    assert away.sighting.marks & there.sighting.marks & Mark.RETRACTED
    assert not there.sighting.marks & Mark.ELSEWHERE


def test_a_shipment_is_handed_over_with_its_papers(locate: Locate) -> None:
    """The right lot learns who received the unit, and on which line of which document."""
    shipped = Declaration("hash", "shipping", "in_transit", "desadv:1", "7", "customer")
    locate.hear(seen(5, 0, lane="event:hash", how=int(How.DECLARED), declaration=shipped))
    _, there = locate.hear(told((0, FOREVER, B)))
    assert there.sighting.form.declaration == shipped


def test_what_was_dropped_is_told_once(locate: Locate) -> None:
    """The right lot learns up to when sightings of the unit were dropped, and does not tell it back for ever."""
    for slot in range(6):
        locate.hear(seen(5, slot))
        locate.hear(seen(5, slot, lot=B))
    locate.hear(told((0, FOREVER, B)))
    (limit,) = locate.told
    assert (limit.lot, limit.subject, limit.first, limit.binding) == (B, f"01/{GTIN}", 5, 9)
    assert limit.horizon_us == (SLOT + 2) * SLOT_US - 1
    locate.hear(UnitLotsRows([limit]))
    assert locate.told == [limit]


def test_a_lot_is_told_what_was_dropped_after_an_end(locate: Locate) -> None:
    """The end comes late: what is kept after it is denied, and the lot learns up to when history has more of that."""
    for slot in range(6):
        locate.hear(seen(5, slot))
    locate.hear(told((0, SLOT * SLOT_US, A)))
    (limit,) = locate.told
    assert (limit.lot, limit.first, limit.horizon_us) == (A, 5, (SLOT + 2) * SLOT_US - 1)
    locate.hear(UnitLotsRows([limit]))
    assert locate.told == [limit]


def test_an_end_after_all_that_was_dropped_is_told_to_nobody(locate: Locate) -> None:
    """Units end all the time: history is right about those."""
    for slot in range(6):
        locate.hear(seen(5, slot))
    locate.hear(told((0, (SLOT + 2) * SLOT_US, A)))
    assert not locate.told


def test_depth_exceeded_is_said_of_a_slot_in_too_many_lanes(locate: Locate) -> None:
    """What is not kept of a slot may be its last read: the lot says so until the unit is seen again."""
    for lane in range(8):
        locate.hear(seen(5, 0, lane=f"late:{lane}"))
    assert locate.exceeded() == {A: 0}
    locate.hear(seen(5, 0, lane="late:8"))
    assert locate.exceeded() == {A: 1}
    locate.restart()
    assert locate.exceeded() == {A: 1}
    locate.hear(seen(5, 1))
    assert locate.exceeded() == {A: 0}


def test_depth_exceeded_is_said_while_something_dropped_may_be_newer(locate: Locate) -> None:
    """What is kept is retracted and older sightings were dropped: the lot says so, also after a restart."""
    for slot in range(6):
        locate.hear(seen(5, slot))
    assert locate.exceeded() == {A: 0}
    for slot in range(2, 6):
        locate.hear(seen(5, slot, version=2, marks=int(Mark.FINAL | Mark.RETRACTED)))
    assert locate.exceeded() == {A: 1}
    locate.restart()
    assert locate.exceeded() == {A: 1}
    locate.hear(seen(5, 9))
    assert locate.exceeded() == {A: 0}


def test_a_unit_bound_too_late_is_unsure_until_it_is_seen_again(locate: Locate) -> None:
    """Sightings of it may have been given up before its lot was known: what is older than they are is not trusted."""
    horizon_us = (SLOT + 3) * SLOT_US
    locate.hear(UnitLotsRows([UnitLots(A, f"01/{GTIN}", 1, 9, 4, horizon_us, (Life(0, FOREVER, A),))]))
    locate.hear(seen(5, 1, binding=4))
    assert locate.exceeded() == {A: 1}
    locate.restart()
    assert locate.exceeded() == {A: 1}
    locate.hear(seen(5, 4, binding=4))
    assert locate.exceeded() == {A: 0}


def test_an_end_is_forgotten_when_nothing_depends_on_it(locate: Locate) -> None:
    """Units end all the time: what was told of that is dropped in the end, unless a sighting after it lies here."""
    end = (SLOT + 2) * SLOT_US
    locate.hear(seen(5, 0))
    locate.hear(seen(6, 4))
    for serial in (5, 6):
        locate.hear(told((0, end, A), serials=(serial, serial)))
    assert locate.counts()[A] == {"place 0": 1}
    for turn in range(SETTLED + 200):
        locate.hear(seen(900, 10 + turn % 2))
    assert [key for key, value in locate.state.items() if key[:1] == TOLD and value] == [
        TOLD + f'["{A}","01/{GTIN}",6,6]'.encode()
    ]
    locate.restart()
    assert locate.counts()[A] == {"place 0": 1, "place 11": 1}


def test_both_lots_of_a_slot_know_its_newest_version(locate: Locate) -> None:
    """The slot lies in two lives of the unit: what the first lot knows, the second must, or an older version holds."""
    locate.hear(seen(5, 0, version=2, marks=int(Mark.FINAL | Mark.RETRACTED)))
    border = SLOT * SLOT_US + 10
    (row,) = locate.hear(told((0, border - 1, A), (border, FOREVER, B)))
    assert (row.lot, row.sighting.version, row.sighting.marks & Mark.RETRACTED) == (B, (0, 2), Mark.RETRACTED)
