"""Item rows against the facts that they were derived from, on the real engine."""

from collections.abc import Sequence
from typing import Any

from lotstream.recall.ask import history_of
from lotstream.recall.verify import LotVerified, bindings_of, sample, verify_lot
from lotstream.schemas.identity import Binding, BindingAction, BindingRows, Relation
from lotstream.streams.resolve.again import Lots

GTIN = "10614141073464"
LOT, OTHER = f"01/{GTIN}/10/B251101", f"01/{GTIN}/10/B251102"
NOW_US = 1_763_370_000_000_000


def tag(serial: int) -> str:
    return f"01/{GTIN}/21/{serial}"


def bound(lot: str, first: int, last: int, *, at_us: int = NOW_US - 10**9) -> Binding:
    return Binding(Relation.LOT, f"01/{GTIN}", first, last, lot, BindingAction.ADD, at_us, f"e{first}", 0, at_us)


def fill(warehouse: Any, bindings: Sequence[Binding], facts: Sequence[Any], rows: Sequence[Any]) -> None:
    warehouse.put("identity", [BindingRows(bindings).encode()])
    warehouse.sightings(facts)
    warehouse.lot_sightings(rows)


def verified(warehouse: Any, lot: str = LOT) -> LotVerified:
    lots = Lots(bindings_of(warehouse.history, lot))
    return verify_lot(warehouse.history, lot, lambda tag, slot, last_us: lots.of(tag, slot=slot, last_us=last_us))


def test_what_was_derived_rightly_is_equal(warehouse: Any, make: Any) -> None:
    """Rows that follow from the facts are found equal, whatever other lots and versions there are."""
    facts = [make.sighting(tag=tag(n), version=(0, v), location=f"hall {v}") for n in (1, 2, 9) for v in (1, 2)]
    rows = [make.lot_sighting(tag=tag(n), version=(0, v), location=f"hall {v}") for n in (1, 2) for v in (1, 2)]
    fill(warehouse, [bound(LOT, 1, 5), bound(OTHER, 6, 9)], facts, rows)
    found = verified(warehouse)
    assert (found.units, found.sightings, found.differences) == (2, 4, ())
    assert sample(warehouse.history, 5) == [LOT]


def test_a_changed_row_is_shown(warehouse: Any, make: Any) -> None:
    """A row that says another place than the facts is named with both places."""
    fill(warehouse, [bound(LOT, 1, 5)], [make.sighting(tag=tag(1))], [make.lot_sighting(tag=tag(1), location="moon")])
    (one,) = verified(warehouse).differences
    assert one.rows and one.facts
    assert (one.tag, one.rows[0], one.facts[0]) == (tag(1), "moon", "plant")


def test_a_missing_row_is_shown(warehouse: Any, make: Any) -> None:
    """A unit that was seen and has no item row is named, also when only a serial range says whose it is."""
    facts = [make.sighting(tag=tag(n)) for n in (1, 2)]
    fill(warehouse, [bound(LOT, 1, 5)], facts, [make.lot_sighting(tag=tag(1))])
    (one,) = verified(warehouse).differences
    assert (one.tag, one.rows) == (tag(2), None)


def test_a_row_without_fact_is_shown(warehouse: Any, make: Any) -> None:
    """An item row of a unit that the bindings give to another lot is named."""
    fill(warehouse, [bound(OTHER, 1, 5)], [make.sighting(tag=tag(1))], [make.lot_sighting(tag=tag(1))])
    (one,) = verified(warehouse).differences
    assert (one.tag, one.facts) == (tag(1), None)


def test_what_was_read_days_before_its_commissioning_is_found(warehouse: Any, make: Any) -> None:
    """A unit whose reads were given up days before its lot was made, of which the lot was therefore not told, has them
    in its history, and is named."""
    facts = [make.sighting(tag=tag(n)) for n in (1, 2)]
    fill(warehouse, [bound(LOT, 1, 5, at_us=NOW_US + 3 * 86_400_000_000)], facts, [make.lot_sighting(tag=tag(2))])
    known = history_of(warehouse.history, tag(1))
    assert (known.lots, [row.location for row in known.sightings]) == ((LOT,), ["plant"])
    (one,) = verified(warehouse).differences
    assert (one.tag, one.rows) == (tag(1), None)
