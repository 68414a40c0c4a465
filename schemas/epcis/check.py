"""A document checked to the end: every fault of it and of its events, each at its place.

A document without a fault is one that capture takes, and the other way round.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.epcis.conditions import broken_conditions
from lotstream.schemas.epcis.document import (
    EVENT_LISTS,
    TAGS,
    ParsedEvent,
    context_faults,
    foreign_faults,
    parse_event,
    to_trace_event,
)
from lotstream.schemas.epcis.flags import EventIds, Flag, Oddity, flags_of, require_plausible, word_flags
from lotstream.schemas.epcis.members import own_members, standard_members
from lotstream.schemas.epcis.models import DOCUMENT, EVENT
from lotstream.schemas.epcis.names import NAMES, Names
from lotstream.schemas.epcis.prehash import hash_of
from lotstream.schemas.epcis.problems import schema_problems, shown
from lotstream.schemas.epcis.rules import Path, Rule, rule_of
from lotstream.schemas.epcis.strict_json import MAY_BE_TWICE, Marked, parse_json, parse_marked
from lotstream.schemas.epcis.tree import TooDeep, event_node
from lotstream.schemas.epcis.values import Found, value_faults
from lotstream.schemas.events import EventType

_ANY = Stamp(received_us=0, origin=Origin.FILE, source="check", request="check")
_SAID = re.compile(r"Expected (.*), got (.*)\.", re.DOTALL)
_TYPES = ", ".join((*EventType, *EVENT_LISTS))

_OPEN = (Rule.FORM, Rule.UNKNOWN_MEMBER)
_NEEDED = ("eventTime", "bizTransaction", "source", "destination")


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule broken at one place; `pointer` is the value's (RFC 6901), or its holder's where it is missing."""

    pointer: str
    rule: Rule
    expected: str
    got: str

    @property
    def section(self) -> str:
        """Where the rule is written."""
        return self.rule.section


@dataclass(slots=True)
class Checked:
    """What is in a document, and what is wrong with it. `hashes` has '' for an event with a fault."""

    faults: list[Fault] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)


def hash_document(value: bytes) -> list[str]:
    """The event hash id of each event; '' of one whose members are not those of an event. Raises Rejected.

    What breaks a rule and can be read has a hash all the same: a wrong check digit stays in it as it is.
    """
    document = parse_json(value)[1]
    names = NAMES.within(document.get("@context")) if isinstance(document, dict) else NAMES
    return [_hash(event, names) for _, event in _events(document)]


def _hash(event: Any, names: Names) -> str:
    if not isinstance(event, dict):
        return ""
    if any(_unreadable(path, wrong) for path, wrong in _problems(EVENT, standard_members(event)).items()):
        return ""
    try:
        return hash_of(event_node(event, names))
    except TooDeep:
        return ""


def check_document(value: bytes, *, now_us: int, ids: EventIds | None = None) -> Checked:
    """Every fault of a document, an event or an array of events, in its order; what is valid and odd is flagged.

    `ids`: what event ids stood for in the documents before.
    """
    try:
        marked = parse_marked(value)
    except Rejected as rejected:
        return Checked(faults=[_fault((), rejected, None)])
    document = marked.value
    found: list[Found] = [*_twice(marked), *_document_faults(document)]
    names = NAMES.within(document.get("@context")) if isinstance(document, dict) else NAMES
    events = _Events(names, now_us, EventIds() if ids is None else ids)
    for index, (path, event) in enumerate(_events(document)):
        if MAY_BE_TWICE in marked.twice.get(id(event), ()):
            events.flags.append(Flag(index, Oddity.EVENT_ID_TWICE, "The event has two ids: the last one counts."))
        found += [((*path, *inner), rejected) for inner, rejected in events.check(event)]
    faults = [_fault(path, rejected, document) for path, rejected in found]
    return Checked(faults=faults, flags=events.flags, hashes=events.hashes)


