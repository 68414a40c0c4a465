"""What the register makes of each kind of event."""

from decimal import Decimal
from typing import Any

import pytest

from lotstream.runtime.errors import Reason
from lotstream.schemas.events import Action, EventType, Ilmd, Quantity, SerialRange, Typed
from lotstream.schemas.identity import Relation
from lotstream.schemas.operations import parse_dead_letter
from lotstream.schemas.partitions import tag_partition
from lotstream.schemas.sightings import How, Mark

G = "09521234543213"
PALLET = "00/095212345432100018"
LOT = f"01/{G}/10/A%2F1"


def unit(serial: int | str) -> str:
    return f"01/{G}/21/{serial}"


def bound(rows: list[Any]) -> list[tuple[str, int, int, str]]:
    return [(row.subject, row.first, row.last, row.object) for row in rows]


def commission(register: Any, **fields: Any) -> Any:
    known: dict[str, Any] = {"action": Action.ADD, "biz_step": "commissioning", "ilmd": Ilmd(lot="A/1")}
    return register.event(**(known | fields))


def test_neighbouring_serials_become_one_range(register: Any) -> None:
    """Consecutive numeric serials of a list are one binding; '007' is not 7 and stands for itself."""
    serials = [unit(5), unit(3), unit(4), unit("007"), unit(9), unit("B1"), unit(4)]
    facts = register.facts(commission(register, epcs=tuple(serials)))
    assert sorted(bound(facts["identity.v1"])) == [
        (f"01/{G}", 3, 5, LOT),
        (f"01/{G}", 9, 9, LOT),
        (unit("007"), -1, -1, LOT),
        (unit("B1"), -1, -1, LOT),
    ]
    assert [record.units for record in facts["lots.v1"]] == [6]


def test_a_range_is_written_to_the_partitions_of_its_units(register: Any) -> None:
    """Each piece of a range lies where the sightings of its units lie."""
    event = commission(register, ranges=(SerialRange(gtin=G, first=4_000, last=13_000),))
    covered = 0
    for output in register.outputs(event.encode()):
        if output.topic == "identity.v1":
            for row in output.rows.rows:
                assert tag_partition(unit(row.first), 4) == output.partition == tag_partition(unit(row.last), 4)
                covered += row.last - row.first + 1
    assert covered == 9_001


def test_a_commissioning_says_where_its_units_are(register: Any) -> None:
    """Units of a commissioning with a place are declared there, at its time, under the event's own lane."""
    facts = register.facts(commission(register, epcs=(unit(1),), biz_location="plant", read_point="line"))
    (row,) = facts["sightings.v1"]
    assert (row.tag, row.form.location, row.form.context.read_point) == (unit(1), "plant", "line")
    assert (row.form.lane, row.version, row.form.how, row.first_us) == (
        "event:hash",
        (0, 11),
        How.DECLARED,
        register.at,
    )
    assert facts["lots.v1"][0].location == "plant"


def test_decommissioned_units_end_their_life(register: Any) -> None:
    """An ObjectEvent DELETE ends the lot binding of its units, whatever their lot."""
    facts = register.facts(register.event(action=Action.DELETE, biz_step="destroying", epcs=(unit(1), unit(2))))
    assert [(row.object, row.action, row.first, row.last) for row in facts["identity.v1"]] == [("", 1, 1, 2)]


def test_packing_is_told_to_both_sides(register: Any) -> None:
    """A packing is written for each child and for the parent; only the parent is declared to be at the place."""
    event = register.event(
        event_type=EventType.AGGREGATION,
        action=Action.ADD,
        parent=PALLET,
        children=(unit(1), unit(2)),
        biz_location="plant",
    )
    facts = register.facts(event)
    relations = [(row.relation, row.subject, row.object) for row in facts["identity.v1"]]
    assert sorted(relations) == [
        (Relation.PARENT, unit(1), PALLET),
        (Relation.PARENT, unit(2), PALLET),
        (Relation.CONTENT, PALLET, unit(1)),
        (Relation.CONTENT, PALLET, unit(2)),
    ]
    assert [row.tag for row in facts["sightings.v1"]] == [PALLET]


def test_unpacking_without_children_empties_the_parent(register: Any) -> None:
    """EPCIS 2.0: a DELETE without children means all of them."""
    event = register.event(event_type=EventType.AGGREGATION, action=Action.DELETE, parent=PALLET)
    (row,) = register.facts(event)["identity.v1"]
    assert (row.relation, row.subject, row.object, row.action) == (Relation.CONTENT, PALLET, "", 1)


def test_unpacking_some_class_level_goods_empties_nothing(register: Any) -> None:
    """A DELETE that names quantities only says nothing of the serialised children."""
    event = register.event(
        event_type=EventType.AGGREGATION,
        action=Action.DELETE,
        parent=PALLET,
        child_quantities=(Quantity(epc_class=LOT, quantity=Decimal(2)),),
    )
    assert not register.facts(event)["identity.v1"]


