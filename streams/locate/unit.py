"""State of one unit: its newest sightings, each at its highest version. Pure, a lattice.

``add`` and ``union`` are commutative, associative and idempotent because what is kept is ranked by key alone, never
by a value; a retracted sighting is kept and flagged, so that it cannot come back.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lotstream.schemas.sightings import Mark, Sighting, State

DEPTH = 4  # (slot, read point) pairs kept of a unit
LANES = 8  # facts kept of one pair: main, late, declared, and what is inferred from different parents
RETRACTED = 64
_PLACING = RETRACTED | 3


class Entry(NamedTuple):
    """One sighting of a unit; the first five are its key."""

    slot: int
    read_point: str
    lane: str
    origin: str
    path: tuple[str, ...]
    version: tuple[int, ...]
    binding: int
    bits: int  # state, direction << 2, how << 4, RETRACTED
    location: str
    disposition: str
    at_us: int  # last read
    recorded_us: int

    @property
    def how(self) -> int:
        """schemas.sightings.How."""
        return self.bits >> 4 & 3

    @property
    def direction(self) -> int:
        """schemas.sightings.Direction."""
        return self.bits >> 2 & 3

    @property
    def places(self) -> bool:
        """Whether it says where the unit was: observed, neither a glimpse nor a cross-read, not retracted."""
        return self.bits & _PLACING == State.OBSERVED


Floor = tuple[int, str]  # (slot, read point)
NO_FLOOR: Floor = (-1, "")


class Unit(NamedTuple):
    """``entries`` newest first; ``floor`` the greatest pair dropped; ``changed`` the offset in lot-sightings.v1 of
    the message that last changed where the unit is, ``source`` where it was before."""

    entries: tuple[Entry, ...]
    floor: Floor
    changed: int
    source: str


NEW = Unit((), NO_FLOOR, -1, "")


def entry_of(row: Sighting, binding: int) -> Entry:
    """What is kept of a sighting."""
    bits = row.state | row.direction << 2 | row.how << 4 | (RETRACTED if row.marks & Mark.RETRACTED else 0)
    return Entry(
        row.slot,
        row.context.read_point,
        row.lane,
        row.origin,
        tuple(row.path),
        tuple(row.version),
        binding,
        bits,
        row.location,
        row.declaration.disposition,
        row.last_us,
        row.recorded_us,
    )


def add(unit: Unit, entry: Entry, *, depth: int = DEPTH) -> Unit:
    """The unit with one more sighting; the very same object when that changes nothing."""
    entries, slot = unit.entries, entry.slot
    if entries and slot > entries[0].slot and len(entries) < depth:
        return Unit((entry, *entries), unit.floor, unit.changed, unit.source)
    for place, old in enumerate(entries):
        if old.slot == slot and old[:5] == entry[:5]:
            if old[5:] >= entry[5:]:
                return unit
            return unit._replace(entries=(*entries[:place], entry, *entries[place + 1 :]))
    return _truncated(unit, (*entries, entry), depth=depth)


def union(one: Unit, other: Unit, *, depth: int = DEPTH) -> Unit:
    """Two copies of a unit's state as one."""
    newest: dict[tuple[int, str, str, str, tuple[str, ...]], Entry] = {}
    for entry in (*one.entries, *other.entries):
        known = newest.get(entry[:5])
        if known is None or known[5:] < entry[5:]:
            newest[entry[:5]] = entry
    changed, source = max((one.changed, one.source), (other.changed, other.source))
    merged = Unit(one.entries, max(one.floor, other.floor), changed, source)
    return _truncated(merged, newest.values(), depth=depth)


def _truncated(unit: Unit, entries: Iterable[Entry], *, depth: int) -> Unit:
    kept: list[Entry] = []
    floor = unit.floor
    groups = lanes = 0
    group: Floor | None = None
    for entry in sorted(sorted(entries, key=_lane_rank), key=_pair, reverse=True):
        if entry[:2] != group:
            group, lanes, groups = entry[:2], 0, groups + 1
        lanes += 1
        if groups > depth:
            floor = max(floor, entry[:2])
        elif lanes <= LANES:
            kept.append(entry)
    result = tuple(kept)
    if result == unit.entries and floor == unit.floor:
        return unit
    return Unit(result, floor, unit.changed, unit.source)


def _pair(entry: Entry) -> Floor:
    return entry.slot, entry.read_point


def _lane_rank(entry: Entry) -> tuple[int, bool, str, str, tuple[str, ...]]:
    lane = entry.lane
    kind = 0 if not lane else 1 if lane.startswith("late:") else 2
    return kind, bool(entry.origin), lane, entry.origin, entry.path


def where_now(entries: tuple[Entry, ...]) -> Entry | None:
    """The entry that says where the unit is: newest slot, strongest evidence, newest last read."""
    best: Entry | None = None
    for entry in entries:
        if best is not None and entry.slot < best.slot:
            break
        if entry.bits & _PLACING != 1 or (entry.lane[:5] == "late:" and _has_main(entries, entry)):
            continue
        if best is None or _preference(entry) > _preference(best):
            best = entry
    return best


def _has_main(entries: tuple[Entry, ...], late: Entry) -> bool:
    return any(not e.lane and e[:2] == late[:2] and not e.bits & RETRACTED for e in entries)


def _preference(entry: Entry) -> tuple[int, int, str, str, str, tuple[str, ...]]:
    return -entry.how, entry.at_us, entry.read_point, entry.lane, entry.origin, entry.path
