"""A lot as a whole: stock, statements and what is said of it."""

from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any

from lotstream.schemas.base import Evidence
from lotstream.schemas.documents import QuantityFact
from lotstream.schemas.lots import LotRecord
from lotstream.streams.locate.lot import Lot, encode_locations, locations_of, merged_record

KEY = "01/09521234543213/10/W"


def fact(identity: str, amount: str, **fields: Any) -> QuantityFact:
    known: dict[str, Any] = {
        "lot": KEY,
        "identity": identity,
        "revision": 1,
        "amount": Decimal(amount),
        "uom": "KGM",
        "biz_step": "storing",
        "evidence": Evidence.DECLARED,
        "at_us": 5,
        "recorded_us": 9,
        "cases": 1,
    }
    return QuantityFact(**(known | fields))


def record(event: str, **fields: Any) -> LotRecord:
    known = {"lot": KEY, "gtin": "09521234543213", "code": "W", "event": event, "at_us": 5, "recorded_us": 9}
    return LotRecord(**(known | fields))


def stock(facts: list[QuantityFact]) -> list[tuple[str, str, str, int]]:
    lot = Lot(KEY)
    for item in facts:
        lot.put_quantity(item)
    return [(q.location, q.disposition, str(q.amount), q.cases) for q in locations_of(lot).quantities]


def test_stock_is_a_sum_over_facts() -> None:
    """What arrived less what left, in any order; what is back to nothing is not shown."""
    facts = [
        fact("made", "10", location="plant"),
        fact("moved", "4", source="plant", location="dc"),
        fact("sold", "4", source="dc"),
    ]
    for order in permutations(facts):
        assert [(place, amount) for place, _, amount, _ in stock(list(order))] == [("plant", "6")]


def test_a_corrected_line_replaces_itself() -> None:
    """The higher revision of one identity counts, whichever came first."""
    facts = [fact("line", "10", location="dc"), fact("line", "12", location="dc", revision=2)]
    for order in permutations(facts):
        assert stock(list(order)) == [("dc", "", "12", 1)]


def test_a_retracted_fact_counts_nothing_for_ever() -> None:
    """An error declaration beats the event it retracts, also a later copy of it."""
    wrong = {"location": "dc", "retracted": True}
    facts = [fact("e", "10", location="dc"), fact("e", "10", **wrong), fact("e", "10", location="dc", revision=8)]
    for order in permutations(facts):
        assert stock(list(order)) == []


def test_a_look_moves_nothing() -> None:
    """Goods that were only seen where they are are booked nowhere."""
    assert stock([fact("seen", "10", source="dc", location="dc")]) == []


def test_statements_about_a_lot_become_one() -> None:
    """Newest word of each kind, counts summed, the gravest status; a retracted statement says nothing."""
    records = [
        record("a", units=10, description="old", at_us=1),
        record("b", units=5, description="new", at_us=2, status="held"),
        record("c", best_before=date(2027, 1, 2), at_us=3),
        record("d", units=99, retracted=True),
    ]
    for order in permutations(records):
        merged = merged_record(order)
        assert merged is not None
        assert (merged.units, merged.description, merged.status) == (15, "new", "held")
        assert (merged.best_before, merged.event) == (date(2027, 1, 2), "a")
    assert merged_record([record("d", retracted=True)]) is None


def test_a_retracted_statement_stays_so() -> None:
    """Order and copies of a statement and its retraction do not matter."""
    said, taken_back = record("a", units=3), record("a", units=3, retracted=True)
    for order in permutations([said, taken_back, said]):
        lot = Lot(KEY)
        for item in order:
            lot.put_record(item)
        assert lot.records["a"].retracted


def test_what_is_said_of_a_lot_is_the_model_of_it() -> None:
    """The rows of places are written without being made into models: the message is the same to the byte."""
    lot = Lot(KEY)
    lot.put_record(record("a", units=3, expires=date(2027, 1, 2)))
    lot.put_quantity(fact("line", "10.5", location="dc"))
    for how, logistic in ((0, False), (1, False), (2, True)):
        lot.count((1 | how << 4, "dc", "in_progress", ()), logistic=logistic, by=how + 1)
    lot.count((1, "plant", "", ()), logistic=False, by=7)
    lot.exceeded = 2
    assert encode_locations(lot) == locations_of(lot).encode()
    assert encode_locations(Lot(KEY)) == locations_of(Lot(KEY)).encode()
