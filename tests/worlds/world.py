"""Worlds: what is said and what is read in one, as plain values; and how they are made by chance."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from lotstream.schemas.sightings import State

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
    TRANSFORM = "transform"  # tags of ``used`` become tags in a lot


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


Fact = Event | Read
World = tuple[Fact, ...]


def tag(serial: int | str) -> str:
    return f"01/{GTIN}/21/{serial}"


def lot(code: str) -> str:
    return f"01/{GTIN}/10/{code}"


def pallet(number: int) -> str:
    return f"00/0952123454321{number:05d}"


SERIALS = 7
ODD = "X-7"
POINTS = ("dock", "gate", "shelf")
LOTS = ("A", "B", "C")


class Maker:
    """Makes one world from a seed."""

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
        what = chance.choice(
            ("pack", "pack", "nest", "unpack", "ship", "see", "end", "relabel", "transform", "tower", *("read",) * 5)
        )
        at, parent = self._at(), pallet(chance.randrange(1, 4))
        items = tuple(chance.sample([*map(tag, range(1, SERIALS + 1)), tag(ODD)], chance.randrange(1, 4)))
        place = self._maybe("hall")
        if what == "tower":
            yield from self._tower(items[0])
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
