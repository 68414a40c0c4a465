"""A large document in parts that are documents themselves: its head, and some of its events with their own bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.epcis import cut
from lotstream.schemas.epcis.document import EVENT_LISTS

_HEAD = '{"@context":%s,"type":"EPCISDocument","schemaVersion":"2.0","creationDate":%s,"epcisBody":{"eventList":['


@dataclass(frozen=True, slots=True)
class Part:
    """A body for the capture interface. `first`: position in the whole document of its first event."""

    body: bytes
    first: int
    events: int
    is_document: bool


def parts_of(value: bytes, *, most_bytes: int, most_events: int) -> Iterator[Part]:
    """Parts of at most so many bytes (one event may be larger) and events, in order.

    Raises Rejected for what cannot be taken apart without losing something: no JSON, no list of events, a member twice.
    """
    text = _text(value)
    start = cut.first(text)
    if text[start] == "[":
        head, tail, spans = "[", "]", cut.items(text, start)
    else:
        head, spans = _document(text, start)
        tail = "]}}"
    first = size = 0
    held: list[str] = []
    for span in spans:
        event = text[slice(*span)]
        # a character may be four bytes; the bound is the sender's own, not the gateway's last word
        if held and (size + len(event) > most_bytes or len(held) == most_events):
            yield _part(head, held, tail, first=first)
            first, size, held = first + len(held), 0, []
        held.append(event)
        size += len(event)
    if held:
        yield _part(head, held, tail, first=first)


def _part(head: str, events: list[str], tail: str, *, first: int) -> Part:
    return Part(f"{head}{','.join(events)}{tail}".encode(), first, len(events), head != "[")


def _text(value: bytes) -> str:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Rejected(Reason.JSON_INVALID, f"Expected JSON in UTF-8, got {error}.") from None
    return value.decode("utf-8-sig")


def _document(text: str, start: int) -> tuple[str, Iterator[cut.Span]]:
    """The head of each part, and where the events are."""
    members = _members(text, start)
    kind = orjson.loads(text[slice(*members["type"])]) if "type" in members else None
    path = EVENT_LISTS.get(kind, ()) if isinstance(kind, str) else ()
    held = members
    for name in path[:-1]:
        held = _members(text, held[name][0]) if name in held and text[held[name][0]] == "{" else {}
    found = held.get(path[-1]) if path else None
    if found is None or text[found[0]] != "[" or "@context" not in members:
        raise Rejected(Reason.SCHEMA_INVALID, "Expected a list of events with its @context, got another thing.")
    created = text[slice(*members["creationDate"])] if "creationDate" in members else '"1970-01-01T00:00:00Z"'
    return _HEAD % (text[slice(*members["@context"])], created), cut.items(text, found[0])


def _members(text: str, start: int) -> dict[str, cut.Span]:
    found: dict[str, cut.Span] = {}
    for name, span in cut.members(text, start):
        if name in found:
            raise Rejected(Reason.JSON_INVALID, f"Expected each member once, got {name!r} twice.")
        found[name] = span
    return found
