"""Class-level goods: what events and scans move, and under which identity."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lotstream.runtime.errors import Reason
from lotstream.schemas.base import Evidence
from lotstream.schemas.documents import Effect, QuantityFact
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


STORE = (Typed(type="location", id="store"),)
RMA = (Typed(type="rma", id="9"),)


@pytest.mark.parametrize(
    ("step", "action", "given", "expected"),
    [
        ("commissioning", Action.ADD, {}, ("", "", "dc", "", Effect.MADE)),
        ("cycle_counting", Action.OBSERVE, {}, ("", "", "dc", "", Effect.COUNTED)),
        ("stock_taking", Action.OBSERVE, {}, ("", "", "dc", "", Effect.COUNTED)),
        ("cycle_counting", Action.ADD, {}, ("", "", "dc", "", Effect.ADJUSTED)),
        ("stock_taking", Action.DELETE, {}, ("dc", "", "", "", Effect.ADJUSTED)),
        ("inspecting", Action.OBSERVE, {}, ("dc", "", "dc", "", Effect.MOVED)),
        ("shipping", Action.OBSERVE, {"destinations": STORE}, ("dc", "", "store", "in_transit", Effect.MOVED)),
        ("shipping", Action.OBSERVE, {}, ("dc", "", "", "", Effect.SHIPPED)),
        ("void_shipping", Action.OBSERVE, {"destinations": STORE}, ("store", "in_transit", "dc", "", Effect.MOVED)),
        ("receiving", Action.OBSERVE, {"sources": STORE}, ("dc", "in_transit", "dc", "", Effect.MOVED)),
        ("receiving", Action.OBSERVE, {"sources": STORE, "documents": RMA}, ("store", "", "dc", "", Effect.MOVED)),
        (
            "receiving",
            Action.OBSERVE,
            {"sources": STORE, "disposition": "returned"},
            ("store", "", "dc", "", Effect.MOVED),
        ),
        ("retail_selling", Action.OBSERVE, {}, ("dc", "", "", "", Effect.SHIPPED)),
        ("dispensing", Action.DELETE, {}, ("dc", "", "", "", Effect.SHIPPED)),
        ("destroying", Action.OBSERVE, {}, ("dc", "", "", "", Effect.DESTROYED)),
        ("decommissioning", Action.DELETE, {}, ("dc", "", "", "", Effect.DESTROYED)),
        ("", Action.DELETE, {}, ("dc", "", "", "", Effect.DESTROYED)),
        ("sampling", Action.DELETE, {}, ("dc", "", "", "", Effect.CONSUMED)),
    ],
)
def test_what_an_event_means_for_the_balance(
    register: Any, step: str, action: Action, given: dict[str, Any], expected: tuple[str, ...]
) -> None:
    """Each line of the table in docs/quantities.md: where goods leave and arrive, and what that is."""
    event = register.event(action=action, biz_step=step, biz_location="dc", quantities=(kilos("5"),), **given)
    facts = [fact for fact in register.facts(event)["documents.v1"] if isinstance(fact, QuantityFact)]
    assert [(f.source, f.source_disposition, f.location, f.disposition, f.effect) for f in facts] == [expected]


def test_a_surplus_begins_no_lot(register: Any) -> None:
    """What a count adds was not made: no statement about the lot."""
    event = register.event(action=Action.ADD, biz_step="cycle_counting", biz_location="dc", quantities=(kilos("5"),))
    assert not register.facts(event)["lots.v1"]


def test_goods_made_nobody_said_where_are_made(register: Any) -> None:
    """Without a place they are on no place's books, and in the balance all the same."""
    event = register.event(action=Action.ADD, biz_step="commissioning", quantities=(kilos("5"),))
    assert [fact.effect for fact in register.facts(event)["documents.v1"]] == [Effect.MADE]


@pytest.mark.parametrize(
    ("amount", "uom", "reason"),
    [("-5", "KGM", Reason.VALUE_OUT_OF_RANGE), ("5", "kg", Reason.UNIT_UNKNOWN), ("5", "K", Reason.UNIT_UNKNOWN)],
)
def test_amounts_that_cannot_be_are_refused(register: Any, amount: str, uom: str, reason: Reason) -> None:
    """A negative quantity and a unit that no code can be go to the dead letters with their rule, the event whole."""
    event = register.event(action=Action.ADD, biz_location="dc", quantities=(kilos(amount, uom),))
    (letter,) = register.outputs(event.encode())
    assert letter.topic == "dead-letters.v1"
    assert dict(letter.headers)["reason"] == str(reason).encode()


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


