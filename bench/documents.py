"""`python -m bench.documents`: how long a document of events takes from POST /capture until everything is durable.

The gateway's own process takes it behind HTTP and answers when Kafka has every event (acks=all). The least of the turns
counts: what a neighbour on the machine takes only ever adds. Exits 1 when a document is not captured whole or takes a
second or more of wall time.
"""

import argparse
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import orjson

from bench.door import Door, running_door
from lotstream.runtime.settings import Settings

EPCS = 10  # in an event
ALLOWED_S = 1.0
_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_TOPIC = Settings().topics.name("events.v1")
Event = dict[str, Any]


def _head(kind: str, number: int, *, start: float) -> Event:
    told = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start - number))
    return {"type": kind, "eventTime": f"{told}.{number % 1_000:03}Z", "eventTimeZoneOffset": "+01:00"}


def _epcs(number: int) -> list[str]:
    return [f"urn:epc:id:sgtin:4012345.012345.{number * EPCS + each}" for each in range(EPCS)]


def observed(number: int, *, start: float) -> Event:
    """An ObjectEvent as a line writes it."""
    return _head("ObjectEvent", number, start=start) | {
        "epcList": _epcs(number),
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987"},
        "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000115:1152"}],
    }


def packed(number: int, *, start: float) -> Event:
    """An AggregationEvent: a pallet and what is on it."""
    return _head("AggregationEvent", number, start=start) | {
        "parentID": f"urn:epc:id:sscc:4012345.{number:010}",
        "childEPCs": _epcs(number),
        "action": "ADD",
        "bizStep": "packing",
        "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987"},
    }


def document(event: Callable[..., Event], events: int, *, start: float) -> bytes:
    """An EPCISDocument of such events, each another one."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start))
    head = {"@context": [_CONTEXT], "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": created}
    return orjson.dumps(head | {"epcisBody": {"eventList": [event(n, start=start) for n in range(events)]}})


def measure(door: Door, event: Callable[..., Event], *, events: int, turns: int) -> bool:
    """Print the least wall and CPU time of one document; whether all of it was captured in the time allowed."""
    walls, costs, whole = list[float](), list[float](), True
    began = time.time()
    for turn in range(turns):
        body = document(event, events, start=began - turn * events)  # contents that were not there before
        sent, cpu_s, started = door.sent(_TOPIC), door.cpu_s(), time.perf_counter()
        answer = door.post("/capture", body, X_Request_Id=uuid.uuid4().hex).json()
        walls.append(time.perf_counter() - started)
        costs.append(door.cpu_s() - cpu_s)
        whole &= answer["success"] and door.sent(_TOPIC) - sent == events
    row = {
        "workload": "document",
        "events": f"{events} {event(0, start=began)['type']}s of {EPCS} EPCs",
        "acknowledged_s": round(min(walls), 3),
        "cpu_s": round(min(costs), 3),
        "whole": whole,
    }
    print(orjson.dumps(row).decode(), flush=True)
    return whole and min(walls) < ALLOWED_S


def main() -> int:
    """Both kinds of events; the exit code."""
    parser = argparse.ArgumentParser(prog="bench.documents", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000, help="events in the document")
    parser.add_argument("--turns", type=int, default=10)
    given = parser.parse_args()
    with running_door() as door:
        held = [measure(door, event, events=given.events, turns=given.turns) for event in (observed, packed)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
