"""The EPCIS doors: a document of events becomes records of events.v1, or the answer says what is wrong with each."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from lotstream.readers.world.formats import event_posts
from lotstream.readers.world.plan import Booking, Scale, World
from lotstream.schemas.epcis import event_hash
from lotstream.schemas.events import EVENTS, TraceEvent
from lotstream.schemas.operations import parse_dead_letter
from lotstream.schemas.partitions import partition_of

Event = dict[str, Any]
PROCEED = {"GS1_Capture_Error_Behaviour": "proceed"}
GOOD = {
    "type": "ObjectEvent",
    "eventTime": "2026-03-02T10:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "OBSERVE",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.1"],
}
BAD = GOOD | {"epcList": ["urn:epc:id:sgtin:0614141.107346.1", "https://a.b/00/106141410000001581"]}


def document(*events: Event) -> Event:
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-02T10:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def post(door: Any, path: str, body: Any, **headers: str) -> httpx.Response:
    answer = asyncio.run(door.post(path, body, **headers))
    assert isinstance(answer, httpx.Response)
    return answer


def records(bench: Any) -> list[TraceEvent]:
    found = [EVENTS.validate_json(message.value) for message in bench.of("events.v1")]
    return [record for record in found if isinstance(record, TraceEvent)]


def test_capture(bench: Callable[..., Any]) -> None:
    """A document's events are in events.v1 when the answer comes: by subject, stamped with their source."""
    door = bench()
    answer = post(door, "/epcis/capture", document(GOOD), Lotstream_Source="erp", X_Request_Id="r-7")
    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 1,
        "rejected": 0,
        "events": [event_hash(GOOD)],
        "errors": [],
        "request": "r-7",
    }
    (record,) = records(door)
    assert (record.stamp.source, record.stamp.request, record.stamp.received_us) == ("erp", "r-7", door.clock.now)
    assert record.stamp.origin == "live"
    (message,) = door.of("events.v1")
    assert message.key == b"10614141073464"
    assert message.partition == partition_of("10614141073464", 4)


@pytest.mark.parametrize("body", [GOOD, [GOOD], document(GOOD)])
def test_events(bench: Callable[..., Any], body: Any) -> None:
    """One event, an array of them and a document are taken by the door of events."""
    door = bench()
    answer = post(door, "/events", body)
    assert answer.status_code == 201
    assert [record.event_hash for record in records(door)] == answer.json()["events"] == [event_hash(GOOD)]


def test_sent_again(bench: Callable[..., Any]) -> None:
    """The same event sent again, spelt otherwise, is the same event in the same partition."""
    door = bench()
    post(door, "/events", GOOD)
    again = GOOD | {"epcList": ["https://a.b/01/10614141073464/21/1"], "eventTime": "2026-03-02T11:00:00+01:00"}
    post(door, "/events", again)
    first, second = records(door)
    assert (first.event_hash, first.subject) == (second.event_hash, second.subject)
    assert len({message.partition for message in door.of("events.v1")}) == 1


def test_rollback(bench: Callable[..., Any]) -> None:
    """Without a word from the sender one bad event means that none is taken, and each bad one is named."""
    door = bench()
    answer = post(door, "/epcis/capture", document(GOOD, BAD, GOOD | {"bizStep": "shipped"}))
    said = answer.json()
    assert answer.status_code == 400
    assert (said["accepted"], said["rejected"]) == (0, 2)
    assert [(error["index"], error["field"]) for error in said["errors"]] == [(1, "epcList.1"), (2, "bizStep")]
    assert (said["error"], said["field"]) == ("check_digit_invalid", "epcList.1")
    assert said["errors"][1]["expected"] == "a business step of CBV 2.0 or a URI of another vocabulary"
    assert said["errors"][1]["got"] == "'shipped'"
    assert door.producer.sent == []


def test_proceed(bench: Callable[..., Any]) -> None:
    """With proceed the good events are taken, and each bad one is a dead letter with its bytes and its reason."""
    door = bench()
    answer = post(door, "/epcis/capture", document(GOOD, BAD), Lotstream_Source="erp", **PROCEED)
    said = answer.json()
    assert answer.status_code == 202
    assert answer.headers["GS1-Capture-Error-Behaviour"] == "proceed"
    assert (said["accepted"], said["rejected"]) == (1, 1)
    assert len(records(door)) == 1
    (letter,) = door.of("dead-letters.v1")
    assert json.loads(letter.value) == BAD
    found = parse_dead_letter(letter.headers)
    assert (found.reason, found.field, found.source, found.stage) == (
        "check_digit_invalid",
        "epcList.1",
        "erp",
        "gateway",
    )


def test_no_document(bench: Callable[..., Any]) -> None:
    """What is no EPCIS at all is refused with 400; with proceed its bytes are kept as well."""
    door = bench()
    for body in (b"{", b'{"type": "EPCISDocument"}'):
        assert post(door, "/epcis/capture", body).status_code == 400
    assert door.producer.sent == []
    said = post(door, "/epcis/capture", b"{", **PROCEED)
    assert (said.status_code, said.json()["error"]) == (400, "json_invalid")
    assert (said.json()["accepted"], said.json()["rejected"]) == (0, 1)
    (letter,) = door.of("dead-letters.v1")
    assert letter.value == b"{"


def test_untouched_bytes(bench: Callable[..., Any]) -> None:
    """A refused event keeps the very bytes it had in its document: white space, escapes, spelling of numbers."""
    door = bench()
    bad = '{ "type" : "ObjectEvent",\n\t"eventTime":"caf\\u00e9", "ex:n": 1.50 }'
    body = f'{{"@context": [], "x:y": 1, "type": "no"}}, {bad} '
    post(door, "/events", f"[{body}]".encode(), **PROCEED)
    letters = door.of("dead-letters.v1")
    assert [letter.value.decode() for letter in letters] == ['{"@context": [], "x:y": 1, "type": "no"}', bad]


def test_behaviour_has_two_words(bench: Callable[..., Any]) -> None:
    """Another error behaviour than the standard's two is the caller's mistake."""
    answer = post(bench(), "/events", GOOD, GS1_Capture_Error_Behaviour="ignore")
    assert (answer.status_code, answer.json()["field"]) == (400, "GS1-Capture-Error-Behaviour")


def test_too_large_an_event(bench: Callable[..., Any]) -> None:
    """An event that no broker takes is refused with 413, and the answer says how to name a run."""
    many = [f"urn:epc:id:sgtin:0614141.107346.{serial}" for serial in range(15_000)]
    door = bench()
    answer = post(door, "/events", GOOD | {"epcList": many})
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    assert door.producer.sent == []


def test_unavailable(bench: Callable[..., Any], failing: Any) -> None:
    """While Kafka does not take it, the sender hears 503 and when to try again."""
    answer = post(bench(failing), "/epcis/capture", document(GOOD))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_the_world(bench: Callable[..., Any]) -> None:
    """Everything that the simulated world's ERP says is understood, lots, lines and parties included."""
    door = bench()
    world = World(Scale(lots=2, pallets=3, items=4, weight_lots=1, cases=6))
    events = [one.event for one in world.happenings() if isinstance(one, Booking)]
    for sent in event_posts(events, source="erp"):
        assert post(door, sent.path, sent.body).json()["rejected"] == 0
    found = records(door)
    assert len({record.event_hash for record in found}) == len(events)
    assert {record.ilmd.lot for record in found if record.ilmd} == {lot.code for lot in world.tagged}
    shipped = [record for record in found if record.biz_step == "shipping"]
    assert shipped
    assert all(record.document_line and record.documents and record.destinations for record in shipped)
