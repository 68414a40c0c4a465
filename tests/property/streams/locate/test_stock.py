"""Stock is a function of the set of quantity facts, held against a plain look at all of them at once."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.schemas.base import Evidence
from lotstream.schemas.documents import Effect, QuantityFact
from lotstream.streams.locate.stock import Stock, newest_quantity

PLACES = ("", "plant", "centre")
Found = dict[tuple[str, str, str], tuple[Decimal, int]]


@st.composite
def facts(draw: st.DrawFn) -> QuantityFact:
    """Moves, looks and counts at few places and instants, revised and retracted."""
    counted = draw(st.booleans())
    source = "" if counted else draw(st.sampled_from(PLACES))
    given: dict[str, Any] = {
        "lot": "01/09521234543213/10/W",
        "identity": draw(st.sampled_from("abcdefgh")),
        "revision": draw(st.integers(0, 3)),
        "source": source,
        "location": "plant" if counted else draw(st.sampled_from(PLACES)),
        "disposition": "" if counted else draw(st.sampled_from(["", "in_transit"])),
        "amount": draw(st.decimals(min_value=0, max_value=999, places=3)),
        "cases": draw(st.integers(0, 4)),
        "uom": draw(st.sampled_from(["KGM", "KGM", "XCS"])),
        "effect": Effect.COUNTED if counted else Effect.MOVED,
        "biz_step": "",
        "evidence": Evidence.DECLARED,
        "at_us": draw(st.integers(0, 6)),
        "retracted": draw(st.sampled_from([False, False, False, True])),
        "recorded_us": draw(st.integers(0, 3)),
    }
    return QuantityFact(**given)


def plainly(told: Sequence[QuantityFact]) -> Found:
    """Keep each identity's best fact, sort all by time, walk through them."""
    kept: dict[str, QuantityFact] = {}
    for fact in told:
        best = max((one for one in told if one.identity == fact.identity), key=rank)
        gone = any(one.retracted for one in told if one.identity == fact.identity)
        kept[fact.identity] = best.model_copy(update={"retracted": gone})
    stock: Found = {}
    order = lambda f: (f.at_us, f.effect is Effect.COUNTED, f.recorded_us, f.identity)  # noqa: E731 - one line reads best
    for fact in sorted((one for one in kept.values() if not one.retracted), key=order):
        came, left = (fact.location, fact.disposition, fact.uom), (fact.source, fact.source_disposition, fact.uom)
        if fact.effect is Effect.COUNTED:
            stock[came] = fact.amount, fact.cases
            continue
        for place, sign in ((came, 1), (left, -1)):
            if place[0] and came != left:
                amount, cases = stock.get(place, (Decimal(0), 0))
                stock[place] = amount + sign * fact.amount, cases + sign * fact.cases
    return {place: there for place, there in stock.items() if any(there)}


def rank(fact: QuantityFact) -> tuple[Any, ...]:
    return fact.revision, fact.recorded_us, fact.encode()


def told_to(told: Sequence[QuantityFact]) -> Stock:
    stock = Stock()
    for fact in told:
        stock.put(fact)
    return stock


@settings(max_examples=300, deadline=None)
@given(st.lists(facts(), max_size=10), st.randoms())
def test_stock_is_a_function_of_the_set(told: list[QuantityFact], draw: Any) -> None:
    """Any order and any repetition of facts gives the sums that a walk through all of them in time gives."""
    shuffled = [*told, *draw.sample(told, k=draw.randint(0, len(told)))]
    draw.shuffle(shuffled)
    assert told_to(shuffled).amounts() == plainly(told)


@settings(max_examples=200, deadline=None)
@given(st.lists(facts(), max_size=10), st.integers(0, 10))
def test_a_restart_changes_nothing(told: list[QuantityFact], at: int) -> None:
    """A stock that is made anew from the facts kept, in any order of their keys, goes on as if nothing had been."""
    kept = told_to(told[:at]).facts
    again = told_to([*sorted(kept.values(), key=rank), *told[at:]])
    assert again.amounts() == plainly(told)


@settings(max_examples=200, deadline=None)
@given(facts(), facts(), facts())
def test_versions_merge_in_any_order(a: QuantityFact, b: QuantityFact, c: QuantityFact) -> None:
    """The fact that holds does not depend on which copies met first."""
    assert newest_quantity(a, b) == newest_quantity(b, a)
    assert newest_quantity(newest_quantity(a, b), c) == newest_quantity(a, newest_quantity(b, c))
    assert newest_quantity(a, a) == a


def test_a_late_fact_changes_the_adjustment_and_never_the_count() -> None:
    """What moved before a count and is told after it is in the count already; what moved after it is added."""
    common: dict[str, Any] = {
        "lot": "01/09521234543213/10/W", "revision": 1, "uom": "KGM", "biz_step": "", "evidence": Evidence.DECLARED,
        "recorded_us": 1, "location": "plant",
    }  # fmt: skip
    count = QuantityFact(identity="count", amount=Decimal(40), at_us=5, effect=Effect.COUNTED, **common)
    late = QuantityFact(identity="late", amount=Decimal(7), at_us=5, **common)
    after = QuantityFact(identity="after", amount=Decimal(2), at_us=6, **common)
    assert told_to([count, late]).amounts() == {("plant", "", "KGM"): (Decimal(40), 0)}
    assert told_to([count, late, after]).amounts() == {("plant", "", "KGM"): (Decimal(42), 0)}
