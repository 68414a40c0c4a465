"""Documents: what is taken, what is refused with which field, and the text that is kept."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.epcis import ParsedEvent, parse_document, to_trace_event

Event = dict[str, Any]
One = Callable[..., ParsedEvent]
BARE = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-01T00:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "OBSERVE",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.1"],
}
STAMP = Stamp(received_us=1, origin=Origin.FILE, source="erp", request="r1")


def but(base: Event = BARE, /, **members: Any) -> Event:
    """The event with other members; None takes one away, two underscores are a colon."""
    named = {name.replace("__", ":"): value for name, value in members.items()}
    return {name: value for name, value in (base | named).items() if value is not None}


def test_document_kinds(shipped: Event, document: Callable[..., bytes]) -> None:
    """A document, a query's answer, an array and a bare event give the same events with the same hashes."""
    query = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "epcisBody": {"queryResults": {"queryName": "q", "resultsBody": {"eventList": [shipped, BARE]}}},
    }
    found = [
        [event.event_hash for event in parse_document(payload)]
        for payload in (
            document(shipped, BARE),
            json.dumps(query).encode(),
            json.dumps([shipped, BARE], indent=2).encode(),
            b"\xef\xbb\xbf" + json.dumps([shipped, BARE]).encode(),
        )
    ]
    (bare,) = parse_document(json.dumps(shipped).encode())
    assert len({tuple(hashes) for hashes in found}) == 1
    assert found[0][0] == bare.event_hash != ""


def test_events_are_refused_one_by_one(document: Callable[..., bytes]) -> None:
    """A bad event says why and does not hide its neighbours, whose indexes stay."""
    events = parse_document(document(BARE, 5, but(bizStep="shipped"), BARE))
    assert [event.rejected and event.rejected.field for event in events] == [None, None, "bizStep", None]
    assert [event.index for event in events] == [0, 1, 2, 3]
    assert events[1].rejected is not None
    assert events[1].text == "5"
    with pytest.raises(Rejected, match="business step"):
        to_trace_event(events[2], stamp=STAMP)
    assert to_trace_event(events[3], stamp=STAMP).stamp == STAMP


