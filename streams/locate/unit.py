"""State of one unit: its newest sightings, each at its highest version. Pure, a lattice.

``add`` and ``union`` are commutative, associative and idempotent because what is kept is ranked by key alone, never
by a value; a retracted sighting is kept and flagged, so that it cannot come back.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.sightings import State
from lotstream.schemas.unit_lots import Life, lot_at

DEPTH = 4  # (slot, read point) pairs kept of a unit
LANES = 8  # facts kept of one pair: main, late, declared, and what is inferred from different parents
HOW = 3 << 4
RETRACTED, FINAL, BEFORE, AFTER = 64, 128, 256, 512  # final, and whether the visit goes on before and after the slot
_PLACING, _OBSERVED = RETRACTED | 3, int(State.OBSERVED)

Pair = tuple[int, str]  # slot, read point
NO_FLOOR: Pair = (-1, "")


# plain tuples: they are written as they are
By = tuple[str, str, str, tuple[str, ...]]  # read point, lane, origin, path: with the slot, the key of a sighting
# bits: state | direction << 2 | how << 4 | marks; location; disposition; and of a declared sighting event, business
# step, document, line and party, so that another lot can be told all of it
Word = tuple[int, str, str, tuple[str, ...]]


class Entry(NamedTuple):
    """One sighting of a unit; slot and by are its key, the others are compared in this order."""

    slot: int
    by: By
    version: tuple[int, ...]
    binding: int
    word: Word
    at_us: int  # last read
    recorded_us: int

    @property
    def how(self) -> int:
        """schemas.sightings.How."""
        return self.word[0] >> 4 & 3


Entries = tuple[Entry, ...]


class Told(NamedTuple):
    """Whose a unit is, as resolve told it (schemas.unit_lots); of two statements the higher binding holds."""

    binding: int
    horizon_us: int
    lives: tuple[Life, ...]

    def lot_at(self, time_us: int) -> str:
        """The lot at an instant, or ''."""
        return lot_at(self.lives, time_us)

    def lots_in(self, slot: int) -> set[str]:
        """The lots that a slot touches."""
        start = slot * SLOT_US
        return {life.lot for life in self.lives if life.start < start + SLOT_US and start <= life.end}


class Unit:
    """``entries`` newest first; ``floor`` the greatest pair dropped, or some lane of it; ``changed`` the offset in
    lot-sightings.v1 of the message that last changed where the unit is or how, ``source`` where it came from; ``now``
    the entry that places it, as of the last message; ``told`` whose it is when, where that was told; ``exceeded``: see
    `is_exceeded`."""

    __slots__ = ("changed", "entries", "exceeded", "floor", "now", "source", "told", "turn")

    def __init__(self, entries: Entries = (), *, floor: Pair = NO_FLOOR, changed: int = -1, source: str = "") -> None:
        self.entries = entries
        self.floor = floor
        self.changed = changed
        self.source = source
        self.now: Entry | None = None
        self.told: Told | None = None
        self.exceeded = False
        self.turn = -1

    def where(self, lot: str) -> Entry | None:
        """The entry that places the unit, of those that are the lot's."""
        return where_now(self.of(lot))

    def of(self, lot: str) -> Entries:
        """The entries that are the lot's."""
        told = self.told
        if told is None:
            return self.entries
        return tuple([entry for entry in self.entries if told.lot_at(entry.at_us) == lot])

    def is_exceeded(self, lot: str) -> bool:
        """Depth exceeded: a sighting that was dropped, or forgotten before the lot was known, may lie above ``now``.

        ``now`` is exact while its slot is above theirs; below it the answer comes from history."""
        lowest, told = self.floor[0], self.told
        if told is not None:
            lowest = max(lowest, told.horizon_us // SLOT_US)
        if lowest < 0 or (self.now is not None and self.now.slot > lowest):
            return False
        until = (lowest + 1) * SLOT_US
        return told is None or any(life.lot == lot and life.start < until for life in told.lives)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unit) and self._state() == other._state()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"Unit({self.entries!r}, floor={self.floor!r}, changed={self.changed!r}, source={self.source!r})"

    def _state(self) -> tuple[Entries, Pair, int, str]:
        return self.entries, self.floor, self.changed, self.source


