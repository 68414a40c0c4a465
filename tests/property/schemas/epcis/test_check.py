"""Events of all types, spoilt by chance: what is checked is what is captured, and disorder changes no hash."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotstream.runtime.errors import Rejected
from lotstream.schemas.epcis import check_document, hash_document, parse_document

NOW_US = 1_772_445_610_000_000  # 2026-03-02T10:00:10Z
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Event = dict[str, Any]
SERIALS = [f"urn:epc:id:sgtin:0614141.107346.{number}" for number in range(3)]
LOTS = [
    {"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": 2.50, "uom": "KGM"},
    {"epcClass": "https://a.b/01/04012345123456/10/B", "quantity": 3},
]
COMMON: Event = {
    "eventTime": "2026-03-02T10:00:00.1234+01:00",
    "eventTimeZoneOffset": "+01:00",
    "bizStep": "shipping",
    "disposition": "cbv:Disp-in_transit",
    "persistentDisposition": {"set": ["recalled", "damaged"], "unset": ["active"]},
    "readPoint": {"id": "urn:epc:id:sgln:0614141.00777.0", "ex:gate": "7"},
    "bizLocation": {"id": "https://a.b/414/0614141007776"},
    "bizTransactionList": [
        {"type": "po", "bizTransaction": "urn:x:1"},
        {"bizTransaction": "urn:epc:id:gdti:0614141.06012.1234"},
    ],
    "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:0614141.00777"}],
    "destinationList": [
        {"type": "location", "destination": "urn:epc:id:sgln:4012345.00225.0"},
        {"type": "owning_party", "destination": "urn:epc:id:pgln:4012345.00225"},
    ],
    "sensorElementList": [
        {
            "sensorMetadata": {"time": "2026-03-02T09:00:00Z", "deviceID": "urn:epc:id:giai:4000001.111", "ex:a": 1},
            "sensorReport": [
                {"type": "Temperature", "value": 26.0, "uom": "CEL", "component": "x"},
                {"type": "Speed", "booleanValue": True, "ex:b": ["2", "1.50"]},
            ],
        },
        {"sensorReport": [{"type": "Mass", "exception": "ALARM_CONDITION"}], "ex:c": "d"},
    ],
    "ex:said": [{"ex:b": "1", "ex:a": [1, 2.0, True]}, "text"],
}
EVENTS: list[Event] = [
    COMMON | {"type": "ObjectEvent", "action": "ADD", "epcList": SERIALS, "ilmd": {"cbvmda:lotNumber": "A", "ex:z": 1}},
    COMMON
    | {
        "type": "AggregationEvent",
        "action": "ADD",
        "parentID": "urn:epc:id:sscc:0614141.1234567890",
        "childEPCs": SERIALS,
        "childQuantityList": LOTS,
    },
    COMMON | {"type": "TransactionEvent", "action": "OBSERVE", "epcList": SERIALS, "quantityList": LOTS},
    COMMON
    | {
        "type": "TransformationEvent",
        "inputEPCList": SERIALS,
        "inputQuantityList": LOTS,
        "outputQuantityList": LOTS,
        "transformationID": "urn:epc:id:gdti:0614141.12345.400",
        "ilmd": {"cbvmda:lotNumber": "A"},
    },
    COMMON | {"type": "AssociationEvent", "action": "DELETE", "parentID": SERIALS[0], "childEPCs": SERIALS[1:]},
]
JUNK = st.sampled_from([None, "", "some text", "word", 5, -1.5, True, [], {}, ["x", "x"], {"a": 1}, {"ex:a": None}])
JUNK |= st.sampled_from([{"@context": None}, {"@context": {"ex": "urn:x:"}, "id": "urn:x:y"}, "http://[1/01/1/21/1"])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in inner for found in ((*path, key), *places(item, (*path, key)))]


def document(*events: Event, indent: int | None = None) -> bytes:
    whole = {
        "@context": {"ex": "https://example.org/ns/"},
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-02T10:00:00Z",
        "epcisBody": {"eventList": events},
    }
    return json.dumps(whole, indent=indent).encode()


def disordered(value: Any, draw: st.DrawFn) -> Any:
    """Members and items in another order, white space around texts."""
    if isinstance(value, dict):
        return {name: disordered(value[name], draw) for name in draw(st.permutations(list(value)))}
    if isinstance(value, list):
        return [disordered(item, draw) for item in draw(st.permutations(value))]
    return value


@QUICK
@given(st.sampled_from(EVENTS), st.data())
def test_checked_is_captured(event: Event, data: st.DataObject) -> None:
    """However an event is spoilt, it has a fault exactly when capture refuses it, and each fault stands somewhere."""
    spoilt = copy.deepcopy(event)
    for _ in range(data.draw(st.integers(0, 2))):
        *path, last = data.draw(st.sampled_from(places(spoilt) or [("type",)]))
        holder = spoilt
        for part in path:
            holder = holder[part]
        if data.draw(st.booleans()):
            holder[last] = copy.deepcopy(data.draw(JUNK))  # it may be spoilt further, and is drawn again
        else:
            del holder[last]
    payload = document(spoilt)
    try:
        refused = parse_document(payload)[0].rejected is not None
    except Rejected:
        refused = True
    faults = check_document(payload, now_us=NOW_US).faults
    assert bool(faults) == refused, (spoilt, faults)
    assert all(fault.pointer.startswith("/epcisBody/eventList/0") for fault in faults)


@QUICK
@given(st.sampled_from(EVENTS), st.data())
def test_disorder_means_nothing(event: Event, data: st.DataObject) -> None:
    """Members, items and white space in any order give one hash, for every type of event."""
    assert not check_document(document(event), now_us=NOW_US).faults
    other = document(disordered(event, data.draw), indent=data.draw(st.sampled_from([None, 1])))
    assert hash_document(other) == hash_document(document(event)) != [""]


@QUICK
@given(st.sampled_from(EVENTS), st.data())
def test_white_space_around_values_means_nothing(event: Event, data: st.DataObject) -> None:
    """White space at the ends of a value is no part of it (CBV 2.0 section 8.9, rule 5)."""
    texts = [path for path in places(event) if isinstance(value_at(event, path), str) and path[0] != "type"]
    padded = copy.deepcopy(event)
    *path, last = data.draw(st.sampled_from(texts))
    holder = value_at(padded, tuple(path))
    holder[last] = f" {holder[last]}\n"
    assert hash_document(document(padded)) == hash_document(document(event))


def value_at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        value = value[part]
    return value
