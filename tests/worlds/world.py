"""Worlds: what is said and what is read in one, as plain values; and how they are made by chance."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from lotstream.schemas.identifiers import check_digit
from lotstream.schemas.sightings import State
from tests.worlds.passages import Batch, passage

GTIN = "09521234543213"
START = 1_800_000_000_000_000 // 3_600_000_000 * 3_600_000_000
SECOND = 1_000_000


class Kind(StrEnum):
    """What an event does."""

    MAKE = "make"  # commissions tags, or serials first..last, in a lot
    END = "end"  # decommissions
    PACK = "pack"
    UNPACK = "unpack"  # of no tag in particular: everything
    SEE = "see"  # somebody says where things are
    SHIP = "ship"
    RECEIVE = "receive"
    RETURN = "return"
    TRANSFORM = "transform"  # tags of ``used`` become tags in a lot
    COUNT = "count"  # so much there is at a place, whatever the books say


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A business event; ``wrong`` is its error declaration. ``at`` in seconds after START."""

    name: str
    kind: Kind
    at: int
    tags: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    first: int = 0  # serials first..last when last > 0
    last: int = 0
    lot: str = ""
    parent: str = ""
    location: str = ""
    wrong: bool = False
    amounts: tuple[tuple[str, int], ...] = ()  # (lot code, kilograms) of class-level goods
    used_amounts: tuple[tuple[str, int], ...] = ()
    source: str = ""
    party: str = ""  # to whom
    document: str = ""
    line: str = ""
    revision: int = 0  # of the line
    process: str = ""  # transformation id
    supplier: str = ""  # the supplier's own code of the lot
    told: int = 0  # when it was received, in seconds after START


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One version of a sighting, as smooth writes it: its key is (tag, point, slot of ``at``)."""

    tag: str
    at: int
    point: str
    version: int
    location: str
    state: State = State.OBSERVED
    final: bool = True
    retracted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A decision: a lot is held, or what held it is released for ever."""

    name: str
    lot: str
    hold: str
    at: int
    told: int
    released: bool = False
    recall: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A scanned label of a logistic unit that says what is in it: (00), (02), (10), (37), (310n)."""

    scanned: int  # the scanner's number
    unit: str
    lot: str
    amount: int
    at: int
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Somebody wants a number for a new lot: the code itself, or the next of a series."""

    claim: str
    code: str = ""
    by: str = "ann"


Fact = Event | Read | Hold | Label | Claim | Batch
World = tuple[Fact, ...]


def tag(serial: int | str) -> str:
    return f"01/{GTIN}/21/{serial}"


def lot(code: str) -> str:
    return f"01/{GTIN}/10/{code}"


def pallet(number: int) -> str:
    digits = f"0952123454321{number:04d}"
    return f"00/{digits}{check_digit(digits)}"


SERIALS = 7
ODD = "X-7"
POINTS = ("dock", "gate", "shelf")
LOTS = ("A", "B", "C")
GOODS = tuple(
    f"{kind} goods"
    for kind in (Kind.MAKE, Kind.SHIP, Kind.RECEIVE, Kind.RETURN, Kind.SEE, Kind.TRANSFORM, Kind.COUNT, Kind.END)
)


HAPPENINGS = ("pack", "pack", "nest", "unpack", "ship", "see", "end", "relabel", "transform", "tower", "hold", *GOODS)
HAPPENINGS += ("read",) * 5


