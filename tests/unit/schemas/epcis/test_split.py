"""A document in parts: the same events with their own bytes, under the same names."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lotstream.runtime.errors import Rejected
from lotstream.schemas.epcis import hash_document
from lotstream.schemas.epcis.split import parts_of

EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-01T00:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "OBSERVE",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.1"],
}
EVENTS = [EVENT | {"ex:n": number, "ex:t": 'é ] } \\ " ,'} for number in range(10)]


@pytest.mark.parametrize(("most_bytes", "most_events"), [(1, 9), (600, 9), (10**6, 3), (10**6, 10**6)])
@pytest.mark.parametrize("indent", [None, 2])
def test_parts(document: Callable[..., bytes], most_bytes: int, most_events: int, indent: int | None) -> None:
    """However it is cut, the parts hold all events in order, each with the hash that it has in the whole."""
    for whole in (document(*EVENTS), json.dumps(EVENTS, indent=indent).encode()):
        parts = list(parts_of(whole, most_bytes=most_bytes, most_events=most_events))
        hashes = [one for part in parts for one in hash_document(part.body)]
        assert hashes == hash_document(whole)
        assert "" not in hashes
        assert [part.first for part in parts] == [sum(p.events for p in parts[:n]) for n in range(len(parts))]
        assert all(part.events <= most_events for part in parts)
        assert {part.is_document for part in parts} == {whole.startswith(b"{")}


def test_bytes_stay(document: Callable[..., bytes]) -> None:
    """An event keeps its own spelling: white space, escapes, numbers."""
    written = '{ "ex:n" : 1.50E+2,\n"ex:t":"caf\\u00e9" }'
    whole = document().replace(b'"eventList": []', b'"eventList" : [ ' + written.encode() + b" ]")
    (part,) = parts_of(whole, most_bytes=10, most_events=10)
    assert written.encode() in part.body


@pytest.mark.parametrize(
    "value",
    [
        b"{",
        b'{"type": "EPCISDocument"}',
        b'{"type": "ObjectEvent"}',
        b'{"type": "EPCISDocument", "epcisBody": [], "@context": []}',
        b'{"type": "EPCISDocument", "@context": [], "epcisBody": {"eventList": [], "eventList": [1]}}',
    ],
)
def test_what_cannot_be_cut(value: bytes) -> None:
    """What has no list of events, or has it twice, is not cut: nothing of it may get lost."""
    with pytest.raises(Rejected):
        list(parts_of(value, most_bytes=10, most_events=10))
