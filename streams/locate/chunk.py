"""A chunk: the units of one lot in 64 neighbouring serials, as one value. Sparse, with shared sightings written once.

A unit's chunk is a pure function of its key and its lot: (lot, serial // 64); units without a numeric serial, or of
another GTIN than the lot's, lie in one of 256 buckets by hash, under their whole key.

Value: [words, entries, units]. An entry is [slot, read point, location, last read - start of slot, bits,
recorded - last read, binding, version, and, where one of them is set, lane, disposition, origin, path]; a unit
[position or key, changed, source, indices of entries, and, where there is one, its floor]. Texts are indices into
words. A pallet of 60 is seen as one: its sighting is one entry for 60 units.
"""

from collections.abc import Mapping

import orjson

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.partitions import murmur2
from lotstream.streams.locate.unit import NEW, NO_FLOOR, Entry, Unit, union
from lotstream.streams.serials import NOT_NUMERIC, serial_of

BITS = 6
BUCKETS = 256
PREFIX = b"C"

Position = int | str
Chunk = dict[Position, Unit]
ChunkKey = tuple[str, str]  # lot, block


def chunk_place(lot: str, tag: str) -> tuple[str, Position]:
    """(block, position) of a unit among those of its lot."""
    serial = serial_of(tag)
    if serial == NOT_NUMERIC or tag[3:17] != lot[3:17]:
        return f"h{murmur2(tag.encode()) % BUCKETS}", tag
    return str(serial >> BITS), serial & (1 << BITS) - 1


def unit_tag(key: ChunkKey, position: Position) -> str:
    """The key of the unit at a position; inverse of `chunk_place`."""
    if isinstance(position, str):
        return position
    return f"{key[0][:17]}/21/{(int(key[1]) << BITS) + position}"


def encode_key(key: ChunkKey) -> bytes:
    """Changelog key of a chunk."""
    return PREFIX + f"{key[0]} {key[1]}".encode()


def decode_key(raw: bytes) -> ChunkKey:
    """Inverse of `encode_key`; a lot key holds no space, Digital Link escapes it."""
    lot, block = raw[1:].decode().split(" ")
    return lot, block


def encode_chunk(chunk: Mapping[Position, Unit]) -> bytes:
    """The value of a chunk."""
    words: dict[str, int] = {}
    index: dict[Entry, int] = {}
    seen: dict[int, int] = {}  # by object, which is quicker than by content; entries live as long as the chunk
    entries: list[list[object]] = []
    units: list[list[object]] = []
    for position, unit in chunk.items():
        places = []
        for entry in unit.entries:
            place = seen.get(id(entry), -1)
            if place < 0:
                place = index.setdefault(entry, len(index))
                seen[id(entry)] = place
                if place == len(entries):
                    entries.append(_encode_entry(entry, words))
            places.append(place)
        row: list[object] = [position, unit.changed, words.setdefault(unit.source, len(words)), places]
        if unit.floor != NO_FLOOR:
            row += [unit.floor[0], words.setdefault(unit.floor[1], len(words))]
        units.append(row)
    return orjson.dumps((list(words), entries, units))


def decode_chunk(raw: bytes | None) -> Chunk:
    """The units of a chunk; equal sightings are one object."""
    if raw is None:
        return {}
    words, rows, units = orjson.loads(raw)
    entries = [_decode_entry(row, words) for row in rows]
    chunk: Chunk = {}
    for position, changed, source, places, *floor in units:
        kept = tuple([entries[place] for place in places])
        chunk[position] = Unit(kept, (floor[0], words[floor[1]]) if floor else NO_FLOOR, changed, words[source])
    return chunk


def merge_chunks(older: bytes, newer: bytes, *, depth: int) -> bytes:
    """The union of two copies of a chunk."""
    one, other = decode_chunk(older), decode_chunk(newer)
    for position, unit in one.items():
        other[position] = union(unit, other.get(position, NEW), depth=depth)
    return encode_chunk(other)


def _encode_entry(entry: Entry, words: dict[str, int]) -> list[object]:
    slot, point, lane, origin, path, version, binding, bits, location, disposition, at, recorded = entry
    row: list[object] = [
        slot,
        words.setdefault(point, len(words)),
        words.setdefault(location, len(words)),
        at - slot * SLOT_US,
        bits,
        recorded - at,
        binding,
        version,
    ]
    if lane or disposition or origin:
        row += [words.setdefault(word, len(words)) for word in (lane, disposition, origin, *path)]
    return row


def _decode_entry(row: list[int], words: list[str]) -> Entry:
    slot, point, location, at, bits, recorded, binding, version = row[:8]
    lane = disposition = origin = ""
    path: tuple[str, ...] = ()
    if len(row) > 8:
        lane, disposition, origin = words[row[8]], words[row[9]], words[row[10]]
        path = tuple([words[place] for place in row[11:]])
    at += slot * SLOT_US
    return Entry(
        slot,
        words[point],
        lane,
        origin,
        path,
        tuple(version),  # type: ignore[arg-type]  # the one list among the ints
        binding,
        bits,
        words[location],
        disposition,
        at,
        at + recorded,
    )
