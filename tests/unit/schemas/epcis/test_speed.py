"""A capture of the usual size does not hold up the gateway."""

import time
from typing import Any

from lotstream.schemas.epcis import parse_document


def test_two_hundred_events_of_fifty(document: Any) -> None:
    """200 events with 50 EPCs each, none seen before, are parsed and hashed within a second of processor time."""
    events = [
        {
            "type": "AggregationEvent",
            "eventTime": "2026-01-01T00:00:00.123+01:00",
            "eventTimeZoneOffset": "+01:00",
            "action": "ADD",
            "bizStep": "packing",
            "parentID": f"urn:epc:id:sscc:0614141.1{number:09d}",
            "childEPCs": [f"urn:epc:id:sgtin:0614141.107346.{7_000_000 + number * 50 + n}" for n in range(50)],
            "readPoint": {"id": "urn:epc:id:sgln:0614141.00001.0"},
        }
        for number in range(200)
    ]
    payload = document(*events)
    started = time.process_time()
    parsed = parse_document(payload)
    seconds = time.process_time() - started
    assert len({event.event_hash for event in parsed}) == 200
    assert seconds < 1.0
