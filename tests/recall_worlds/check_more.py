"""Whether the balance of a lot and the history of a unit say exactly what is true of a world."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lotstream.recall.answers import HistoryAnswer
from lotstream.recall.ask import history_of
from lotstream.recall.balance import balance
from lotstream.recall.find import LotMissing, UnitMissing
from lotstream.recall.store import History
from lotstream.schemas.sightings import State
from tests.recall_worlds.oracle import Recalled
from tests.recall_worlds.report_oracle import Of, balanced
from tests.worlds.oracle import FOREVER, sightings, units_of_range, valid_events
from tests.worlds.portions import with_portions
from tests.worlds.world import ODD, SECOND, SERIALS, START, Kind, World, lot, pallet, tag

UNITS = (*map(tag, (*range(1, SERIALS + 1), ODD)), *map(pallet, (1, 2, 3, 9)))
GRADES = ("confirmed", "inferred", "declared")
TERMS = (
    "made", "received", "on_hand", "in_transit", "shipped", "consumed", "destroyed", "adjusted", "unexplained"
)  # fmt: skip


class Line(NamedTuple):
    """A line of the history of a unit; microseconds."""

    at_us: int
    read_point: str
    location: str
    disposition: str
    evidence: str
    state: str
    path: tuple[str, ...]


def misbalanced(history: History, world: World, truth: Recalled, *, lots: Iterable[str], by: int) -> Iterator[str]:
    """Where the balances of some lots differ, term by term."""
    totals = balanced(world, truth, by=by).totals
    for one in lots:
        try:
            lines = balance(history, one).accounted
        except LotMissing:
            continue  # whether it ought to be known is asked elsewhere
        told = {Of(one, term, line.uom): int(getattr(line, term)) for line in lines for term in TERMS}
        for of in sorted({of for of in totals if of.lot == one} | told.keys()):
            if totals.get(of, 0) != told.get(of, 0):
                yield f"balance: Expected {totals.get(of, 0)} of {of}, got {told.get(of, 0)}."


def misremembered(history: History, world: World, *, units: Iterable[str], by: int) -> Iterator[str]:
    """Where the histories of some units differ: the lots that they were of, and every sighting in its order."""
    told: dict[str, list[Line]] = {}
    for seen in sightings(world, valid_events(tuple(with_portions(world))), by_us=START + by * SECOND):
        how, state = GRADES[seen.how], State(seen.state).name.lower()
        line = Line(seen.at_us, seen.point, seen.location, seen.disposition, how, state, seen.path)
        told.setdefault(seen.tag, []).append(line)
    for unit in units:
        lots, lines = _lots(world, unit, by), sorted(told.get(unit, ()))
        try:
            answer = history_of(history, unit)
        except UnitMissing:
            if lots or lines:
                yield f"history: Expected {unit} to be known."
            continue
        if list(answer.lots) != lots:
            yield f"history: Expected {lots} of {unit}, got {answer.lots}."
        got = [*_lines(answer)]
        if [line.at_us for line in got] != [line.at_us for line in lines] or sorted(got) != lines:
            yield f"history: Expected {lines} of {unit}, got {got}."


def _lines(answer: HistoryAnswer) -> Iterator[Line]:
    for row in answer.sightings:
        at_us = round(row.last_at.timestamp() * SECOND)
        yield Line(at_us, row.read_point, row.location, row.disposition, row.evidence, row.state, row.path)


def _lots(world: World, unit: str, by: int) -> list[str]:
    """In order of time: the first one whenever it was, the others once they had begun."""
    since: dict[str, int] = {}
    for event in valid_events(world):
        if event.kind in (Kind.MAKE, Kind.TRANSFORM) and event.lot and unit in (*event.tags, *units_of_range(event)):
            since[lot(event.lot)] = min(event.at, since.get(lot(event.lot), FOREVER))
    ordered = sorted(since, key=lambda one: (since[one], one))
    return [one for number, one in enumerate(ordered) if number == 0 or since[one] <= by]