class _Events:
    """The events of one document, one after the other."""

    def __init__(self, names: Names, now_us: int, ids: EventIds) -> None:
        self._names = names
        self._now_us = now_us
        self._ids = ids
        self._first: dict[str, int] = {}
        self.hashes: list[str] = []
        self.flags: list[Flag] = []

    def check(self, event: Any) -> list[Found]:
        """What is wrong with the next event."""
        found = list(_event_faults(event, self._names))
        event_hash = ""
        if not found:
            try:
                event_hash = self._taken(event)
            except Rejected as rejected:
                found = [(tuple(rejected.field.split(".")) if rejected.field else (), rejected)]
        self.hashes.append(event_hash)
        return found

    def _taken(self, event: Mapping[str, Any]) -> str:
        """The hash of an event, by the way that capture takes. Raises Rejected."""
        fields = parse_event(event, self._names)
        require_plausible(fields, now_us=self._now_us)
        to_trace_event(ParsedEvent(0, "", "{}", fields), stamp=_ANY)
        index, event_hash = len(self.hashes), str(fields["event_hash"])
        self.flags += flags_of(fields, index=index, ids=self._ids, now_us=self._now_us)
        self.flags += dict.fromkeys(word_flags(event_node(event, self._names), index=index))
        first = self._first.setdefault(event_hash, index)
        if first != index:
            detail = f"It has the contents of event {first}: the two are one fact."
            self.flags.append(Flag(index, Oddity.SAME_EVENT, detail))
        return event_hash


def _unreadable(path: Path, rejected: Rejected) -> bool:
    """Whether a problem leaves it open what the event says."""
    rule = rule_of(rejected, path)
    return not path or path == ("type",) or rule in _OPEN or (rule is Rule.REQUIRED and path[-1] in _NEEDED)


def _events(document: Any) -> Iterator[tuple[Path, Any]]:
    """The events that can be found, and where."""
    path: Path = _list_path(document)
    held = document
    for name in path:
        held = held.get(name) if isinstance(held, dict) else None
    if isinstance(held, list):
        yield from (((*path, index), event) for index, event in enumerate(held))
    elif not path:
        yield (), document


def _list_path(document: Any) -> tuple[str, ...]:
    kind = document.get("type") if isinstance(document, dict) else None
    return EVENT_LISTS.get(kind, ()) if isinstance(kind, str) else ()


def _document_faults(document: Any) -> Iterator[Found]:
    """What is wrong around the events."""
    if _list_path(document):
        yield from ((("@context",), wrong) for wrong in context_faults(document))
        yield from _problems(DOCUMENT, own_members(document)).items()


def _event_faults(event: Any, names: Names) -> Iterator[Found]:
    """Everything that is wrong with one event."""
    if not isinstance(event, dict):
        yield (), Rejected(Reason.SCHEMA_INVALID, f"Expected an object, got {shown(event)}.")
        return
    if event.get("type") not in EventType.__members__.values():
        got = shown(event["type"]) if "type" in event else "none"
        yield ("type",), Rejected(Reason.SCHEMA_INVALID, f"Expected one of {_TYPES}, got {got}.")
        return
    names = names.within(event.get("@context"))
    found = _problems(EVENT, standard_members(event))
    found |= {(str(one.field),): one for one in foreign_faults(event, names)}
    for path, rejected in value_faults(event, names):
        found.setdefault(path, rejected)
    yield from found.items()
    yield from (((), broken) for broken in broken_conditions(event))


def _problems(adapter: TypeAdapter[Any], value: object) -> dict[Path, Rejected]:
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        return schema_problems(error, tags=TAGS)
    return {}


def _twice(marked: Marked) -> Iterator[Found]:
    """Members that an object has twice: which one counts would depend on the reader."""
    waiting: list[tuple[Path, Any]] = [((), marked.value)] if marked.twice else []
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            for name in sorted({*marked.twice.get(id(value), ())} - {MAY_BE_TWICE}):
                yield (*path, name), Rejected(Reason.JSON_INVALID, f"Expected each member once, got {name!r} twice.")
            waiting += [((*path, name), item) for name, item in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [((*path, index), item) for index, item in reversed([*enumerate(value)])]


def _fault(path: Path, rejected: Rejected, document: Any) -> Fault:
    said = _SAID.fullmatch(rejected.detail)
    expected, got = (said[1], said[2]) if said else (rejected.detail, "")
    rule = rule_of(rejected, path)
    if rule is Rule.REQUIRED and path:
        expected = f"{path[-1]}: {expected}"
    return Fault(_pointer(path, document), rule, expected, got)


def _pointer(path: Path, document: Any) -> str:
    """RFC 6901, as far as the document goes."""
    parts = []
    value = document
    for part in path:
        if isinstance(value, list) and str(part).isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            break
        parts.append(str(part).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in parts)
