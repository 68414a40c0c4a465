"""What the figures of a report must be, by brute force: what was made of each lot, and what became of it.

Read it beside docs/quantities.md and docs/recall-report.md. These worlds have no map of places: what is under way is
shipped, what is at rest is on hand.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tests.recall_worlds.oracle import IN_TRANSIT, Nodes, Recalled, booked, line_of, named
from tests.worlds.oracle import FOREVER, answer, units_of_range, valid_events
from tests.worlds.portions import is_portion, with_portions
from tests.worlds.world import SECOND, START, Kind, World, lot

ITEMS, KILOGRAMS, PALLETS, CASES = "items", "KGM", "pallets", "cases"
PARTS = ("on_hand", "shipped", "consumed", "unexplained")


class Of(NamedTuple):
    """What a figure is of, or one fact behind it; empty where it does not say."""

    lot: str
    term: str
    measure: str
    location: str = ""
    disposition: str = ""
    party: str = ""
    document: str = ""
    line: str = ""
    process: str = ""


class Figures(NamedTuple):
    """Those of one world that are not 0: of whole lots, and of places, document lines and processes."""

    totals: dict[Of, int]
    parts: dict[Of, int]


def figures(world: World, truth: Recalled) -> Figures:
    """Every figure of every lot."""
    totals, places = balanced(world, truth)
    parts = Counter(dict([*places.items(), *_logistic(world), *_sent(truth), *_sent_pallets(world)]))
    for of, value in _used(truth):
        parts[of] += value
    return Figures(totals, _some(parts))


def balanced(world: World, truth: Recalled, *, by: int = FOREVER) -> Figures:
    """The balance of every lot, by what had happened so many seconds after START: in all, and place by place."""
    made, places = Counter[Of](), Counter[Of]()
    for of, value in (*_items(world, truth, by), *_kilograms(world, truth, by)):
        (made if of.term in ("made", "received") else places)[of] += value
    totals = Counter(made)
    for of, value in places.items():
        totals[Of(of.lot, of.term, of.measure)] += value
    for one, measure in {(of.lot, of.measure) for of in totals}:
        became = sum(totals[Of(one, term, measure)] for term in PARTS[:-1])
        unexplained = totals[Of(one, "made", measure)] - became
        totals[Of(one, "unexplained", measure)] = unexplained
        if measure == ITEMS:
            places[Of(one, "unexplained", measure)] = unexplained
    return Figures(_some(totals), _some(places))


def _some(found: dict[Of, int]) -> dict[Of, int]:
    return {of: value for of, value in found.items() if value}


def _became(disposition: str) -> str:
    return {"consumed": "consumed", IN_TRANSIT: "shipped"}.get(disposition, "on_hand")


def _items(world: World, truth: Recalled, by: int) -> Iterator[tuple[Of, int]]:
    for event in valid_events(world):
        if event.lot and event.kind in (Kind.MAKE, Kind.TRANSFORM) and event.at <= by:
            yield Of(lot(event.lot), "made", ITEMS), len({*event.tags, *units_of_range(event)})
    for one, units in truth.items.items():
        for (place, disposition), many in units.items():
            yield Of(one, _became(disposition), ITEMS, place, disposition), many


def _kilograms(world: World, truth: Recalled, by: int) -> Iterator[tuple[Of, int]]:
    """A line of the books from nowhere is made, and to nowhere used; what is missing somewhere came from outside while
    it was under way, if nobody made any, and nobody explains it otherwise."""
    portioned = tuple(with_portions(world))
    made: Counter[str] = Counter()
    for one in (booking for booking in booked(valid_events(portioned), portioned) if booking.event.at <= by):
        if one.used:
            yield Of(one.lot, "consumed", KILOGRAMS, one.left[0]), one.amount
        elif not one.left[0]:
            made[one.lot] += one.amount
        if not (one.left[0] or one.came[0]):
            yield Of(one.lot, "unexplained", KILOGRAMS), -one.amount if one.used else one.amount
    yield from ((Of(one, "made", KILOGRAMS), amount) for one, amount in made.items())
    for one, amounts in truth.amounts.items():
        rest: Counter[tuple[str, str]] = Counter()
        for (place, disposition), amount in amounts.items():
            if disposition == "consumed":
                yield Of(one, "consumed", KILOGRAMS, place, disposition), amount
            else:
                rest[place, disposition if disposition == IN_TRANSIT else ""] += amount
        for (place, disposition), amount in rest.items():
            if amount > 0:
                yield Of(one, _became(disposition), KILOGRAMS, place, disposition), amount
            elif disposition == IN_TRANSIT and made[one] <= 0:
                yield from ((Of(one, term, KILOGRAMS), -amount) for term in ("made", "received"))
            else:
                yield Of(one, "unexplained", KILOGRAMS, place, disposition), amount


def _logistic(world: World) -> Iterator[tuple[Of, int]]:
    """The outermost logistic units that units lie in are pallets, those inside these cases; each once at a place."""
    found: dict[Of, set[str]] = {}
    for one, units in answer(tuple(with_portions(world))).places.items():
        for tag, place in units.items():
            if not is_portion(tag):
                where = place.location, place.disposition
                found.setdefault(Of(one, _became(where[1]), PALLETS, *where), set()).update(place.path[:1])
                found.setdefault(Of(one, _became(where[1]), CASES, *where), set()).update(place.path[1:])
    yield from ((of, len(units)) for of, units in found.items())


def _sent(truth: Recalled) -> Iterator[tuple[Of, int]]:
    for one, lines in truth.recipients.items():
        for (party, document, line), both in lines.items():
            for measure, value in zip((ITEMS, KILOGRAMS), both, strict=True):
                yield Of(one, "sent", measure, party=party, document=document, line=line), value


def _sent_pallets(world: World) -> Iterator[tuple[Of, int]]:
    """Logistic units that a shipment names and that held units of a lot then; each once on a line."""
    events = valid_events(tuple(with_portions(world)))
    nodes, found = Nodes(events), dict[Of, set[str]]()
    for event in events:
        for pallet in event.tags if event.kind is Kind.SHIP and named(event) else ():
            at = START + event.at * SECOND
            inside = {nodes.lot_at(unit, at) for unit in nodes.inside(pallet, at) if not is_portion(unit)} - {""}
            for one in inside:
                party, document, line = line_of(event)
                of = Of(one, "sent", PALLETS, party=party, document=document, line=line)
                found.setdefault(of, set()).add(pallet)
    yield from ((of, len(pallets)) for of, pallets in found.items())


def _used(truth: Recalled) -> Iterator[tuple[Of, int]]:
    for side in truth.sides:
        if "/10/" in side.node:
            of = Of(side.node, "made_by" if side.output else "used", ITEMS, process=side.process)
            yield of, side.items
            yield of._replace(measure=KILOGRAMS), side.amount or 0