def test_shipping_declares_the_destination(register: Any) -> None:
    """Shipped units are at the destination, in transit, on the document's line, for the party that will own them."""
    event = register.event(
        action=Action.OBSERVE,
        biz_step="shipping",
        read_point="gate",
        epcs=(PALLET,),
        destinations=(Typed(type="owning_party", id="ACME"), Typed(type="location", id="store 7")),
        sources=(Typed(type="possessing_party", id="us"),),
        documents=(Typed(type="desadv", id="77"),),
        document_line="3",
    )
    facts = register.facts(event)
    (row,) = facts["sightings.v1"]
    assert (row.form.location, row.form.context.read_point) == ("store 7", "gate")
    assert row.form.declaration == ("hash", "shipping", "in_transit", "desadv:77", "3", "ACME")
    (line,) = facts["documents.v1"]
    assert (line.document, line.line, line.units, line.from_party, line.to_party, line.from_location) == (
        "desadv:77",
        "3",
        (PALLET,),
        "us",
        "ACME",
        "us",
    )


def test_receiving_takes_the_business_location(register: Any) -> None:
    """Received units are where the event says; the ship-to of the same paper changes nothing."""
    there = (Typed(type="location", id="elsewhere"),)
    event = register.event(
        action=Action.OBSERVE, biz_step="receiving", biz_location="store", epcs=(PALLET,), destinations=there
    )
    (row,) = register.facts(event)["sightings.v1"]
    assert (row.form.location, row.form.context.read_point, row.form.declaration.disposition) == ("store", "store", "")


def test_an_event_without_a_place_places_nothing(register: Any) -> None:
    """An event that names neither read point nor location makes no sighting."""
    assert not register.facts(register.event(action=Action.OBSERVE, epcs=(PALLET,)))["sightings.v1"]


def test_an_error_declaration_repeats_the_facts_as_retracted(register: Any) -> None:
    """What an error declaration repeats is marked retracted, and its sightings beat every later copy."""
    event = commission(
        register, wrong=True, epcs=(unit(1),), biz_location="plant", documents=(Typed(type="po", id="1"),)
    )
    facts = register.facts(event, 3)
    again = register.facts(event.model_copy(update={"error": None}), 9)
    assert facts["identity.v1"][0].retracted
    assert facts["lots.v1"][0].retracted
    assert facts["documents.v1"][0].retracted
    assert facts["sightings.v1"][0].marks & Mark.RETRACTED
    assert facts["sightings.v1"][0].fact == again["sightings.v1"][0].fact
    assert facts["sightings.v1"][0].version > again["sightings.v1"][0].version


def test_a_transformation_makes_units_of_its_lot(register: Any) -> None:
    """Outputs of a transformation are bound to the lot of its master data; inputs are placed, not bound."""
    event = register.event(
        event_type=EventType.TRANSFORMATION,
        inputs=(unit(90),),
        outputs=(unit(1), unit(2)),
        ilmd=Ilmd(lot="A/1"),
        biz_location="kitchen",
    )
    facts = register.facts(event)
    assert bound(facts["identity.v1"]) == [(f"01/{G}", 1, 2, LOT)]
    said = {row.tag: row.form.declaration.disposition for row in facts["sightings.v1"]}
    assert said == {unit(1): "", unit(2): "", unit(90): "consumed"}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", Reason.JSON_INVALID),
        (b"\xff\xfe", Reason.JSON_INVALID),
        (b'{"kind":"event"}', Reason.SCHEMA_INVALID),
    ],
)
def test_what_is_not_understood_goes_to_the_dead_letters(register: Any, value: bytes, reason: Reason) -> None:
    """The untouched bytes leave with the reason and their origin."""
    (output,) = register.outputs(value)
    letter = parse_dead_letter(output.headers)
    assert (output.topic, output.rows) == ("dead-letters.v1", value)
    assert (letter.reason, letter.stage, letter.origin) == (reason, "register", "events.v1:0:11")


def test_an_impossible_lot_code_is_refused_whole(register: Any) -> None:
    """A lot code that GS1 does not allow makes no half an event."""
    (output,) = register.outputs(
        commission(register, epcs=(unit(1),), ilmd=Ilmd(lot="much too long for AI 10")).encode()
    )
    assert parse_dead_letter(output.headers).reason == Reason.IDENTIFIER_INVALID


@pytest.mark.parametrize(("first", "last"), [(5, 4), (0, 1 << 24)])
def test_impossible_ranges_are_refused(register: Any, first: int, last: int) -> None:
    """A range that ends before it starts, or names more units than a plant makes, goes to the dead letters."""
    (output,) = register.outputs(commission(register, ranges=(SerialRange(gtin=G, first=first, last=last),)).encode())
    assert parse_dead_letter(output.headers).reason == Reason.VALUE_OUT_OF_RANGE
