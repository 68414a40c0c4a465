"""The figures of a report add up, whatever is known of a lot."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.recall.report.build import build
from lotstream.recall.report.facts import LotFacts, Setting
from lotstream.recall.report.model import PARTS, Figure, Report, Term
from lotstream.recall.report.sheets import sheets
from lotstream.recall.scope import ScopedLot

T0 = datetime(2026, 11, 23, tzinfo=UTC)
LOTS = [f"01/90614141000411/10/{code}" for code in "AB"]
PLACES = st.sampled_from(["", "plant", "centre", "store", "nowhere"])
STATES = st.sampled_from(["", "in_transit", "destroyed", "consumed", "retail_sold"])
SETTING = Setting(day=date(2026, 11, 23), at=T0, kinds={"plant": "site", "centre": "zone", "store": "customer"})
TOGETHER = ("items", "KGM", "LTR")


@st.composite
def quantity(draw: st.DrawFn) -> dict[str, Any]:
    """A quantity fact as the register makes it."""
    effect = draw(st.sampled_from(["moved", "moved", "made", "counted", "consumed", "destroyed", "shipped"]))
    inward, moved = effect in ("made", "counted"), effect == "moved"
    at = T0 + timedelta(hours=draw(st.integers(0, 5)))
    ways = st.sampled_from(["", "in_transit"])
    needed = PLACES.filter(bool) if effect in ("counted", "moved") else PLACES
    return {
        "source": "" if inward else draw(needed), "source_disposition": draw(ways) if moved else "",
        "location": draw(needed) if inward or moved else "", "disposition": draw(ways) if moved else "",
        "uom": draw(st.sampled_from(["KGM", "LTR"])), "effect": effect, "evidence": "declared",
        "amount": Decimal(draw(st.integers(0, 10**9))) / 1000, "cases": draw(st.integers(0, 3)), "since": at,
        "newest": at, "at": at, "recorded_at": T0, "identity": str(draw(st.integers(0, 10**9))),
        "biz_step": draw(st.sampled_from(["", "shipping"])), "document": draw(st.sampled_from(["", "desadv:1"])),
        "line": "1", "receiver": draw(PLACES), "named": draw(st.booleans()), "event": "e", "read_point": "",
        "source_partition": 0, "source_offset": 0,
    }  # fmt: skip


@st.composite
def units(draw: st.DrawFn) -> list[dict[str, Any]]:
    """How many units are where, as the query tells it: each place once."""
    names = st.lists(st.sampled_from(["00/1", "00/2", "00/3"]), unique=True, max_size=2)
    places = draw(st.lists(st.tuples(PLACES, STATES), unique=True, max_size=5))
    return [
        {
            "location": place, "disposition": state, "items": (items := draw(st.integers(1, 9))), "provisional": 0,
            "evidence": {"confirmed": items}, "pallets": draw(names), "cases": draw(names), "read_points": [],
            "since": T0, "newest": T0,
        }
        for place, state in places
    ]  # fmt: skip


@st.composite
def lot_facts(draw: st.DrawFn, lot: str) -> LotFacts:
    made: dict[str, Any] = dict.fromkeys(
        ("supplier_code", "description", "location", "site", "line", "planned_uom", "uom"), ""
    )
    made |= dict.fromkeys(("produced_at", "expires", "best_before", "planned", "amount"))
    said = made | {"units": draw(st.integers(0, 30)), "status": "active"}
    facts = draw(st.lists(quantity(), max_size=8, unique_by=lambda fact: fact["identity"]))
    return LotFacts(ScopedLot(lot, None, ()), statements=[said], units=draw(units()), quantities=facts)


def figures(report: Report) -> list[Figure]:
    return [one for lot in report.lots for one in lot.figures]


def sums(found: list[Figure]) -> Decimal:
    return sum((one.value for one in found), Decimal(0))


@settings(max_examples=100, deadline=None)
@given(lot_facts(LOTS[0]), lot_facts(LOTS[1]))
def test_parts_add_up_to_the_whole(a: LotFacts, b: LotFacts) -> None:
    """Of each lot and measure the places add up to each term, and the terms to what was made; lots to all lots; no
    measure is added to another; each figure has a name of its own."""
    report = build([b, a], SETTING)
    found = figures(report)
    assert len({one.figure for one in (*found, *report.totals)}) == len(found) + len(report.totals)
    for lot in report.lots:
        for made in (one for one in lot.figures if one.term is Term.MADE):
            own = [one for one in lot.figures if one.measure == made.measure and one.term in PARTS]
            for term in PARTS:
                places, whole = (
                    [one for one in own if one.term is term and one.total is total] for total in (False, True)
                )
                assert sums(places) == sums(whole)
            assert sums([one for one in own if one.total]) == made.value
    for total in (one for one in report.totals if one.measure in TOGETHER):
        own = [one for one in found if one.total and (one.term, one.measure) == (total.term, total.measure)]
        assert total.value == sums(own)
    for total in (one for one in report.totals if one.measure in ("pallets", "cases")):
        own = [one for one in found if one.total and (one.term, one.measure) == (total.term, total.measure)]
        assert max(one.value for one in own) <= total.value <= sums(own)


@settings(max_examples=50, deadline=None)
@given(lot_facts(LOTS[0]), lot_facts(LOTS[1]), st.randoms())
def test_order_changes_nothing(a: LotFacts, b: LotFacts, draw: Any) -> None:
    """In any order of lots and facts the report is the same, byte for byte; its tables have each figure once."""
    report = build([a, b], SETTING)
    again = [
        LotFacts(
            one.scoped, one.statements, (), draw.sample(one.units, k=len(one.units)),
            quantities=draw.sample(one.quantities, k=len(one.quantities)),
        )
        for one in (b, a)
    ]  # fmt: skip
    assert build(again, SETTING).model_dump_json() == report.model_dump_json()
    told = [
        row[sheet.columns.index("figure")]
        for sheet in sheets(report)
        if "figure" in sheet.columns
        for row in sheet.rows
    ]
    missing = {one.figure for one in (*figures(report), *report.totals)} - set(told)
    assert (missing, len(told)) == (set(), len(set(told)))
