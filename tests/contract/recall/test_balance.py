"""The balance of a lot, its counts and what pallets hold of it, on the real engine."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lotstream.recall import ask
from lotstream.recall.balance import balance
from lotstream.recall.store import History
from lotstream.schemas.base import Evidence, Origin, Stamp
from lotstream.schemas.documents import Effect, QuantityFact
from lotstream.schemas.events import Action, Conversion, ErrorDeclaration, EventType, Ilmd, Quantity, TraceEvent
from lotstream.schemas.portions import portion_of
from lotstream.schemas.sightings import Declaration

LOT = "01/90614141000411/10/W1"
UNIT = "00/106141410000000011"
NOW = 1_763_370_000_000_000
HOUR = 3_600_000_000


def fact(identity: str, amount: str, hour: int, **given: Any) -> QuantityFact:
    """A quantity fact at an hour."""
    known: dict[str, Any] = {
        "lot": LOT, "identity": identity, "revision": 1, "amount": Decimal(amount), "uom": "KGM", "biz_step": "",
        "evidence": Evidence.DECLARED, "at_us": NOW + hour * HOUR, "recorded_us": NOW,
    }  # fmt: skip
    return QuantityFact(**(known | given))


STORY = [
    fact("made", "100", 0, location="plant", effect=Effect.MADE),
    fact("packed", "40", 1, source="plant", location=UNIT),
    fact("counted", "55", 3, location="plant", effect=Effect.COUNTED),
    fact("used", "5", 4, source="plant", effect=Effect.CONSUMED),
    fact("burnt", "10", 5, source="plant", effect=Effect.DESTROYED),
    fact("sold", "3", 6, source=UNIT, effect=Effect.SHIPPED),
]
TERMS = ("made", "on_hand", "in_transit", "shipped", "consumed", "destroyed", "adjusted", "unexplained")


def told(warehouse: Any, make: Any, draw: random.Random) -> None:
    """The story in any order, some of it twice, and a pallet that is read at the centre."""
    facts = [*STORY, *draw.sample(STORY, k=3)]
    draw.shuffle(facts)
    warehouse.put("documents", [one.encode() for one in facts], cuts=draw)
    at = NOW + 2 * HOUR
    seen = make.lot_sighting(
        LOT, tag=portion_of(UNIT, LOT), location="centre", how=1, origin=UNIT, path=(UNIT,), slot=at // 30_000_000,
        first_us=at, last_us=at,
    )  # fmt: skip
    warehouse.lot_sightings([seen])


def terms(answer: Any) -> tuple[Decimal, ...]:
    (line,) = answer.accounted
    return tuple(getattr(line, term) for term in TERMS)


def test_the_balance_of_a_lot(warehouse: Any, make: Any) -> None:
    """Terms, counts and places of one story, as `balance`, `affected` and `stock` tell it: the same."""
    told(warehouse, make, random.Random(4))
    answer = balance(warehouse.history, LOT)
    assert terms(answer) == (100, 77, 0, 3, 5, 10, 5, 0)
    (count,) = answer.adjustments
    assert (count.location, count.booked, count.counted, count.difference, count.opening) == (
        "plant",
        60,
        55,
        -5,
        False,
    )
    affected = ask.affected(warehouse.history, LOT)
    assert terms(affected) == terms(answer)
    places = {(q.location, q.amount) for q in affected.quantities}
    assert places == {("plant", 40), ("centre", 37)}
    assert {(row.location, row.amount) for row in ask.stock(warehouse.history).rows} == places
    assert {(q.location, q.amount) for q in ask.where(warehouse.history, LOT).quantities} == places
    assert affected.places == ()  # a portion is no unit


def test_the_balance_as_of_an_instant(warehouse: Any, make: Any) -> None:
    """At any time the terms add up by what had happened by then; an unseen pallet is its own place."""
    told(warehouse, make, random.Random(5))
    expected = {
        0: (100, 100, 0, 0, 0, 0, 0, 0),
        3: (100, 95, 0, 0, 0, 0, 5, 0),
        5: (100, 80, 0, 0, 5, 10, 5, 0),
    }
    for hour, wanted in expected.items():
        as_of = datetime.fromtimestamp((NOW + hour * HOUR) // 1_000_000, UTC)
        with History(warehouse.settings, as_of=as_of) as history:
            assert terms(balance(history, LOT)) == wanted
            held = {row.location: row.amount for row in ask.stock(history).rows}
            assert held == {q.location: q.amount for q in ask.affected(history, LOT).quantities}


def test_who_received_what_was_on_a_pallet(warehouse: Any, make: Any) -> None:
    """A pallet that is shipped on a document line delivers what it held then, not what was taken out later."""
    told(warehouse, make, random.Random(6))
    at = NOW + 2 * HOUR
    shipped = Declaration("e", "shipping", "in_transit", "desadv:7", "1", "417/1")
    sent = make.lot_sighting(
        LOT, tag=portion_of(UNIT, LOT), location="store", how=1, origin=UNIT, path=(UNIT,), lane="event:e",
        slot=at // 30_000_000, first_us=at, last_us=at, declaration=shipped,
    )  # fmt: skip
    warehouse.lot_sightings([sent])
    (found,) = ask.affected(warehouse.history, LOT).recipients
    assert (found.party, found.document, found.line) == ("417/1", "desadv:7", "1")
    assert (found.amount, found.uom, found.items) == (40, "KGM", 0)


def conversion(factor: str, at_us: int, name: str, *, wrong: bool = False) -> bytes:
    """A case of the product is so many kilograms from an instant on."""
    said = Ilmd(conversions=(Conversion(uom="XCS", factor=Decimal(factor), to="KGM"),))
    return TraceEvent(
        event_type=EventType.OBJECT, action=Action.ADD, event_hash=name, event_time_us=at_us, text="{}", subject="s",
        quantities=(Quantity(epc_class=LOT[:17]),), ilmd=said,
        error=ErrorDeclaration(declared_us=NOW) if wrong else None,
        stamp=Stamp(received_us=NOW, origin=Origin.LIVE, source="erp", request="r"),
    ).encode()  # fmt: skip


def test_all_units_in_one_by_the_conversions_in_force(warehouse: Any) -> None:
    """Cases and kilograms are two lines, and one in kilograms: each fact by what a case weighed then."""
    put = [
        fact("made", "10", 0, location="plant", effect=Effect.MADE, uom="XCS"),
        fact("more", "4", 3, location="plant", effect=Effect.MADE, uom="XCS"),
        fact("used", "100500", 4, source="plant", effect=Effect.CONSUMED, uom="GRM"),
    ]
    warehouse.put("documents", [one.encode() for one in put])
    assert balance(warehouse.history, LOT).together is None
    said = [conversion("12.5", NOW - HOUR, "a"), conversion("10", NOW + 2 * HOUR, "b")]
    wrong = [conversion("99", NOW + HOUR, "c", wrong=True), conversion("99", NOW + HOUR, "c")]
    warehouse.put("events", [*wrong, *said])
    answer = balance(warehouse.history, LOT)
    assert [(line.uom, line.unexplained) for line in answer.accounted] == [("GRM", -100_500), ("XCS", 0)]
    assert answer.together is not None
    assert (answer.together.uom, answer.together.made, answer.together.consumed) == ("KGM", 165, Decimal("100.5"))
    assert (answer.together.on_hand, answer.together.unexplained) == (Decimal("64.5"), 0)


def test_what_is_missing_is_listed(warehouse: Any) -> None:
    """Shipping what was destroyed is taken as it was told, and the place that it cannot have left is named."""
    late = fact("shipped", "4", 2, source="plant", location="store", disposition="in_transit")
    put = [fact("made", "10", 0, location="plant", effect=Effect.MADE)]
    put += [fact("burnt", "10", 1, source="plant", effect=Effect.DESTROYED), late]
    warehouse.put("documents", [one.encode() for one in put])
    (line,) = balance(warehouse.history, LOT).accounted
    assert (line.destroyed, line.shipped, line.unexplained) == (10, 4, -4)
    assert [(one.location, one.amount) for one in line.missing] == [("plant", -4)]


def test_what_nobody_explains_is_judged(warehouse: Any) -> None:
    """Within or outside a percentage of what was made, too little and too much alike; nothing is said without one."""
    facts = [*STORY, fact("gone", "2", 7, source="attic", effect=Effect.SHIPPED)]
    warehouse.put("documents", [one.encode() for one in facts])
    answers = [balance(warehouse.history, LOT, tolerance=one) for one in (Decimal(2), Decimal("1.9"), None)]
    told = [(one.unexplained, one.of, one.verdict) for answer in answers for one in answer.judged]
    assert told == [(-2, 100, "within"), (-2, 100, "outside"), (-2, 100, "")]
    assert [answer.tolerance for answer in answers] == [2, Decimal("1.9"), None]
