"""Where everything is, by brute force: it sees the whole set of facts at once, and knows no order, no state, no bound.

Read it against DOMAIN.md. It shares no code with the stages: words of the wire are its own plain strings.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.worlds.books import Books, books, in_force
from tests.worlds.doors import passed
from tests.worlds.portions import with_portions
from tests.worlds.world import SECOND, START, Event, Fact, Kind, Read, World, lot

SLOT_US = 30 * SECOND
FOREVER = 1 << 62
DEEPEST = 8
CONFIRMED, INFERRED, DECLARED = 0, 1, 2
OBSERVED = 1


class Seen(NamedTuple):
    """A sighting in force."""

    tag: str
    point: str
    slot: int
    lane: str
    origin: str
    path: tuple[str, ...]
    at_us: int
    location: str
    disposition: str
    state: int
    how: int
    continues: bool = False


class Place(NamedTuple):
    """Where a unit is: in what (the parents, outermost first), and how that is known."""

    location: str
    disposition: str
    how: int
    path: tuple[str, ...]


FactKey = tuple[str, str, str, int, str, str, tuple[str, ...]]  # lot, tag, point, slot, lane, origin, path
Said = tuple[int, str, str, int, int]  # last read, location, disposition, state, how


class Answer(NamedTuple):
    """What is true of a world: where each unit of a lot is, every fact in force of a lot, the kilograms at each place,
    and what holds a lot."""

    places: dict[str, dict[str, Place]]
    facts: dict[FactKey, Said]
    spare: set[FactKey]  # what is in a thing that a slot only goes on to see: it may be told, and need not be
    unsettled: set[tuple[str, str]]  # units of a lot that would be elsewhere by what need not be told
    outside: set[tuple[str, str, int]]  # tag, point and slot whose last read is of no lot; an earlier one may be
    books: Books
    holds: dict[str, dict[str, bool]]


def answer(world: World, *, by_us: int = FOREVER) -> Answer:
    """The whole truth about a world; where everything was by an instant."""
    events = valid_events(tuple(with_portions(world)))
    whose = Belonging(events)
    facts: dict[FactKey, Said] = {}
    spare: set[FactKey] = set()
    outside: set[tuple[str, str, int]] = set()
    of_unit: dict[tuple[str, str], list[Seen]] = {}
    for seen in sightings(world, events, by_us=by_us):
        lot_key = whose.lot_at(seen.tag, seen.at_us)
        if lot_key:
            facts[(lot_key, *seen[:6])] = (seen.at_us, seen.location, seen.disposition, seen.state, seen.how)
            if seen.path and seen.continues:
                spare.add((lot_key, *seen[:6]))
            of_unit.setdefault((lot_key, seen.tag), []).append(seen)
        else:
            outside.add(seen[:3])
    places: dict[str, dict[str, Place]] = {}
    unsettled: set[tuple[str, str]] = set()
    for (lot_key, tag), mine in of_unit.items():
        sure = placed(seen for seen in mine if not (seen.path and seen.continues))
        if sure:
            places.setdefault(lot_key, {})[tag] = sure
        if placed(mine) != sure:
            unsettled.add((lot_key, tag))
    return Answer(places, facts, spare, unsettled, outside, books(world, places), in_force(world))


def sightings(world: World, events: list[Event], *, by_us: int = FOREVER) -> Iterator[Seen]:
    """Every sighting in force by an instant, whose ever it is."""
    direct = [*read_sightings(world), *declared_sightings(events), *door_sightings(world)]
    yield from (seen for seen in (*direct, *carried(direct, Containment(events))) if seen.at_us <= by_us)


def placed(sightings: Iterable[Seen]) -> Place | None:
    """Where a unit is by these; a glimpse places nothing."""
    best = max((seen for seen in sightings if seen.state == OBSERVED), key=_preference, default=None)
    return best and Place(best.location, best.disposition, best.how, best.path)


def _preference(seen: Seen) -> tuple[int, int, int, str, str, str, tuple[str, ...]]:
    """The newest slot; in it the strongest evidence; then the newest read; the rest only so that there is one."""
    return seen.slot, -seen.how, seen.at_us, seen.point, seen.lane, seen.origin, seen.path


def valid_events(world: Iterable[Fact]) -> list[Event]:
    """Each event once; none that is declared an error, whichever of the two was said."""
    said = {fact.name: fact for fact in world if isinstance(fact, Event)}
    wrong = {fact.name for fact in world if isinstance(fact, Event) and fact.wrong}
    return [event for name, event in said.items() if name not in wrong]


def read_sightings(world: Iterable[Fact]) -> Iterator[Seen]:
    """What was read: of each sighting the highest version, unless that takes it back."""
    highest: dict[tuple[str, str, int], Read] = {}
    for fact in world:
        if isinstance(fact, Read):
            key = fact.tag, fact.point, _us(fact.at) // SLOT_US
            if key not in highest or fact.version > highest[key].version:
                highest[key] = fact
    for (tag, point, slot), read in highest.items():
        if not read.retracted:
            at = _us(read.at)
            yield Seen(tag, point, slot, "", "", (), at, read.location, "", int(read.state), CONFIRMED)


def door_sightings(world: Iterable[Fact]) -> Iterator[Seen]:
    """What gateways told. Of a long visit a slot in 120 tells again what is inside, all the others need not."""
    for one in passed(world):
        slot = START // SLOT_US + one.slot
        at, state = START + one.last_ms * 1_000, int(one.observed)
        continues = one.continues and slot % 120 != 0
        yield Seen(one.tag, one.point, slot, "", "", (), at, one.location, "", state, CONFIRMED, continues)


def declared_sightings(events: Iterable[Event]) -> Iterator[Seen]:
    """What events place: the units they name themselves. What is packed follows its parent; what is taken out is
    where it is taken out."""
    for event in events:
        if not event.location:
            continue
        tags = [*event.tags, *event.used, *units_of_range(event)]
        if event.kind is Kind.PACK:
            tags = [event.parent]
        elif event.kind is Kind.UNPACK:
            tags = [event.parent, *event.tags]
        shipped = event.kind is Kind.SHIP
        point, disposition = ("gate", "in_transit") if shipped else (event.location, "")
        disposition = "returned" if event.kind is Kind.RETURN else disposition
        at = _us(event.at)
        for tag in dict.fromkeys(tags):
            lane = f"event:{event.name}"
            gone = "consumed" if tag in event.used and tag not in event.tags else disposition
            yield Seen(tag, point, at // SLOT_US, lane, "", (), at, event.location, gone, OBSERVED, DECLARED)


class Containment:
    """What was in what: from a packing to the next unpacking of the pair, or of everything in the parent."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._said: dict[str, list[Event]] = {}
        for event in events:
            if event.kind in (Kind.PACK, Kind.UNPACK):
                self._said.setdefault(event.parent, []).append(event)

    def inside(self, parent: str, at_us: int) -> list[str]:
        """The children of a parent at an instant."""
        events = self._said.get(parent, ())
        children = {tag for event in events if event.kind is Kind.PACK for tag in event.tags}
        return sorted(child for child in children if self._is_inside(child, events, at_us))

    @staticmethod
    def _is_inside(child: str, events: Iterable[Event], at_us: int) -> bool:
        """The last word at or before the instant; of one instant packing is the last."""
        said = [
            (_us(event.at), event.kind is Kind.PACK)
            for event in events
            if _us(event.at) <= at_us and (child in event.tags or (event.kind is Kind.UNPACK and not event.tags))
        ]
        return bool(said) and max(said)[1]


