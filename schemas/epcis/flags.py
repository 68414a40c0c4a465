"""What is valid and yet odd: told beside the answer, never a reason to refuse."""

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.epcis.content import Fields
from lotstream.schemas.epcis.tree import Node
from lotstream.schemas.epcis.words import MEASUREMENT
from lotstream.schemas.units import UnitKind, kind_of

AHEAD_US = 15 * 60 * 1_000_000  # clocks differ; a quarter of an hour is told
IMPLAUSIBLE_US = 48 * 3600 * 1_000_000  # no clock and no mistaken time zone is that far ahead
_KNOWN_IDS = 100_000
_PREFIX = re.compile(r"\{([A-Za-z][\w.-]*):\}")  # an IRI of its scheme alone: a compact one without its context


class Oddity(StrEnum):
    """What is odd. A closed set."""

    EVENT_ID_REUSED = "event_id_reused"
    EVENT_ID_TWICE = "event_id_twice"
    SAME_EVENT = "same_event"
    TIME_AHEAD = "time_ahead"
    WORD_UNKNOWN = "word_unknown"
    UNIT_UNKNOWN = "unit_unknown"
    PREFIX_UNDEFINED = "prefix_undefined"


@dataclass(frozen=True, slots=True)
class Flag:
    """Something odd about one event of a document."""

    index: int
    flag: Oddity
    detail: str


class EventIds:
    """The hashes that event ids stood for lately; the id longest unheard of is forgotten."""

    def __init__(self, most: int = _KNOWN_IDS) -> None:
        self._most = most
        self._hashes: OrderedDict[str, str] = OrderedDict()

    def reused(self, event_id: str, event_hash: str) -> bool:
        """Whether the id stood for other contents before. An error declaration has the contents of its event."""
        before = self._hashes.pop(event_id, event_hash)
        self._hashes[event_id] = event_hash
        if len(self._hashes) > self._most:
            self._hashes.popitem(last=False)
        return before != event_hash


def flags_of(fields: Fields, *, index: int, ids: EventIds, now_us: int) -> Iterator[Flag]:
    """What is odd about a valid event, its history and its time."""
    event_id, event_hash = str(fields["event_id"]), str(fields["event_hash"])
    if event_id and ids.reused(event_id, event_hash):
        detail = f"{event_id!r} stood for other contents before: the two are two facts."
        yield Flag(index, Oddity.EVENT_ID_REUSED, detail)
    ahead_us = int(fields["event_time_us"]) - now_us
    if ahead_us > AHEAD_US:
        yield Flag(index, Oddity.TIME_AHEAD, f"The event is {ahead_us // 60_000_000} minutes ahead of the clock here.")


def word_flags(event: Node, *, index: int) -> Iterator[Flag]:
    """Words, units and prefixes of an event that nobody here knows."""
    for node in _all(event):
        prefix = _PREFIX.match(node.name)
        if prefix:
            yield Flag(index, Oddity.PREFIX_UNDEFINED, f"No @context says what the prefix {prefix[1]!r} stands for.")
        unit = node.child("uom") if node.name == "quantityElement" else None
        if unit is not None and kind_of(unit.text) is UnitKind.OTHER:
            detail = f"{unit.text!r} is no unit that is known here: amounts in it are taken, and never converted."
            yield Flag(index, Oddity.UNIT_UNKNOWN, detail)
        kind = node.child("type") if node.name == "sensorReport" else None
        if kind is not None and ":" not in kind.text and kind.text not in MEASUREMENT.words:
            yield Flag(index, Oddity.WORD_UNKNOWN, f"{kind.text!r} is no measurement type of CBV 2.0.")


def require_plausible(fields: Fields, *, now_us: int) -> None:
    """Raises Rejected for an event that is further ahead than clocks and time zones explain."""
    if int(fields["event_time_us"]) > now_us + IMPLAUSIBLE_US:
        detail = f"Expected an event time at most {IMPLAUSIBLE_US // 3_600_000_000} hours ahead, got one beyond that."
        raise Rejected(Reason.TIME_IMPLAUSIBLE, detail, field="eventTime")


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _all(child)
