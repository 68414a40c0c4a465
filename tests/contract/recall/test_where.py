"""Where-now in SQL is locate's own decision, for the same rows, whatever their order and however often they come."""

import random
from collections import defaultdict
from typing import Any

import pytest

from lotstream.recall import ask
from lotstream.schemas.sightings import Context, Declaration, LotSighting, LotSightingRows, Mark, decode_lot_message
from lotstream.streams.locate.entries import entries_of
from lotstream.streams.locate.unit import Entry, Unit, add, where_now

LOTS = ("01/10614141073464/10/B1", "01/10614141073464/10/B%2F1")
POINTS = ("dock", "door", "desk")
PLACES = ("plant", "centre", "store")
EVENT = Declaration("e1", "shipping", "in_transit", "desadv:1", "1", "party")
NOTHING = Declaration("", "", "", "", "", "")
RETRACTED_EPOCH = 1 << 31  # of the register, for error declarations
PALLET = "00/106141411234567897"
Key = tuple[str, str]


def some_rows(draw: random.Random, make: Any, number: int) -> list[LotSighting]:
    """Versions of few facts of few units, so that they meet: every lane, state, evidence and mark."""
    rows = []
    for offset in range(number):
        tag = f"01/10614141073464/21/{draw.randrange(5)}" if draw.random() < 0.9 else "01/10614141073464/21/A%2B7"
        slot, point = 58_779_000 + draw.randrange(3), draw.choice(POINTS)
        lane = draw.choice(["", "", "", "late:7", "late:9", "event:e1", "event:e2"])
        inferred = draw.random() < 0.3
        declared, retracted = lane.startswith("event:"), draw.random() < 0.2
        version = [RETRACTED_EPOCH if declared and retracted and draw.random() < 0.5 else 0, draw.randrange(12)]
        version += [draw.randrange(5)] if inferred else []
        last = slot * 30_000_000 + draw.randrange(4) * 1_000_000
        rows.append(
            make.lot_sighting(
                lot=draw.choice(LOTS),
                binding=draw.randrange(3),
                tag=tag,
                context=Context(point, "" if declared else "r1", 1, 1),
                slot=slot,
                lane=lane,
                version=tuple(version),
                location=draw.choice(PLACES),
                first_us=slot * 30_000_000,
                last_us=last,
                state=draw.choice([0, 1, 1, 1, 2]),
                marks=int(Mark.RETRACTED if retracted else Mark.NONE) | draw.randrange(2),
                how=2 if declared else 1 if inferred else 0,
                recorded_us=last + offset,
                origin=PALLET if inferred else "",
                path=(PALLET,) if inferred else (),
                declaration=EVENT if declared else NOTHING,
            )
        )
    return apart(rows)


def apart(rows: list[LotSighting]) -> list[LotSighting]:
    """Without rows that differ although version and binding are equal: nobody makes them."""
    seen: dict[Any, LotSighting] = {}
    for row in rows:
        seen.setdefault((row.lot, row.sighting.fact, tuple(row.sighting.version), row.binding), row)
    return list(seen.values())


def entry(row: LotSighting) -> Entry:
    """A row as locate keeps it."""
    (kept,) = entries_of(decode_lot_message(LotSightingRows([row]).encode()))
    return kept


def located(rows: list[LotSighting]) -> dict[Key, tuple[str, str, str, int]]:
    """What locate says of every unit, with a memory that forgets nothing."""
    units: dict[Key, Unit] = defaultdict(Unit)
    for row in rows:
        unit = units[row.lot, row.sighting.tag]
        unit.entries, _ = add(unit.entries, entry(row), depth=1_000)
    found = {key: where_now(unit.entries) for key, unit in units.items()}
    return {key: (now.word[1], now.word[2], now.by[0], now.at_us) for key, now in found.items() if now is not None}


def answered(warehouse: Any) -> dict[Key, tuple[str, str, str, int]]:
    """What the history says of every unit."""
    known = {lot.lot for lot in ask.lots(warehouse.history).lots}
    return {
        (lot, unit.tag): (unit.location, unit.disposition, unit.read_point, round(unit.last_at.timestamp() * 1e6))
        for lot in known
        for unit in ask.where(warehouse.history, lot).units
    }


@pytest.mark.parametrize("seed", range(8))
def test_sql_decides_as_locate(warehouse: Any, make: Any, seed: int) -> None:
    """The same rows give the same places: versions, retractions, lanes, evidence, states; twice, and merged."""
    draw = random.Random(seed)
    rows = some_rows(draw, make, 250)
    expected = located(rows)
    assert len(expected) > 4
    draw.shuffle(rows)
    warehouse.lot_sightings(rows)
    assert answered(warehouse) == expected
    again = draw.sample(rows, len(rows))
    for start in range(0, len(again), 40):
        warehouse.lot_sightings(again[start : start + 40])
    assert answered(warehouse) == expected
    warehouse.merge()
    assert answered(warehouse) == expected


