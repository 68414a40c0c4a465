"""Class-level goods: what events and scans move, and under which identity."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lotstream.schemas.base import Evidence
from lotstream.schemas.documents import QuantityFact
from lotstream.schemas.events import Action, EventType, Quantity, QuantityScan, Typed

LOT = "01/09521234543213/10/W"
PAPER = {"documents": (Typed(type="desadv", id="77"),), "document_line": "3"}


def kilos(amount: str, uom: str = "KGM") -> Quantity:
    return Quantity(epc_class=LOT, quantity=Decimal(amount), uom=uom)


def moved(facts: dict[str, list[Any]]) -> list[tuple[str, str, str]]:
    quantities = [fact for fact in facts["documents.v1"] if isinstance(fact, QuantityFact)]
    return [(fact.source, fact.location, str(fact.amount)) for fact in quantities]


@pytest.mark.parametrize(
    ("step", "action", "place", "expected"),
    [
        ("commissioning", Action.ADD, {"biz_location": "plant"}, ("", "plant")),
        ("shipping", Action.OBSERVE, {"read_point": "gate", "biz_location": "dc"}, ("dc", "store")),
        ("receiving", Action.OBSERVE, {"biz_location": "dc"}, ("dc", "dc")),
        ("storing", Action.OBSERVE, {"read_point": "dock", "biz_location": "shelf"}, ("dock", "shelf")),
        ("retail_selling", Action.OBSERVE, {"biz_location": "store"}, ("store", "")),
        ("destroying", Action.DELETE, {"biz_location": "dc"}, ("dc", "")),
        ("inspecting", Action.OBSERVE, {"read_point": "lab", "biz_location": "dc"}, ("dc", "dc")),
    ],
)
def test_each_step_moves_goods_its_own_way(
    register: Any, step: str, action: Action, place: dict[str, str], expected: tuple[str, str]
) -> None:
    """Making adds, selling and destroying take away, shipping moves, and a mere look moves nothing."""
    there = (Typed(type="location", id="store"),) if step == "shipping" else ()
    event = register.event(action=action, biz_step=step, quantities=(kilos("5"),), destinations=there, **place)
    assert moved(register.facts(event)) == [(*expected, "5")]


def test_what_is_received_comes_out_of_transit(register: Any) -> None:
    """Shipped goods are in transit to where they go, and receiving them there takes them out of it."""
    there = {"quantities": (kilos("5"),), "action": Action.OBSERVE, **PAPER}
    sent = register.event(biz_step="shipping", destinations=(Typed(type="location", id="store"),), **there)
    got = register.event(biz_step="receiving", biz_location="store", **there)
    shipped, received = (register.facts(event)["documents.v1"][0] for event in (sent, got))
    assert (shipped.location, shipped.disposition) == (received.source, received.source_disposition)
    assert (received.location, received.disposition) == ("store", "")
    assert shipped.identity != received.identity


def test_a_named_source_is_believed(register: Any) -> None:
    """Where the event lists a source location, the goods come from there."""
    event = register.event(
        action=Action.OBSERVE,
        biz_step="storing",
        biz_location="dc",
        quantities=(kilos("5"),),
        sources=(Typed(type="location", id="plant"),),
    )
    assert moved(register.facts(event)) == [("plant", "dc", "5")]


def test_one_line_is_one_fact_however_often_it_is_said(register: Any) -> None:
    """On a document line the line is the identity: a corrected line replaces, a second one adds."""
    event = register.event(
        action=Action.OBSERVE, biz_step="storing", biz_location="dc", quantities=(kilos("5"),), **PAPER
    )
    fact, line = register.facts(event)["documents.v1"]
    assert (fact.identity, fact.revision) == ("desadv:77|3|storing", event.stamp.received_us)
    assert (line.lot, line.amount, line.line) == (LOT, Decimal(5), "3")


def test_without_a_line_the_event_is_the_identity(register: Any) -> None:
    """Two equal events are two facts, one event sent twice is one."""
    event = register.event(action=Action.ADD, biz_location="dc", quantities=(kilos("5"), kilos("2")))
    (fact,) = register.facts(event)["documents.v1"]
    assert (fact.identity, fact.amount) == ("hash", Decimal(7))


def test_one_lot_in_two_units_of_measure_is_two_facts(register: Any) -> None:
    """Twenty cases of together three kilos: both are kept, under identities of their own."""
    event = register.event(action=Action.ADD, biz_location="dc", quantities=(kilos("20", ""), kilos("3")))
    facts = register.facts(event)["documents.v1"]
    assert sorted((fact.uom, fact.identity) for fact in facts) == [("H87", "hash"), ("KGM", "hash|KGM")]


def test_class_level_goods_begin_a_lot(register: Any) -> None:
    """What is made by weight is in the lot's record with its amount."""
    event = register.event(action=Action.ADD, biz_location="dc", quantities=(kilos("5"),))
    (record,) = register.facts(event)["lots.v1"]
    assert (record.lot, record.code, record.amount, record.uom, record.units) == (LOT, "W", Decimal(5), "KGM", None)


