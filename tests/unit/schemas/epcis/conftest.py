"""Events to start from, and a reader of EPCIS XML that is just enough to compare hashes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.epcis import Node, ParsedEvent, parse_document, to_trace_event
from lotstream.schemas.epcis.names import NAMES
from lotstream.schemas.events import TraceEvent

CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"ex": "https://example.org/ns/", "other": "urn:example:other:"},
]
STAMP = Stamp(received_us=1, origin=Origin.LIVE, source="erp", request="r1")
Event = dict[str, Any]


@pytest.fixture
def shipped() -> Event:
    """An ObjectEvent with a little of everything that most events have."""
    return {
        "type": "ObjectEvent",
        "eventTime": "2026-03-02T10:00:10.5+01:00",
        "eventTimeZoneOffset": "+01:00",
        "epcList": ["urn:epc:id:sgtin:0614141.107346.2018", "urn:epc:id:sscc:0614141.1000000158"],
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "readPoint": {"id": "urn:epc:id:sgln:0614141.00777.0"},
        "bizLocation": {"id": "urn:epc:id:sgln:0614141.00777.dock-2"},
        "bizTransactionList": [
            {"type": "po", "bizTransaction": "http://transaction.example.com/po/12345678"},
            {"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:0614141000012:1152"},
        ],
        "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 200.50, "uom": "KGM"}],
        "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:0614141.00777"}],
        "destinationList": [{"type": "location", "destination": "urn:epc:id:sgln:4012345.00225.0"}],
    }


@pytest.fixture
def commissioned() -> Event:
    """An ObjectEvent ADD with master data."""
    return {
        "type": "ObjectEvent",
        "eventTime": "2026-03-02T09:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": ["urn:epc:id:sgtin:0614141.107346.1", "urn:epc:id:sgtin:0614141.107346.2"],
        "action": "ADD",
        "bizStep": "commissioning",
        "ilmd": {"cbvmda:lotNumber": "B-12/7", "cbvmda:itemExpirationDate": "2026-09-30"},
    }


@pytest.fixture
def document() -> Callable[..., bytes]:
    """Events as the bytes of an EPCISDocument."""

    def build(*events: Any, context: Any = CONTEXT, **more: Any) -> bytes:
        whole = {
            "@context": context,
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-03-02T10:00:00Z",
            "epcisBody": {"eventList": list(events)},
        }
        return json.dumps({name: value for name, value in (whole | more).items() if value is not None}).encode()

    return build


@pytest.fixture
def one(document: Callable[..., bytes]) -> Callable[..., ParsedEvent]:
    """One event, parsed within a document."""

    def parse(event: Any, **more: Any) -> ParsedEvent:
        (parsed,) = parse_document(document(event, **more))
        return parsed

    return parse


@pytest.fixture
def traced(one: Callable[..., ParsedEvent]) -> Callable[..., TraceEvent]:
    """One event as a record of events.v1."""

    def parse(event: Any, **more: Any) -> TraceEvent:
        return to_trace_event(one(event, **more), stamp=STAMP)

    return parse


@pytest.fixture
def xml_events() -> Callable[[Path], list[Node]]:
    """Trees of the events in an EPCIS XML document."""

    def read(file: Path) -> list[Node]:
        root = ElementTree.fromstring(file.read_bytes())
        return [_node(event) for found in root.iter("EventList") for event in found.iter() if event.tag[-5:] == "Event"]

    return read


def _node(element: ElementTree.Element) -> Node:
    attributes = [
        Node(name, NAMES.iri(text)) for name, text in element.attrib.items() if "XMLSchema-instance" not in name
    ]
    children = (*attributes, *map(_node, element))
    return Node(element.tag, NAMES.iri((element.text or "").strip()), children)
