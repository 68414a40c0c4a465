"""The balance of a lot adds up for whatever is known of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.recall.conservation import accounted, adjustments_of, counted_places
from lotstream.recall.tally import quantities_of

T0 = datetime(2026, 11, 23, tzinfo=UTC)
PLACES = st.sampled_from(["", "plant", "centre", "store", "nowhere"])
STATES = st.sampled_from(["", "in_transit"])
AMOUNTS = st.decimals(min_value=0, max_value=10**12 - 1, places=6)
KINDS = {"plant": "site", "centre": "zone", "store": "customer"}
TERMS = ("on_hand", "in_transit", "shipped", "consumed", "destroyed", "adjusted", "unexplained")


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """Quantity facts as the register makes them: what each effect says of its places."""
    effect = draw(
        st.sampled_from(["moved", "moved", "made", "counted", "adjusted", "consumed", "destroyed", "shipped"])
    )
    inward = effect in ("made", "counted") or (effect == "adjusted" and draw(st.booleans()))
    outward = not inward and effect != "moved"
    named = st.sampled_from(["plant", "centre", "store", "nowhere"])
    needed = named if effect in ("counted", "adjusted", "moved") else PLACES
    return {
        "source": "" if inward else draw(needed), "source_disposition": "" if effect != "moved" else draw(STATES),
        "location": "" if outward else draw(needed), "disposition": "" if effect != "moved" else draw(STATES),
        "uom": draw(st.sampled_from(["KGM", "LTR"])), "effect": effect, "evidence": "declared",
        "amount": draw(AMOUNTS), "cases": 0, "since": T0, "newest": T0,
        "at": T0 + timedelta(hours=draw(st.integers(0, 5))),
        "identity": str(draw(st.integers(0, 10**9))),
    }  # fmt: skip


def entries_of(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ends of facts at places that were counted, as the view has them."""
    rows = []
    for fact in found:
        came, left = (fact["location"], fact["disposition"]), (fact["source"], fact["source_disposition"])
        for (place, state), sign in ((came, 1), (left, -1)):
            if place and came != left:
                rows.append(
                    {
                        "place": place, "disposition": state, "uom": fact["uom"], "at": fact["at"], "recorded_at": T0,
                        "identity": fact["identity"], "counted": fact["effect"] == "counted",
                        "change": sign * fact["amount"], "labels": 0, "document": "",
                    }
                )  # fmt: skip
    places = {(row["place"], row["disposition"], row["uom"]) for row in rows if row["counted"]}
    return [row for row in rows if (row["place"], row["disposition"], row["uom"]) in places]


@settings(max_examples=300, deadline=None)
@given(st.lists(facts(), max_size=14, unique_by=lambda fact: fact["identity"]), st.randoms())
def test_nothing_is_lost_and_nothing_invented(found: list[dict[str, Any]], draw: Any) -> None:
    """The terms add up to what was made, to the last digit; the unexplained part is what the places lack, listed."""
    counted = counted_places(entries_of(found))
    held = quantities_of(found, {}, counted=counted)
    lines = accounted(0, [], found, quantities=held, counted=counted, kinds=KINDS)
    for line in lines:
        assert line.made == sum((getattr(line, term) for term in TERMS), Decimal(0))
        assert line.unexplained == sum((one.amount for one in line.missing), Decimal(0))
        assert min(line.on_hand, line.in_transit, line.shipped, line.consumed, line.destroyed) >= 0
    shuffled = list(found)
    draw.shuffle(shuffled)
    again = counted_places(entries_of(shuffled))
    assert adjustments_of(again) == adjustments_of(counted)
    more = quantities_of(shuffled, {}, counted=again)
    assert accounted(0, [], shuffled, quantities=more, counted=again, kinds=KINDS) == lines