def test_a_numbered_correction_outlives_what_it_corrects(register: Any) -> None:
    """A line's next revision is a fact of its own: declaring the one before wrong leaves it standing."""
    there = {"action": Action.OBSERVE, "biz_step": "storing", "biz_location": "dc", **PAPER}
    first = register.event(quantities=(kilos("5"),), **there)
    next_ = register.event(quantities=(kilos("6"),), line_revision=1, **there)
    one, other = (register.facts(event)["documents.v1"][0] for event in (first, next_))
    assert (one.identity, other.identity) == ("desadv:77|3|storing", "desadv:77|3|storing|r1")


def test_without_a_line_the_event_is_the_identity(register: Any) -> None:
    """Two equal events are two facts, one event sent twice is one."""
    event = register.event(action=Action.ADD, biz_location="dc", quantities=(kilos("5"), kilos("2")))
    (fact,) = register.facts(event)["documents.v1"]
    assert (fact.identity, fact.amount) == ("hash", Decimal(7))


def test_catch_weight_is_one_fact(register: Any) -> None:
    """Twenty cases of together three kilos are three kilos in twenty cases, never two amounts of the same goods."""
    event = register.event(action=Action.ADD, biz_location="dc", quantities=(kilos("20", "XCS"), kilos("3")))
    (fact,) = register.facts(event)["documents.v1"]
    assert (fact.identity, fact.amount, fact.uom, fact.cases) == ("hash", Decimal(3), "KGM", 20)


def test_two_measures_of_a_lot_are_two_facts(register: Any) -> None:
    """Kilograms and litres of one lot, or half a case, are kept apart under identities of their own."""
    for first, second in ((kilos("2", "KGM"), kilos("3", "LTR")), (kilos("0.5", "XCS"), kilos("3"))):
        event = register.event(action=Action.ADD, biz_location="dc", quantities=(first, second))
        facts = register.facts(event)["documents.v1"]
        assert len({fact.identity for fact in facts}) == 2 and {fact.cases for fact in facts} == {0}


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


PALLET = "00/095212345432100001"


def test_a_pallet_label_counts_what_the_pallet_holds(register: Any) -> None:
    """It is one fact however often it is scanned, the earliest scan's; the pallet's portion of the lot is inside it."""
    first, again = (scan(register, unit=PALLET, source="", cases=4, time_us=register.at + late) for late in (0, 9))
    told, later = (register.facts(item) for item in (first, again))
    (fact,), (copy,) = told["documents.v1"], later["documents.v1"]
    assert (fact.identity, fact.location, fact.effect, fact.cases) == (copy.identity, PALLET, Effect.COUNTED, 4)
    assert fact.revision > copy.revision
    bound = {(row.subject, row.object) for row in told["identity.v1"]}
    portion = f"02/{LOT[3:]}/{PALLET}"
    assert bound == {(portion, LOT), (portion, PALLET), (PALLET, portion)}


def test_a_pallet_label_takes_from_where_its_scanner_says(register: Any) -> None:
    """At a station whose job names a source, the goods leave it; another label of the pallet is another fact."""
    (fact,) = register.facts(scan(register, unit=PALLET))["documents.v1"]
    (other,) = register.facts(scan(register, unit=PALLET, amount=Decimal(9)))["documents.v1"]
    assert (fact.source, fact.location, fact.effect) == ("dock", PALLET, Effect.MOVED)
    assert fact.identity != other.identity


def test_goods_are_packed_and_unpacked(register: Any) -> None:
    """An aggregation with quantities takes them into its parent and out of it; what it only saw moves nothing."""
    given: dict[str, Any] = {"event_type": EventType.AGGREGATION, "parent": PALLET, "child_quantities": (kilos("5"),)}
    ways = {
        action: moved(register.facts(register.event(action=action, biz_location="dc", **given)))
        for action in (Action.ADD, Action.DELETE, Action.OBSERVE)
    }
    assert ways == {Action.ADD: [("dc", PALLET, "5")], Action.DELETE: [(PALLET, "dc", "5")], Action.OBSERVE: []}


def test_the_dates_of_a_label_are_a_statement_about_its_lot(register: Any) -> None:
    """Labels that say the same make one statement, however many are scanned."""
    best = date(2027, 3, 1)
    records = [
        register.facts(scan(register, best_before=best, sequence=number, boot="b"))["lots.v1"][0] for number in (1, 2)
    ]
    assert records[0].best_before == best
    assert records[0].event == records[1].event
    assert not register.facts(scan(register))["lots.v1"]
