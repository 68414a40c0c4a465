"""Files of events through the capture interface."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from lotstream.readers import capture_load
from lotstream.readers.capture_load import Loaded, Order, load
from lotstream.runtime.errors import Transient
from lotstream.schemas.epcis import event_hash

Event = dict[str, Any]
GOOD: Event = {
    "type": "ObjectEvent",
    "eventTime": "2026-03-02T10:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "OBSERVE",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.1"],
}
BAD = GOOD | {"bizStep": "shipped"}


def numbered(count: int) -> list[Event]:
    return [GOOD | {"epcList": [f"urn:epc:id:sgtin:0614141.107346.{number}"]} for number in range(count)]


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """A document of events."""

    def write(*events: Any) -> Path:
        whole = {
            "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-03-02T10:00:00Z",
            "epcisBody": {"eventList": events},
        }
        path = tmp_path / "events.json"
        path.write_text(json.dumps(whole))
        return path

    return write


class Waiting(httpx.BaseTransport):
    """A gateway under test, for a client that waits for it."""

    def __init__(self, door: Any) -> None:
        self._door = door

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = self._door.client.request(
            request.method, str(request.url), content=request.read(), headers=request.headers
        )
        answer = asyncio.run(sent)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def loaded(door: Any, path: Path, **order: Any) -> Loaded:
    """Send a file to a gateway under test."""
    with httpx.Client(transport=Waiting(door), base_url="http://gateway") as client:
        return load(path, Order(**order), client=client, report=lambda _: None)


def hashes(door: Any) -> list[str]:
    return [json.loads(message.value)["event_hash"] for message in door.of("events.v1")]


def test_a_document(bench: Callable[..., Any], file: Callable[..., Path]) -> None:
    """A file goes in whole, under its own name, as a file; sent again it leaves the same facts."""
    door = bench()
    path = file(*numbered(3))
    first, again = loaded(door, path), loaded(door, path)
    assert (first.accepted, first.rejected, first.requests) == (3, 0, 1)
    assert again.accepted == 3
    assert hashes(door) == [event_hash(event) for event in numbered(3)] * 2
    stamps = [json.loads(message.value)["stamp"] for message in door.of("events.v1")]
    assert {(stamp["source"], stamp["origin"]) for stamp in stamps} == {("file:events.json", "file")}
    assert stamps[0]["request"] == stamps[3]["request"]


def test_rollback(bench: Callable[..., Any], file: Callable[..., Path]) -> None:
    """One bad event keeps the whole file out, and is named."""
    door = bench()
    found = loaded(door, file(GOOD, BAD))
    assert (found.accepted, found.rejected, found.dead_letters) == (0, 1, 0)
    assert [(one.index, one.field) for one in found.refusals] == [(1, "bizStep")]
    assert door.producer.sent == []


def test_proceed(bench: Callable[..., Any], file: Callable[..., Path]) -> None:
    """With proceed the good events go in; the bad one is named and a dead letter of the file's source."""
    door = bench()
    found = loaded(door, file(GOOD, BAD), proceed=True, source="erp")
    assert (found.accepted, found.rejected, found.dead_letters, found.source) == (1, 1, 1, "erp")
    assert found.refusals[0].index == 1
    assert len(door.of("dead-letters.v1")) == 1


@pytest.mark.parametrize("proceed", [False, True])
def test_a_large_file(
    bench: Callable[..., Any], file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, *, proceed: bool
) -> None:
    """A file larger than a request goes in parts; a bad event in its last part keeps all out unless told to proceed."""
    monkeypatch.setattr(capture_load, "PART_BYTES", 1_000)
    door = bench()
    good = loaded(door, file(*numbered(20)), proceed=proceed)
    assert (good.accepted, good.rejected) == (20, 0)
    assert good.requests == 4
    assert hashes(door) == [event_hash(event) for event in numbered(20)]
    bad = loaded(door, file(*numbered(20), BAD), proceed=proceed)
    assert [(one.index, one.field) for one in bad.refusals] == [(20, "bizStep")]
    assert (bad.accepted, bad.rejected, bad.dead_letters) == ((20, 1, 1) if proceed else (0, 1, 0))


def test_events_without_a_document(bench: Callable[..., Any], tmp_path: Path) -> None:
    """An event by itself and an array of events go in as well."""
    door = bench()
    path = tmp_path / "a.json"
    for events in (GOOD, numbered(2)):
        path.write_text(json.dumps(events))
        assert loaded(door, path).rejected == 0
    assert len(hashes(door)) == 3


def test_what_is_no_document(bench: Callable[..., Any], tmp_path: Path) -> None:
    """A file that is none is refused as a whole; with proceed its bytes are a dead letter."""
    door = bench()
    path = tmp_path / "a.json"
    path.write_text("{")
    assert [one.index for one in loaded(door, path).refusals] == [-1]
    assert door.producer.sent == []
    assert loaded(door, path, proceed=True).dead_letters == 1
    assert len(door.of("dead-letters.v1")) == 1


def test_an_absent_gateway(file: Callable[..., Path]) -> None:
    """A gateway that stays away is an outage, told when the patience is over."""
    with httpx.Client(base_url="http://127.0.0.1:9") as client, pytest.raises(Transient, match="to take events"):
        load(file(GOOD), Order(wait_s=0), client=client, report=lambda _: None)


def test_flags_come_back(bench: Callable[..., Any], file: Callable[..., Path]) -> None:
    """What the gateway finds odd is told with the position in the file."""
    found = loaded(bench(), file(GOOD | {"eventID": "urn:x:1"}, GOOD | {"eventID": "urn:x:1", "action": "DELETE"}))
    assert [(flag["index"], flag["flag"]) for flag in found.flags] == [(1, "event_id_reused")]
