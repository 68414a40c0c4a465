"""What a format module makes of a payload: reads, reader events, and what was not understood with its bytes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import NOT_REPORTED
from lotstream.schemas.operations import Headers
from lotstream.schemas.reads import ReaderEventType

MAX_NAME = 200
BEFORE, AFTER = "frame-before", "frame-after"


class VendorRead(NamedTuple):
    """One read as its reader reported it; NOT_REPORTED or '' where it said nothing. Units as in ReadBatch."""

    tag: str
    antenna: int
    last_us: int
    reader: str = ""
    first_us: int = NOT_REPORTED
    seen_count: int = NOT_REPORTED
    rssi: int = NOT_REPORTED
    phase: int = NOT_REPORTED
    channel: int = NOT_REPORTED
    power: int = NOT_REPORTED
    tid: str = ""
    pc: int = NOT_REPORTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Reads that a reader says it has lost, between two instants of its own clock."""

    from_us: int
    until_us: int
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorEvent:
    """What a reader says besides reads. ``dropped`` counts since the reader's start at ``since_us``."""

    type: ReaderEventType
    vendor_type: str
    time_us: int
    reader: str = ""
    port: int | None = None
    state: str = ""
    lost: Lost | None = None
    dropped: int | None = None
    since_us: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """One item that was not understood: its place in the payload, its untouched bytes, and why."""

    index: int
    raw: bytes
    reason: Reason
    detail: str
    field: str = ""
    reader: str = ""

    @classmethod
    def of(cls, rejected: Rejected, *, index: int, raw: bytes, reader: Any = None) -> "Refused":
        """``reader`` is whatever stands where an item names its reader; what is no name is left aside."""
        name = reader if isinstance(reader, str) and len(reader) <= MAX_NAME and reader.isprintable() else ""
        return cls(index, raw, rejected.reason, rejected.detail, rejected.field or "", name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A scanned label that says so much of a lot; ``unit`` holds it, '' when it stands for itself. Times are the
    scanner's own.
    """

    index: int
    scanner: str
    boot: str
    sequence: int | None
    lot: str
    amount: Decimal
    unit: str = ""
    cases: int = 1
    uom: str
    produced: date | None
    best_before: date | None
    expires: date | None
    raw: str
    device_time_us: int
    document: str
    line: str
    party: str


@dataclass(slots=True)
class Parsed:
    """A payload understood item by item. ``at[i]`` is the item that gave ``reads[i]``; ``raw`` its untouched bytes.

    ``frame`` names what has to stand before and after an item for it to be understood alone.
    """

    raw: Callable[[int], bytes]
    reads: list[VendorRead] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    events: list[tuple[VendorEvent, bytes]] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    frame: Headers = ()

    def names(self) -> set[str]:
        """Who speaks in the payload; '' for what names nobody."""
        return {
            *(read.reader for read in self.reads),
            *(event.reader for event, _ in self.events),
            *(label.scanner for label in self.labels),
            *(refused.reader for refused in self.refused),
        }