WRONG: list[tuple[Event, str | None, str]] = [
    (but(eventTime=None), "eventTime", "Expected a value, got none."),
    (but(action=None), "action", "Expected a value, got none."),
    (but(eventTimeZoneOffset="Z"), "eventTimeZoneOffset", "got 'Z'."),
    (but(eventTime="2026-01-01T00:00:00"), "eventTime", "with its offset"),
    (but(eventTime="2026-02-30T00:00:00Z"), "eventTime", "a day of the calendar"),
    (but(eventTime="1969-12-31T23:59:59Z"), "eventTime", "from 1970"),
    (but(eventTime=5), "eventTime", "Expected text, got 5."),
    (but(recordTime="now"), "recordTime", "with its offset"),
    (but(epcList=None), None, "Expected goods in epcList, quantityList, or sensorElementList with readPoint"),
    (but(epcList="urn:x:y"), "epcList", "Expected an array"),
    (but(epcList=["lot 5"]), "epcList.0", "Expected a URI, got 'lot 5'."),
    (but(epcList=["urn:x:y", ""]), "epcList.1", "Expected a URI"),
    (but(epcList=["urn:x:y", "urn:x:y"]), "epcList", "each item once"),
    (but(epcList=["urn:epc:id:sgtin:0614141.10734.1"]), "epcList.0", "13 digits"),
    (but(epcList=["https://example.com/00/106141410000001581"]), "epcList.0", "check digit"),
    (but(epcList=["urn:epc:class:lgtin:0614141.107346.1"]), "epcList.0", "the EPC of one object"),
    (but(epcList=["https://example.com/01/10614141073464/10/A"]), "epcList.0", "the EPC of one object"),
    (but(foo=1), "foo", "Expected a member of EPCIS 2.0, or an extension with its namespace, got 'foo'."),
    (but(epcis__foo=1), "epcis:foo", "Expected a member of EPCIS 2.0 or an extension"),
    (but(type="ex:Event"), "type", "Expected one of ObjectEvent"),
    (but(bizStep="shipped"), "bizStep", "Expected a business step of CBV 2.0 or a URI of another vocabulary, got 'sh"),
    (but(bizStep="https://ref.gs1.org/cbv/BizStep-juggling"), "bizStep", "a business step of CBV 2.0"),
    (but(bizStep="urn:epcglobal:cbv:bizstep:juggling"), "bizStep", "a business step of CBV 2.0"),
    (but(bizStep="cbv:Disp-active"), "bizStep", "a business step of CBV 2.0"),
    (but(disposition="lost"), "disposition", "a disposition"),
    (but(eventID="4711"), "eventID", "Expected a URI, got '4711'."),
    (but(certificationInfo=["urn:x:y", 5]), "certificationInfo.1", "Expected text, got 5."),
    (but(bizStep=None, persistentDisposition={"set": ["active", "active"]}), "persistentDisposition.set", "once"),
    (
        but(sensorElementList=[{"sensorReport": [{"type": "Speed", "exception": "FIRE"}]}]),
        "sensorElementList.0.sensorReport.0.exception",
        "a sensor alert type",
    ),
    (
        but(sensorElementList=[{"sensorReport": [{"type": "Speed", "component": "north"}]}]),
        "sensorElementList.0.sensorReport.0.component",
        "a component",
    ),
    (
        but(sensorElementList=[{"sensorReport": [{"type": "Speed", "deviceID": "dev 1"}]}]),
        "sensorElementList.0.sensorReport.0.deviceID",
        "a URI",
    ),
    (but(persistentDisposition={}), "persistentDisposition", "set or unset"),
    (but(persistentDisposition={"set": []}), "persistentDisposition.set", "at least 1"),
    (but(readPoint="urn:x:y"), "readPoint", "Expected an object"),
    (but(readPoint={"id": "urn:epc:id:sgln:0614141.00001"}), "readPoint.id", "3 parts"),
    (but(bizLocation={"id": "urn:x:" + "y" * 200}), "bizLocation.id", "at most 200"),
    (but(bizTransactionList=[{"type": "po"}]), "bizTransactionList.0.bizTransaction", "got none"),
    (but(bizTransactionList=[{"type": "order", "bizTransaction": "urn:x:y"}]), "bizTransactionList.0.type", "'order'"),
    (but(sourceList=[{"source": "urn:x:y"}]), "sourceList.0.type", "got none"),
    (but(destinationList=[{"type": "ship_to", "destination": "urn:x:y"}]), "destinationList.0.type", "'ship_to'"),
    (but(quantityList=[{"quantity": 1}]), "quantityList.0.epcClass", "got none"),
    (but(quantityList=[{"epcClass": "urn:x:y", "quantity": "1"}]), "quantityList.0.quantity", "Expected a number"),
    (but(quantityList=[{"epcClass": "urn:x:y", "quantity": True}]), "quantityList.0.quantity", "Expected a number"),
    (but(quantityList=[{"epcClass": "urn:x:y", "quantity": -1}]), "quantityList.0.quantity", "got -1."),
    (but(quantityList=[{"epcClass": "urn:x:y", "quantity": 1e12}]), "quantityList.0.quantity", "< 10^12"),
    (but(quantityList=[{"epcClass": "urn:x:y", "uom": "kg"}]), "quantityList.0.uom", "got 'kg'."),
    (but(quantityList=[{"epcClass": "urn:x:y", "ex:a": 1}]), "quantityList.0.ex:a", "a member of EPCIS 2.0"),
    (but(ilmd={"cbvmda:lotNumber": "A"}), None, "no ilmd beside action OBSERVE"),
    (but(action="ADD", ilmd={"lotNumber": "A"}), "ilmd.lotNumber", "a name with its namespace (cbvmda:lotNumber)"),
    (but(action="ADD", ilmd={"cbvmda:lotNumber": "A B"}), "ilmd.lotNumber", "GS1 set 82"),
    (but(action="ADD", ilmd={"cbvmda:lotNumber": ["A", "B"]}), "ilmd.cbvmda:lotNumber", "one text"),
    (
        but(action="ADD", ilmd={"cbvmda:lotNumber": "A", "gs1:hasBatchLotNumber": "B"}),
        "ilmd.gs1:hasBatchLotNumber",
        "Expected one value for the same thing, got A and B.",
    ),
    (but(action="ADD", ilmd={"cbvmda:itemExpirationDate": "soon"}), "ilmd.cbvmda:itemExpirationDate", "YYYY-MM-DD"),
    (but(sensorElementList=[{"sensorReport": []}]), "sensorElementList.0.sensorReport", "at least 1 item"),
    (
        but(sensorElementList=[{"sensorMetadata": {"time": "noon"}, "sensorReport": [{"type": "Speed"}]}]),
        "sensorElementList.0.sensorMetadata.time",
        "with its offset",
    ),
    (but(errorDeclaration={}), "errorDeclaration.declarationTime", "got none"),
    (
        but(errorDeclaration={"declarationTime": "2026-01-01T00:00:00Z", "reason": "oops"}),
        "errorDeclaration.reason",
        "an error reason",
    ),
    (but(ex__serialRanges=[{"gtin": "10614141073464", "first": 3, "last": 2}]), "ex:serialRanges.0.last", ">= 3"),
    (but(ex__serialRanges=[{"gtin": "10614141073465", "first": 1, "last": 2}]), "ex:serialRanges.0.gtin", "digit 4"),
    (but(ex__serialRanges=[{"gtin": "10614141073464", "first": "01", "last": 2}]), "ex:serialRanges.0.first", "zeros"),
    (but(ex__serialRanges=[{"gtin": "10614141073464"}]), "ex:serialRanges.0", "gtin, first and last"),
    (but(ex__documentLine={"no": 1}), "ex:documentLine", "one text"),
    (but(ex__lineRevision=-1), "ex:lineRevision", "a number of at most 18 digits"),
    (but(type="AggregationEvent", epcList=None, childEPCs=["urn:x:y"], action="ADD"), None, "parentID beside"),
    (but(type="AggregationEvent", epcList=None, parentID="urn:x:y"), None, "childEPCs or childQuantityList"),
    (but(type="AssociationEvent", epcList=None, childEPCs=["urn:x:y"]), "parentID", "got none"),
    (but(type="TransactionEvent"), "bizTransactionList", "got none"),
    (but(type="TransformationEvent", epcList=None, action=None), None, "inputs and outputs"),
    (but(type="TransformationEvent", epcList=None, inputEPCList=["urn:x:y"]), "action", "a member of EPCIS 2.0"),
]