def add(entries: Entries, entry: Entry, *, depth: int = DEPTH) -> tuple[Entries, Pair | None]:
    """(entries with one more sighting, the pair that fell below). The very same tuple when nothing changes."""
    if not entries:
        return (entry,), None
    slot = entry.slot
    if slot > entries[0].slot:
        added = (entry, *entries)
        if len(added) <= depth or len({_pair(old) for old in added}) <= depth:
            return added, None
        lowest = _pair(entries[-1])
        if _pair(entries[-2]) != lowest:  # the pair to go has one lane, as nearly always
            return added[:-1], lowest
        return truncated(added, depth=depth)
    if slot == entries[0].slot and entry.by == entries[0].by:  # a newer version of the newest, as nearly always
        return (entries, None) if entries[0] >= entry else ((entry, *entries[1:]), None)
    for place, old in enumerate(entries):
        if old.slot == slot and old.by == entry.by:
            if old >= entry:
                return entries, None
            return (*entries[:place], entry, *entries[place + 1 :]), None
    kept, dropped = truncated((*entries, entry), depth=depth)
    return entries if kept == entries else kept, dropped


def union(one: Unit, other: Unit, *, depth: int = DEPTH) -> Unit:
    """Two copies of a unit's state as one."""
    newest: dict[tuple[int, By], Entry] = {}
    for entry in (*one.entries, *other.entries):
        key = entry.slot, entry.by
        newest[key] = max(newest.get(key, entry), entry)
    changed, source = max((one.changed, one.source), (other.changed, other.source))
    entries, dropped = truncated(newest.values(), depth=depth)
    return Unit(entries, floor=max(one.floor, other.floor, dropped or NO_FLOOR), changed=changed, source=source)


def truncated(entries: Iterable[Entry], *, depth: int) -> tuple[Entries, Pair | None]:
    """(entries of the newest ``depth`` pairs, newest first, and the greatest pair of which something was dropped)."""
    kept: list[Entry] = []
    lanes = pairs = 0
    pair: Pair = NO_FLOOR
    dropped: Pair | None = None
    for entry in sorted(sorted(entries, key=_lane_rank), key=_pair, reverse=True):
        if _pair(entry) != pair:
            pair, lanes, pairs = _pair(entry), 0, pairs + 1
        lanes += 1
        if pairs > depth or lanes > LANES:
            dropped = dropped or pair
        else:
            kept.append(entry)
    return tuple(kept), dropped


def _pair(entry: Entry) -> Pair:
    return entry.slot, entry.by[0]


def _lane_rank(entry: Entry) -> tuple[int, bool, str, str, tuple[str, ...]]:
    _, lane, origin, path = entry.by
    kind = 0 if not lane else 1 if lane.startswith("late:") else 2
    return kind, bool(origin), lane, origin, path


def where_now(entries: Entries) -> Entry | None:
    """The entry that says where the unit is: newest slot, strongest evidence, newest last read.

    Of one pair the main lane decides: a late lane counts only while there is none.
    """
    best: Entry | None = None
    if entries and (len(entries) == 1 or entries[1].slot < entries[0].slot) and not entries[0].by[1]:
        newest = entries[0]  # alone in its slot, as nearly always
        if newest.word[0] & _PLACING == _OBSERVED:
            return newest
    for entry in entries:
        if best is not None:
            if entry.slot < best.slot:
                break
            if not _better(entry, best):
                continue
        if entry.word[0] & _PLACING == _OBSERVED and not (entry.by[1][:5] == "late:" and _has_main(entries, entry)):
            best = entry
    return best


def _better(entry: Entry, best: Entry) -> bool:
    return _preference(entry) > _preference(best)


def _has_main(entries: Entries, late: Entry) -> bool:
    return any(not e.by[1] and _pair(e) == _pair(late) and not e.word[0] & RETRACTED for e in entries)


def _preference(entry: Entry) -> tuple[int, int, str, str, str, tuple[str, ...]]:
    return -entry.how, entry.at_us, *entry.by
