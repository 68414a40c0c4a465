"""What must come out of the portal load, said the slow and obvious way: reads in a dictionary, sorted, cut, summed."""

import math
from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from bench.portal import INNER, Batch, Portal
from lotstream.schemas.base import SLOT_US
from lotstream.schemas.identifiers.tag import tag_key
from lotstream.schemas.sightings import Direction, Mark, Sighting, State

Read = tuple[int, int, int]  # time, antenna, RSSI
Fact = tuple[str, str, int]  # tag, read point, slot
Word = tuple[Any, ...]  # location, state, direction, marks, runs


def expected_sightings(portal: Portal, batches: Iterable[Batch], *, silence_us: int, observe: int) -> dict[Fact, Word]:
    """Every sighting of the load as it must stand when all is over."""
    reads: defaultdict[tuple[int, int], list[Read]] = defaultdict(list)
    for batch in batches:
        columns = (batch.unit, batch.time_us, batch.antenna, batch.rssi)
        for unit, *read in zip(*(column.tolist() for column in columns), strict=True):
            reads[unit, batch.point].append((read[0], read[1], read[2]))
    facts: dict[Fact, Word] = {}
    for (unit, point), rows in reads.items():
        rows.sort()
        key = tag_key(portal.epc(unit))
        for visit in _cut(rows, silence_us):
            for slot, word in _visit(visit, observe):
                facts[key, f"dock-{point}", slot] = _more(facts.get((key, f"dock-{point}", slot)), word, point=point)
    return facts


def _cut(rows: list[Read], silence_us: int) -> list[list[Read]]:
    visits = [[rows[0]]]
    for before, read in pairwise(rows):
        if read[0] - before[0] > silence_us:
            visits.append([])
        visits[-1].append(read)
    return visits


def _visit(visit: list[Read], observe: int) -> list[tuple[int, Word]]:
    slots: defaultdict[int, list[Read]] = defaultdict(list)
    for read in visit:
        slots[read[0] // SLOT_US].append(read)
    words, seen = [], 0
    for slot, rows in slots.items():
        seen += len(rows)
        marks = Mark.FINAL
        marks |= Mark.CONTINUES_BEFORE if rows[0] is not visit[0] else Mark.NONE
        marks |= Mark.CONTINUES_AFTER if rows[-1] is not visit[-1] else Mark.NONE
        direction = Direction.UNKNOWN if Mark.CONTINUES_AFTER in marks else _direction(visit)
        state = State.OBSERVED if seen >= observe else State.GLIMPSED
        words.append((slot, (state, direction, marks, [_run(rows)])))
    return words


def _direction(visit: list[Read]) -> Direction:
    inner = [time for time, antenna, _ in visit if antenna in INNER]
    outer = [time for time, antenna, _ in visit if antenna not in INNER]
    if not inner or not outer:
        return Direction.UNKNOWN
    difference = Fraction(sum(inner), len(inner)) - Fraction(sum(outer), len(outer))
    return Direction.INWARD if difference > 0 else Direction.OUTWARD if difference < 0 else Direction.UNKNOWN


def _run(rows: list[Read]) -> list[int]:
    run = [rows[0][0], rows[-1][0], len(rows)]
    for antenna in sorted({read[1] for read in rows}):
        strengths = [read[2] for read in rows if read[1] == antenna]
        run += [antenna, len(strengths), math.floor(Fraction(sum(strengths), len(strengths)) + Fraction(1, 2))]
    return run


def _more(had: Word | None, word: Word, *, point: int) -> Word:
    """A second visit in one slot: its direction and what it continues to count, both have runs."""
    state, direction, marks, runs = word
    if had is not None:
        marks = (marks & ~Mark.CONTINUES_BEFORE) | (had[3] & Mark.CONTINUES_BEFORE)
        state, runs = max(state, had[1]), had[4] + runs
    location = f"yard-{point}" if direction is Direction.OUTWARD else f"hall-{point}"
    return (location, state, direction, marks, runs)


def standing(rows: Iterable[Sighting]) -> dict[Fact, Word]:
    """The newest version of each sighting, in the words of `expected_sightings`."""
    newest: dict[Fact, Sighting] = {}
    for row in rows:
        fact = (row.tag, row.form.context.read_point, row.slot)
        had = newest.get(fact)
        if had is None or row.version >= had.version:
            newest[fact] = row
    return {
        fact: (row.form.location, row.form.state, row.form.direction, row.marks, [list(run) for run in row.runs])
        for fact, row in newest.items()
    }