@pytest.mark.parametrize(("event", "field", "words"), WRONG, ids=[f"{n}-{row[1]}" for n, row in enumerate(WRONG)])
def test_refusals(one: One, event: Event, field: str | None, words: str) -> None:
    """What is wrong with an event is said with the member's path, what was expected there, and what was got."""
    rejected = one(event).rejected
    assert rejected is not None
    assert (rejected.field, words in rejected.detail) == (field, True), rejected
    assert rejected.detail.startswith("Expected ")
    assert ", got " in rejected.detail


@pytest.mark.parametrize("name", ["bizStep", "epcList", "readPoint", "quantityList", "errorDeclaration", "eventID"])
def test_null_is_no_value(one: One, name: str) -> None:
    """A null where the standard has a value is refused, not taken for an absence."""
    rejected = one(BARE | {name: None}).rejected
    assert rejected is not None
    assert rejected.reason is Reason.SCHEMA_INVALID
    assert name in str(rejected)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.JSON_INVALID),
        (b'{"type": "ObjectEvent"', Reason.JSON_INVALID),
        (b'{"type": "ObjectEvent\xff"}', Reason.JSON_INVALID),
        (b'{"a": NaN}', Reason.JSON_INVALID),
        (b'{"a": "\\ud800"}', Reason.JSON_INVALID),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', Reason.JSON_INVALID),
        (b'{"a": 1e99999}', Reason.JSON_INVALID),
        (b'{"a": ' + b"9" * 5000 + b"}", Reason.JSON_INVALID),
        (b"[" * 5000 + b"]" * 5000, Reason.JSON_INVALID),
        (b"5", Reason.SCHEMA_INVALID),
        (b'{"type": "EPCISDocument"}', Reason.SCHEMA_INVALID),
        (b'{"type": "EPCISDocument", "@context": []}', Reason.SCHEMA_INVALID),
        (b'{"type": "EPCISQueryDocument", "@context": [], "epcisBody": {"eventList": []}}', Reason.SCHEMA_INVALID),
    ],
)
def test_documents_refused(payload: bytes, reason: Reason) -> None:
    """What is no JSON, or no document, is refused as a whole."""
    with pytest.raises(Rejected) as refused:
        parse_document(payload)
    assert refused.value.reason is reason
    assert refused.value.detail.startswith("Expected ")