def carried(direct: Iterable[Seen], containment: Containment) -> Iterator[Seen]:
    """Who sees a parent sees what is in it, and what is in that; never a thing inside itself."""
    reached = list(direct)
    while reached:
        seen = reached.pop()
        for child in containment.inside(seen.tag, seen.at_us):
            path = (*seen.path, seen.tag)
            if child in path or len(path) > DEEPEST:
                continue
            how = DECLARED if seen.how == DECLARED else INFERRED
            inferred = seen._replace(tag=child, origin=seen.origin or seen.tag, path=path, how=how)
            reached.append(inferred)
            yield inferred


class Belonging:
    """Which lot a unit is of: from being made to being ended, or made again."""

    def __init__(self, events: Iterable[Event]) -> None:
        making = (Kind.MAKE, Kind.TRANSFORM)
        self._events = [event for event in events if event.kind is Kind.END or (event.kind in making and event.lot)]
        self._lives: dict[str, list[tuple[int, int, str]]] = {}

    def lot_at(self, tag: str, at_us: int) -> str:
        """The lot of a unit at an instant, or ''."""
        if tag not in self._lives:
            self._lives[tag] = self._lives_of(tag)
        lots = [life_lot for start, end, life_lot in self._lives[tag] if start <= at_us <= end]
        return lots[-1] if lots else ""

    def _lives_of(self, tag: str) -> list[tuple[int, int, str]]:
        """The first life reaches back to before its event, unless an earlier one ended; the instant of its end is
        still of it."""
        mine = [event for event in self._events if tag in event.tags or tag in units_of_range(event)]
        mine.sort(key=lambda event: (event.at, event.kind is not Kind.END, event.name))
        lives: list[tuple[int, int, str]] = []
        for place, event in enumerate(mine):
            if event.kind is Kind.END:
                continue
            end = FOREVER
            if place + 1 < len(mine):
                following = mine[place + 1]
                end = _us(following.at) - (following.kind is not Kind.END)
            lives.append((0 if place == 0 else _us(event.at), end, lot(event.lot)))
        return lives


def units_of_range(event: Event) -> list[str]:
    """The units that a range names."""
    return [f"{lot('')[:17]}/21/{serial}" for serial in range(event.first, event.last + 1)] if event.last else []


def _us(seconds: int) -> int:
    return START + seconds * SECOND
