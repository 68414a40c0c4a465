"""EPCIS documents through the gateway's process into a real broker."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system
PROCEED = {"GS1-Capture-Error-Behaviour": "proceed"}


def event(serial: int, **members: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": "2026-03-02T10:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "epcList": [f"urn:epc:id:sgtin:0614141.107346.{serial}"],
        **members,
    }


def records(doors: Any) -> list[dict[str, Any]]:
    """Business events in events.v1, without the mapping that the gateway writes there first."""
    return [value for m in doors.messages("events.v1") if (value := json.loads(m.value()))["kind"] == "event"]


def test_events_arrive_once_in_effect(doors: Callable[..., Any]) -> None:
    """What is answered is in Kafka; a retry is the same event in the same partition; a rollback leaves nothing."""
    gateway = doors()
    post = gateway.client.post
    first = post("/events", json=[event(1), event(2)], headers={"Lotstream-Source": "erp"})
    again = post("/events", json=event(1), headers={"Lotstream-Source": "erp"})
    refused = post("/events", json=[event(3), event(4, bizStep="shipped")])
    kept = post("/events", json=[event(5), event(6, bizStep="shipped")], headers=PROCEED)
    assert [answer.status_code for answer in (first, again, refused, kept)] == [201, 201, 400, 201]
    assert refused.json()["errors"][0]["field"] == "bizStep"
    hashes = Counter(record["event_hash"] for record in records(gateway))
    said = [*first.json()["events"], *kept.json()["events"]]
    assert hashes == {said[0]: 2, said[1]: 1, said[2]: 1}
    places = {m.partition() for m in gateway.messages("events.v1") if said[0].encode() in m.value()}
    assert len(places) == 1
    (letter,) = gateway.messages("dead-letters.v1")
    assert json.loads(letter.value()) == event(6, bizStep="shipped")
    assert dict(letter.headers())["field"] == b"bizStep"


def test_published_files(doors: Callable[..., Any], shared_data: Path) -> None:
    """Of every published document each event is in events.v1 or in the dead letters: nothing in between."""
    gateway = doors()
    accepted = refused = 0
    for folder in ("json", "openepcis_valid"):
        for path in sorted((shared_data / "epcis" / folder).rglob("*.json*")):
            answer = gateway.client.post("/epcis/capture", content=path.read_bytes(), headers=PROCEED)
            said = answer.json()
            assert answer.status_code in (202, 400), (path, said)
            accepted += said.get("accepted", 0)
            refused += said.get("rejected", 0)
    assert accepted > 140
    assert len(records(gateway)) == accepted
    assert len(gateway.messages("dead-letters.v1")) == refused
