"""The visits of one unit to read points, each with the top-level tag that it came in: made of its sightings. Pure."""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from itertools import groupby
from typing import NamedTuple

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.sightings import State
from lotstream.streams.locate.parents import Way
from lotstream.streams.locate.unit import AFTER, BEFORE, FINAL, RETRACTED, Entry
from lotstream.streams.resolve.infer import EVERY

_INCOMING = ("receiving", "arriving", "accepting")
_AWAY = ("shipping", "departing", "retail_selling", "dispensing")
_ENDS = ("destroying", "decommissioning")  # what is destroyed moves on no more
_IN_TRANSIT = "in_transit"
_OUTWARD = 2


class Level(IntEnum):
    """What a visit amounts to, the weakest first."""

    NOTHING = 0  # retracted, or not of this alert
    GLIMPSED = 1  # over, with too few reads
    MOVED = 2  # the neighbouring door won
    SEEN = 3
    CONFIRMED = 4


class Visit(NamedTuple):
    """A unit's sightings at one read point without a whole slot between them, in one top-level tag."""

    tag: str
    point: str
    units: frozenset[str]  # the tags between the top-level one and the unit, and the unit
    low: int  # slots
    high: int
    joins: bool  # it goes on from before what is remembered
    level: Level
    first_us: int
    last_us: int
    until_us: int  # up to when it may last, as far as is known
    away: bool  # it says where the unit is now: on its way, or with somebody else
    newest: Entry


def visits_of(unit: str, entries: Iterable[Entry], *, now: Entry | None, way: Way) -> list[Visit]:
    """The visits in some sightings; ``now`` is the one that says where the unit is, ``way`` tells what units are in.

    What is packed is part of the visit of what it is in, whichever of them was read.
    """
    known = sorted(_placed(unit, filter(_counts, entries), way=way), key=lambda e: (e[0], e[1].slot))
    visits: list[Visit] = []
    for (_, tag), some in groupby(known, key=lambda e: e[0]):
        run: list[Entry] = []
        inside: set[str] = set()
        for _, entry, units in some:
            if run and not _goes_on(run[-1], entry):
                visits.append(_visit(tag, run, units=inside, now=now))
                run, inside = [], set()
            run.append(entry)
            inside |= units
        visits.append(_visit(tag, run, units=inside, now=now))
    return _folded(visits)


def _placed(unit: str, entries: Iterable[Entry], *, way: Way) -> Iterator[tuple[tuple[str, str], Entry, set[str]]]:
    """Each with its read point and top-level tag, and with what lies between that and the unit, inclusive."""
    for entry in entries:
        seen = entry.by[2] or unit
        above = (seen, *way(seen, entry.at_us))
        yield (entry.by[0], above[-1]), entry, {unit, *entry.by[3], *above} - {above[-1]}


def _counts(entry: Entry) -> bool:
    bits, _, _, papers = entry.word
    return not bits & RETRACTED and not (papers and papers[1] in _ENDS)


def _goes_on(earlier: Entry, later: Entry) -> bool:
    """Whether two sightings are one visit: of what is inside a unit that stays, hardly any slots are told."""
    slots = EVERY if later.by[2] and later.word[0] & BEFORE else 1
    return later.slot - earlier.slot <= slots


def _visit(tag: str, run: list[Entry], *, units: set[str], now: Entry | None) -> Visit:
    newest = max(run, key=lambda entry: (_level(entry), entry))
    last_us = until_us = max(entry.at_us for entry in run)
    here = now is not None and now in run
    if here and now is not None and now.word[0] & AFTER and now.by[2]:
        until_us = (now.slot + EVERY + 1) * SLOT_US
    return Visit(
        tag=tag,
        point=run[0].by[0],
        units=frozenset(units),
        low=run[0].slot,
        high=run[-1].slot,
        joins=bool(run[0].word[0] & BEFORE),
        level=_level(newest),
        first_us=min(entry.at_us for entry in run),
        last_us=last_us,
        until_us=until_us,
        away=here and now is not None and _is_away(now),
        newest=newest,
    )


def _level(entry: Entry) -> Level:
    bits = entry.word[0]
    if bits & 3 == State.CROSS_READ:
        return Level.MOVED
    if bits & 3 == State.OBSERVED:
        return Level.CONFIRMED if bits & FINAL else Level.SEEN
    return Level.GLIMPSED if bits & FINAL else Level.SEEN


def _is_away(now: Entry) -> bool:
    bits, _, disposition, papers = now.word
    step, party = (papers[1], papers[-1]) if papers else ("", "")
    gone = step in _AWAY or (step in _INCOMING and bool(party))
    return gone or disposition == _IN_TRANSIT or bits >> 2 & 3 == _OUTWARD


def _folded(visits: list[Visit]) -> list[Visit]:
    """Visits of larger units take in those of what is in them, at the same place and time."""
    if len(visits) == 1:
        return visits
    kept: list[Visit] = []
    for visit in sorted(visits, key=lambda v: (len(v.units), v.tag), reverse=True):  # the outermost have most in them
        for i, outer in enumerate(kept):
            if outer.point == visit.point and visit.tag in outer.units and near(outer, visit.low, visit.high):
                kept[i] = _both(outer, visit)
                break
        else:
            kept.append(visit)
    return kept


def near(visit: Visit, low: int, high: int) -> bool:
    """Whether no whole slot lies between a visit and some slots."""
    return visit.low <= high + 1 and low <= visit.high + 1


def _both(outer: Visit, inner: Visit) -> Visit:
    return outer._replace(
        low=min(outer.low, inner.low),
        high=max(outer.high, inner.high),
        joins=outer.joins if outer.low <= inner.low else inner.joins,
        level=max(outer.level, inner.level),
        first_us=min(outer.first_us, inner.first_us),
        last_us=max(outer.last_us, inner.last_us),
        until_us=max(outer.until_us, inner.until_us),
        away=outer.away or inner.away,
    )
