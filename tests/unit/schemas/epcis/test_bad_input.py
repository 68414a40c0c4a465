"""The table of docs/epcis.md, row by row: what is refused by which rule, what is taken with which flag."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lotstream.schemas.epcis import check_document

NOW_US = 1_772_445_610_000_000  # 2026-03-02T10:00:10Z
PAGE = (Path(__file__).parents[4] / "docs" / "epcis.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## Bad input")[2]
ROWS = {
    what: (done.startswith("refused"), rule.strip("` "))
    for what, done, rule in re.findall(r"^\| ([^|]+) \| ((?:refused|taken)[^|]*) \| ?([^|]*?) ?\|$", TABLE, re.M)
}
Event = dict[str, Any]
GOOD: Event = {
    "@context": {"ex": "https://example.org/ns/"},
    "type": "ObjectEvent",
    "eventTime": "2026-01-01T00:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "ADD",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.1"],
}


def one(**members: Any) -> list[bytes]:
    """The event with other members; a None takes one away."""
    named = {name.replace("__", ":"): value for name, value in members.items()}
    return [json.dumps({name: value for name, value in (GOOD | named).items() if value is not ...}).encode()]


def epcs(*uris: str) -> list[bytes]:
    return [payload for uri in uris for payload in one(epcList=[uri])]


def pair(**members: Any) -> list[bytes]:
    """An event with an id, and another."""
    return [json.dumps([GOOD | {"eventID": "urn:uuid:1"}, GOOD | {"eventID": "urn:uuid:1"} | members]).encode()]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"ex:a": value}
    return value


def sensed(**report: Any) -> list[bytes]:
    return one(sensorElementList=[{"sensorReport": [{"type": "Speed"} | report]}])


def amount(**element: Any) -> list[bytes]:
    return one(quantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.012345.A"} | element])


def document(version: str) -> bytes:
    head = {"type": "EPCISDocument", "schemaVersion": version, "creationDate": "2026-01-01T00:00:00Z"}
    return json.dumps(head | {"@context": [], "epcisBody": {"eventList": [GOOD]}}).encode()


CASES: dict[str, list[bytes]] = {
    "no JSON, not UTF-8, `NaN`": [b"", b"{", b"\xff\xfe", b'{"type": NaN}', b'{"type": "Object"}}'],
    "JSON nested beyond 1,000 levels": [b"[" * 1_100 + b"]" * 1_100, b'{"a":' * 3_000 + b"1" + b"}" * 3_000],
    "extensions nested beyond 64 levels": one(ex__a=nested(70)),
    "a member twice in one object": [one()[0].replace(b'"action"', b'"action": "DELETE", "action"')],
    "an event id twice in one event": [
        one(eventID="urn:uuid:1")[0].replace(b'"eventID"', b'"eventID": "urn:uuid:2", "eventID"')
    ],
    "a null where the standard has a value": [*one(bizStep=None), *one(readPoint={"id": None}), *sensed(value=None)],
    "a number beyond 10^400": [one(ex__a=1)[0].replace(b'"ex:a": 1', b'"ex:a": 1e401')],
    "a member that EPCIS does not have, without a namespace": [*one(color="red"), *sensed(colour=1)],
    "a bare word that CBV does not have": [*one(bizStep="shipped"), *one(bizStep="Shipping")],
    "a word in CBV's own space that CBV does not have, or has for another field": [
        *one(disposition="https://ref.gs1.org/cbv/Disp-lost"),
        *one(disposition="urn:epcglobal:cbv:disp:lost"),
        *one(disposition="cbv:BizStep-shipping"),
    ],
    "a parent that is its own child, however it is spelt": one(
        type="AggregationEvent",
        epcList=...,
        parentID="https://a.b/00/106141410000001580",
        childEPCs=["urn:epc:id:sscc:0614141.1000000158"],
    ),
    "an ObjectEvent or TransactionEvent that names no goods": [
        *one(epcList=[]),
        *one(epcList=[], quantityList=[]),
        *one(epcList=[], ex__serialRanges=[]),
        *one(type="TransactionEvent", bizTransactionList=[{"bizTransaction": "urn:x:1"}], epcList=[]),
    ],
    "an ObjectEvent that names no goods but sensor elements": one(
        epcList=[], sensorElementList=[{"sensorReport": [{"type": "Speed"}]}]
    ),
    "a word under somebody else's name": one(bizStep="https://example.com/steps/juggling"),
    "a bare measurement type, alert or component that CBV does not have": [
        *sensed(type="Taste"),
        *sensed(exception="FIRE"),
        *sensed(component="north"),
    ],
    "a measurement type of a draft of CBV": sensed(type="EffectiveDoseRate"),
    "a wrong check digit, in a URN or a link": epcs(
        "https://id.gs1.org/00/106141410000001581", "https://a.b/01/10614141073465/21/1"
    ),
    "a key of a wrong length": epcs("urn:epc:id:sgtin:0614141.10734.1", "https://id.gs1.org/00/10614141000000158"),
    "a class or lot where one object is meant": epcs(
        "urn:epc:class:lgtin:0614141.107346.1", "https://a.b/01/10614141073464"
    ),
    "one object where a class or lot is meant": [
        *amount(epcClass="urn:epc:id:sgtin:4012345.012345.A"),
        *amount(epcClass="https://id.gs1.org/00/106141410000001580"),
    ],
    "an EPC of a scheme that GS1 does not have": epcs("urn:epc:id:sgtn:0614141.107346.1", "urn:epc:id:"),
    "an identifier that is no URI": epcs("4711", "lot 5", ""),
    "a lot code with characters that AI (10) does not have": one(ilmd={"cbvmda:lotNumber": "A B"}),
    "ILMD beside another action than ADD": one(action="OBSERVE", ilmd={"cbvmda:lotNumber": "A"}),
    "a negative quantity": amount(quantity=-1),
    "a quantity with a fraction and no unit of measure, or a unit of measure without a quantity": [
        *amount(quantity=1.5),
        *amount(uom="KGM"),
    ],
    "a `@context` that is no address and no names": [
        *one(**{"@context": 5}),
        *one(**{"@context": [[{"ex": "urn:x:"}]]}),
    ],
    "a document of another version than 2": [document("1.2"), document("3.0")],
    "a unit of measure that is no code of UN/CEFACT Recommendation 20 by its form": amount(quantity=1, uom="kg"),
    "a code of that form of which nothing is known": amount(quantity=1.5, uom="KMG"),
    "a time without an offset": one(eventTime="2026-01-01T00:00:00"),
    "an event before 1970 or after 2100": [
        *one(eventTime="1969-12-31T23:59:59Z"),
        *one(eventTime="2100-01-02T00:00:00Z"),
    ],
    "a production date before 1970 or after 2100": [
        *one(ilmd={"cbvmda:productionDate": "1900-01-01"}),
        *one(ilmd={"cbvmda:productionDate": "9999-12-31T00:00:00Z"}),
    ],
    "an event more than 48 hours ahead of the clock": one(eventTime="2026-03-04T10:01:00Z"),
    "an event up to 48 hours ahead of the clock": one(eventTime="2026-03-04T10:00:00Z"),
    "an event id with other contents": pair(action="DELETE"),
    "the same contents under another id": pair(eventID="urn:uuid:2"),
    "an extension under an unknown prefix": one(my__note="x"),
}


def test_the_page_lists_these() -> None:
    """Every row of the page has its cases, and every case its row."""
    assert set(ROWS) == set(CASES)


@pytest.mark.parametrize("what", CASES)
def test_bad_input(what: str) -> None:
    """What is refused has a fault of its rule; what is taken has none, and the flag that the page names."""
    refused, named = ROWS[what]
    for payload in CASES[what]:
        found = check_document(payload, now_us=NOW_US)
        rules = {fault.rule.value for fault in found.faults}
        flags = {flag.flag.value for flag in found.flags}
        if refused:
            assert named in rules, (payload[:200], found.faults)
        else:
            assert (rules, named in flags or not named) == (set(), True), (payload[:200], found)
