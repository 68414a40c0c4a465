"""What an event becomes in events.v1: keys, bare words, UTC, master data, and the subject that partitions it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lotstream.schemas.events import EVENTS, Action, EventType, Ilmd, Quantity, SerialRange, TraceEvent, Typed

Event = dict[str, Any]
Traced = Callable[..., TraceEvent]


def test_object_event(shipped: Event, traced: Traced) -> None:
    """Every member lands in its field, as a key, a bare word or an instant."""
    event = traced(shipped)
    assert event.event_type is EventType.OBJECT
    assert event.action is Action.OBSERVE
    assert event.event_time_us == 1_772_442_010_500_000
    assert event.event_time_zone_offset == "+01:00"
    assert event.epcs == ("01/10614141073464/21/2018", "00/106141410000001580")
    assert event.quantities == (
        Quantity(epc_class="01/04012345123456/10/998877", quantity=Decimal("200.5"), uom="KGM"),
    )
    assert (event.biz_step, event.disposition) == ("shipping", "in_transit")
    assert (event.read_point, event.biz_location) == ("414/0614141007776", "414/0614141007776/254/dock-2")
    assert event.documents == (
        Typed(type="po", id="http://transaction.example.com/po/12345678"),
        Typed(type="desadv", id="urn:epcglobal:cbv:bt:0614141000012:1152"),
    )
    assert event.sources == (Typed(type="owning_party", id="417/0614141007776"),)
    assert event.destinations == (Typed(type="location", id="414/4012345002256"),)
    assert event.subject == "10614141073464"
    assert EVENTS.validate_json(event.encode()) == event


def test_five_types(traced: Traced) -> None:
    """Each event type fills the fields of its own goods."""
    when = {"eventTime": "2026-01-01T00:00:00Z", "eventTimeZoneOffset": "+00:00"}
    lot = {"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": 3}
    packed = traced(
        when
        | {
            "type": "AggregationEvent",
            "action": "ADD",
            "parentID": "urn:epc:id:sscc:0614141.1000000158",
            "childEPCs": ["urn:epc:id:sgtin:0614141.107346.1"],
            "childQuantityList": [lot],
        }
    )
    assert (packed.parent, packed.children) == ("00/106141410000001580", ("01/10614141073464/21/1",))
    assert packed.child_quantities == (Quantity(epc_class="01/04012345123456/10/A", quantity=Decimal(3)),)
    bound = traced(
        when | {"type": "AssociationEvent", "action": "DELETE", "parentID": "urn:epc:id:grai:4012345.55555.987"}
    )
    assert (bound.event_type, bound.parent) == (EventType.ASSOCIATION, "8003/04012345555554987")
    ordered = traced(
        when
        | {
            "type": "TransactionEvent",
            "action": "ADD",
            "bizTransactionList": [{"bizTransaction": "urn:x:po:1"}],
            "epcList": ["urn:epc:id:sgtin:0614141.107346.1"],
        }
    )
    assert (ordered.documents, ordered.epcs) == ((Typed(type="", id="urn:x:po:1"),), ("01/10614141073464/21/1",))
    made = traced(
        when
        | {
            "type": "TransformationEvent",
            "transformationID": "urn:x:mix:1",
            "inputEPCList": ["urn:epc:id:sgtin:0614141.107346.1"],
            "inputQuantityList": [lot],
            "outputEPCList": ["urn:epc:id:sgtin:4012345.077889.25"],
            "outputQuantityList": [{"epcClass": "urn:epc:idpat:sgtin:4012345.077889.*"}],
            "ilmd": {"cbvmda:lotNumber": "MIX-1"},
        }
    )
    assert (made.action, made.transformation_id) == (None, "urn:x:mix:1")
    assert (made.inputs, made.outputs) == (("01/10614141073464/21/1",), ("01/04012345778892/21/25",))
    assert made.input_quantities[0].epc_class == "01/04012345123456/10/A"
    assert made.output_quantities == (Quantity(epc_class="01/04012345778892"),)
    assert made.ilmd == Ilmd(lot="MIX-1")


@pytest.mark.parametrize(
    ("epc", "key"),
    [
        ("urn:epc:id:sgtin:0614141.107346.007", "01/10614141073464/21/007"),
        ("urn:epc:id:sgtin:0614141.107346.7%2F8", "01/10614141073464/21/7%2F8"),
        ("https://any.shop/gtin/01/10614141073464/10/A/21/7?17=260101", "01/10614141073464/21/7"),
        ("https://id.gs1.org/8004/4000001111", "8004/4000001111"),
        ("urn:epc:id:gid:95100000.12345.400", "hex/355AB1C60003039000000190"),
        ("urn:epc:raw:96.x30395DFA82D6B28000000190", "01/03583787441381/21/400"),
        ("urn:epc:id:bic:CSQU3054383", "uri/urn%3Aepc%3Aid%3Abic%3ACSQU3054383"),
        ("urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8", "uri/urn%3Auuid%3A374d95fc-9457-4a51-bd6a-0bba133845a8"),
        ("https://example.com/assets/42", "uri/https%3A%2F%2Fexample.com%2Fassets%2F42"),
        ("https://example.com/01/not-a-gtin", "uri/https%3A%2F%2Fexample.com%2F01%2Fnot-a-gtin"),
        ("ex:thing", "uri/https%3A%2F%2Fexample.org%2Fns%2Fthing"),
    ],
)
def test_keys_of_objects(traced: Traced, shipped: Event, epc: str, key: str) -> None:
    """A GS1 identifier is its key however it is written; any other URI is `uri/` and itself as one segment."""
    (found,) = traced(shipped | {"epcList": [epc]}).epcs
    assert found == key


def test_long_private_uris(traced: Traced, shipped: Event) -> None:
    """A private URI too long for a key keeps its beginning and is told apart by its hash."""
    one, two = (traced(shipped | {"epcList": [f"urn:x:{'/' * 300}{n}"]}).epcs[0] for n in (1, 2))
    assert one != two
    assert len(one) <= 400
    assert one.startswith("uri/urn%3Ax%3A")


def test_one_unit_twice(traced: Traced, shipped: Event) -> None:
    """A unit written in two ways is one unit."""
    epcs = ["urn:epc:id:sgtin:0614141.107346.2018", "https://example.com/01/10614141073464/21/2018"]
    assert traced(shipped | {"epcList": epcs}).epcs == ("01/10614141073464/21/2018",)


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("receiving", "receiving"),
        ("cbv:BizStep-receiving", "receiving"),
        ("urn:epcglobal:cbv:bizstep:receiving", "receiving"),
        ("https://ref.gs1.org/cbv/BizStep-receiving", "receiving"),
        ("https://ns.gs1.org/cbv/BizStep-receiving", "receiving"),
        ("ex:juggling", "https://example.org/ns/juggling"),
        ("https://example.com/cbv/BizStep-juggling", "https://example.com/cbv/BizStep-juggling"),
    ],
)
def test_words(traced: Traced, shipped: Event, written: str, word: str) -> None:
    """A word of CBV is bare however it is spelt; anything else is its whole URI."""
    assert traced(shipped | {"bizStep": written}).biz_step == word


def test_master_data(traced: Traced, commissioned: Event) -> None:
    """Lot, dates and description are understood by the names of CBV and of the GS1 vocabulary, prefixed or whole."""
    cbv = traced(
        commissioned
        | {
            "ilmd": {
                "cbvmda:lotNumber": "B-12/7",
                "cbvmda:itemExpirationDate": "2026-09-30",
                "cbvmda:bestBeforeDate": "2026-08-31T00:00:00+02:00",
                "cbvmda:productionDate": "2026-03-01",
                "cbvmda:descriptionShort": "Ready meal, 400 g",
                "ex:supplierLotNumber": "S-9",
                "ex:anything": {"ex:else": [1, 2]},
            }
        }
    )
    voc = traced(
        commissioned
        | {
            "ilmd": {
                "https://gs1.org/voc/hasBatchLotNumber": [{"@value": "B-12/7"}],
                "gs1:expirationDate": "2026-09-30",
                "urn:epcglobal:cbv:mda:bestBeforeDate": "2026-08-31",
                "gs1:productionDate": "2026-03-01T01:00:00+01:00",
                "gs1:productName": "Ready meal, 400 g",
                "other:supplierLot": "S-9",
            }
        }
    )
    assert cbv.ilmd == voc.ilmd
    assert cbv.ilmd == Ilmd(
        lot="B-12/7",
        description="Ready meal, 400 g",
        produced_us=1_772_323_200_000_000,
        expires=date(2026, 9, 30),
        best_before=date(2026, 8, 31),
        supplier_lot="S-9",
    )


@pytest.mark.parametrize("lot", [123, "123"])
def test_lot_of_digits(traced: Traced, commissioned: Event, lot: Any) -> None:
    """A lot code that looks like a number is a code."""
    ilmd = traced(commissioned | {"ilmd": {"cbvmda:lotNumber": lot}}).ilmd
    assert ilmd == Ilmd(lot="123")


def test_foreign_master_data(traced: Traced, commissioned: Event) -> None:
    """A lot in a private namespace is not understood; a redefined cbvmda prefix is a slip, not another meaning."""
    assert traced(commissioned | {"ilmd": {"ex:lotNumber": "A"}}).ilmd is None
    slip = traced(commissioned | {"ilmd": {"cbvmda:lotNumber": "A"}}, context={"cbvmda": "http://example.com/cbvmda/"})
    assert slip.ilmd == Ilmd(lot="A")


def test_lots_outside_gs1(traced: Traced, commissioned: Event) -> None:
    """Where no GTIN is concerned, a lot code may be any text."""
    ilmd = {"cbvmda:lotNumber": "Lot 5 of 2026"}
    assert traced(commissioned | {"epcList": ["urn:x:y"], "ilmd": ilmd}).ilmd == Ilmd(lot="Lot 5 of 2026")


def test_extensions_understood(traced: Traced, commissioned: Event) -> None:
    """Document line, its revision and serial ranges are lifted from whatever namespace they come in."""
    event = traced(
        commissioned
        | {
            "ex:documentLine": 10,
            "ex:lineRevision": 2,
            "other:serialRanges": [
                {"gtin": "10614141073464", "first": 1, "last": "999"},
                {"other:gtin": "4012345123456", "other:first": 0, "other:last": 0},
            ],
        }
    )
    assert (event.document_line, event.line_revision) == ("10", 2)
    assert event.ranges == (
        SerialRange(gtin="10614141073464", first=1, last=999),
        SerialRange(gtin="04012345123456", first=0, last=0),
    )


def test_error_declaration(traced: Traced, shipped: Event) -> None:
    """A retraction has the hash and subject of what it retracts, and says when and why."""
    wrong = shipped | {
        "eventID": "urn:uuid:1",
        "errorDeclaration": {
            "declarationTime": "2026-03-05T00:00:00Z",
            "reason": "urn:epcglobal:cbv:er:did_not_occur",
            "correctiveEventIDs": ["urn:uuid:2"],
            "ex:by": "someone",
        },
    }
    said, retracted = traced(shipped), traced(wrong)
    assert retracted.error is not None
    assert (retracted.error.reason, retracted.error.corrective) == ("did_not_occur", ("urn:uuid:2",))
    assert (said.event_hash, said.subject) == (retracted.event_hash, retracted.subject)
    assert said.error is None


def test_sensor_event(traced: Traced) -> None:
    """A sensor at a place needs no goods; what it measured stays in the text."""
    event = traced(
        {
            "type": "ObjectEvent",
            "eventTime": "2026-01-01T00:00:00Z",
            "eventTimeZoneOffset": "+00:00",
            "action": "OBSERVE",
            "readPoint": {"id": "geo:52.5,13.4", "ex:floor": 2},
            "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4.5, "ex:raw": "x"}], "ex:n": 1}],
        }
    )
    assert event.read_point == "geo:52.5,13.4"
    assert '"value":4.5' in event.text
    assert event.subject == event.event_hash


def test_subjects(traced: Traced, shipped: Event, commissioned: Event) -> None:
    """The subject is a function of the content: parent, else GTIN of the first object, else the hash."""
    assert traced(commissioned).subject == "10614141073464"
    reordered = commissioned | {"epcList": commissioned["epcList"][::-1]}
    assert traced(reordered).subject == traced(commissioned).subject
    pallet = shipped | {"epcList": ["urn:epc:id:sscc:0614141.1000000158"], "quantityList": []}
    assert traced(pallet).subject == traced(pallet).event_hash
    goods = shipped | {"epcList": []}
    assert traced(goods).subject == "04012345123456"
    ranged = commissioned | {"epcList": [], "ex:serialRanges": [{"gtin": "10614141073464", "first": 1, "last": 2}]}
    assert traced(ranged).subject == "10614141073464"
    packed = {
        "type": "AggregationEvent",
        "eventTime": "2026-01-01T00:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "parentID": "https://example.com/00/106141410000001580",
        "childEPCs": ["urn:epc:id:sgtin:0614141.107346.1"],
    }
    assert traced(packed).subject == "00/106141410000001580"
    assert traced({name: value for name, value in packed.items() if name != "parentID"}).subject == "10614141073464"
