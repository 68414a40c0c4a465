"""The running state of smoothing: what one partition remembers of its read points.

Reads are kept as the blocks they came in, in columns; runs are derived from them and only ever grow by joining, so
that the order of arrival leaves no trace. Nothing here decides.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.reads import Ints
from lotstream.schemas.sightings import Context
from lotstream.streams.smooth.gone import Gone
from lotstream.streams.smooth.policy import Rule
from lotstream.streams.smooth.table import Table

LIVE = ""  # the name of the clock that is log time; the others are called after their source
FRAME_BITS = 25  # a frame is 2**25 us of a reader's own time: reads of one identity lie in one frame
FRAME_MASK = (1 << FRAME_BITS) - 1
ANTENNA_BITS = 8
TAG_SHIFT = FRAME_BITS + ANTENNA_BITS
NO_RSSI = -(2**15)

Small = NDArray[np.int16]


class Place(NamedTuple):
    """What the mapping said of a batch. Of several in a sighting the greatest speaks, whatever their order."""

    mapping: int
    reader: str
    inside: str
    outside: str
    context: Context  # follows from the rest
    door: str  # the read point, or the group of neighbours that it belongs to


class Rank(NamedTuple):
    """Which of two copies of one read counts: the lower one, whichever came first in the log."""

    received_us: int
    shift_us: int
    source: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Reads of one batch in one frame of the reader's time, sorted by code = tag index, time in the frame, antenna."""

    reader: str
    frame: int
    shift_us: int  # added to device times
    clock: str
    place: Place
    inner: tuple[int, ...]
    outer: tuple[int, ...]
    rank: Rank
    keys: tuple[str, ...]  # tag keys by tag index
    scanned: frozenset[int]  # tag indices read from a label
    codes: Ints
    low_us: int  # least and greatest time in the frame
    high_us: int
    lag: Ints | None  # last - first seen; None: all 0
    count: Ints | None  # None: all 1
    rssi: Small | None
    contested: bool = False  # holds a copy that counts instead of one of another block

    @property
    def base_us(self) -> int:
        """Event time of the frame's first microsecond."""
        return (self.frame << FRAME_BITS) + self.shift_us

    def slots(self) -> tuple[int, int]:
        """First and last slot that its reads lie in."""
        base_us = (self.frame << FRAME_BITS) + self.shift_us
        return (base_us + self.low_us) // SLOT_US, (base_us + self.high_us) // SLOT_US


class Run:
    """Reads of one tag in one slot without a silence; ``row`` of the table has its sums.

    ``first`` may lie before the slot when a report sums up a longer time.
    """

    __slots__ = ("first", "last", "reads", "row")

    def __init__(self, first: int, last: int, *, reads: int, row: int) -> None:
        self.first = first
        self.last = last
        self.reads = reads
        self.row = row


class Visit(NamedTuple):
    """Totals of a run over several slots. Times of the sides are sums of first + last."""

    first: int
    last: int
    reads: int
    inner: int
    inner_us: int
    outer: int
    outer_us: int
    aside: int = 0  # whether the last slot of it was a cross-read


class Cell:
    """A sighting in the making."""

    __slots__ = (
        "beside",
        "book",
        "carry",
        "place",
        "queued",
        "recorded",
        "runs",
        "scanned",
        "settled",
        "shown",
        "shown_at",
        "steady",
        "tag",
    )

    def __init__(self, book: "Book", tag: str, *, place: Place, recorded: int) -> None:
        self.book = book
        self.tag = tag
        self.place = place
        self.recorded = recorded
        self.runs: list[Run] = []  # by time, silences between them
        self.scanned = False
        self.beside = False  # the tag was also read in a slot beside this one
        self.carry: Visit | None = None  # when the slot before is forgotten
        self.shown = -1  # state last published; -1: nothing yet
        self.shown_at = ""  # location last published
        self.settled = False  # the final version published is the last word so far
        self.queued = False  # a timer waits for it
        self.steady = False  # open and told as it is: more reads of its run change no word before it is final


class Book:
    """All tags of one read point in one slot, and the clocks and doors of what was read in it."""

    __slots__ = ("cells", "clocks", "doors", "live", "point", "slot", "timed")

    def __init__(self, point: "Point", slot: int) -> None:
        self.point = point
        self.slot = slot
        self.timed = False  # its forgetting waits at a clock
        self.clocks: set[str] = set()
        self.doors: set[str] = set()
        self.live = True  # no clock but log time
        self.cells: dict[str, Cell] = {}

    @property
    def end_us(self) -> int:
        """First microsecond after the slot."""
        return (self.slot + 1) * SLOT_US


class Frame:
    """Blocks of one reader in one frame of its time, to know a read again."""

    __slots__ = ("blocks", "contested", "slots", "upto")

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.upto: list[int] = []  # greatest time among the blocks so far
        self.slots: set[int] = set()  # remembered slots that its reads lie in
        self.contested = False


@dataclass(slots=True)
class Segment:
    """What one record of the changelog is still needed for."""

    slots: set[int]
    frames: set[tuple[str, int]]


@dataclass(slots=True, eq=False)
class Point:
    """One read point: open and remembered slots, blocks of reads, and what the changelog lacks."""

    name: str
    rule: Rule
    table: Table
    wait_us: int  # from the last read to its being final: silence and grace
    doors: dict[str, dict[str, "Point"]] = field(default_factory=dict)  # the partition's: read points by door
    books: dict[int, Book] = field(default_factory=dict)
    frames: dict[tuple[str, int], Frame] = field(default_factory=dict)
    gone: Gone = field(default_factory=Gone)  # slots whose sightings are published and forgotten
    segments: dict[int, Segment] = field(default_factory=dict)
    next_segment: int = 0
    new_blocks: list[Block] = field(default_factory=list)
    changed: dict[Cell, None] = field(default_factory=dict)  # published otherwise than the changelog knows
    dropped: list[int] = field(default_factory=list)
    gone_changed: bool = False


@dataclass(slots=True)
class Clock:
    """Event time of one source that is not live: how far it came, when it was heard, when it ended (log time)."""

    time_us: int = -1
    heard_us: int = -1
    ended_us: int = -1  # -1: running


@dataclass(slots=True)
class SmoothState:
    """One partition."""

    log_us: int = 0
    table: Table = field(default_factory=Table)
    points: dict[str, Point] = field(default_factory=dict)
    doors: dict[str, dict[str, Point]] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
