"""The scope of a recall as sets: what its clauses found together, less what is taken out. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tags:
    """A part of a lot: serials of its GTIN as ranges first..last, sorted and apart; units of other names, among them
    logistic units for what they hold of it by class; and whether all that has no tags belongs to it, wherever it is."""

    serials: tuple[Range, ...] = ()
    units: tuple[str, ...] = ()
    loose: bool = False

    def __bool__(self) -> bool:
        return bool(self.serials or self.units or self.loose)

    def __or__(self, other: "Tags") -> "Tags":
        units = tuple(sorted({*self.units, *other.units}))
        return Tags(merged((*self.serials, *other.serials)), units, self.loose or other.loose)

    def __sub__(self, other: "Tags") -> "Tags":
        units = tuple(sorted({*self.units} - {*other.units}))
        return Tags(without(self.serials, other.serials), units, self.loose and not other.loose)

    @property
    def items(self) -> int:
        """How many serialised units."""
        return len(self.units) + sum(last - first + 1 for first, last in self.serials)


@dataclass(frozen=True, slots=True)
class ScopedLot:
    """A lot of a scope: whole, or a part of it; and the clauses that say so, in words."""

    lot: str
    tags: Tags | None
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scoped:
    """What a scope is now: lots in the order of their keys, and the logistic units that its clauses name."""

    lots: tuple[ScopedLot, ...] = ()
    containers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What one clause means: lots, each whole (None) or a part of it; logistic units."""

    because: str
    lots: Mapping[str, Tags | None] = field(default_factory=dict)
    containers: tuple[str, ...] = ()


def scoped(include: Sequence[Found], exclude: Sequence[Found] = (), *, known: Mapping[str, Tags]) -> Scoped:
    """The union of clauses, less others; ``known`` is all that there is of a lot of which a part is taken out."""
    lots = []
    for lot in sorted({lot for found in include for lot in found.lots}):
        part = _union(found.lots[lot] for found in include if lot in found.lots)
        because = [found.because for found in include if lot in found.lots]
        for found in exclude:
            if lot in found.lots:
                left = _less(part, found.lots[lot], known.get(lot, Tags()))
                because += [] if left == part else [f"without {found.because}"]
                part = left
        if part is None or part:
            lots.append(ScopedLot(lot, part, tuple(dict.fromkeys(because))))
    out = {container for found in exclude for container in found.containers}
    return Scoped(tuple(lots), tuple(sorted({one for found in include for one in found.containers} - out)))


def _union(parts: Iterable[Tags | None]) -> Tags | None:
    whole = Tags()
    for part in parts:
        if part is None:
            return None
        whole |= part
    return whole


def _less(part: Tags | None, other: Tags | None, known: Tags) -> Tags | None:
    if other is None:
        return Tags()
    if part is None:
        left = known - other
        return None if left == known else left
    left = part - other
    if not other.loose:
        return left
    # what a logistic unit holds by class went with all else that has no tags; one that is of the lot itself is a unit
    return replace(left, units=tuple(one for one in left.units if one in known.units or not one.startswith("00/")))


def more(one: Scoped, other: Scoped, *, known: Mapping[str, Tags]) -> tuple[ScopedLot, ...]:
    """What one scope has that another has not; of a lot that is in both, the part."""
    there = {lot.lot: lot for lot in other.lots}
    found = []
    for lot in one.lots:
        same = there.get(lot.lot)
        left = lot.tags if same is None else _less(lot.tags, same.tags, known.get(lot.lot, Tags()))
        if left is None or left:
            new = tuple(why for why in lot.because if same is None or why not in same.because)
            found.append(ScopedLot(lot.lot, left, new or lot.because))
    return tuple(found)


def merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The same serials in as few ranges as there can be."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return tuple(found)


def without(ranges: Iterable[Range], others: Iterable[Range]) -> tuple[Range, ...]:
    """Serials of the one that are none of the other."""
    left = list(merged(ranges))
    for first, last in merged(others):
        left = [piece for one in left for piece in _cut(one, first, last)]
    return tuple(left)


def _cut(one: Range, first: int, last: int) -> Iterable[Range]:
    if last < one[0] or first > one[1]:
        return [one]
    pieces = (one[0], first - 1), (last + 1, one[1])
    return [piece for piece in pieces if piece[0] <= piece[1]]
