"""Sums of one lot from its groups of units and ways of goods, by example."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from lotstream.recall.tally import places_of, quantities_of, recipients_of, span_start, strongest

T0 = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


def group(**given: Any) -> dict[str, Any]:
    """Units in one place."""
    values = {
        "location": "plant", "disposition": "", "evidence": "confirmed", "final": True, "placed": True, "sent": [],
        "items": 1, "carriers": [], "newest": T0, "since": T0 - HOUR,
    }  # fmt: skip
    return values | given


def way(amount: str, **given: Any) -> dict[str, Any]:
    """Goods that went one way."""
    values = {
        "source": "", "source_disposition": "", "location": "plant", "disposition": "", "uom": "KGM",
        "effect": "moved", "biz_step": "commissioning", "evidence": "confirmed", "document": "", "line": "",
        "receiver": "",
        "named": False,
        "amount": Decimal(amount), "cases": 1, "since": T0, "newest": T0,
    }  # fmt: skip
    return values | given


def test_places_join_groups() -> None:
    """Groups of one place are one; a pallet that stands in two groups is counted once."""
    groups = [
        group(items=3, carriers=["p1", "p2"], evidence="inferred"),
        group(items=2, carriers=["p2"], final=False, newest=T0 + HOUR),
        group(items=9, location="store"),
        group(items=4, location="", placed=False),
    ]
    store, plant = places_of(groups, {"plant": "The plant"})
    assert (store.location, store.items, store.name) == ("store", 9, "")
    assert (plant.name, plant.items, plant.provisional, plant.logistic) == ("The plant", 5, 2, 2)
    assert (plant.evidence, plant.newest) == (("confirmed", "inferred"), T0 + HOUR)


def test_recipients_of_units() -> None:
    """A unit shipped twice on one line is one; units that were sent and are nowhere count among the sent."""
    line = ("store", "desadv:1", "1")
    groups = [
        group(items=3, sent=[(*line, T0), (*line, T0 + HOUR), ("other", "desadv:2", "1", T0)]),
        group(items=2, sent=[(*line, T0 - HOUR)], placed=False),
    ]
    other, store = recipients_of(groups, [])
    assert (other.party, other.items) == ("other", 3)
    assert (store.party, store.items, store.first_at, store.uom) == ("store", 5, T0 - HOUR, "")


def test_zero_is_no_place() -> None:
    """A place that all has left is not listed, and what was only looked at moves nothing."""
    ways = [way("5"), way("5", source="plant", location="store"), way("5", source="store", location="store")]
    assert [(q.location, q.amount) for q in quantities_of(ways, {})] == [("store", 5)]


def test_what_left_a_place_had_arrived_there() -> None:
    """A return from where goods were only shipped to leaves less under way, and no place with less than nothing."""
    sent = way("500", source="plant", location="customer", disposition="in_transit")
    back = way("50", source="customer", location="plant")
    found = quantities_of([way("600"), sent, back], {})
    assert [(q.location, q.disposition, q.amount) for q in found] == [
        ("customer", "in_transit", 450),
        ("plant", "", 150),
    ]


def test_span() -> None:
    """The span begins with the earliest of units and goods."""
    assert span_start([group(since=T0)], [way("1", since=T0 - HOUR)], otherwise=T0 + HOUR) == T0 - HOUR
    assert span_start([], [], otherwise=T0) == T0


def test_strongest() -> None:
    """Kinds of evidence in one order, each once."""
    assert strongest(["declared", "confirmed", "declared"]) == ("confirmed", "declared")