class Maker:
    """Makes one world from a seed."""

    happenings: tuple[str, ...] = (*HAPPENINGS, "load", "load", "unload", "label", "claims", *("passage",) * 3)

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._version = 0
        self._names = 0

    def world(self) -> World:
        """Lots first, as a rule; then things that happen, some of which are taken back."""
        facts: list[Fact] = list(self._lots())
        for _ in range(self._chance.randrange(2, 12)):
            facts += self._happening()
        return tuple(dict.fromkeys(facts))

    def _lots(self) -> Iterator[Fact]:
        half = self._chance.randrange(1, SERIALS)
        yield from self._event(Kind.MAKE, at=0, first=1, last=half, lot="A", location=self._maybe("plant"))
        yield from self._event(Kind.MAKE, at=self._at(), first=half + 1, last=SERIALS, lot="B")
        if self._chance.random() < 0.5:
            yield from self._event(Kind.MAKE, at=self._at(), tags=(tag(ODD),), lot="C")

    def _happening(self) -> Iterator[Fact]:
        chance = self._chance
        what = chance.choice(self.happenings)
        at, parent = self._at(), pallet(chance.randrange(1, 4))
        items = tuple(chance.sample([*map(tag, range(1, SERIALS + 1)), tag(ODD)], chance.randrange(1, 4)))
        place = self._maybe("hall")
        if what == "tower":
            yield from self._tower(items[0])
        elif what == "hold":
            yield self._hold()
        elif what == "passage":
            yield from self._passage((*items[:1], parent))
        elif what == "claims":
            yield from self._claims()
        elif what in ("load", "unload", "label"):
            yield from self._load(what)
        elif what in GOODS:
            yield from self._goods(Kind(what.split()[0]))
        elif what == "read":
            yield from self._reads(chance.choice((items[0], items[0], parent, pallet(9))))
        elif what == "nest":
            inner, outer = parent, pallet(9)
            if chance.random() < 0.15:
                inner, outer = outer, inner
            yield from self._event(Kind.PACK, at=at, parent=outer, tags=(inner,), location=place)
        elif what == "pack":
            yield from self._event(Kind.PACK, at=at, parent=parent, tags=items, location=place)
        elif what == "unpack":
            parent, left = chance.choice((parent, parent, pallet(9))), chance.choice((items, ()))
            yield from self._event(Kind.UNPACK, at=at, parent=parent, tags=left, location=place)
        elif what == "relabel":
            first = chance.randrange(1, SERIALS + 1)
            last = chance.randrange(first, SERIALS + 1)
            yield from self._event(Kind.MAKE, at=at, first=first, last=last, lot=chance.choice(LOTS), location=place)
        elif what == "transform":
            yield from self._event(
                Kind.TRANSFORM, at=at, tags=items[:1], used=items[1:], lot=chance.choice(LOTS), location=place
            )
        elif what == "end":
            yield from self._event(Kind.END, at=at, tags=items[:1], location=place)
        else:
            where = chance.choice(("store", "yard"))
            yield from self._event(Kind(what), at=at, tags=chance.choice((items, (parent,))), location=where)

    def _tower(self, unit: str) -> Iterator[Fact]:
        """Pallets in pallets, sometimes too many, and the outermost is seen; at times it lies in the innermost."""
        chance = self._chance
        height = chance.choice((2, 3, 8, 9))
        levels = (unit, *(pallet(20 + number) for number in range(height)))
        for inner, outer in pairwise(levels):
            yield from self._event(Kind.PACK, at=chance.randrange(5) * 10, parent=outer, tags=(inner,))
        if chance.random() < 0.2:
            yield from self._event(Kind.PACK, at=0, parent=levels[1], tags=levels[-1:])
        yield from self._event(Kind.SEE, at=self._at(), tags=levels[-1:], location="port")

    def _goods(self, kind: Kind) -> Iterator[Fact]:
        """Kilograms of lots without serials: at the plant, the store, or on their way; some lines are said anew."""
        chance = self._chance
        amounts = tuple((code, chance.randrange(1, 50)) for code in chance.choices(("A", "G", "H"), k=2))
        fields: dict[str, object] = {"location": chance.choice(("plant", "store")), "amounts": amounts[:1]}
        if kind is Kind.TRANSFORM:
            fields |= {"amounts": chance.choice((amounts[:1], amounts)), "used_amounts": amounts[1:]}
        elif kind not in (Kind.MAKE, Kind.COUNT):
            fields |= {"source": chance.choice(("plant", "plant", "store", "")), "amounts": amounts}
        if kind in (Kind.SHIP, Kind.RECEIVE) and chance.random() < 0.5:
            fields |= {"document": "DN1", "line": chance.choice("12"), "revision": chance.choice((0, 0, 1))}
        yield from self._event(kind, at=self._at(), told=self._names + 1, **fields)

    def _passage(self, things: tuple[str, ...]) -> Iterator[Fact]:
        """Something goes through a door, at times with something else that is empty, full or not known."""
        tags = self._chance.sample(things, self._chance.choice((1, 1, 2)))
        batches = list(passage(self._chance, tags, at=self._at(), first=self._names + 1))
        self._names += len(batches)
        yield from batches

    def _load(self, what: str) -> Iterator[Fact]:
        """Kilograms of lots on a pallet, or taken from it, or what its label says; at times some units beside them."""
        chance = self._chance
        parent, place = pallet(chance.randrange(1, 4)), self._maybe(chance.choice(("plant", "hall")))
        codes = chance.sample(("A", "G", "H"), chance.choice((1, 1, 2)))
        if what == "label":
            source = self._maybe("plant")
            amount = chance.randrange(1, 4) * 10
            for _ in range(chance.choice((1, 1, 2))):
                self._names += 1
                yield Label(scanned=self._names, unit=parent, lot=codes[0], amount=amount, at=self._at(), source=source)
            return
        kind, amounts = (
            Kind.PACK if what == "load" else Kind.UNPACK,
            tuple((code, chance.randrange(1, 50)) for code in codes),
        )
        tags = (tag(chance.randrange(1, SERIALS + 1)),) if chance.random() < 0.2 else ()
        told = self._names + 1
        yield from self._event(
            kind, at=self._at(), told=told, parent=parent, amounts=amounts, tags=tags, location=place
        )
        if chance.random() < 0.4:
            yield from self._reads(parent)

    def _claims(self) -> Iterator[Fact]:
        """Several people want numbers, some of them the same one; some ask twice."""
        chance = self._chance
        for _ in range(chance.randrange(2, 6)):
            self._names += 1
            name = chance.choice((f"c{self._names}", "c1"))
            yield Claim(claim=name, code=chance.choice(("", "", "L-2", "G")), by=chance.choice(("ann", "bob")))

    def _hold(self) -> Hold:
        chance = self._chance
        self._names += 1
        return Hold(
            name=f"hold{self._names}",
            lot=chance.choice(("A", "G")),
            hold=chance.choice(("h1", "h2")),
            at=self._at(),
            told=self._names,
            released=chance.random() < 0.3,
            recall=chance.random() < 0.3,
        )

    def _event(self, kind: Kind, *, at: int, **fields: object) -> Iterator[Fact]:
        self._names += 1
        event = Event(name=f"{kind}{self._names}", kind=kind, at=at, **fields)  # type: ignore[arg-type]
        yield event
        if self._chance.random() < 0.2:
            yield replace(event, wrong=True)

    def _reads(self, unit: str) -> Iterator[Fact]:
        """A sighting opens, closes, and sometimes turns out to be something else."""
        chance = self._chance
        at, point = self._at(), chance.choice(POINTS)
        self._version += 3
        one = Read(tag=unit, at=at, point=point, version=self._version, location=f"at {point}", final=False)
        yield one
        yield replace(one, version=self._version + 1, at=at + chance.randrange(30 - at % 30), final=True)
        fate = chance.random()
        if fate < 0.15:
            yield replace(one, version=self._version + 2, final=True, retracted=True)
        elif fate < 0.3:
            state = chance.choice((State.CROSS_READ, State.OBSERVED))
            yield replace(one, version=self._version + 2, final=True, state=state, location=f"by {point}")

    def _at(self) -> int:
        return self._chance.randrange(25) * 10  # slots are 30 s: ties and neighbours are frequent

    def _maybe(self, location: str) -> str:
        return location if self._chance.random() < 0.4 else ""
