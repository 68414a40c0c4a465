"""The events of the history, out again as they came in."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lotstream.recall.export import event_texts
from lotstream.recall.store import History
from lotstream.runtime.errors import Rejected
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.epcis import parse_document, to_trace_event

STAMP = Stamp(received_us=1_763_370_000_000_000, origin=Origin.FILE, source="erp", request="r1")


def valid_documents(shared: Path) -> list[Path]:
    """Published documents of which nothing is refused."""
    found = []
    for name in ("json", "openepcis_valid"):
        for path in sorted((shared / "epcis" / name).rglob("*.json*")):
            try:
                if not any(event.rejected for event in parse_document(path.read_bytes())):
                    found.append(path)
            except Rejected:
                continue
    return found


def events_of(path: Path) -> list[Any]:
    value = json.loads(path.read_bytes())
    body = value.get("epcisBody", {})
    return body.get("queryResults", {}).get("resultsBody", body).get("eventList") or [value]


def plain(event: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in event.items() if name != "@context"}, sort_keys=True)


def test_every_published_event_comes_back(warehouse: Any, server_settings: Any, shared_data: Path) -> None:
    """Each event of every valid document is exported with every member that it was sent with, each fact once."""
    paths = valid_documents(shared_data)
    assert len(paths) > 80
    sent: dict[tuple[str, bool], set[str]] = {}
    for path in paths:
        parsed = parse_document(path.read_bytes())
        warehouse.put("events", [to_trace_event(one, stamp=STAMP).encode() for one in parsed])
        for one, event in zip(parsed, events_of(path), strict=True):
            sent.setdefault((one.event_hash, "errorDeclaration" in event), set()).add(plain(event))
    with History(server_settings) as history:
        texts = list(event_texts(history, page=7))
    assert len(texts) == len(sent)
    for text in texts:
        (again,) = parse_document(text.encode())
        event = json.loads(text)
        assert plain(event) in sent[again.event_hash, "errorDeclaration" in event]


def test_a_part_of_the_events(warehouse: Any, server_settings: Any) -> None:
    """Bounds of event time and a source narrow what is exported."""
    event = {
        "type": "ObjectEvent",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "epcList": ["urn:epc:id:sgtin:0614141.107346.1"],
    }
    for day in (1, 2, 3):
        (one,) = parse_document(json.dumps(event | {"eventTime": f"2026-01-0{day}T00:00:00Z"}).encode())
        warehouse.put("events", [to_trace_event(one, stamp=STAMP).encode()])
    with History(server_settings) as history:
        days = {json.loads(text)["eventTime"][8:10] for text in event_texts(history)}
        assert days == {"01", "02", "03"}
        since, until = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
        assert [json.loads(text)["eventTime"][8:10] for text in event_texts(history, since=since, until=until)] == [
            "02"
        ]
        assert list(event_texts(history, source="another")) == []
