"""What the clauses of a scope mean in a world, by brute force: each a set of (lot, what of it).

What of a lot: a unit of it, or a logistic unit with what it holds of it by class; WHOLE is everything of it, LOOSE what
has no tag. Read it beside docs/recall.md; where units are, and what the books have, is the oracle's of these worlds.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.recall_worlds.oracle import IN_TRANSIT, Nodes, Where, booked
from tests.worlds.oracle import OBSERVED, Answer, Seen, answer, units_of_range, valid_events
from tests.worlds.portions import is_portion, with_portions
from tests.worlds.world import SECOND, START, Event, Kind, World, lot

WHOLE, LOOSE = "whole", "loose"
EVER = tuple(range(-10, 260, 10))  # every instant at which anything happens in a world, and one before
Part = tuple[str, str]  # lot, what of it


class Scopes:
    """What clauses mean in one world."""

    def __init__(self, world: World) -> None:
        self._told = valid_events(world)
        portioned = tuple(with_portions(world))
        self._events = valid_events(portioned)
        self._where = answer(portioned)
        self._books = list(booked(self._events, portioned))
        self._nodes = Nodes(self._events)

    def everything(self, one: str) -> set[Part]:
        """All that there is of a lot: units that were ever said to be of it, and what has no tags."""
        found = {(one, tag) for event in self._told if event.lot and lot(event.lot) == one for tag in _bound(event)}
        carried = (lot(event.lot) for event in self._events if event.lot and any(map(is_portion, event.tags)))
        return found | {(one, LOOSE) for some in (*carried, *(each.lot for each in self._books)) if some == one}

    def serials(self, first: int, last: int) -> set[Part]:
        """Units with these serials, of every lot that they were said to be of."""
        tags = set(units_of_range(Event(name="", kind=Kind.MAKE, at=0, first=first, last=last)))
        return {(lot(event.lot), tag) for event in self._told if event.lot for tag in _bound(event) if tag in tags}

    def unit(self, unit: str, window: range | None = None) -> tuple[set[Part], set[str]]:
        """A unit and everything that was inside it, by the lots that each was of meanwhile; and the logistic units."""
        found: set[Part] = set()
        logistic = set()
        for at in EVER if window is None else window:
            instant = START + at * SECOND
            for one in {unit, *self._nodes.inside(unit, instant)}:
                whose = self._nodes.lot_at(one, instant)
                if whose:
                    found.add((whose, one.split("/", 4)[4] if is_portion(one) else one))
                if one.startswith("00/"):
                    logistic.add(one)
        return found, logistic

    def produced(self, place: str, window: range) -> set[Part]:
        """Lots of which an event made some within the window: there, or it names no place and others say there."""
        made = [(lot(code), event) for event in self._told for code in _made(event)]
        here = {one for one, event in made if event.location == place}
        there = {(one, WHOLE) for one, event in made if event.at in window and event.location in ("", place)}
        return {part for part in there if part[0] in here}

    def supplied(self, code: str) -> set[Part]:
        """Lots that bear a code of their supplier's."""
        return {(lot(one), WHOLE) for event in self._told if event.supplier == code for one in _made(event)}

    def exposed(self, place: str, window: range) -> set[Part]:
        """What was at a place within a window: seen there, or last seen there before it; all of what has no tags."""
        found = set()
        for (one, tag), sightings in in_order(self._where).items():
            for seen, after in pairwise([*sightings, None]):
                if seen is not None and _there(seen, after, place, window):
                    found.add((one, WHOLE if is_portion(tag) else tag))
        found |= {(one, WHOLE) for one in self._had(place, window)}
        return {part for part in found if part[1] == WHOLE or (part[0], WHOLE) not in found}

    def _had(self, place: str, window: range) -> Iterator[str]:
        opening: dict[tuple[str, Where], int] = defaultdict(int)
        for one in self._books:
            for end, sign in ((one.came, 1), (one.left, -1)) if one.came != one.left else ():
                if end[0] == place and end[1] != IN_TRANSIT:
                    if one.event.at <= window.start:
                        opening[one.lot, end] += sign * one.amount
                    if one.event.at in window:
                        yield one.lot
        yield from (one for (one, _), amount in opening.items() if amount > 0)


def _bound(event: Event) -> list[str]:
    return [*event.tags, *units_of_range(event)]


def _made(event: Event) -> Iterator[str]:
    """The lots of which an event made some."""
    if event.kind in (Kind.MAKE, Kind.TRANSFORM):
        yield from (code for code, amount in event.amounts if amount)
        if event.lot and _bound(event):
            yield event.lot


def in_order(where: Answer) -> dict[tuple[str, str], list[Seen]]:
    """The sightings that place each unit of a lot, one for each slot and read point, the best the last."""
    best: dict[tuple[str, str, str, int], Seen] = {}
    for (one, *key), (at, location, disposition, state, how) in where.facts.items():
        seen = Seen(*key, at, location, disposition, state, how)  # type: ignore[arg-type]
        if state == OBSERVED:
            place = one, seen.tag, seen.point, seen.slot
            best[place] = max(best.get(place, seen), seen, key=_rank)
    found: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for (one, tag, _, _), seen in best.items():
        found[one, tag].append(seen)
    return {unit: sorted(sightings, key=_rank) for unit, sightings in found.items()}


def _rank(seen: Seen) -> tuple[int, int, int, str, str, str, tuple[str, ...]]:
    return seen.slot, -seen.how, seen.at_us, seen.point, seen.lane, seen.origin, seen.path


def _there(seen: Seen, after: Seen | None, place: str, window: range) -> bool:
    since, until = START + window.start * SECOND, START + window.stop * SECOND
    if seen.location != place or seen.disposition == IN_TRANSIT or seen.at_us >= until:
        return False
    return seen.at_us >= since or after is None or after.at_us > since
