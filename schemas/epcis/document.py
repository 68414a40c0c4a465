"""EPCIS 2.0 documents in JSON: each event valid and ready for events.v1, or with the reason why it is not.

Taken: EPCISDocument, EPCISQueryDocument (the events it found), one event, an array of events.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import Stamp, first_error
from lotstream.schemas.epcis import cut
from lotstream.schemas.epcis.conditions import broken_conditions
from lotstream.schemas.epcis.content import Fields, fields_of, subject_of
from lotstream.schemas.epcis.keys import is_uri
from lotstream.schemas.epcis.members import own_members, standard_members
from lotstream.schemas.epcis.models import DOCUMENT, EVENT, AnyEvent
from lotstream.schemas.epcis.names import NAMES, STANDARD, Names, namespace
from lotstream.schemas.epcis.prehash import hash_of
from lotstream.schemas.epcis.problems import schema_problems, shown
from lotstream.schemas.epcis.strict_json import parse_json
from lotstream.schemas.epcis.tree import TooDeep, event_node
from lotstream.schemas.events import EventType, TraceEvent

_TYPES = ", ".join(EventType)
EVENT_LISTS = {
    "EPCISDocument": ("epcisBody", "eventList"),
    "EPCISQueryDocument": ("epcisBody", "queryResults", "resultsBody", "eventList"),
}
TAGS = frozenset({*EventType, *EVENT_LISTS})


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """One event of a document: what it says, or why it was refused.

    `sent` is the event's own characters, untouched. `text` is the same without white space between tokens, under the
    document's @context, which it needs to stand alone; of a refused event, as sent.
    """

    index: int
    sent: str
    text: str
    fields: Fields
    rejected: Rejected | None = None

    @property
    def event_hash(self) -> str:
        """CBV 2.0 event hash id; '' of a refused event."""
        return str(self.fields.get("event_hash", ""))


def parse_document(value: bytes) -> list[ParsedEvent]:
    """The events of a document, in its order. Raises Rejected (json_invalid, schema_invalid) for the document."""
    text, document = parse_json(value)
    start = cut.first(text)
    if isinstance(document, list):
        return list(_parsed(text, cut.items(text, start), document, names=NAMES, context=""))
    if not isinstance(document, dict):
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected an EPCIS document or event, got {type(document).__name__}.")
    names = NAMES.within(document.get("@context"))
    path = EVENT_LISTS.get(str(document.get("type")))
    if path is None:
        return list(_parsed(text, [(start, len(text.rstrip()))], [document], names=names, context=""))
    _check_document(document)
    context = cut.member(text, start, "@context")
    events: Any = document
    for name in path:
        found = cut.member(text, start, name)
        assert found is not None
        start, events = found[0], events[name]
    written = cut.compact(text[slice(*context)]) if context else ""
    return list(_parsed(text, cut.items(text, start), events, names=names, context=written))


def to_trace_event(parsed: ParsedEvent, *, stamp: Stamp) -> TraceEvent:
    """The event as a record of events.v1. Raises Rejected: the event's own, or what the contract refuses."""
    if parsed.rejected is not None:
        raise parsed.rejected
    try:
        return TraceEvent(**parsed.fields, text=parsed.text, stamp=stamp)
    except ValidationError as error:
        field, detail = first_error(error)
        raise Rejected(Reason.SCHEMA_INVALID, detail, field=field) from None


def _parsed(
    text: str, spans: Iterable[cut.Span], events: Iterable[Any], *, names: Names, context: str
) -> Iterator[ParsedEvent]:
    for index, (span, event) in enumerate(zip(spans, events, strict=True)):
        sent = text[slice(*span)]
        try:
            fields = parse_event(event, names)
        except Rejected as rejected:
            yield ParsedEvent(index, sent, sent, {}, rejected)
            continue
        own = "@context" in event
        yield ParsedEvent(index, sent, _with_context(cut.compact(sent), context, own=own), fields)


def _with_context(sent: str, context: str, *, own: bool) -> str:
    """The event's text with the document's @context, so that its names keep their meaning by themselves."""
    if not context:
        return sent
    found = cut.member(sent, 0, "@context") if own else None
    if found is None:
        return f'{{"@context":{context},{sent[1:]}'
    parts = [part for part in (_inside(context), _inside(sent[slice(*found)])) if part]
    return f"{sent[: found[0]]}[{','.join(parts)}]{sent[found[1] :]}"


def _inside(context: str) -> str:
    return context[1:-1] if context.startswith("[") else context


def parse_event(event: Any, names: Names) -> Fields:
    """Every field of TraceEvent but the text and the stamp. Raises Rejected for the first thing that is wrong."""
    if not isinstance(event, dict):
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected an event, got {type(event).__name__}.")
    if event.get("type") not in EventType.__members__.values():
        got = shown(event["type"]) if "type" in event else "none"
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected one of {_TYPES}, got {got}.", field="type")
    names = names.within(event.get("@context"))
    for foreign in foreign_faults(event, names):
        raise foreign
    model: AnyEvent = _validated(EVENT, standard_members(event))
    for broken in broken_conditions(event):
        raise broken
    fields: Fields = fields_of(model, {name: value for name, value in event.items() if ":" in name}, names)
    try:
        fields["event_hash"] = hash_of(event_node(event, names))
    except TooDeep as deep:
        raise Rejected(Reason.DEPTH_EXCEEDED, str(deep)) from None
    fields["subject"] = subject_of(fields, fields["event_hash"])
    return fields


def foreign_faults(event: Mapping[str, Any], names: Names) -> Iterator[Rejected]:
    """What is wrong with a @context of its own; members in the namespace of the standard that the standard does not
    have."""
    if "@context" in event:
        yield from context_faults(event)
    for name in event:
        if ":" in name and namespace(names.full(name)) == STANDARD["epcis"]:
            detail = f"Expected a member of EPCIS 2.0 or an extension, got {name!r}."
            yield Rejected(Reason.SCHEMA_INVALID, detail, field=name)


def context_faults(document: Mapping[str, Any]) -> Iterator[Rejected]:
    """What is wrong with the @context of a document: none, or neither an address, nor names, nor an array of these."""
    if "@context" not in document:
        yield Rejected(Reason.SCHEMA_INVALID, "Expected a @context, got none.", field="@context")
        return
    given = document["@context"]
    for part in given if isinstance(given, list) else [given]:
        if not (isinstance(part, dict) or (isinstance(part, str) and is_uri(part))):
            detail = f"Expected a URI or an object of names, got {shown(part)}."
            yield Rejected(Reason.SCHEMA_INVALID, detail, field="@context")


def _check_document(document: Mapping[str, Any]) -> None:
    for wrong in context_faults(document):
        raise wrong
    _validated(DOCUMENT, own_members(document))


def _validated(adapter: TypeAdapter[Any], value: object) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise next(iter(schema_problems(error, tags=TAGS).values())) from None
