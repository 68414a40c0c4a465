"""The mass balance of production adds up, in any order of its facts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.recall.edges import Link
from lotstream.recall.mass import entries, flows, lines

T0 = datetime(2026, 11, 23, tzinfo=UTC)
LOTS = [f"01/{gtin}/10/{code}" for gtin in ("90614141000411", "90614141000428") for code in "AB"]
AMOUNTS = st.integers(0, 10**9).map(lambda number: Decimal(number) / 1000)
RATES = {"90614141000411": [{"uom": "XCS", "factor": Decimal("12.5"), "to_uom": "KGM", "at": T0}]}


@st.composite
def links(draw: st.DrawFn) -> Link:
    uom = draw(st.sampled_from(["KGM", "GRM", "XCS", "H87", ""]))
    return Link(
        process="p", output=draw(st.booleans()), node=draw(st.sampled_from(LOTS)), event=draw(st.sampled_from("abc")),
        biz_step="", at=T0 + timedelta(hours=draw(st.integers(0, 3))), items=0 if uom else draw(st.integers(1, 50)),
        amount=draw(AMOUNTS) if uom else None, uom=uom, location="", document="",
    )  # fmt: skip


@st.composite
def losses(draw: st.DrawFn) -> dict[str, Any]:
    effect = draw(st.sampled_from(["destroyed", "adjusted"]))
    source = "plant" if effect == "destroyed" or draw(st.booleans()) else ""
    return {
        "lot": draw(st.sampled_from(LOTS)), "effect": effect, "source": source, "amount": draw(AMOUNTS),
        "uom": draw(st.sampled_from(["KGM", "H87"])), "event": draw(st.sampled_from("de")), "at": T0,
    }  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(links(), max_size=10), st.lists(losses(), max_size=4), st.randoms())
def test_what_went_in_is_told_to_the_last_digit(took: list[Link], lost: list[dict[str, Any]], draw: Any) -> None:
    """In + rework = out + waste + adjusted + unexplained, which is inputs less outputs, whatever was lost; the order of
    facts changes nothing; every fact is told once."""
    found = flows(took, lost, rates=RATES)
    told = lines(found, tolerance=Decimal(1))
    for line in told:
        own = [flow for flow in found if flow.base == line.uom]
        sides = {
            role: sum(flow.converted for flow in own if flow.role == role) for role in ("input", "rework", "output")
        }
        if line.unexplained is not None:
            assert line.taken + line.rework == line.out + line.waste + line.adjusted + line.unexplained
            assert line.unexplained == sides["input"] + sides["rework"] - sides["output"]
            assert (line.verdict == "within") == (abs(line.unexplained) * 100 <= line.taken + line.rework)
    assert len({line.uom for line in told}) == len(told)
    assert len(entries(found, {})) == len(found) == len(took) + len(lost)
    again = flows(draw.sample(took, k=len(took)), draw.sample(lost, k=len(lost)), rates=RATES)
    assert lines(again, tolerance=Decimal(1)) == told
