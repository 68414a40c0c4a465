"""What the units of a lot are packed in, and that in turn: told by resolve, asked for where goods are held.

Statements are kept as they are written; the index of a lot is made when its first alert is due.
"""

from collections.abc import Callable, Iterator

import orjson

from lotstream.schemas.base import MAX_DEPTH
from lotstream.schemas.unit_lots import UnitLots
from lotstream.schemas.unit_parents import ITSELF, Stays, UnitParents
from lotstream.streams.serials import serial_of

PREFIX = b"W"

Links = dict[str, dict[str, tuple[int, Stays]]]  # unit -> parent -> version, stays
Way = Callable[[str, int], tuple[str, ...]]  # (unit, instant): what it is in, the outermost last


class Parents:
    """All statements of one partition."""

    def __init__(self) -> None:
        self._said: dict[str, dict[bytes, bytes]] = {}
        self._links: dict[str, Links] = {}
        self._dirty: dict[bytes, bytes | None] = {}

    def put(self, row: UnitParents) -> None:
        """Take in a statement; a lower one of the same link changes nothing."""
        name, value = PREFIX + orjson.dumps((row.lot, row.unit, row.parent, row.tags)), _encode(row.version, row.stays)
        said = self._said.setdefault(row.lot, {})
        if name not in said or _version(value) > _version(said[name]):
            said[name] = self._dirty[name] = value
            if row.lot in self._links:
                _add(self._links[row.lot], name, value)

    def load(self, name: bytes, value: bytes) -> None:
        """A statement from the changelog."""
        self._said.setdefault(orjson.loads(name[1:])[0], {})[name] = value

    def changes(self) -> dict[bytes, bytes | None]:
        """What changed since last asked."""
        dirty, self._dirty = self._dirty, {}
        return dirty

    def forget_index(self, lot: str) -> None:
        """The lot is not held any more."""
        self._links.pop(lot, None)

    def way(self, lot: str) -> Way:
        """How to ask what a unit of a lot is in at an instant."""
        links = self._index(lot)
        if not links:
            return nowhere

        def climb(unit: str, at_us: int) -> tuple[str, ...]:
            found = [unit]
            while len(found) <= MAX_DEPTH and (parent := _parent(links.get(found[-1], {}), at_us)) not in ("", *found):
                found.append(parent)
            return tuple(found[1:])

        return climb

    def handed(self, told: UnitLots) -> Iterator[UnitParents]:
        """What units are packed in that turn out to be of other lots too, for those: they may not have been told."""
        others = sorted({life.lot for life in told.lives} - {told.lot, ""})
        links = self._index(told.lot) if others and told.lot in self._said else {}
        for tag in [told.subject] if told.first < 0 else [tag for tag in links if _is_named(told, tag)]:
            for unit, parent, (version, stays) in _upward(links, tag):
                for lot in others:
                    yield UnitParents(lot, unit, parent, version, stays, (parent,), (tag,))

    def _index(self, lot: str) -> Links:
        links = self._links.get(lot)
        if links is None:
            links = self._links[lot] = {}
            for name, value in self._said.get(lot, {}).items():
                _add(links, name, value)
        return links


def _is_named(told: UnitLots, tag: str) -> bool:
    return tag.startswith(f"{told.subject}/") and told.first <= serial_of(tag) <= told.last


def _upward(links: Links, tag: str) -> Iterator[tuple[str, str, tuple[int, Stays]]]:
    """All links above a tag: the unit, which is ITSELF at first, its parent, and what was said of the two."""
    found = [tag]
    for unit in found:
        for parent, said in links.get(unit, {}).items():
            yield ITSELF if unit == tag else unit, parent, said
            if parent not in found:
                found.append(parent)


def nowhere(unit: str, at_us: int) -> tuple[str, ...]:
    return ()


def _parent(links: dict[str, tuple[int, Stays]], at_us: int) -> str:
    """What a unit is in at an instant; when it was taken out of nothing before, the last that it was put in."""
    stays = ((start, parent) for parent, (_, stays) in links.items() for start, end in stays if start <= at_us < end)
    return max(stays, default=(0, ""))[1]


def _add(links: Links, name: bytes, value: bytes) -> None:
    _, unit, parent, tags = orjson.loads(name[1:])
    version, stays = orjson.loads(value)
    link = version, tuple(map(tuple, stays))
    for tag in (unit,) if unit else tags:
        known = links.setdefault(tag, {})
        known[parent] = max(known.get(parent, link), link)


def _encode(version: int, stays: Stays) -> bytes:
    return orjson.dumps((version, stays))


def _version(value: bytes) -> int:
    return int(orjson.loads(value)[0])


def merge_parents(older: bytes, newer: bytes) -> bytes:
    """The higher of two statements about the same link."""
    return max(older, newer, key=lambda raw: (_version(raw), raw))
