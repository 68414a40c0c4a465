"""A chunk: the units of one lot in 64 neighbouring serials, as one value. Sparse, with shared sightings written once.

A unit's chunk is a pure function of its key and its lot: (lot, serial // 64); units without a numeric serial, or of
another GTIN than the lot's, lie in one of 256 buckets by hash, under their whole key.

Value: [words, entries, units]. An entry is [slot, read point, location, last read - start of slot, bits,
recorded - last read, binding, version, and, where one of them is set, lane, disposition, origin, path]; a unit
[position or key, changed, source, indices of entries, and, where there is one, its floor]. Texts are indices into
words. A pallet of 60 is seen as one: its sighting is one entry for 60 units.
"""

from collections.abc import Iterable

import orjson

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.partitions import murmur2
from lotstream.streams.locate.unit import NO_FLOOR, Entry, Pair, Unit, union
from lotstream.streams.serials import NOT_NUMERIC, serial_of

BITS = 6
BUCKETS = 256
_LOW = (1 << BITS) - 1

Position = int | str
Block = int | str
ChunkKey = tuple[str, Block]  # lot, block
Units = dict[Position, Unit]
Part = tuple[Position, Iterable[Entry], Unit]  # the unit's place, and those of its entries that are to be written


def chunk_place(lot: str, tag: str) -> tuple[Block, Position]:
    """(block, position) of a unit among those of its lot."""
    serial = serial_of(tag)
    if serial == NOT_NUMERIC or tag[3:17] != lot[3:17]:
        return f"h{murmur2(tag.encode()) % BUCKETS}", tag
    return serial >> BITS, serial & _LOW


def unit_tag(key: ChunkKey, position: Position) -> str:
    """The key of the unit at a position; inverse of `chunk_place`."""
    lot, block = key
    if isinstance(position, str) or isinstance(block, str):
        return str(position)
    return f"{lot[:17]}/21/{(block << BITS) + position}"


def encode_chunk(parts: Iterable[Part]) -> bytes:
    """Units with the entries given: all of them, or those that are news."""
    words: dict[str, int] = {}
    seen: dict[int, int] = {}  # by object, which is quicker than by content; entries outlive this call
    rows: list[list[object]] = []
    units: list[list[object]] = []
    for position, entries, unit in parts:
        places = []
        for entry in entries:
            place = seen.get(id(entry), -1)
            if place < 0:
                place = seen[id(entry)] = len(rows)
                rows.append(_encode_entry(entry, words))
            places.append(place)
        row: list[object] = [position, unit.changed, words.setdefault(unit.source, len(words)), places]
        if unit.floor is not NO_FLOOR:
            row += [unit.floor[0], words.setdefault(unit.floor[1], len(words))]
        units.append(row)
    return orjson.dumps((list(words), rows, units))


def decode_chunk(raw: bytes) -> Units:
    """The units of a chunk; equal sightings are one object."""
    words, rows, units = orjson.loads(raw)
    entries = [_decode_entry(row, words) for row in rows]
    chunk: Units = {}
    for position, changed, source, places, *floor in units:
        kept = tuple([entries[place] for place in places])
        lowest: Pair = (floor[0], words[floor[1]]) if floor else NO_FLOOR
        chunk[position] = Unit(kept, floor=lowest, changed=changed, source=words[source])
    return chunk


def union_of(parts: Iterable[bytes], *, depth: int) -> Units:
    """The union of several parts of a chunk, in any order."""
    units: Units = {}
    for part in parts:
        found = decode_chunk(part)
        if not units:
            units = found
            continue
        for position, unit in found.items():
            known = units.get(position)
            units[position] = unit if known is None else union(known, unit, depth=depth)
    return units


def whole(units: Units) -> Iterable[Part]:
    """All units of a chunk with all their entries, in an order that depends on the content alone."""
    return ((position, units[position].entries, units[position]) for position in sorted(units, key=str))


def merge_chunks(older: bytes, newer: bytes, *, depth: int) -> bytes:
    """The union of two copies of one part of a chunk."""
    return encode_chunk(whole(union_of((older, newer), depth=depth)))


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
