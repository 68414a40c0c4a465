"""What a recall must say of a world, by brute force: it sees the whole set of facts at once, and knows no order.

Read it beside docs/trace.md and docs/quantities.md. Where units are is the oracle's of `tests/worlds`; no line of the
product is used.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.worlds.oracle import DECLARED, FOREVER, Answer, Belonging, Containment, answer, valid_events
from tests.worlds.portions import is_portion, with_portions
from tests.worlds.world import SECOND, START, Event, Kind, World, lot

IN_TRANSIT = "in_transit"
STEPS = {Kind.SHIP: "shipping", Kind.RECEIVE: "receiving", Kind.RETURN: "receiving"}
Where = tuple[str, str]  # location, disposition
Line = tuple[str, str, str]  # party or destination, document, line


class Booked(NamedTuple):
    """So much of a lot left one place and came to another; '' is nowhere."""

    lot: str
    event: Event
    amount: int
    left: Where
    came: Where
    used: bool = False


class Side(NamedTuple):
    """So much of a node was on one side of a process."""

    process: str
    output: bool
    node: str
    event: str
    items: int
    amount: int | None


class Delivered(NamedTuple):
    """So much of a lot was sent or received by an event."""

    lot: str
    step: str
    event: str
    document: str
    line: str
    to: str
    items: int
    amount: int | None


class Recalled(NamedTuple):
    """Everything that a recall of any lot of a world can be asked."""

    sides: frozenset[Side]
    deliveries: frozenset[Delivered]
    items: dict[str, dict[Where, int]]  # lot -> where -> units
    amounts: dict[str, dict[Where, int]]
    recipients: dict[str, dict[Line, tuple[int, int]]]  # lot -> line -> units, amount


def recalled(world: World, *, by: int = FOREVER) -> Recalled:
    """The whole truth about a world; ``by`` how many seconds after START it had happened."""
    world = tuple(with_portions(world))
    where, events = answer(world, by_us=START + by * SECOND), valid_events(world)
    books = [one for one in booked(events, world) if one.event.at <= by]
    return Recalled(
        sides=frozenset(side for side, at in sides(events) if at <= by),
        deliveries=frozenset(deliveries(where, events, books)),
        items={one: Counter(place[:2] for place in units.values()) for one, units in items_of(where).items()},
        amounts=amounts(books, where),
        recipients=recipients(where, events, books),
    )


def reached(truth: Recalled, start: str, *, back: bool) -> set[str]:
    """Nodes on the far side of whatever has the start, or what was reached, on its near side."""
    found, grew = {start}, True
    while grew:
        met = {side.process for side in truth.sides if side.output is back and side.node in found}
        more = {side.node for side in truth.sides if side.process in met and side.output is not back}
        grew, found = not more <= found, found | more
    return found


def items_of(where: Answer) -> dict[str, dict[str, Where]]:
    """Lot -> unit -> place, of serialised units."""
    return {
        one: {tag: place[:2] for tag, place in units.items() if not is_portion(tag)}
        for one, units in where.places.items()
    }


def booked(events: Iterable[Event], world: World) -> Iterator[Booked]:
    """What entered the books: of a document line the fact told last, none of it once one was declared wrong."""
    lines: dict[tuple[str, str], list[Booked]] = {}
    for one in (booking for event in events for booking in bookings(event)):
        lines.setdefault((one.lot, identity(one)), []).append(one)
    errors = [fact for fact in world if isinstance(fact, Event) and fact.wrong]
    wrong = {(one.lot, identity(one)) for fact in errors for one in bookings(fact)}
    for key, facts in lines.items():
        if key not in wrong:
            yield max(facts, key=lambda one: (one.event.told, one.event.name))


def identity(one: Booked) -> str:
    event = one.event
    if event.document and event.line and event.kind in STEPS:
        return f"{event.document}|{event.line}|{STEPS[event.kind]}|{event.revision}"
    return event.name + ("|used" if one.used else "")


def bookings(event: Event) -> Iterator[Booked]:
    """Where an event takes class-level goods from, and where to (docs/quantities.md has the table)."""
    here, way, nowhere = (event.location, ""), (event.location, IN_TRANSIT), ("", "")
    source = (event.source, "")
    ends: tuple[Where, Where] | None = None
    if event.kind is Kind.SHIP:
        ends = (source if event.source else ("gate", ""), way)
    elif event.kind in (Kind.RECEIVE, Kind.RETURN):
        ends = (source if event.kind is Kind.RETURN and event.source else way, here)
    elif event.kind is Kind.PACK:
        ends = (here, (event.parent, ""))
    elif event.kind is Kind.UNPACK and event.location:
        ends = ((event.parent, ""), here)
    elif event.kind in (Kind.MAKE, Kind.TRANSFORM):
        ends = (nowhere, here)
    for code, amount in event.amounts if ends else ():
        yield Booked(lot(code), event, amount, *ends)
    for code, amount in event.used_amounts:
        yield Booked(lot(code), event, amount, here, nowhere, used=True)


def held(books: Iterable[Booked], unit: str, one: str, *, at: int) -> int:
    """How much of a lot the books had in a unit at an instant."""
    mine = [booking for booking in books if booking.lot == one and booking.event.at <= at]
    return sum(each.amount * ((each.came[0] == unit) - (each.left[0] == unit)) for each in mine)


def amounts(books: Iterable[Booked], where: Answer) -> dict[str, dict[Where, int]]:
    """Lot -> where -> so much: what a pallet holds is where the pallet is; who left a place had arrived there."""
    sums: dict[str, Counter[Where]] = defaultdict(Counter)
    for one in books:
        units = where.places.get(one.lot, {})
        for (place, state), sign in ((one.came, 1), (one.left, -1)) if one.came != one.left else ():
            carrier = units.get(f"02/{one.lot[3:]}/{place}")
            sums[one.lot][carrier[:2] if carrier else (place, state)] += sign * one.amount
    for places in sums.values():
        del places["", ""]
        for (place, state), amount in list(places.items()):
            if state != IN_TRANSIT and amount < 0:
                arrived = max(0, min(-amount, places[place, IN_TRANSIT]))
                places[place, state] += arrived
                places[place, IN_TRANSIT] -= arrived
    return {one: {place: amount for place, amount in places.items() if amount} for one, places in sums.items()}


class Told(NamedTuple):
    """A unit, or a portion, of a lot was sent or received by an event."""

    lot: str
    tag: str
    event: Event
    location: str


def told(where: Answer, events: Iterable[Event]) -> set[Told]:
    by_lane = {f"event:{event.name}": event for event in events if event.kind in STEPS}
    return {
        Told(one, tag, by_lane[lane], said[1])
        for (one, tag, _, _, lane, _, _), said in where.facts.items()
        if said[4] == DECLARED and lane in by_lane
    }


def deliveries(where: Answer, events: list[Event], books: list[Booked]) -> Iterator[Delivered]:
    """Who sent and received what, by the event and document line that say so."""
    items: Counter[tuple[object, ...]] = Counter()
    sums: Counter[tuple[object, ...]] = Counter()
    for one in told(where, events):
        key = one.lot, *_told_by(one.event)
        if is_portion(one.tag):
            sums[key] += held(books, one.tag.split("/", 4)[4], one.lot, at=one.event.at)
        else:
            items[key] += 1
    for booking in books:
        if booking.event.kind in STEPS:
            sums[booking.lot, *_told_by(booking.event)] += booking.amount
    yield from (Delivered(*key, count, None) for key, count in items.items())  # type: ignore[arg-type]
    yield from (Delivered(*key, 0, much) for key, much in sums.items() if much > 0)  # type: ignore[arg-type]


def _told_by(event: Event) -> tuple[str, ...]:
    to = (event.party if event.kind is Kind.SHIP else "") or event.location
    return STEPS[event.kind], event.name, _paper(event), event.line, to


def _paper(event: Event) -> str:
    return f"desadv:{event.document}" if event.document else ""


def recipients(where: Answer, events: list[Event], books: list[Booked]) -> dict[str, dict[Line, tuple[int, int]]]:
    """Lot -> (who, document, line) -> units and amount. Units and pallets count once, however often they were sent."""
    sent = [one for one in told(where, events) if one.event.kind is Kind.SHIP and named(one.event)]
    units = {(one.lot, one.tag, line_of(one.event)) for one in sent}
    first = {key: min(one.event.at for one in sent if (one.lot, one.tag, line_of(one.event)) == key) for key in units}
    items: Counter[tuple[str, Line]] = Counter()
    sums: Counter[tuple[str, Line]] = Counter()
    for (one, tag, line), at in first.items():
        if is_portion(tag):
            sums[one, line] += held(books, tag.split("/", 4)[4], one, at=at)
        else:
            items[one, line] += 1
    sums = +sums
    for booking in books:
        if booking.event.kind is Kind.SHIP and named(booking.event):
            sums[booking.lot, line_of(booking.event)] += booking.amount
    found: dict[str, dict[Line, tuple[int, int]]] = {}
    for one, line in items | sums:
        found.setdefault(one, {})[line] = items[one, line], sums[one, line]
    return found


def named(event: Event) -> bool:
    return bool(event.party or event.document)


def line_of(event: Event) -> Line:
    return event.party or event.location, _paper(event), event.line


def sides(events: list[Event]) -> Iterator[tuple[Side, int]]:
    """Every side of every process, and when; what is of a unit is of the lot that it, and what is inside it, belonged
    to."""
    made = [event for event in events if event.kind is Kind.TRANSFORM]
    nodes = Nodes(events)
    for event in made:
        process = event.process or event.name
        into, out = nodes.of(event.used, event), nodes.of(() if event.lot else event.tags, event)
        if event.lot and event.tags:
            out[lot(event.lot)] += len(event.tags)
        for output, items, much in ((False, into, event.used_amounts), (True, out, event.amounts)):
            found = [Side(process, output, node, event.name, count, None) for node, count in items.items()]
            found += [Side(process, output, lot(code), event.name, 0, amount) for code, amount in much]
            yield from ((side, event.at) for side in found)


class Nodes:
    """What units stand for at an instant: their lots; those of what they hold; without any, themselves."""

    def __init__(self, events: list[Event]) -> None:
        self._containment, self._whose = Containment(events), Belonging(events)
        self._fills = [event for event in events if event.kind is Kind.TRANSFORM and not event.lot]

    def of(self, tags: Iterable[str], event: Event) -> Counter[str]:
        """Node -> serialised units."""
        meant: dict[str, str] = {}
        at = START + event.at * SECOND
        for tag in tags:
            inside = self.inside(tag, at)
            lots = {one: self.lot_at(one, at) for one in {tag, *inside}}
            meant |= {one: whose for one, whose in lots.items() if whose}
            bare = {one for one in inside if not one.startswith("00/")} if inside else {tag}
            meant |= {one: self._filled(one, event) for one in bare if not lots[one]}
        found = Counter(meant.values())
        found.subtract(meant[one] for one in meant if is_portion(one))
        return found

    def inside(self, unit: str, at_us: int) -> set[str]:
        """What is inside a unit at an instant, at any depth."""
        return self._inside(unit, at_us, (unit,))

    def lot_at(self, unit: str, at_us: int) -> str:
        """The lot of a unit at an instant, or ''."""
        return self._whose.lot_at(unit, at_us)

    def _inside(self, parent: str, at: int, path: tuple[str, ...]) -> set[str]:
        children = {one for one in self._containment.inside(parent, at) if one not in path} if len(path) <= 8 else set()
        return children.union(*(self._inside(child, at, (*path, child)) for child in children))

    def _filled(self, unit: str, event: Event) -> str:
        """A container that is filled again holds other goods."""
        fills = [fill.at for fill in self._fills if unit in fill.tags and fill.at <= event.at]
        return f"{unit}@{max(fills)}" if fills else unit
