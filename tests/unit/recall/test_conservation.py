"""What became of everything that was made of a lot, by example."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotstream.recall.conservation import accounted, adjustments_of, counted_places
from lotstream.recall.tally import quantities_of

T0 = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
KINDS = {"plant": "site", "centre": "site", "store": "customer"}


def group(items: int, location: str = "plant", disposition: str = "", *, placed: bool = True) -> dict[str, Any]:
    """Units in one place."""
    return {"location": location, "disposition": disposition, "placed": placed, "items": items}


def way(amount: str, **given: Any) -> dict[str, Any]:
    """Goods that went one way."""
    values = {
        "source": "", "source_disposition": "", "location": "", "disposition": "", "uom": "KGM", "effect": "moved",
        "evidence": "confirmed", "amount": Decimal(amount), "cases": 0, "since": T0, "newest": T0,
    }  # fmt: skip
    return values | given


def made(amount: str, **given: Any) -> dict[str, Any]:
    return way(amount, **({"location": "plant", "effect": "made"} | given))


def shipped(amount: str, to: str, **given: Any) -> dict[str, Any]:
    return way(amount, **({"source": "plant", "location": to, "disposition": "in_transit"} | given))


def entry(change: str, hour: int, *, counted: bool = False, identity: str = "i", **given: Any) -> dict[str, Any]:
    """An entry at a place that was counted."""
    values = {
        "place": "plant", "disposition": "", "uom": "KGM", "at": T0 + hour * HOUR, "recorded_at": T0, "labels": 0,
        "identity": identity, "counted": counted, "change": Decimal(change), "document": "",
    }  # fmt: skip
    return values | given


def line(*ways: dict[str, Any], entries: tuple[dict[str, Any], ...] = (), kinds: dict[str, str] = KINDS) -> Any:
    """The line of kilograms."""
    counted = counted_places(entries)
    held = quantities_of(ways, {}, counted=counted)
    (found,) = accounted(0, [], ways, quantities=held, counted=counted, kinds=kinds)
    assert found.made == sum(
        getattr(found, term)
        for term in ("on_hand", "in_transit", "shipped", "consumed", "destroyed", "adjusted", "unexplained")
    )
    assert found.unexplained == sum(one.amount for one in found.missing)
    return found


def test_items_by_what_became_of_them() -> None:
    """Sold units and those with customers are shipped, used ones consumed; those never seen are unexplained."""
    groups = [
        group(5), group(3, "centre", "in_transit"), group(4, "store"), group(1, "store", "retail_sold"),
        group(2, "plant", "destroyed"), group(6, "plant", "consumed"), group(9, placed=False),
    ]  # fmt: skip
    (found,) = accounted(24, groups, [], quantities=(), counted={}, kinds=KINDS)
    assert (found.uom, found.on_hand, found.in_transit, found.shipped) == ("items", 5, 3, 5)
    assert (found.destroyed, found.consumed, found.unexplained) == (2, 6, 3)
    assert [(one.location, one.amount) for one in found.missing] == [("", 3)]
    assert found.percent == Decimal("87.50")


def test_nothing_known_is_no_line() -> None:
    """A lot without units has no line of items; one that was made and never seen is wholly unexplained."""
    assert accounted(0, [], [], quantities=(), counted={}, kinds={}) == ()
    (found,) = accounted(7, [], [], quantities=(), counted={}, kinds={})
    assert (found.made, found.unexplained, found.percent) == (7, 7, 0)


def test_goods_with_customers_are_shipped() -> None:
    """On the way to a customer or there is shipped; to a place of ours is in transit."""
    found = line(made("10"), shipped("3", "store"), shipped("2", "centre"), way("1", source="store", location=""))
    assert (found.on_hand, found.shipped, found.in_transit, found.unexplained) == (5, 3, 2, 0)


def test_a_place_that_the_mapping_does_not_know() -> None:
    """What is on the way there has been shipped; what was received there is on hand."""
    received = way("1", source="x", source_disposition="in_transit", location="x")
    found = line(made("10"), shipped("3", "x"), received, kinds={})
    assert (found.on_hand, found.shipped) == (8, 2)


def test_returns_come_back_from_the_customer() -> None:
    """What returns is no longer with the customer, whether its arrival there was ever told or not."""
    found = line(made("10"), shipped("6", "store"), way("2", source="store", location="plant"))
    assert (found.on_hand, found.shipped, found.unexplained) == (6, 4, 0)


def test_goods_that_went_on_without_being_received() -> None:
    """What left a place had arrived there: it is taken from what was under way to it."""
    on = way("4", source="centre", location="store", disposition="in_transit")
    found = line(made("10"), shipped("6", "centre"), on)
    assert (found.on_hand, found.in_transit, found.shipped, found.unexplained) == (4, 2, 4, 0)


def test_more_left_than_arrived() -> None:
    """What a place lacks is listed there, and is the unexplained part."""
    found = line(made("10"), shipped("12", "centre"))
    assert (found.in_transit, found.unexplained) == (12, -2)
    assert [(one.location, one.amount) for one in found.missing] == [("plant", -2)]


def test_goods_from_outside_are_received() -> None:
    """A lot that nobody made here came from outside: out of a transit that nobody told of, or from a stranger."""
    arrived = way("5", source="plant", source_disposition="in_transit", location="plant")
    bought = way("2", source="supplier", location="plant")
    found = line(arrived, bought)
    assert (found.made, found.received, found.on_hand, found.unexplained) == (7, 7, 7, 0)


def test_goods_of_ours_from_nowhere_are_unexplained() -> None:
    """More received than was ever shipped of a lot that was made here is shown as missing in transit."""
    arrived = way("5", source="centre", source_disposition="in_transit", location="centre")
    found = line(made("10"), shipped("3", "centre"), arrived)
    assert (found.made, found.on_hand, found.unexplained) == (10, 12, -2)
    assert [(one.location, one.disposition, one.amount) for one in found.missing] == [("centre", "in_transit", -2)]


@pytest.mark.parametrize("effect", ["consumed", "destroyed", "shipped"])
def test_what_is_gone_is_said_how(effect: str) -> None:
    """Consumed, destroyed and sold goods are terms of their own."""
    found = line(made("10"), way("4", source="plant", effect=effect))
    assert (found.on_hand, getattr(found, effect), found.unexplained) == (6, 4, 0)


def test_destroyed_twice() -> None:
    """Shipping what was destroyed leaves the place below nothing: both stand, and the difference is unexplained."""
    found = line(made("10"), way("10", source="plant", effect="destroyed"), shipped("4", "store"))
    assert (found.destroyed, found.shipped, found.unexplained) == (10, 4, -4)


def test_without_a_place() -> None:
    """Goods made or used nobody said where are in the sums, and listed."""
    found = line(made("10", location=""), way("4", effect="consumed"))
    assert (found.made, found.consumed, found.on_hand, found.unexplained) == (10, 4, 0, 6)
    assert [(one.location, one.amount) for one in found.missing] == [("", 6)]


def test_corrections() -> None:
    """Written off is adjusted upwards, found is adjusted downwards."""
    found = line(made("10"), way("3", source="plant", effect="adjusted"), way("1", location="plant", effect="adjusted"))
    assert (found.on_hand, found.adjusted, found.unexplained) == (8, 2, 0)


def test_counts_adjust_the_books() -> None:
    """The difference to the book at the instant of each count is the adjustment, and the newest count holds."""
    entries = (
        entry("10", 0), entry("8", 1, counted=True), entry("-3", 2), entry("5.5", 3, counted=True), entry("1", 4),
    )  # fmt: skip
    ways = [made("10"), way("3", source="plant", location="store"), way("1", location="plant", effect="made")]
    counts = [way("8", location="plant", effect="counted"), way("5.5", location="plant", effect="counted")]
    found = line(*ways, *counts, entries=entries)
    assert (found.made, found.on_hand, found.shipped, found.adjusted, found.unexplained) == (
        11, Decimal("6.5"), 3, Decimal("1.5"), 0,
    )  # fmt: skip
    differences = [(one.booked, one.counted, one.difference) for one in adjustments_of(counted_places(entries))]
    assert differences == [(10, 8, -2), (5, Decimal("5.5"), Decimal("0.5"))]


def test_what_is_told_late_changes_the_adjustment() -> None:
    """What moved before a count and comes after it is in the count: the difference changes, the stock does not."""
    late = entry("-2", 0, identity="late")
    entries = (entry("10", 0), entry("8", 1, counted=True))
    (before,), (after,) = (adjustments_of(counted_places(rows)) for rows in (entries, (*entries, late)))
    assert (before.difference, after.difference) == (-2, 0)
    assert {place.amount for place in counted_places((*entries, late)).values()} == {8}


def test_opening_stock() -> None:
    """The first count of a place where nothing was ever booked opens its books: received, of a lot from outside."""
    entries = (entry("40", 1, counted=True), entry("-5", 2))
    counts = [way("40", location="plant", effect="counted"), way("5", source="plant", location="store")]
    found = line(*counts, entries=entries)
    assert (found.made, found.received, found.on_hand, found.shipped, found.unexplained) == (40, 40, 35, 5, 0)
    (opening,) = adjustments_of(counted_places(entries))
    assert (opening.opening, opening.booked, opening.difference) == (True, 0, 40)
