"""Locate: where every unit and quantity of a lot is. One partition of lot-sightings.v1, lots.v1 and documents.v1.

A replayed message finds a state that may already contain it: units remember the offset that last changed their
place, lots the offsets that changed them, and what was said then is said again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from lotstream.runtime.errors import Rejected
from lotstream.schemas.base import decode
from lotstream.schemas.documents import DOCUMENTS, QuantityFact
from lotstream.schemas.lots import LOT_RECORD, LotRecord
from lotstream.schemas.movements import Movement, MovementRows
from lotstream.schemas.sightings import LotSighting, decode_lot_sightings
from lotstream.streams.engine.core import Output, Record
from lotstream.streams.letters import dead_letter
from lotstream.streams.locate.chunk import PREFIX as CHUNK
from lotstream.streams.locate.chunk import (
    Chunk,
    ChunkKey,
    Position,
    chunk_place,
    decode_chunk,
    decode_key,
    encode_chunk,
    encode_key,
    merge_chunks,
    unit_tag,
)
from lotstream.streams.locate.lot import (
    Lot,
    Source,
    locations_of,
    merged_record,
    newest_quantity,
    newest_record,
)
from lotstream.streams.locate.unit import DEPTH, NEW, Entry, Unit, add, entry_of, where_now
from lotstream.streams.register.lots import is_sgtin

QUANTITY, RECORD = b"Q", b"R"
HOT = 512  # decoded chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class LocateTopics:
    """Complete names of the topics of locate, and their partition count."""

    lot_sightings: str
    lots: str
    documents: str
    movements: str
    lot_locations: str
    lots_latest: str
    dead_letters: str
    partitions: int


class LocateCore:
    """One partition number."""

    def __init__(self, topics: LocateTopics, partition: int, *, depth: int = DEPTH) -> None:
        self._topics = topics
        self._partition = partition
        self._depth = depth
        self._lots: dict[str, Lot] = {}
        self._chunks: dict[ChunkKey, bytes] = {}
        self._hot: dict[ChunkKey, Chunk] = {}
        self._dirty_chunks: set[ChunkKey] = set()
        self._dirty: dict[bytes, bytes | None] = {}
        self._decide: dict[str, Callable[[Record], Iterable[Output]]] = {
            topics.lot_sightings: self._sightings,
            topics.lots: self._record,
            topics.documents: self._document,
        }

    def apply(self, record: Record) -> Iterable[Output]:
        """Movements and lot locations of one message, or its dead letter."""
        try:
            return list(self._decide[record.topic](record))
        except Rejected as rejected:
            topics = self._topics
            return [
                dead_letter(record, rejected, stage="locate", topic=topics.dead_letters, partitions=topics.partitions)
            ]

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """State from the changelog; counts are made from it."""
        for key, value in items:
            if key[:1] == CHUNK:
                self._load_chunk(decode_key(key), value)
                continue
            offset, body = orjson.loads(value)
            if key[:1] == QUANTITY:
                fact = QuantityFact.model_validate_json(body)
                lot = self._lot(fact.lot)
                lot.put_quantity(fact)
                lot.changed(Source.DOCUMENTS, offset)
            else:
                statement = LotRecord.model_validate_json(body)
                lot = self._lot(statement.lot)
                lot.put_record(statement)
                lot.changed(Source.LOTS, offset)

    def changes(self) -> Mapping[bytes, bytes | None]:
        """State that changed since last asked."""
        dirty, self._dirty = self._dirty, {}
        for key in self._dirty_chunks:
            self._chunks[key] = dirty[encode_key(key)] = encode_chunk(self._hot[key])
        self._dirty_chunks.clear()
        while len(self._hot) > HOT:
            del self._hot[next(iter(self._hot))]
        return dirty

    def _lot(self, key: str) -> Lot:
        lot = self._lots.get(key)
        if lot is None:
            lot = self._lots[key] = Lot(key)
        return lot

    def _load_chunk(self, key: ChunkKey, value: bytes) -> None:
        self._chunks[key] = value
        lot = self._lot(key[0])
        for position, unit in decode_chunk(value).items():
            lot.count(where_now(unit.entries), logistic=_is_logistic(position), by=1)
            lot.changed(Source.SIGHTINGS, unit.changed)
            lot.as_of_us = max(lot.as_of_us, *(entry.at_us for entry in unit.entries))

    def _chunk(self, key: ChunkKey) -> Chunk:
        chunk = self._hot.pop(key, None)
        if chunk is None:
            chunk = decode_chunk(self._chunks.get(key))
        self._hot[key] = chunk  # the newest is last, the oldest goes first
        return chunk

    def _sightings(self, record: Record) -> Iterator[Output]:
        before: dict[tuple[ChunkKey, Position], Unit] = {}
        same: dict[Entry, Entry] = {}
        key: ChunkKey = ("", "")
        chunk: Chunk = {}
        for row in decode_lot_sightings(record.value):
            block, position = chunk_place(row.lot, row.sighting.tag)
            if key != (row.lot, block):
                key = (row.lot, block)
                chunk = self._chunk(key)
            unit = chunk.get(position, NEW)
            before.setdefault((key, position), unit)
            entry = _shared(row, same)
            chunk[position] = add(unit, entry, depth=self._depth)
            if chunk[position] is not unit:
                self._dirty_chunks.add(key)
        yield from self._say(record, before)

    def _say(self, record: Record, before: Mapping[tuple[ChunkKey, Position], Unit]) -> Iterator[Output]:
        movements: list[Movement] = []
        said: dict[str, Lot] = {}
        for (key, position), old in before.items():
            lot = self._lot(key[0])
            unit = self._settle(key, position, old=old, offset=record.offset)
            if unit.changed == record.offset or record.offset <= lot.offsets[Source.SIGHTINGS]:
                said[lot.key] = lot
            if unit.changed == record.offset:
                now = where_now(unit.entries)
                if now is not None and now.location != unit.source:
                    movements.append(_movement(lot.key, unit_tag(key, position), now, source=unit.source))
        if movements:
            yield Output(self._topics.movements, self._partition, MovementRows(movements))
        for lot in said.values():
            yield self._locations(lot)

    def _settle(self, key: ChunkKey, position: Position, *, old: Unit, offset: int) -> Unit:
        """Count the unit where it is now, and note which message brought it there."""
        chunk = self._hot[key]
        unit = chunk[position]
        if unit is old:
            return unit
        lot, logistic = self._lot(key[0]), _is_logistic(position)
        lot.as_of_us = max(lot.as_of_us, unit.entries[0].at_us)
        was, now = where_now(old.entries), where_now(unit.entries)
        if was is now or (was and now and _shown(was) == _shown(now)):
            return unit
        lot.count(was, logistic=logistic, by=-1)
        lot.count(now, logistic=logistic, by=1)
        lot.changed(Source.SIGHTINGS, offset)
        unit = chunk[position] = unit._replace(changed=offset, source=was.location if was else "")
        return unit

    def _record(self, record: Record) -> Iterator[Output]:
        statement = decode(LOT_RECORD, record.value)
        lot = self._lot(statement.lot)
        fresh = record.offset > lot.offsets[Source.LOTS]
        if lot.put_record(statement):
            lot.changed(Source.LOTS, record.offset)
            kept = lot.records[statement.event]
            self._keep(RECORD, statement.lot, statement.event, kept=kept, offset=record.offset)
        elif fresh:
            return
        merged = merged_record(lot.records.values())
        if merged is not None:
            yield Output(self._topics.lots_latest, self._partition, merged.encode(), key=lot.key.encode())
        yield self._locations(lot)

    def _document(self, record: Record) -> Iterator[Output]:
        fact = decode(DOCUMENTS, record.value)
        if not isinstance(fact, QuantityFact):
            return
        lot = self._lot(fact.lot)
        fresh = record.offset > lot.offsets[Source.DOCUMENTS]
        if lot.put_quantity(fact):
            lot.changed(Source.DOCUMENTS, record.offset)
            kept = lot.quantities[fact.identity]
            self._keep(QUANTITY, fact.lot, fact.identity, kept=kept, offset=record.offset)
        elif fresh:
            return
        yield self._locations(lot)

    def _keep(self, prefix: bytes, *names: str, kept: QuantityFact | LotRecord, offset: int) -> None:
        self._dirty[prefix + orjson.dumps(names)] = orjson.dumps((offset, kept.encode().decode()))

    def _locations(self, lot: Lot) -> Output:
        value = locations_of(lot).encode()
        return Output(self._topics.lot_locations, self._partition, value, key=lot.key.encode())


def merge(key: bytes, older: bytes, newer: bytes, *, depth: int = DEPTH) -> bytes:
    """The union of two copies of one item of state."""
    if key[:1] == CHUNK:
        return merge_chunks(older, newer, depth=depth)
    (old_offset, old), (new_offset, new) = orjson.loads(older), orjson.loads(newer)
    kept: QuantityFact | LotRecord
    if key[:1] == QUANTITY:
        kept = newest_quantity(QuantityFact.model_validate_json(old), QuantityFact.model_validate_json(new))
    else:
        kept = newest_record(LotRecord.model_validate_json(old), LotRecord.model_validate_json(new))
    return orjson.dumps((max(old_offset, new_offset), kept.encode().decode()))


def _shared(row: LotSighting, same: dict[Entry, Entry]) -> Entry:
    entry = entry_of(row.sighting, row.binding)
    return same.setdefault(entry, entry)


def _shown(entry: Entry) -> tuple[str, str, int]:
    return entry.location, entry.disposition, entry.how


def _is_logistic(position: Position) -> bool:
    return isinstance(position, str) and not is_sgtin(position)


def _movement(lot: str, unit: str, now: Entry, *, source: str) -> Movement:
    return Movement(
        lot,
        unit,
        source,
        now.location,
        now.read_point,
        now.at_us,
        now.slot,
        now.direction,
        now.how,
        list(now.version),
        now.recorded_us,
    )
