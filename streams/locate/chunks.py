"""All chunks of a partition: encoded at rest, decoded while they are in use, written as news.

A change of a large chunk is written as a *segment* holding only what is new, under one of a few keys of its own; when
segments outweigh the chunk, it is written whole and their keys are used again. A chunk is the union of whatever lies
under its keys, so that a segment that has been overtaken is harmless and needs no deletion.
"""

from collections.abc import Iterable, Iterator

from lotstream.streams.locate.belongings import PREFIX as TOLD
from lotstream.streams.locate.belongings import Belongings
from lotstream.streams.locate.chunk import (
    BITS,
    Block,
    ChunkKey,
    Position,
    Units,
    chunk_place,
    encode_chunk,
    encode_news,
    tag_at,
    union_of,
)
from lotstream.streams.locate.unit import Entry, Unit
from lotstream.streams.serials import serial_of

PREFIX = b"C"
HOT = 256  # decoded chunks of a partition
SEGMENTS = 32
SMALL = 1_024  # bytes up to which a chunk is always written whole
NEWS = 130  # bytes that one unit's news take, about

News = dict[Position, list[Entry]]


class Chunk:
    """A decoded chunk, and what is not yet written of it."""

    __slots__ = ("news", "units")

    def __init__(self, units: Units) -> None:
        self.units = units
        self.news: News = {}

    def tell(self, position: Position, entry: Entry) -> None:
        """A unit has a new entry; of several versions of one sighting the last is news."""
        news = self.news.get(position)
        if not news:
            self.news[position] = [entry]
        elif news[-1].slot == entry.slot and news[-1].by == entry.by:
            news[-1] = entry
        else:
            news.append(entry)


class Chunks:
    """The chunks of one partition."""

    def __init__(self, *, depth: int) -> None:
        self._depth = depth
        self.belongings = Belongings()
        self._parts: dict[ChunkKey, list[bytes]] = {}  # the whole, then segments
        self._hot: dict[ChunkKey, Chunk] = {}
        self._stale: set[ChunkKey] = set()  # loaded with segments: the whole must be written before their keys again
        self._changed: list[ChunkKey] = []

    def open(self, key: ChunkKey) -> Chunk:
        """The chunk, decoded; it stays so at least until `changes`."""
        chunk = self._hot.get(key)
        if chunk is None:
            chunk = self._hot[key] = Chunk(self._settled(key))
        return chunk

    def _settled(self, key: ChunkKey) -> Units:
        """The units of a chunk, each with whose it is and where it is now."""
        lot, block = key
        units = union_of(self._parts.get(key, ()), depth=self._depth)
        told = self.belongings.knows(lot)
        for position, unit in units.items():
            if told:
                unit.told = self.belongings.of(lot, tag_at(lot, block, position=position))
            unit.now = unit.where(lot)
            unit.exceeded = unit.is_exceeded(lot)
        return units

    def within(self, lot: str, subject: str, *, first: int, last: int) -> Iterator[tuple[ChunkKey, Position]]:
        """The units of a lot that are known here, among those of a serial range, or the one unit (first < 0)."""
        if first < 0:
            keys = [(lot, chunk_place(lot, subject)[0])]
        elif subject[3:17] != lot[3:17]:
            keys = []
        else:
            keys = [(lot, block) for block in range(first >> BITS, (last >> BITS) + 1)]
        for key in keys:
            if key in self._parts or key in self._hot:
                for position in list(self.open(key).units):
                    unit = tag_at(lot, key[1], position=position)
                    if unit == subject or (first >= 0 and first <= serial_of(unit) <= last):
                        yield key, position

    def find(self, lot: str, tag: str) -> Unit | None:
        """A unit of a lot, when it is known here."""
        block, position = chunk_place(lot, tag)
        key = lot, block
        return self.open(key).units.get(position) if key in self._parts or key in self._hot else None

    def units_of(self, lot: str) -> Iterator[tuple[str, Unit]]:
        """All units of a lot, by tag."""
        for key in sorted({key for key in (*self._parts, *self._hot) if key[0] == lot}, key=str):
            for position, unit in self.open(key).units.items():
                yield tag_at(lot, key[1], position=position), unit

    def note(self, key: ChunkKey) -> None:
        """A chunk is to have its first news since `changes`."""
        self._changed.append(key)

    def changes(self) -> dict[bytes, bytes | None]:
        """What is to be written since last asked."""
        written = self.belongings.changes()
        for key in self._changed:
            chunk = self._hot[key] = self._hot.pop(key)  # the newest is last, the oldest is dropped first
            name, value = self._write(key, chunk)
            written[name] = value
        self._changed.clear()
        while len(self._hot) > HOT:
            del self._hot[next(iter(self._hot))]
        return written

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[ChunkKey, Units]]:
        """Take in what the changelog holds, of belongings too; each chunk with its units, to be counted."""
        for name, value in items:
            if name[:1] == TOLD:
                self.belongings.load(name, value)
                continue
            key, segment = _parse_name(name)
            parts = self._parts.setdefault(key, [])
            parts.append(value)
            if segment >= 0:
                self._stale.add(key)
        for key in self._parts:
            yield key, self._settled(key)

    def _write(self, key: ChunkKey, chunk: Chunk) -> tuple[bytes, bytes]:
        news, chunk.news = chunk.news, {}
        parts = self._parts.setdefault(key, [])
        if key not in self._stale and _takes_news(parts, len(news)):
            units = chunk.units
            value = encode_news([(position, entries, units[position]) for position, entries in news.items()])
            parts.append(value)
            return _name(key, len(parts) - 2), value
        self._stale.discard(key)
        value = encode_chunk(chunk.units)
        self._parts[key] = [value]
        return _name(key, -1), value


def _takes_news(parts: list[bytes], units: int) -> bool:
    """Whether news of so many units are less work, now and for who loads them, than the whole chunk again."""
    if not parts or len(parts[0]) <= SMALL or len(parts) > SEGMENTS:
        return False
    return sum(map(len, parts)) + NEWS * units <= 3 * len(parts[0])


def _name(key: ChunkKey, segment: int) -> bytes:
    lot, block = key
    return PREFIX + (f"{lot} {block}" if segment < 0 else f"{lot} {block} {segment}").encode()


def _parse_name(name: bytes) -> tuple[ChunkKey, int]:
    # a lot key holds no space: Digital Link escapes it
    lot, block, *segment = name[1:].decode().split(" ")
    number: Block = block if block.startswith("h") else int(block)
    return (lot, number), int(segment[0]) if segment else -1
