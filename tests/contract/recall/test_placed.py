"""Units that are placed when asked, by their sightings: on the real engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lotstream.recall import ask
from lotstream.recall.store import History
from lotstream.schemas.unit_lots import FOREVER, UNIT_LOTS, Life, UnitLots, UnitLotsRows

GTIN = "10614141073464"
LOT, OTHER = f"01/{GTIN}/10/B251101", f"01/{GTIN}/10/B251102"
SLOT_US = 30_000_000
T0 = 1_763_370_000_000_000 // SLOT_US * SLOT_US
KNOWN_AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
HALLS = [f"hall {number}" for number in range(7)]


def tag(serial: int) -> str:
    return f"01/{GTIN}/21/{serial}"


def instant(slot: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=T0 + slot * SLOT_US)


def seen(make: Any, serial: int, slot: int, **given: Any) -> Any:
    at = T0 + slot * SLOT_US
    return make.sighting(
        tag=tag(serial),
        slot=at // SLOT_US,
        first_us=at,
        last_us=at + 1,
        location=HALLS[slot],
        version=(0, slot),
        **given,
    )


def tell(
    warehouse: Any, *lots: str, first: int, last: int, lives: tuple[Life, ...], horizon_us: int = -1, binding: int = 7
) -> None:
    """What resolve tells each lot that was named for the units."""
    rows = [UnitLots(lot, f"01/{GTIN}", first, last, binding, horizon_us, lives) for lot in lots]
    warehouse.put("lot-sightings", [UnitLotsRows(rows).encode()], headers=UNIT_LOTS)


@pytest.fixture
def forgotten(warehouse: Any, make: Any) -> Any:
    """Units 1 to 3 of a lot: the sightings of 1 and 2 were forgotten before their lot was known."""
    warehouse.sightings([seen(make, serial, slot) for serial in (1, 2, 3) for slot in (0, 1)])
    warehouse.lot_sightings([make.lot_sighting(LOT)._replace(sighting=seen(make, 3, slot)) for slot in (0, 1)])
    tell(warehouse, LOT, first=1, last=3, lives=(Life(0, FOREVER, LOT),), horizon_us=T0 + SLOT_US)
    return warehouse


@pytest.mark.parametrize(("slot", "hall"), [(0, "hall 0"), (1, "hall 1"), (5, "hall 1")])
def test_what_was_forgotten_is_placed_when_asked(forgotten: Any, slot: int, hall: str) -> None:
    """Units that were seen and forgotten before their lot was known are where they were seen, at every time; the answer
    says which; none is counted twice."""
    with History(forgotten.settings, as_of=instant(slot)) as history:
        affected, where, stock = ask.affected(history, LOT), ask.where(history, LOT), ask.stock(history)
    assert {unit.tag: unit.location for unit in where.units} == {tag(n): hall for n in (1, 2, 3)}
    assert [(place.location, place.items) for place in affected.places] == [(hall, 3)]
    assert [(row.location, row.items) for row in stock.rows] == [(hall, 3)]
    assert {unit.tag for unit in where.units if unit.when_asked} == {tag(1), tag(2)}
    assert affected.when_asked == 2


def rows_of(history: History, lot: str) -> dict[str, str]:
    return {unit.tag: unit.location for unit in ask.where(history, lot).units}


def test_what_was_made_by_mistake_is_no_lot_s(forgotten: Any) -> None:
    """A lot that is told that units are nobody's has none of them, whatever is left of their item rows."""
    tell(forgotten, LOT, first=2, last=3, lives=(), binding=8)
    assert rows_of(forgotten.history, LOT) == {tag(1): HALLS[1]}


@pytest.fixture
def corrected(warehouse: Any, make: Any) -> Any:
    """A unit that was seen in seven slots as one of a lot turns out to be another's from the third on; of the newest
    four the other was told, the first lot too."""
    sightings = [seen(make, 1, slot) for slot in range(7)]
    warehouse.sightings(sightings)
    warehouse.lot_sightings([make.lot_sighting(LOT)._replace(sighting=row) for row in sightings])
    warehouse.passed(KNOWN_AT)
    lives = Life(0, T0 + 2 * SLOT_US - 1, LOT), Life(T0 + 2 * SLOT_US, FOREVER, OTHER)
    tell(warehouse, LOT, OTHER, first=1, last=1, lives=lives)
    moved = [make.lot_sighting(OTHER, 7, 7)._replace(sighting=row) for row in sightings[3:]]
    gone = [make.lot_sighting(LOT, 7, 7)._replace(sighting=row.elsewhere()) for row in sightings[3:]]
    warehouse.lot_sightings([*moved, *gone])
    return warehouse


@pytest.mark.parametrize("slot", [*range(7), None])
def test_a_corrected_lot_hands_over_all_of_the_past(corrected: Any, slot: int | None) -> None:
    """At every time a unit is of the one lot that it was of, also when it is never read again and its past lies further
    back than is handed over; what was known before the correction is as it was."""
    at, hall = (None, HALLS[6]) if slot is None else (instant(slot), HALLS[slot])
    of, other = (LOT, OTHER) if slot in (0, 1) else (OTHER, LOT)
    with History(corrected.settings, as_of=at) as history:
        assert (rows_of(history, of), rows_of(history, other)) == (
            {tag(1): hall},
            {} if slot in (0, 1) else {tag(1): HALLS[1]},
        )
    with History(corrected.settings, as_of=at, known_at=KNOWN_AT) as history:
        assert (rows_of(history, LOT), rows_of(history, OTHER)) == ({tag(1): hall}, {})
