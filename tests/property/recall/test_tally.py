"""Sums of one lot hold for whatever is known of it."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.recall.tally import places_of, quantities_of, recipients_of

T0 = datetime(2026, 11, 23, tzinfo=UTC)
PLACES = st.sampled_from(["", "plant", "centre", "store"])
STATES = st.sampled_from(["", "in_transit"])
AMOUNTS = st.decimals(min_value=0, max_value=10**12 - 1, places=6)


@st.composite
def ways(draw: st.DrawFn) -> dict[str, Any]:
    """Goods that went from anywhere to anywhere."""
    return {
        "source": draw(PLACES), "source_disposition": draw(STATES), "location": draw(PLACES),
        "disposition": draw(STATES), "uom": draw(st.sampled_from(["KGM", "H87"])), "effect": "moved",
        "biz_step": "shipping",
        "evidence": "confirmed", "document": draw(st.sampled_from(["", "d1", "d2"])), "line": "1", "receiver": "p",
        "named": draw(st.booleans()), "amount": draw(AMOUNTS), "cases": draw(st.integers(0, 9)), "since": T0,
        "newest": T0,
    }  # fmt: skip


@st.composite
def groups(draw: st.DrawFn) -> dict[str, Any]:
    """Units somewhere."""
    return {
        "location": draw(PLACES), "disposition": draw(st.sampled_from(["", "in_transit", "retail_sold", "expired"])),
        "evidence": draw(st.sampled_from(["confirmed", "inferred", "declared"])), "final": draw(st.booleans()),
        "placed": draw(st.booleans()), "items": draw(st.integers(1, 99)), "carriers": [], "newest": T0, "since": T0,
        "sent": draw(st.lists(st.tuples(st.just("p"), st.sampled_from(["d1", "d2"]), st.just("1"), st.just(T0)))),
    }  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(groups(), max_size=8), st.lists(ways(), max_size=8), st.randoms())
def test_the_order_of_rows_means_nothing(units: list[dict[str, Any]], found: list[dict[str, Any]], draw: Any) -> None:
    """Any order of the engine's rows gives the same answer, in the same order."""
    shuffled_units, shuffled = list(units), list(found)
    draw.shuffle(shuffled_units)
    draw.shuffle(shuffled)
    assert places_of(units, {}) == places_of(shuffled_units, {})
    assert quantities_of(found, {}) == quantities_of(shuffled, {})
    assert recipients_of(units, found) == recipients_of(shuffled_units, shuffled)


@settings(max_examples=100, deadline=None)
@given(st.lists(groups(), max_size=8))
def test_every_unit_is_somewhere_once(units: list[dict[str, Any]]) -> None:
    """The items of all places are the units that are placed."""
    assert sum(place.items for place in places_of(units, {})) == sum(u["items"] for u in units if u["placed"])