def test_affected_counts_what_where_lists(warehouse: Any, make: Any) -> None:
    """The places of `affected` are the units of `where`, counted; what is not final is said."""
    rows = some_rows(random.Random(99), make, 300)
    warehouse.lot_sightings(rows)
    for lot in LOTS:
        units = ask.where(warehouse.history, lot).units
        answer = ask.affected(warehouse.history, lot)
        assert {(p.location, p.disposition): (p.items, p.provisional) for p in answer.places} == {
            place: (len(there), sum(not unit.final for unit in there))
            for place in {(unit.location, unit.disposition) for unit in units}
            for there in [[unit for unit in units if (unit.location, unit.disposition) == place]]
        }
        (sums,) = answer.accounted
        assert sums.on_hand + sums.in_transit + sums.shipped == len(units)


def test_error_declared_before_its_event(warehouse: Any, make: Any) -> None:
    """A retraction that comes first holds for ever, also when the event is repeated after it."""
    declared = {"lane": "event:e1", "how": 2, "declaration": EVENT, "location": "store"}
    wrong = make.lot_sighting(version=(RETRACTED_EPOCH, 5), marks=9, **declared)
    warehouse.lot_sightings([make.lot_sighting(slot=1, location="plant"), wrong])
    warehouse.lot_sightings([make.lot_sighting(version=(0, 4), **declared)])
    warehouse.lot_sightings([make.lot_sighting(version=(0, 9), **declared)])
    answer = ask.affected(warehouse.history, wrong.lot)
    assert [(p.location, p.items) for p in answer.places] == [("plant", 1)]
    assert answer.recipients == ()


def test_packing_list_denied_then_confirmed(warehouse: Any, make: Any) -> None:
    """An inferred sighting that one version retracts counts again when a higher one confirms it, in any lane."""
    inside = {"lane": "event:e1", "how": 2, "origin": PALLET, "path": (PALLET,), "declaration": EVENT}
    for version, marks in (((0, 4, 1), 1), ((0, 4, 2), 9), ((0, 4, 3), 1)):
        warehouse.lot_sightings([make.lot_sighting(version=version, marks=marks, location="store", **inside)])
    answer = ask.affected(warehouse.history, make.lot_sighting().lot)
    assert [(p.location, p.items, p.logistic) for p in answer.places] == [("store", 1, 1)]
    assert [(r.party, r.document, r.items) for r in answer.recipients] == [("party", "desadv:1", 1)]


def test_versions_compare_as_lists(warehouse: Any, make: Any) -> None:
    """[0, 10] is above [0, 9, 7] and [0, 9], and [1, 0] above all of them."""
    for version, place in (((0, 9, 7), "b"), ((0, 10), "c"), ((0, 9), "a")):
        warehouse.lot_sightings([make.lot_sighting(version=version, location=place)])
    lot = make.lot_sighting().lot
    assert [unit.location for unit in ask.where(warehouse.history, lot).units] == ["c"]
    warehouse.lot_sightings([make.lot_sighting(version=(1, 0), location="d")])
    assert [unit.location for unit in ask.where(warehouse.history, lot).units] == ["d"]


def test_late_lane_counts_only_alone(warehouse: Any, make: Any) -> None:
    """Late reads place a unit where no main lane is; beside one, even one that only glimpsed, they do not."""
    lot = make.lot_sighting().lot
    late = make.lot_sighting(lane="late:7", location="late", marks=17, last_us=make.sighting().last_us + 9)
    warehouse.lot_sightings([late])
    assert [unit.location for unit in ask.where(warehouse.history, lot).units] == ["late"]
    warehouse.lot_sightings([make.lot_sighting(state=0, location="main")])
    assert ask.where(warehouse.history, lot).units == ()
    warehouse.lot_sightings([make.lot_sighting(version=(0, 2), location="main")])
    assert [unit.location for unit in ask.where(warehouse.history, lot).units] == ["main"]


@pytest.mark.parametrize("state", [0, 2])
def test_what_does_not_place(warehouse: Any, make: Any, state: int) -> None:
    """A glimpse or a cross-read says nothing of where a unit is, and stays in its history."""
    row = make.lot_sighting(state=state, slot=make.sighting().slot + 5, location="elsewhere")
    warehouse.lot_sightings([make.lot_sighting(), row])
    warehouse.sightings([make.sighting(), row.sighting])
    assert [unit.location for unit in ask.where(warehouse.history, row.lot).units] == ["plant"]
    states = {line.state for line in ask.history_of(warehouse.history, row.sighting.tag).sightings}
    assert states == {"observed", "glimpsed" if state == 0 else "cross_read"}


def test_relabelled_units(warehouse: Any, make: Any) -> None:
    """A unit handed to another lot is counted there, and no longer under its old one."""
    other = LOTS[0]
    warehouse.lot_sightings([make.lot_sighting(), make.lot_sighting(relabelled=8, marks=9)])
    warehouse.lot_sightings([make.lot_sighting(lot=other, binding=8, relabelled=8)])
    assert ask.where(warehouse.history, make.lot_sighting().lot).units == ()
    assert len(ask.where(warehouse.history, other).units) == 1
