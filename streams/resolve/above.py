"""What some tags are packed in, kept for what is inside them, or will turn out to be; and of units whose lot is not
known yet. Bounded: of a tag the newest ``DEPTH`` links, and ``limit`` tags, of which the oldest go first.
"""

from collections.abc import Iterable, Iterator, Mapping

import orjson

from lotstream.schemas.base import MAX_DEPTH
from lotstream.schemas.partitions import tag_neighbourhood, tag_partition
from lotstream.schemas.unit_parents import ITSELF, Stays, UnitParents
from lotstream.streams.resolve.lives import Content
from lotstream.streams.serials import NOT_NUMERIC, serial_of

PREFIX = b"I"
DEPTH = 16
BLOCK_BITS = 12  # as in schemas.partitions

Link = tuple[str, str]  # unit, parent


class Above:
    """Links above tags, each as a row said to that tag alone."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._rows: dict[str, dict[Link, UnitParents]] = {}
        self._near: dict[str, set[str]] = {}
        self._dirty: dict[bytes, bytes | None] = {}

    def put(self, row: UnitParents) -> None:
        """Keep a link above its one tag, unless a newer version of it is kept."""
        if self._take(row):
            (tag,) = row.tags
            self._dirty[_name(tag, row)] = _encode(row)
            rows = self._rows[tag]
            if len(rows) > DEPTH:
                lowest = min(rows, key=lambda link: (rows[link].stays, link))
                self._dirty[_name(tag, rows.pop(lowest))] = None
            if len(self._rows) > self._limit:
                self._forget(next(iter(self._rows)))

    def of(self, tag: str) -> list[UnitParents]:
        """The links above a tag."""
        return list(self._rows.get(tag, {}).values())

    def within(self, subject: str, *, first: int, last: int) -> list[UnitParents]:
        """The links above the units of a lot binding: a serial range, or the one unit (first < 0)."""
        if first < 0:
            return self.of(subject)
        blocks = range(first >> BLOCK_BITS, (last >> BLOCK_BITS) + 1)
        near = sorted(tag for block in blocks for tag in self._near.get(f"{subject[3:17]}/{block}", ()))
        return [row for tag in near if first <= serial_of(tag) <= last for row in self.of(tag)]

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Links from the changelog."""
        for key, value in items:
            self._take(_decode(key, value))

    def changes(self) -> dict[bytes, bytes | None]:
        """What changed since last asked."""
        dirty, self._dirty = self._dirty, {}
        return dirty

    def _take(self, row: UnitParents) -> bool:
        (tag,) = row.tags
        rows = self._rows.setdefault(tag, {})
        link = row.unit, row.parent
        if link in rows and rows[link].version >= row.version:
            return False
        rows[link] = row
        if serial_of(tag) != NOT_NUMERIC:
            self._near.setdefault(tag_neighbourhood(tag), set()).add(tag)
        return True

    def _forget(self, tag: str) -> None:
        for row in self._rows.pop(tag).values():
            self._dirty[_name(tag, row)] = None
        self._near.get(tag_neighbourhood(tag), set()).discard(tag)


def links_of(parent: str, contents: Iterable[Content], *, partitions: int) -> Iterator[tuple[int, UnitParents]]:
    """What children that were packed together are told of their parent, by partition."""
    together: dict[tuple[int, int, Stays], list[str]] = {}
    for content in contents:
        group = tag_partition(content.child, partitions), content.version, content.stays
        together.setdefault(group, []).append(content.child)
    for (partition, version, stays), tags in together.items():
        yield partition, UnitParents("", ITSELF, parent, version, stays, (parent,), tuple(tags))


def passed_down(row: UnitParents, contents: Iterable[Content], *, partitions: int) -> Iterator[tuple[int, UnitParents]]:
    """What the contents of a tag are told of a link above it, by partition. What left before the unit came into the
    parent needs no telling; a unit that is inside itself is not told so for ever."""
    (tag,) = row.tags
    path = (*row.path, tag)
    if len(path) > MAX_DEPTH or tag in row.path:
        return
    start = row.stays[0][0] if row.stays else -1
    together: dict[int, list[str]] = {}
    for content in contents:
        if start < 0 or not content.stays or content.stays[-1][1] > start:
            together.setdefault(tag_partition(content.child, partitions), []).append(content.child)
    for partition, tags in together.items():
        yield partition, row._replace(unit=row.unit or tag, path=path, tags=tuple(tags))


def by_lot(row: UnitParents, lots: Mapping[str, Iterable[str]]) -> Iterator[UnitParents]:
    """A statement as it is told to each of the lots of its tags."""
    tags: dict[str, list[str]] = {}
    for tag in row.tags:
        for lot in lots[tag]:
            tags.setdefault(lot, []).append(tag)
    for lot, some in tags.items():
        yield row._replace(lot=lot, tags=tuple(some))


def _name(tag: str, row: UnitParents) -> bytes:
    return PREFIX + orjson.dumps((tag, row.unit, row.parent))


def _encode(row: UnitParents) -> bytes:
    return orjson.dumps((row.version, row.stays, row.path))


def _decode(key: bytes, value: bytes) -> UnitParents:
    tag, unit, parent = orjson.loads(key[1:])
    version, stays, path = orjson.loads(value)
    return UnitParents("", unit, parent, version, tuple(map(tuple, stays)), tuple(path), (tag,))


def merge_link(older: bytes, newer: bytes) -> bytes:
    """The higher version of two of one link."""
    return max(older, newer, key=lambda raw: (orjson.loads(raw)[0], raw))
