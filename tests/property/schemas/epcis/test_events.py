"""Events of every shape: order, spelling and white space mean nothing, and what is kept says it all."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.epcis import parse_document, to_trace_event
from lotstream.schemas.epcis.canonical import canonical_uri
from lotstream.schemas.epcis.cut import compact, first, items, members
from lotstream.schemas.epcis.keys import epc_key
from lotstream.schemas.events import EVENTS
from lotstream.schemas.identifiers import key_to_epc_uri, tag_key

STAMP = Stamp(received_us=1, origin=Origin.LIVE, source="erp", request="r")
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CBV = "https://ref.gs1.org/cbv/"

serial = st.one_of(
    st.integers(0, 10**18).map(str),
    st.text("0123456789ABCxyz!%&/<>?\"'()*+,-.:;=_", min_size=1, max_size=20),
)
sgtin = serial.map(lambda text: f"01/10614141073464/21/{_escaped(text)}")
sscc = st.sampled_from(["00/106141410000001580", "00/106141412345678908", "00/006141411234567890"])
lot = st.text("0123456789ABCxyz-/.", min_size=1, max_size=20).map(lambda text: f"01/04012345123456/10/{_escaped(text)}")
scalars = st.one_of(st.text(max_size=8), st.integers(-(10**6), 10**6), st.booleans())
extension = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["ex:a", "ex:b", "ex:c"]), inner, max_size=3),
    ),
    max_leaves=8,
)


def _escaped(text: str) -> str:
    return "".join(char if char.isalnum() or char in "-._~" else f"%{ord(char):02X}" for char in text)


def _urn(key: str) -> str:
    return key_to_epc_uri(key, company_prefix_length=7)


def _link(key: str) -> str:
    return f"https://shop.example/a/{key}?17=260101"


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    event: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventTime": "2026-03-02T10:00:10.5+01:00",
        "eventTimeZoneOffset": "+01:00",
        "action": "ADD",
        "epcList": [_urn(key) for key in draw(st.lists(st.one_of(sgtin, sscc), unique=True, min_size=1, max_size=6))],
        "quantityList": [
            {"epcClass": _urn(key), "quantity": draw(st.integers(0, 999)), "uom": "KGM"}
            for key in draw(st.lists(lot, max_size=4))
        ],
        "bizStep": draw(st.sampled_from(["shipping", "receiving", "commissioning"])),
        "bizTransactionList": [
            {"type": kind, "bizTransaction": f"urn:x:{number}"}
            for kind, number in draw(st.lists(st.tuples(st.sampled_from(["po", "inv"]), st.integers(0, 5)), max_size=4))
        ],
        "readPoint": {"id": "urn:epc:id:sgln:0614141.00777.0", "ex:gate": draw(scalars)},
        "ilmd": {f"ex:{name}": draw(extension) for name in draw(st.lists(st.sampled_from("pqr"), unique=True))},
        "ex:said": draw(extension),
    }
    names = draw(st.lists(st.sampled_from(["bizTransactionList", "readPoint", "ilmd", "ex:said", "bizStep"])))
    return {name: value for name, value in event.items() if name not in names}


def document(event: Any, **layout: Any) -> bytes:
    whole = {
        "@context": {"ex": "https://example.org/ns/"},
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-02T10:00:00Z",
        "epcisBody": {"eventList": [event]},
    }
    return json.dumps(whole, **layout).encode()


def parsed(event: Any, **layout: Any) -> Any:
    (found,) = parse_document(document(event, **layout))
    assert found.rejected is None, found.rejected
    return found


def shuffled(value: Any, draw: st.DrawFn) -> Any:
    """Members and list items in another order."""
    if isinstance(value, dict):
        return {name: shuffled(value[name], draw) for name in draw(st.permutations(list(value)))}
    if isinstance(value, list):
        return [shuffled(item, draw) for item in draw(st.permutations(value))]
    return value


def respelt(event: dict[str, Any]) -> dict[str, Any]:
    """The same event in Digital Links, Web URIs and UTC."""
    found = event | {
        "eventTime": "2026-03-02T09:00:10.500Z",
        "epcList": [_link(tag_key(uri)) for uri in event["epcList"]],
        "quantityList": [
            one | {"epcClass": _link(tag_key(one["epcClass"])), "quantity": float(one["quantity"])}
            for one in event["quantityList"]
        ],
    }
    if "bizStep" in event:
        found["bizStep"] = f"{CBV}BizStep-{event['bizStep']}"
    if "bizTransactionList" in event:
        found["bizTransactionList"] = [
            one | {"type": f"urn:epcglobal:cbv:btt:{one['type']}"} for one in event["bizTransactionList"]
        ]
    if "readPoint" in event:
        found["readPoint"] = event["readPoint"] | {"id": "https://a.b/414/0614141007776"}
    return found


@QUICK
@given(events(), st.data())
def test_order_and_spelling_mean_nothing(event: dict[str, Any], data: st.DataObject) -> None:
    """Any permutation of members and lists, in any spelling, is the same event with the same subject."""
    one, other = (
        parsed(event),
        parsed(shuffled(respelt(event), data.draw), indent=data.draw(st.sampled_from([None, 2]))),
    )
    assert one.event_hash == other.event_hash
    assert one.fields["subject"] == other.fields["subject"]
    assert sorted(one.fields["epcs"]) == sorted(other.fields["epcs"])


@QUICK
@given(events())
def test_what_is_kept_says_it_all(event: dict[str, Any]) -> None:
    """A record of events.v1 survives its encoding, and its text is the event again."""
    found = parsed(event)
    record = to_trace_event(found, stamp=STAMP)
    assert EVENTS.validate_json(record.encode()) == record
    assert json.loads(record.text) == {"@context": {"ex": "https://example.org/ns/"}} | event
    (again,) = parse_document(record.text.encode())
    assert again.fields == found.fields


@QUICK
@given(events(), sgtin)
def test_another_object_is_another_event(event: dict[str, Any], key: str) -> None:
    """An object more changes the hash."""
    epcs = [*event["epcList"], _urn(key)]
    if len(set(epcs)) == len(epcs):
        assert parsed(event | {"epcList": epcs}).event_hash != parsed(event).event_hash


@given(serial)
def test_numbered_serials_take_the_same_way(text: str) -> None:
    """The short way for serials that are numbers gives the key that every other producer gives."""
    key = f"01/10614141073464/21/{_escaped(text)}"
    for uri in (_urn(key), f"https://id.gs1.org/{key}", f"https://a.b/c/01/10614141073464/10/L/21/{_escaped(text)}"):
        assert epc_key(uri) == tag_key(uri) == key
        assert canonical_uri(uri) == f"https://id.gs1.org/{key}"


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=20,
)


@QUICK
@given(json_values, st.sampled_from([None, 0, 3]))
def test_cutting_json(value: Any, indent: int | None) -> None:
    """Members and items are found where they stand, and a text without white space means the same."""
    text = f" {json.dumps(value, indent=indent)}\n"
    start = first(text)
    assert json.loads(compact(text)) == value
    if isinstance(value, dict):
        assert {name: json.loads(text[slice(*span)]) for name, span in members(text, start)} == value
    if isinstance(value, list):
        assert [json.loads(text[slice(*span)]) for span in items(text, start)] == value