def test_document_members(document: Callable[..., bytes]) -> None:
    """A document's own members are strict; extensions of it are let pass."""
    assert parse_document(document(BARE, **{"ex:note": 1, "sender": "x", "epcisHeader": {}}))
    for wrong, field in [
        ({"note": 1}, "note"),
        ({"schemaVersion": None}, "schemaVersion"),
        ({"schemaVersion": "two"}, "schemaVersion"),
        ({"creationDate": None}, "creationDate"),
        ({"epcisBody": {"events": []}}, "epcisBody.eventList"),
        ({"@context": None}, "@context"),
    ]:
        with pytest.raises(Rejected) as refused:
            parse_document(document(BARE, **wrong))
        assert refused.value.field == field


def test_deep_extensions(one: One) -> None:
    """Extensions nest as deep as anyone reads, not as deep as a sender likes."""
    deep: Any = 1
    for _ in range(200):
        deep = {"ex:a": deep}
    rejected = one(BARE | {"ex:a": deep}).rejected
    assert rejected is not None
    assert rejected.reason is Reason.DEPTH_EXCEEDED


def test_text_is_the_event_as_sent(document: Callable[..., bytes]) -> None:
    """Numbers, escapes and the order of members stay as they were written; white space between tokens goes."""
    written = (
        '{ "type" : "ObjectEvent", "ex:n" : 1.50E+2 , "eventTime": "2026-01-01T00:00:00Z",\n '
        '"ex:t": "a \\u00e9 \\"b\\" ]",'
        ' "eventTimeZoneOffset":"+00:00","action":"OBSERVE", "epcList":\t[ "urn:x:y" ] }'
    )
    whole = document().replace(b'"eventList": []', b'"eventList" : [ ' + written.encode() + b" , 5 ]")
    event = parse_document(whole)[0]
    assert event.rejected is None
    assert event.text.endswith(
        '"type":"ObjectEvent","ex:n":1.50E+2,"eventTime":"2026-01-01T00:00:00Z","ex:t":"a \\u00e9 \\"b\\" ]",'
        '"eventTimeZoneOffset":"+00:00","action":"OBSERVE","epcList":["urn:x:y"]}'
    )


@pytest.mark.parametrize("own", [None, {"own": "https://example.org/own/"}, [{"own": "https://example.org/own/"}]])
def test_text_stands_alone(one: One, shipped: Event, own: Any) -> None:
    """The kept text, taken by itself, is the same event: the document's context is part of it."""
    event = shipped | {"ex:a": "1", "own:b": {"ex:c": 2}} | ({} if own is None else {"@context": own})
    parsed = one(event)
    (again,) = parse_document(parsed.text.encode())
    assert again.rejected is None
    assert again.fields == parsed.fields
    assert again.text == parsed.text


def test_quantities_are_exact(one: One) -> None:
    """Amounts are what was written, to six decimals; the dust of binary fractions is rounded off."""
    written = [0.1, 1e3, 12, 0.30000000000000004, 999999999999.999999, 1.0000005]
    classes = [{"epcClass": f"urn:x:{n}", "quantity": number, "uom": "KGM"} for n, number in enumerate(written)]
    event = one(but(quantityList=classes))
    text = json.dumps(but(quantityList=classes)).replace("1000000000000.0", "999999999999.999999").encode()
    (exact,) = parse_document(text)
    assert event.rejected is not None  # a double cannot hold it: 10^12
    assert [quantity.quantity for quantity in exact.fields["quantities"]] == [
        Decimal(text) for text in ("0.1", "1000", "12", "0.3", "999999999999.999999", "1")
    ]
