"""A checked document: all its faults, each at its place with its rule."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lotstream.runtime.errors import Rejected
from lotstream.schemas.epcis import check_document, event_hash, hash_document, parse_document
from lotstream.schemas.epcis.flags import IMPLAUSIBLE_US, Oddity
from lotstream.schemas.epcis.rules import Rule

Event = dict[str, Any]
NOW_US = 1_772_445_610_000_000  # 2026-03-02T10:00:10Z
LIST = "/epcisBody/eventList"
GOOD: Event = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-01T00:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "OBSERVE",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.1"],
}
BAD: Event = {
    "type": "ObjectEvent",
    "eventTime": "yesterday",
    "action": "PACK",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.1", "https://a.b/00/106141410000001581", None],
    "bizStep": "shipped",
    "disposition": 5,
    "quantityList": [{"epcClass": "urn:x:y", "quantity": -1, "uom": "kg"}, {"quantity": "1"}],
    "readPoint": {"id": "dock 1"},
    "bizTransactionList": [{"type": "order", "bizTransaction": "urn:x:1"}],
    "ilmd": {"lotNumber": "A", "cbvmda:itemExpirationDate": "soon"},
    "sensorElementList": [{"sensorReport": [{"type": "Speed", "value": "1", "component": "north"}]}],
    "errorDeclaration": {"reason": "oops"},
    "colour": "red",
    "a/b~c": 1,
    "ex:deep.name": {"ex:documentLine": 1},
}


def faults(payload: bytes) -> dict[str, Rule]:
    return {fault.pointer: fault.rule for fault in check_document(payload, now_us=NOW_US).faults}


def test_a_good_document(document: Callable[..., bytes]) -> None:
    """A document without a fault has none, and each event its hash."""
    found = check_document(document(GOOD, GOOD | {"action": "ADD"}), now_us=NOW_US)
    assert (found.faults, found.flags) == ([], [])
    assert found.hashes == [event_hash(GOOD), event_hash(GOOD | {"action": "ADD"})]


def test_all_faults_of_an_event(document: Callable[..., bytes]) -> None:
    """Every bad value of an event is a fault of its own, at its place in the document, with its rule."""
    at = f"{LIST}/1"
    assert faults(document(GOOD, BAD)) == {
        at: Rule.REQUIRED,
        f"{at}/eventTime": Rule.TIME,
        f"{at}/action": Rule.ACTION,
        f"{at}/epcList/1": Rule.CHECK_DIGIT,
        f"{at}/epcList/2": Rule.FORM,
        f"{at}/bizStep": Rule.BIZ_STEP,
        f"{at}/disposition": Rule.FORM,
        f"{at}/quantityList/0/quantity": Rule.QUANTITY,
        f"{at}/quantityList/0/uom": Rule.UNIT_OF_MEASURE,
        f"{at}/quantityList/1": Rule.REQUIRED,
        f"{at}/quantityList/1/quantity": Rule.FORM,
        f"{at}/readPoint/id": Rule.LOCATION,
        f"{at}/bizTransactionList/0/type": Rule.BIZ_TRANSACTION,
        f"{at}/ilmd/lotNumber": Rule.ILMD,
        f"{at}/ilmd/cbvmda:itemExpirationDate": Rule.ILMD,
        f"{at}/sensorElementList/0/sensorReport/0/value": Rule.FORM,
        f"{at}/sensorElementList/0/sensorReport/0/component": Rule.SENSOR,
        f"{at}/errorDeclaration": Rule.REQUIRED,
        f"{at}/errorDeclaration/reason": Rule.ERROR_DECLARATION,
        f"{at}/colour": Rule.UNKNOWN_MEMBER,
        f"{at}/a~1b~0c": Rule.UNKNOWN_MEMBER,
    }


def test_a_missing_member_is_named(document: Callable[..., bytes]) -> None:
    """Where a member is missing the fault names it, and points at what lacks it."""
    event = {name: value for name, value in GOOD.items() if name != "eventTimeZoneOffset"}
    (fault,) = check_document(document(event), now_us=NOW_US).faults
    assert (fault.pointer, fault.expected, fault.got) == (f"{LIST}/0", "eventTimeZoneOffset: a value", "none")


def test_members_that_depend_on_each_other(document: Callable[..., bytes]) -> None:
    """What members demand of each other is said also of an event with other faults, at the event itself."""
    event = GOOD | {"ilmd": {"cbvmda:lotNumber": "A"}, "bizStep": "shipped"}
    found = check_document(document(event), now_us=NOW_US).faults
    assert [(one.pointer, one.rule) for one in found] == [
        (f"{LIST}/0/bizStep", Rule.BIZ_STEP),
        (f"{LIST}/0", Rule.CONDITION),
    ]
    assert "7.4.2" in found[1].section


def test_faults_around_the_events(document: Callable[..., bytes]) -> None:
    """A bad head hides no bad event, and the other way round."""
    whole = json.loads(document(GOOD | {"type": "Event"}))
    whole |= {"creationDate": "2026", "schemaVersion": "two", "surplus": 1}
    del whole["@context"]
    assert faults(json.dumps(whole).encode()) == {
        "": Rule.REQUIRED,
        "/schemaVersion": Rule.DOCUMENT,
        "/creationDate": Rule.TIME,
        "/surplus": Rule.UNKNOWN_MEMBER,
        f"{LIST}/0/type": Rule.EVENT_TYPE,
    }


def test_members_twice() -> None:
    """Every member that is there twice is a fault, wherever it stands."""
    text = json.dumps([GOOD]).replace('"action"', '"epcList": [], "action"')
    text = text.replace('"OBSERVE"', '"OBSERVE", "readPoint": {"id": "urn:x:1", "id": "urn:x:2"}')
    assert faults(text.encode()) == {"/0/epcList": Rule.MEMBER_TWICE, "/0/readPoint/id": Rule.MEMBER_TWICE}


@pytest.mark.parametrize(
    "payload", [b"", b"{", b'{"type": NaN}', b"\xff", b"[" * 5_000, b'{"a":' * 2_000 + b"1" + b"}" * 2_000]
)
def test_no_json(payload: bytes) -> None:
    """What is no JSON, or is JSON without bottom, is one fault of the whole."""
    assert faults(payload) == {"": Rule.JSON}


def test_extensions_without_bottom(document: Callable[..., bytes]) -> None:
    """Extensions inside one another beyond 64 levels are refused."""
    deep: Any = 1
    for _ in range(100):
        deep = {"ex:a": deep}
    assert faults(document(GOOD | {"ex:a": deep})) == {f"{LIST}/0": Rule.DEPTH}


def test_the_far_future(document: Callable[..., bytes]) -> None:
    """An event two days ahead of the clock is refused; one that is an hour ahead is taken and flagged."""
    hour = check_document(document(GOOD | {"eventTime": "2026-03-02T11:00:10Z"}), now_us=NOW_US)
    assert (hour.faults, [flag.flag for flag in hour.flags]) == ([], [Oddity.TIME_AHEAD])
    late = GOOD | {"eventTime": "2026-03-04T10:00:11Z"}
    assert faults(document(late)) == {f"{LIST}/0/eventTime": Rule.TIME_IMPLAUSIBLE}
    assert not check_document(document(late), now_us=NOW_US + IMPLAUSIBLE_US).faults


def test_oddities(document: Callable[..., bytes]) -> None:
    """An id with other contents, the same contents again, a word and a prefix that nobody knows: valid, and told."""
    named = GOOD | {"eventID": "urn:uuid:1"}
    sensed = {"readPoint": {"id": "urn:x:1"}, "sensorElementList": [{"sensorReport": [{"type": "EffectiveDoseRate"}]}]}
    found = check_document(document(named, named | {"action": "ADD"}, GOOD, GOOD | sensed | {"my:a": 1}), now_us=NOW_US)
    assert found.faults == []
    assert [(flag.index, flag.flag) for flag in found.flags] == [
        (1, Oddity.EVENT_ID_REUSED),
        (2, Oddity.SAME_EVENT),
        (3, Oddity.WORD_UNKNOWN),
        (3, Oddity.PREFIX_UNDEFINED),
    ]


def test_an_error_declaration_repeats_the_id(document: Callable[..., bytes]) -> None:
    """An event declared wrong has the id and the contents of its event: no id is reused."""
    named = GOOD | {"eventID": "urn:uuid:1"}
    declared = named | {"errorDeclaration": {"declarationTime": "2026-01-02T00:00:00Z", "reason": "did_not_occur"}}
    flags = check_document(document(named, declared), now_us=NOW_US).flags
    assert [flag.flag for flag in flags] == [Oddity.SAME_EVENT]


def test_checked_is_captured(shared_data: Path) -> None:
    """A published document has a fault exactly when capture refuses it or one of its events."""
    now_us = time.time_ns() // 1_000
    for path in sorted((shared_data / "epcis").rglob("*.json*")):
        if "schema" in path.parts or path.name == "cbv.json":
            continue
        payload = path.read_bytes()
        try:
            refused = any(event.rejected for event in parse_document(payload))
        except Rejected:
            refused = True
        assert bool(check_document(payload, now_us=now_us).faults) == refused, path.name


def test_hashes_of_a_document_with_faults(document: Callable[..., bytes]) -> None:
    """A fault that leaves an event readable leaves it a hash; what is no event has none, in its place."""
    odd = GOOD | {"epcList": ["https://a.b/00/106141410000001581"]}
    bare = GOOD | {"sensorElementList": [{"sensorReport": [{"value": 1}]}], "readPoint": {"id": "urn:x:1"}}
    hashes = hash_document(document(GOOD, odd, bare, {"type": "ObjectEvent"}, GOOD | {"epcList": 5}, 5))
    assert hashes == [event_hash(GOOD), event_hash(odd), event_hash(bare), "", "", ""]