def test_a_transformation_uses_up_and_makes(register: Any) -> None:
    """Inputs leave the place, outputs arrive in it."""
    used = Quantity(epc_class="01/09521234543213/10/RAW", quantity=Decimal(9), uom="KGM")
    event = register.event(
        event_type=EventType.TRANSFORMATION,
        biz_location="mill",
        input_quantities=(used,),
        output_quantities=(kilos("8"),),
    )
    assert sorted(moved(register.facts(event))) == [("", "mill", "8"), ("mill", "", "9")]


def test_a_lot_worked_into_itself_is_two_facts(register: Any) -> None:
    """What a transformation takes of a lot and what it makes of the same lot do not hide each other."""
    event = register.event(
        event_type=EventType.TRANSFORMATION,
        biz_location="mill",
        input_quantities=(kilos("9"),),
        output_quantities=(kilos("8"),),
    )
    facts = [fact for fact in register.facts(event)["documents.v1"] if fact.kind == "quantity"]
    assert sorted((fact.identity, fact.amount) for fact in facts) == [("hash", Decimal(8)), ("hash|used", Decimal(9))]


def test_a_long_document_is_an_identity_too(register: Any) -> None:
    """A line of a document with a long name has a short identity of its own, the same for its corrections."""
    document = Typed(type="po", id="https://erp.example/" + "x" * 170)
    events = [
        register.event(quantities=(kilos("7"),), documents=(document,), document_line=line, biz_location="b")
        for line in ("1", "1", "2" * 90)
    ]
    first, again, other = [
        next(fact for fact in register.facts(event)["documents.v1"] if fact.kind == "quantity") for event in events
    ]
    assert first.identity == again.identity != other.identity


def scan(register: Any, **fields: Any) -> QuantityScan:
    known: dict[str, Any] = {
        "scanner": "gun 1",
        "lot": LOT,
        "amount": Decimal("12.5"),
        "uom": "KGM",
        "raw": "]C1…",
        "biz_step": "storing",
        "read_point": "aisle",
        "location": "shelf",
        "source": "dock",
        "time_us": register.at,
        "device_time_us": register.at - 3,
        "subject": "s",
        "stamp": register.event().stamp,
    }
    return QuantityScan(**(known | fields))


def test_a_scan_moves_what_is_on_the_label(register: Any) -> None:
    """A scanned label is one case, confirmed, from and to where the scanner's job says."""
    (fact,) = register.facts(scan(register, boot="b", sequence=4))["documents.v1"]
    assert (fact.identity, fact.source, fact.location, fact.cases) == ("gun 1|b|4", "dock", "shelf", 1)
    assert fact.evidence is Evidence.CONFIRMED


def test_two_equal_labels_are_two_cases_and_one_scan_sent_twice_is_one(register: Any) -> None:
    """Without boot and sequence the device's time tells scans apart."""
    first, again = scan(register), scan(register)
    second = scan(register, device_time_us=register.at - 2)
    identities = [register.facts(item)["documents.v1"][0].identity for item in (first, again, second)]
    assert identities[0] == identities[1] != identities[2]


def test_the_dates_of_a_label_are_a_statement_about_its_lot(register: Any) -> None:
    """Labels that say the same make one statement, however many are scanned."""
    best = date(2027, 3, 1)
    records = [
        register.facts(scan(register, best_before=best, sequence=number, boot="b"))["lots.v1"][0] for number in (1, 2)
    ]
    assert records[0].best_before == best
    assert records[0].event == records[1].event
    assert not register.facts(scan(register))["lots.v1"]
