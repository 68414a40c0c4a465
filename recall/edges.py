"""What links goods to goods: sides of processes, and what units are and hold at an instant. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from lotstream.recall.as_of import FIRST, LAST
from lotstream.schemas.identifiers import parse_key
from lotstream.schemas.portions import unit_of

Row = Mapping[str, Any]
DEEPEST = 8  # of containers in containers, as the stream infers them


def numbered(unit: str) -> tuple[str, int] | None:
    """GTIN-14 and serial of a unit whose serial is a number; None of others, also of goods by class inside a unit."""
    key = None if unit_of(unit) else parse_key(unit)
    if key is None or key.gtin is None or key.numeric_serial is None:
        return None
    return key.gtin, key.numeric_serial


class Link(NamedTuple):
    """So much of a node went into a process, or came out of it, by one event."""

    process: str
    output: bool
    node: str  # lot key; a unit of no known lot; the name of a start
    event: str
    biz_step: str
    at: datetime
    items: int
    amount: Decimal | None
    uom: str
    location: str
    document: str


class Stay(NamedTuple):
    """[since, until)"""

    since: datetime
    until: datetime
    event: str  # what began it
    at: datetime  # when that was: the first life of a unit reaches back beyond it

    @property
    def ends(self) -> bool:
        """Whether its end is known."""
        return self.until != LAST

    def over(self, other: "Stay") -> "Stay | None":
        """The part that both have, begun by the later event."""
        begun = max(self, other, key=lambda stay: (stay.since, stay.event))._replace(until=min(self.until, other.until))
        return begun if begun.since < begun.until else None


ALWAYS = Stay(FIRST, LAST, "", FIRST)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A unit that a trace starts from, with all that was ever inside it, and when."""

    name: str
    units: Mapping[str, tuple[Stay, ...]]

    def among(self, units: Iterable[str], at: datetime) -> int:
        """How many of some units belong to it at an instant."""
        return sum(any(stay.since <= at < stay.until for stay in self.units.get(unit, ())) for unit in units)


class Units:
    """What binding facts that hold say of units; rows are in order of time, at one instant DELETE before ADD."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._lots: dict[str, list[Row]] = {}
        self._contents: dict[str, list[Row]] = {}
        for row in rows:
            if row["kind"] == "lot":
                self._lots.setdefault(row["subject"], []).append(row)
            elif row["kind"] == "content":
                self._contents.setdefault(row["subject"], []).append(row)

    def lives(self, unit: str) -> list[tuple[str, Stay]]:
        """Lots of a unit: from ADD to the next ADD or DELETE; the first one reaches back."""
        found: list[tuple[str, Stay]] = []
        ended = False
        for row in self._said_of(unit):
            lasts = bool(found) and found[-1][1].until == LAST
            adds = row["deed"] == "ADD"
            if lasts and (adds or row["object"] in ("", found[-1][0])):
                # the event that ends a life is itself one of its last
                found[-1] = (found[-1][0], found[-1][1]._replace(until=row["at"] if adds else _after(row["at"])))
            if adds:
                since = row["at"] if found or ended else FIRST
                found.append((row["object"], Stay(since, LAST, row["event"], row["at"])))
            ended = ended or not adds
        return found

    def lot_at(self, unit: str, at: datetime) -> str:
        """The lot of a unit at an instant, '' when none is known."""
        for lot, stay in reversed(self.lives(unit)):
            if stay.since <= at:
                return lot if at < stay.until else ""
        return ""

    def contents(self, parent: str) -> dict[str, list[Stay]]:
        """What was directly inside a parent: from ADD to the next DELETE of it or of everything."""
        stays: dict[str, list[Stay]] = {}
        for row in self._contents.get(parent, ()):
            if row["deed"] == "ADD":
                own = stays.setdefault(row["object"], [])
                if not own or own[-1].until != LAST:
                    own.append(Stay(row["at"], LAST, row["event"], row["at"]))
                continue
            for child in [row["object"]] if row["object"] else list(stays):
                if stays.get(child) and stays[child][-1].until == LAST:
                    stays[child][-1] = stays[child][-1]._replace(until=row["at"])
        return stays

    def held(self, parent: str, stay: Stay = ALWAYS) -> dict[str, list[Stay]]:
        """Everything that was inside a parent during a stay, at any depth; what contains itself is passed over."""
        found: dict[str, list[Stay]] = {}
        self._collect(parent, stay, (parent,), found)
        return found

    def inside(self, parent: str, at: datetime) -> list[str]:
        """Everything inside a parent at an instant."""
        held = self.held(parent)
        return [unit for unit, stays in held.items() if any(stay.since <= at < stay.until for stay in stays)]

    def _collect(self, parent: str, stay: Stay, path: tuple[str, ...], found: dict[str, list[Stay]]) -> None:
        for child, stays in self.contents(parent).items():
            for both in (stay.over(own) for own in stays if child not in path):
                if both is not None:
                    found.setdefault(child, []).append(both)
                    if len(path) < DEEPEST:
                        self._collect(child, both, (*path, child), found)

    def _said_of(self, unit: str) -> list[Row]:
        said = list(self._lots.get(unit, ()))
        number = numbered(unit)
        if number is not None:
            gtin, serial = number
            ranges = self._lots.get(f"01/{gtin}", ())
            said += [row for row in ranges if row["first_serial"] <= serial <= row["last_serial"]]
        return sorted(said, key=lambda row: (row["at"], row["deed"] == "ADD", row["event"], row["object"]))


def _after(at: datetime) -> datetime:
    return at + datetime.resolution
