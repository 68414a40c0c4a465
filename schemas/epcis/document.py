"""EPCIS 2.0 documents in JSON: each event valid and ready for events.v1, or with the reason why it is not.

Taken: EPCISDocument, EPCISQueryDocument (the events it found), one event, an array of events.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import Stamp, first_error
from lotstream.schemas.epcis import cut
from lotstream.schemas.epcis.content import Fields, fields_of, subject_of
from lotstream.schemas.epcis.models import DOCUMENT, EVENT
from lotstream.schemas.epcis.names import NAMES, STANDARD, Names, namespace
from lotstream.schemas.epcis.prehash import hash_of
from lotstream.schemas.epcis.tree import TooDeep, event_node
from lotstream.schemas.events import EventType, TraceEvent

_BOM = b"\xef\xbb\xbf"
_LARGEST_EXPONENT = 400
_TYPES = ", ".join(EventType)
_EVENT_LISTS = {
    "EPCISDocument": ("epcisBody", "eventList"),
    "EPCISQueryDocument": ("epcisBody", "queryResults", "resultsBody", "eventList"),
}
_TAGGED = re.compile(r"^(?:Object|Aggregation|Transaction|Transformation|Association)Event$|^EPCIS\w*Document$")


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """One event of a document: what it says, or why it was refused; `text` is the event as sent, compact.

    The text begins with the document's @context where the event has none of its own.
    """

    index: int
    text: str
    fields: Fields
    rejected: Rejected | None = None

    @property
    def event_hash(self) -> str:
        """CBV 2.0 event hash id; '' of a refused event."""
        return str(self.fields.get("event_hash", ""))


def parse_document(value: bytes) -> list[ParsedEvent]:
    """The events of a document, in its order. Raises Rejected (json_invalid, schema_invalid) for the document."""
    text, document = _json(value)
    start = cut.first(text)
    if isinstance(document, list):
        return list(_parsed(text, cut.items(text, start), document, names=NAMES, context=""))
    if not isinstance(document, dict):
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected an EPCIS document or event, got {type(document).__name__}.")
    names = NAMES.within(document.get("@context"))
    path = _EVENT_LISTS.get(str(document.get("type")))
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
        sent = cut.compact(text[slice(*span)])
        try:
            fields = _fields(event, names)
        except Rejected as rejected:
            yield ParsedEvent(index, sent, {}, rejected)
            continue
        if context and "@context" not in event:
            sent = f'{{"@context":{context},{sent[1:]}'
        yield ParsedEvent(index, sent, fields)


def _fields(event: Any, names: Names) -> Fields:
    if not isinstance(event, dict):
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected an event, got {type(event).__name__}.")
    kind = event.get("type")
    if kind not in EventType.__members__.values():
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected one of {_TYPES}, got {kind!r}.", field="type")
    names = names.within(event.get("@context"))
    extensions = {name: value for name, value in event.items() if ":" in name}
    _require_foreign(extensions, names)
    model = _validated(EVENT, _standard(event))
    fields = fields_of(model, extensions, names)
    try:
        fields["event_hash"] = hash_of(event_node(event, names))
    except TooDeep as deep:
        raise Rejected(Reason.SCHEMA_INVALID, str(deep)) from None
    fields["subject"] = subject_of(fields, fields["event_hash"])
    return fields


def _standard(event: Mapping[str, Any]) -> dict[str, Any]:
    """The standard's members, at every level where EPCIS has an extension point."""
    found = _own(event)
    for name in ("readPoint", "bizLocation", "errorDeclaration"):
        found[name] = _own(found[name]) if name in found else None
    found = {name: value for name, value in found.items() if value is not None}
    elements = found.get("sensorElementList")
    if isinstance(elements, list):
        found["sensorElementList"] = [_sensor_element(element) for element in elements]
    return found


def _sensor_element(element: Any) -> Any:
    found = _own(element)
    if isinstance(found, dict):
        if "sensorMetadata" in found:
            found["sensorMetadata"] = _own(found["sensorMetadata"])
        reports = found.get("sensorReport")
        if isinstance(reports, list):
            found["sensorReport"] = [_own(report) for report in reports]
    return found


def _own(value: Any) -> Any:
    """The members without a namespace; what is no object as it is."""
    if not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if ":" not in name and name != "@context"}


def _require_foreign(extensions: Iterable[str], names: Names) -> None:
    for name in extensions:
        if namespace(names.full(name)) == STANDARD["epcis"]:
            detail = f"Expected a member of EPCIS 2.0 or an extension, got {name!r}."
            raise Rejected(Reason.SCHEMA_INVALID, detail, field=name)


def _check_document(document: Mapping[str, Any]) -> None:
    if "@context" not in document:
        raise Rejected(Reason.SCHEMA_INVALID, "Expected @context, got a document without.", field="@context")
    _validated(DOCUMENT, _own(document))


def _validated(adapter: TypeAdapter[Any], value: object) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        field, detail = first_error(error)
        # pydantic begins the path with the tag of the union's member
        head, _, rest = field.partition(".")
        field = rest if _TAGGED.match(head) else field
        raise Rejected(Reason.SCHEMA_INVALID, detail, field=field or None) from None


def _json(value: bytes) -> tuple[str, Any]:
    """The text and what is in it; numbers exact. Raises Rejected (json_invalid)."""
    value = value.removeprefix(_BOM)
    try:
        # strict in what Python's own parser lets pass: NaN, lone surrogates, invalid UTF-8, boundless depth
        orjson.loads(value)
        text = value.decode()
        return text, json.loads(text, parse_float=_exact, object_pairs_hook=_once)
    except (orjson.JSONDecodeError, InvalidOperation) as error:
        raise Rejected(Reason.JSON_INVALID, f"Expected JSON in UTF-8, got {error}.") from None
    except (ValueError, RecursionError) as error:
        raise Rejected(Reason.JSON_INVALID, f"Expected JSON within bounds, got {error}.") from None


def _exact(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError(f"the number {text[:40]}")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice!r} twice")
    return found
