"""A chunk: the units of one lot in 64 neighbouring serials, as one value. Sparse, with shared sightings written once.

A unit's chunk is a pure function of its key and its lot: (lot, serial // 64); units without a numeric serial, or of
another GTIN than the lot's, lie in one of 256 buckets by hash, under their whole key.

A whole chunk is [by, words, sources, entries, units, floors]; entries and units are columns. Entries: slot, index in
by, version, binding, index in words, last read - start of slot, recorded - last read. Units: position or key, changed,
index in sources, number of entries, and which entries ([] when each has its own). Floors: [which unit, slot, read
point] each. A pallet of 60 is seen as one: its sighting is one entry for 60 units.

News are [units], written often and read seldom: [position or key, changed, source, floor, entries as they are] each.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import orjson

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.coding import coded
from lotstream.schemas.partitions import murmur2
from lotstream.streams.locate.unit import NO_FLOOR, By, Entry, Unit, Word, union
from lotstream.streams.serials import NOT_NUMERIC, serial_of

BITS = 6
BUCKETS = 256
REMEMBERED = 100_000  # places of units: one that is seen is seen again soon
_LOW = (1 << BITS) - 1

Position = int | str
Block = int | str
ChunkKey = tuple[str, Block]  # lot, block
Units = dict[Position, Unit]
Part = tuple[Position, Sequence[Entry], Unit]  # where, what is new of it, and the unit


@lru_cache(maxsize=REMEMBERED)
def chunk_place(lot: str, tag: str) -> tuple[Block, Position]:
    """(block, position) of a unit among those of its lot."""
    serial = serial_of(tag)
    if serial == NOT_NUMERIC or tag[3:17] != lot[3:17]:
        return f"h{murmur2(tag.encode()) % BUCKETS}", tag
    return serial >> BITS, serial & _LOW


def tag_at(lot: str, block: Block, *, position: Position) -> str:
    """The unit at a place of `chunk_place`."""
    return position if isinstance(position, str) else f"{lot[:17]}/21/{int(block) << BITS | position}"


def encode_news(parts: Iterable[Part]) -> bytes:
    """Units with those of their entries that are new."""
    said = [(place, unit.changed, unit.source, unit.floor, news) for place, news, unit in parts]
    return orjson.dumps((said,), default=tuple)  # orjson takes no subclass of a tuple


def encode_chunk(units: Units) -> bytes:
    """A whole chunk, in an order that depends on the content alone."""
    positions = sorted(units)  # numbers, or in a bucket keys
    ordered = [units[position] for position in positions]
    entries = [entry for unit in ordered for entry in unit.entries]
    places: list[int] = []
    said_by, which_by = coded([entry.by for entry in entries])
    if any(by[2] for by in said_by):  # what was inferred from a parent is the same for all that is inside
        entries, places = coded(entries)
        said_by, which_by = coded([entry.by for entry in entries])
    slots, _, versions, bindings, words, ats, recorded = zip(*entries, strict=True) if entries else ((),) * 7
    said, which_word = coded(words)
    after = [at - slot * SLOT_US for at, slot in zip(ats, slots, strict=True)]
    late = [received - at for received, at in zip(recorded, ats, strict=True)]
    floors = [(i, *unit.floor) for i, unit in enumerate(ordered) if unit.floor != NO_FLOOR]
    changed = [unit.changed for unit in ordered]
    sources, which_source = coded([unit.source for unit in ordered])
    counts = [len(unit.entries) for unit in ordered]
    columns = (
        (slots, which_by, versions, bindings, which_word, after, late),
        (positions, changed, which_source, counts, places),
    )
    return orjson.dumps((said_by, said, sources, *columns, floors))


def decode_chunk(raw: bytes) -> Units:
    """The units of a whole chunk or of news; equal sightings of a whole chunk are one object."""
    parts = orjson.loads(raw)
    return _decode_news(*parts) if len(parts) == 1 else _decode_whole(*parts)


def _decode_news(units: list[list[Any]]) -> Units:
    return {
        place: Unit(
            tuple(
                [
                    Entry(slot, _by(by), tuple(version), binding, _word(word), at, recorded)
                    for slot, by, version, binding, word, at, recorded in news
                ]
            ),
            floor=(floor[0], floor[1]),
            changed=changed,
            source=source,
        )
        for place, changed, source, floor, news in units
    }


def _decode_whole(by: Any, words: Any, sources: Any, entries: Any, units: Any, floors: Any) -> Units:
    said_by, said = list(map(_by, by)), list(map(_word, words))
    kept = [
        Entry(slot, said_by[by], tuple(version), binding, said[word], slot * SLOT_US + at, slot * SLOT_US + at + late)
        for slot, by, version, binding, word, at, late in zip(*entries, strict=True)
    ]
    positions, changed, which_source, counts, places = units
    own = iter([kept[place] for place in places] if places else kept)
    chunk = {
        place: Unit(tuple(islice(own, count)), changed=offset, source=sources[source])
        for place, offset, source, count in zip(positions, changed, which_source, counts, strict=True)
    }
    for i, slot, point in floors:
        chunk[positions[i]].floor = slot, point
    return chunk


def _word(values: list[Any]) -> Word:
    bits, location, disposition, papers = values
    return bits, location, disposition, tuple(papers)


def _by(values: list[Any]) -> By:
    point, lane, origin, path = values
    return point, lane, origin, tuple(path)


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


def merge_chunks(older: bytes, newer: bytes, *, depth: int) -> bytes:
    """The union of two copies of one part of a chunk."""
    return encode_chunk(union_of((older, newer), depth=depth))
