"""Sums of class-level goods, held against locate's own and against plain arithmetic."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotstream.recall import ask
from lotstream.recall.store import History
from lotstream.schemas.base import Evidence
from lotstream.schemas.documents import Effect, QuantityFact
from lotstream.streams.locate.lot import Lot, locations_of

LOT = "01/90614141000411/10/W1"
NOW = 1_763_370_000_000_000


def fact(identity: str, amount: str, **given: Any) -> QuantityFact:
    """A quantity fact, with what is given."""
    values: dict[str, Any] = {
        "lot": LOT,
        "identity": identity,
        "revision": 1,
        "amount": Decimal(amount),
        "uom": "KGM",
        "cases": 1,
        "biz_step": "commissioning",
        "evidence": Evidence.CONFIRMED,
        "location": "plant",
        "at_us": NOW,
        "recorded_us": NOW,
    }
    return QuantityFact(**(values | given))


def ship(identity: str, amount: str, **given: Any) -> QuantityFact:
    """Goods leave the plant for the store."""
    way = {"source": "plant", "location": "store", "disposition": "in_transit", "biz_step": "shipping"}
    return fact(identity, amount, **(way | given))


def receive(identity: str, amount: str, **given: Any) -> QuantityFact:
    """Goods that were in transit to the store are there."""
    way = {"source": "store", "source_disposition": "in_transit", "location": "store", "biz_step": "receiving"}
    return fact(identity, amount, **(way | given))


def put(warehouse: Any, *facts: QuantityFact) -> None:
    warehouse.put("documents", [fact.encode() for fact in facts])


def places(warehouse: Any, lot: str = LOT) -> dict[tuple[str, str, str], tuple[Decimal, int]]:
    found = ask.affected(warehouse.history, lot).quantities
    return {(q.location, q.disposition, q.uom): (q.amount, q.cases) for q in found}


def some_facts(draw: random.Random, number: int) -> list[QuantityFact]:
    """Revisions of few identities, some retracted, some that look or count, in two units of measure."""
    facts = []
    for recorded in range(number):
        look, count = {"source": "plant", "location": "plant"}, {"effect": Effect.COUNTED}
        way: dict[str, Any] = draw.choice([{}, look, {"source": "plant", "location": ""}, count])
        make = draw.choice([fact, ship, receive])
        facts.append(
            make(
                str(draw.randrange(30)),
                f"{draw.randrange(1, 10**9)}.{draw.randrange(10**6):06d}",
                revision=draw.randrange(6),
                uom=draw.choice(["KGM", "KGM", "H87"]),
                cases=draw.randrange(3),
                retracted=draw.random() < 0.05,
                at_us=NOW + draw.randrange(40),
                recorded_us=NOW + recorded,
                **(way if make is fact else {}),
            )
        )
    return facts


@pytest.mark.parametrize("seed", range(4))
def test_amounts_as_locate_sums_them(warehouse: Any, seed: int) -> None:
    """Revisions, retractions, transit and mere looks: the same sums to the last digit; twice, and merged."""
    draw = random.Random(seed)
    facts = some_facts(draw, 200)
    lot = Lot(LOT)
    for one in facts:
        lot.put_quantity(one)
    expected = {(q.location, q.disposition, q.uom): (q.amount, q.cases) for q in locations_of(lot).quantities}
    draw.shuffle(facts)
    put(warehouse, *facts)
    assert places(warehouse) == expected
    warehouse.put("documents", [one.encode() for one in facts], cuts=draw)
    warehouse.merge()
    assert places(warehouse) == expected
    held = {(r.location, r.disposition, r.uom): (r.amount, r.cases) for r in ask.stock(warehouse.history).rows}
    assert held == expected


def test_amounts_as_of_an_instant(warehouse: Any) -> None:
    """As of an instant, stock is the sum of the facts until then, counts among them, as they are known today."""
    draw = random.Random(7)
    lot = Lot(LOT)
    facts = some_facts(draw, 200)
    for one in facts:
        lot.put_quantity(one)
    put(warehouse, *facts)
    for later in (0, 13, 25):
        then = Lot(LOT)
        for one in lot.stock.facts.values():
            if one.at_us <= NOW + later:
                then.put_quantity(one)
        expected = {(q.location, q.disposition, q.uom): (q.amount, q.cases) for q in locations_of(then).quantities}
        as_of = datetime.fromtimestamp(NOW // 1_000_000, UTC) + timedelta(microseconds=later)
        with History(warehouse.settings, as_of=as_of) as history:
            found = ask.affected(history, LOT).quantities
            assert {(q.location, q.disposition, q.uom): (q.amount, q.cases) for q in found} == expected
            held = {(r.location, r.disposition, r.uom): (r.amount, r.cases) for r in ask.stock(history).rows}
            assert held == expected


def test_transit(warehouse: Any) -> None:
    """What is shipped is in transit at its destination; receiving takes it out of transit."""
    put(warehouse, fact("1", "10"), ship("2", "6.5", party="417/1", document="desadv:7", line="1"))
    assert places(warehouse) == {
        ("plant", "", "KGM"): (Decimal("3.5"), 0),
        ("store", "in_transit", "KGM"): (Decimal("6.5"), 1),
    }
    put(warehouse, receive("3", "6.5"))
    answer = ask.affected(warehouse.history, LOT)
    assert {(q.location, q.disposition): q.amount for q in answer.quantities} == {
        ("plant", ""): Decimal("3.5"),
        ("store", ""): Decimal("6.5"),
    }
    assert [(r.party, r.document, r.line, r.amount, r.uom, r.items) for r in answer.recipients] == [
        ("417/1", "desadv:7", "1", Decimal("6.5"), "KGM", 0)
    ]
    (sums,) = answer.accounted
    assert (sums.made, sums.on_hand, sums.in_transit, sums.unexplained) == (10, 10, 0, 0)
    assert sums.percent == Decimal("100.00")


def test_what_is_sold_or_consumed_is_accounted_for(warehouse: Any) -> None:
    """Goods that left for nowhere are gone, not unexplained."""
    sold = fact("2", "4", source="plant", location="", effect=Effect.SHIPPED, biz_step="retail_selling")
    used = fact("3", "1", source="plant", location="", effect=Effect.CONSUMED)
    put(warehouse, fact("1", "10"), sold, used)
    (sums,) = ask.affected(warehouse.history, LOT).accounted
    assert (sums.made, sums.on_hand, sums.shipped, sums.consumed, sums.unexplained) == (10, 5, 4, 1, 0)
    assert sums.percent == 100


def test_more_left_than_arrived(warehouse: Any) -> None:
    """A place that more has left than arrived holds nothing, and what is missing there is shown as unexplained."""
    put(warehouse, fact("1", "10"), ship("2", "12"))
    answer = ask.affected(warehouse.history, LOT)
    (sums,) = answer.accounted
    assert (sums.made, sums.on_hand, sums.shipped, sums.unexplained) == (10, 0, 12, -2)
    assert [(one.location, one.amount) for one in sums.missing] == [("plant", -2)]
    assert {(q.location, q.amount) for q in answer.quantities} == {("store", 12), ("plant", -2)}


def test_a_retraction_before_its_fact(warehouse: Any) -> None:
    """A retracted quantity counts nothing, whichever came first and whatever revision follows."""
    put(warehouse, fact("1", "10"), fact("2", "5", retracted=True, revision=1))
    put(warehouse, fact("2", "5", revision=7))
    assert places(warehouse) == {("plant", "", "KGM"): (Decimal(10), 1)}


def test_two_units_of_measure_are_two_lines(warehouse: Any) -> None:
    """Kilograms and pieces of one document line are never added."""
    line = {"party": "417/1", "document": "desadv:7", "line": "1"}
    put(warehouse, ship("1", "2.5", **line), ship("2", "3", uom="H87", **line))
    found = {(r.uom, r.amount) for r in ask.affected(warehouse.history, LOT).recipients}
    assert found == {("KGM", Decimal("2.5")), ("H87", Decimal(3))}


def test_recipient_that_nobody_named(warehouse: Any) -> None:
    """A document without a party names where the goods went."""
    put(warehouse, ship("1", "2.5", document="desadv:7", line="1"), ship("2", "1"))
    assert [(r.party, r.amount) for r in ask.affected(warehouse.history, LOT).recipients] == [("store", Decimal("2.5"))]


def test_greatest_amounts_are_exact(warehouse: Any) -> None:
    """Eighteen digits survive the way through the engine and out as JSON; nothing is a float."""
    put(warehouse, fact("1", "999999999999.999999"), fact("2", "999999999999.999999"))
    answer = ask.affected(warehouse.history, LOT)
    assert [q.amount for q in answer.quantities] == [Decimal("1999999999999.999998")]
    assert '"amount":"1999999999999.999998"' in answer.model_dump_json()
