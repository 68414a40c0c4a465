"""Locate: where every unit and quantity of a lot is. One partition of lot-sightings.v1, lots.v1 and documents.v1.

A replayed message finds a state that may already contain it: units remember the offset that last changed their
place, lots the offsets that changed them, and what was said then is said again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import orjson

from lotstream.runtime.errors import Rejected
from lotstream.schemas.base import decode
from lotstream.schemas.documents import DOCUMENTS, QuantityFact
from lotstream.schemas.lots import LOTS_MESSAGE, HoldRecord, LotNumber, LotRecord
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.portions import unit_of
from lotstream.schemas.sightings import LotSighting, LotSightingBatch, LotSightingRows, decode_lot_message
from lotstream.schemas.unit_lots import UNIT_LOTS, UnitLots, UnitLotsBatch, UnitLotsRows, lot_at
from lotstream.schemas.unit_parents import UNIT_PARENTS, UnitParents, UnitParentsBatch, UnitParentsRows
from lotstream.streams.engine.core import Core, Output, Record
from lotstream.streams.letters import dead_letter
from lotstream.streams.locate.alerts import merge_kept
from lotstream.streams.locate.belongings import PREFIX as TOLD
from lotstream.streams.locate.belongings import merge_told
from lotstream.streams.locate.chunk import Position, Units, chunk_place, merge_chunks, tag_at
from lotstream.streams.locate.chunks import PREFIX as CHUNK
from lotstream.streams.locate.chunks import Chunks
from lotstream.streams.locate.entries import entries_of
from lotstream.streams.locate.guard import PREFIX as ALERT
from lotstream.streams.locate.guard import Guard
from lotstream.streams.locate.handover import deeper, handed
from lotstream.streams.locate.holds import newest_hold
from lotstream.streams.locate.lot import (
    Lot,
    Source,
    encode_locations,
    known_of,
    newest_record,
)
from lotstream.streams.locate.moved import Moved, movements_of
from lotstream.streams.locate.parents import PREFIX as WITHIN
from lotstream.streams.locate.parents import Parents, merge_parents
from lotstream.streams.locate.stock import newest_quantity
from lotstream.streams.locate.unit import DEPTH, HOW, Entry, Unit, Word, add, where_now
from lotstream.streams.parts import parts_of
from lotstream.streams.serials import is_sgtin

SETTLED = 5_000  # records after which what an owner that was replaced had in flight is certainly here
QUANTITY, RECORD, HOLD = b"Q", b"R", b"H"

OfLot = TypeVar("OfLot", LotSighting, UnitLots, UnitParents)
Touched = tuple[str, str, Position, Unit]  # lot, tag


@dataclass(frozen=True, slots=True, kw_only=True)
class LocateTopics:
    """Complete names of the topics of locate, and their partition count."""

    lot_sightings: str
    lots: str
    documents: str
    movements: str
    lot_locations: str
    lots_latest: str
    alerts: str
    dead_letters: str
    partitions: int


class LocateCore:
    """One partition number."""

    def __init__(self, topics: LocateTopics, partition: int, *, depth: int = DEPTH) -> None:
        self._topics = topics
        self._partition = partition
        self._depth = depth
        self._lots: dict[str, Lot] = {}
        self._chunks = Chunks(depth=depth)
        self._belongings = self._chunks.belongings
        self._parents = Parents()
        self._guard = Guard(topics.alerts, topics.partitions, parents=self._parents)
        self._dirty: dict[bytes, bytes | None] = {}
        self._turn = 0
        self._decide: dict[str, Callable[[Record], Iterable[Output]]] = {
            topics.lot_sightings: self._lot_message,
            topics.lots: self._record,
            topics.documents: self._document,
        }

    @property
    def standing_alerts(self) -> int:
        """Alerts that are raised or confirmed."""
        return self._guard.standing

    def apply(self, record: Record) -> Iterable[Output]:
        """Movements and lot locations of one message, or its dead letter."""
        self._turn += 1
        if self._turn % 64 == 0:
            self._forget_ends()
            self._guard.forget(self._turn - SETTLED)
        try:
            return list(self._decide[record.topic](record))
        except Rejected as rejected:
            topics = self._topics
            return [
                dead_letter(record, rejected, stage="locate", topic=topics.dead_letters, partitions=topics.partitions)
            ]

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """State from the changelog; counts are made from it."""
        sorted_: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for key, value in items:
            sorted_.setdefault(key[:1], []).append((key, value))
        for (name, _), units in self._chunks.load([*sorted_.get(TOLD, ()), *sorted_.get(CHUNK, ())]):
            self._count(self._lot(name), units)
        for _, value in sorted_.get(QUANTITY, ()):
            offset, body = orjson.loads(value)
            fact = QuantityFact.model_validate_json(body)
            self._lot(fact.lot).put_quantity(fact)
            self._lot(fact.lot).changed(Source.DOCUMENTS, offset)
        for _, value in sorted_.get(RECORD, ()):
            offset, body = orjson.loads(value)
            statement = LotRecord.model_validate_json(body)
            self._lot(statement.lot).put_record(statement)
            self._lot(statement.lot).changed(Source.LOTS, offset)
        for _, value in sorted_.get(HOLD, ()):
            offset, body = orjson.loads(value)
            said = HoldRecord.model_validate_json(body)
            self._lot(said.lot).put_hold(said)
            self._lot(said.lot).changed(Source.LOTS, offset)
        for key, value in sorted_.get(WITHIN, ()):
            self._parents.load(key, value)
        self._guard.load([value for _, value in sorted_.get(ALERT, ())], self._lots)

    def changes(self) -> Mapping[bytes, bytes | None]:
        """State that changed since last asked."""
        dirty, self._dirty = self._dirty, {}
        return dirty | self._chunks.changes() | self._parents.changes() | self._guard.changes()

    def _lot(self, key: str) -> Lot:
        lot = self._lots.get(key)
        if lot is None:
            lot = self._lots[key] = Lot(key)
        return lot

    def _count(self, lot: Lot, units: Units) -> None:
        for position, unit in units.items():
            if unit.now is not None:
                _place(lot, position, was=None, now=unit.now)
                lot.as_of_us = max(lot.as_of_us, unit.now.at_us)
            lot.exceeded += unit.exceeded
            lot.changed(Source.SIGHTINGS, unit.changed)

    def _lot_message(self, record: Record) -> Iterator[Output]:
        message = decode_lot_message(record.value)
        if isinstance(message, LotSightingBatch):
            yield from self._sightings(record, message)
        elif isinstance(message, UnitLotsBatch):
            yield from self._told(record, message)
        else:
            yield from self._within(record, message)

    def _sightings(self, record: Record, batch: LotSightingBatch) -> Iterator[Output]:
        touched: list[Touched] = []
        stale: list[LotSighting] = []
        turn, depth, open_ = self._turn, self._depth, self._chunks.open
        lots = batch.lots
        for i, tag, entry in zip(batch.lot, batch.tag, entries_of(batch), strict=True):
            lot = lots[i]
            block, position = chunk_place(lot, tag)
            chunk = open_((lot, block))
            unit = chunk.units.get(position)
            if unit is None:
                unit = chunk.units[position] = Unit()
                unit.told = self._belongings.of(lot, tag)
            if unit.turn != turn:
                unit.turn = turn
                touched.append((lot, tag, position, unit))
            if unit.told is not None and entry.binding < unit.told.binding:
                stale += handed(lot, tag, entry, told=unit.told, known=None)
            entries, dropped = add(unit.entries, entry, depth=depth)
            if entries is not unit.entries or (dropped and dropped > unit.floor):
                unit.entries = entries
                if dropped:
                    unit.floor = max(unit.floor, dropped)
                if not chunk.news:
                    self._chunks.note((lot, block))
                chunk.tell(position, entry)
        yield from self._say(record, touched)
        yield from self._hand_over(stale)

    def _told(self, record: Record, batch: UnitLotsBatch) -> Iterator[Output]:
        """Units of a lot turn out to be another's, or nobody's: what is known of them goes there."""
        touched: dict[tuple[str, str], Touched] = {}
        rows: list[LotSighting] = []
        others: list[UnitLots] = []
        for row in batch.rows():
            found = list(self._chunks.within(row.lot, row.subject, first=row.first, last=row.last))  # as counted so far
            self._belongings.put(row, turn=self._turn)
            for key, position in found:
                chunk = self._chunks.open(key)
                unit, tag = chunk.units[position], tag_at(row.lot, key[1], position=position)
                known, unit.told = unit.told, self._belongings.of(row.lot, tag)
                touched[row.lot, tag] = row.lot, tag, position, unit
                if not chunk.news:
                    self._chunks.note(key)
                chunk.news.setdefault(position, [])
                if unit.told is not None:
                    for entry in unit.entries:
                        rows += handed(row.lot, tag, entry, told=unit.told, known=known)
                others += deeper(row.lot, tag, unit, above_us=row.horizon_us)
        yield from self._say(record, list(touched.values()))
        yield from self._hand_over(rows)
        for partition, some in _by_lot(others, self._topics.partitions):
            yield Output(self._topics.lot_sightings, partition, UnitLotsRows(some), headers=UNIT_LOTS)
        links = [link for row in batch.rows() for link in self._parents.handed(row)]
        for partition, above in _by_lot(links, self._topics.partitions):
            yield Output(self._topics.lot_sightings, partition, UnitParentsRows(above), headers=UNIT_PARENTS)

    def _within(self, record: Record, batch: UnitParentsBatch) -> Iterator[Output]:
        """Units learn what they are packed in: goods that are held are to have the alert of that."""
        tags: dict[str, set[str]] = {}
        for row in batch.rows():
            self._parents.put(row)
            tags.setdefault(row.lot, set()).update(row.tags)
        for name, some in tags.items():
            lot = self._lots.get(name)
            if lot is not None and lot.as_of_us >= lot.guarded_us:
                found = ((tag, self._chunks.find(name, tag)) for tag in sorted(some))
                units = [(tag, unit) for tag, unit in found if unit is not None]
                yield from self._guard.sighted(lot, units, offset=record.offset)

    def _forget_ends(self) -> None:
        """An end needs no telling once no sighting after it is kept here, and none decided before it can still come:
        resolve places none there any more. Units end all the time."""
        for told in self._belongings.ends(self._turn - SETTLED):
            units = self._chunks.within(told.lot, told.subject, first=told.first, last=told.last)
            entries = (entry for key, position in units for entry in self._chunks.open(key).units[position].entries)
            if all(lot_at(told.lives, entry.at_us) == told.lot for entry in entries):
                self._belongings.drop(told)

    def _hand_over(self, rows: list[LotSighting]) -> Iterator[Output]:
        for partition, some in _by_lot(rows, self._topics.partitions):
            yield Output(self._topics.lot_sightings, partition, LotSightingRows(some))

    def _say(self, record: Record, touched: list[Touched]) -> Iterator[Output]:
        offset = record.offset
        moved: list[Moved] = []
        said: dict[str, Lot] = {}
        lots = {name: self._lot(name) for name in dict.fromkeys([each[0] for each in touched])}
        replayed = {name for name, lot in lots.items() if offset <= lot.offsets[Source.SIGHTINGS]}
        for name, tag, position, unit in touched:
            was, now = unit.now, where_now(unit.entries) if unit.told is None else unit.where(name)
            if now is not was:
                unit.now = now
                self._settle(lots[name], unit, was=was, position=position, offset=offset)
            if unit.floor[0] >= 0 or unit.told is not None:
                self._plumb(lots[name], unit, offset=offset)
            if unit.changed == offset:
                left = unit.source if now is was else _location(was)  # what is known already is said again
                if now is not None and now.word[1] != left:
                    moved.append((name, tag, left, now))
                said[name] = lots[name]
        if moved:
            yield Output(self._topics.movements, self._partition, movements_of(moved))
        for lot in (said | {name: lots[name] for name in replayed}).values():
            yield self._locations(lot)
        for name, lot in lots.items():
            if lot.as_of_us >= lot.guarded_us:
                units = [(tag, unit) for of, tag, _, unit in touched if of == name]
                yield from self._guard.sighted(lot, units, offset=offset)

    @staticmethod
    def _settle(lot: Lot, unit: Unit, *, was: Entry | None, position: Position, offset: int) -> None:
        """Count the unit where it is now, and note which message brought it there."""
        now = unit.now
        if now is not None and now.at_us > lot.as_of_us:
            lot.as_of_us = now.at_us
        if was and now and _same_place(was.word, now.word):
            return
        _place(lot, position, was=was, now=now)
        lot.changed(Source.SIGHTINGS, offset)
        unit.changed = offset
        if _location(was) != _location(now):
            unit.source = _location(was)

    @staticmethod
    def _plumb(lot: Lot, unit: Unit, *, offset: int) -> None:
        """Whether where the unit is can be told from what is kept."""
        exceeded = unit.is_exceeded(lot.key)
        if exceeded is not unit.exceeded:
            lot.exceeded += 1 if exceeded else -1
            lot.changed(Source.SIGHTINGS, offset)
            unit.exceeded, unit.changed = exceeded, offset

    def _record(self, record: Record) -> Iterator[Output]:
        said = decode(LOTS_MESSAGE, record.value)
        if isinstance(said, LotNumber):
            return  # for who claimed it
        lot = self._lot(said.lot)
        fresh = record.offset > lot.offsets[Source.LOTS]
        if self._put(lot, said, offset=record.offset):
            lot.changed(Source.LOTS, record.offset)
        elif fresh:
            return
        yield from self._guard.decided(
            lot, lambda: self._chunks.units_of(lot.key), offset=record.offset, again=not fresh, turn=self._turn
        )
        yield from self._known(lot)
        yield self._locations(lot)

    def _put(self, lot: Lot, said: LotRecord | HoldRecord, *, offset: int) -> bool:
        """Keep what was said of a lot; whether that changes it."""
        if isinstance(said, HoldRecord):
            if not lot.put_hold(said):
                return False
            kept = lot.holds[said.hold, said.action]
            self._keep(HOLD, said.lot, said.hold, said.action, kept=kept, offset=offset)
            return True
        if not lot.put_record(said):
            return False
        self._keep(RECORD, said.lot, said.event, kept=lot.records[said.event], offset=offset)
        return True

    def _known(self, lot: Lot) -> Iterator[Output]:
        """What is known of a lot, all statements together."""
        merged = known_of(lot)
        if merged is not None:
            value = merged.encode()
            yield Output(self._topics.lots_latest, self._partition, value, key=lot.key.encode(), absolute=True)

    def restate(self) -> Iterator[Output]:
        """What stands of every lot in the compacted topics."""
        for lot in self._lots.values():
            yield from self._known(lot)
            yield self._locations(lot)

    def _document(self, record: Record) -> Iterator[Output]:
        fact = decode(DOCUMENTS, record.value)
        if not isinstance(fact, QuantityFact):
            return
        lot = self._lot(fact.lot)
        fresh = record.offset > lot.offsets[Source.DOCUMENTS]
        if lot.put_quantity(fact):
            lot.changed(Source.DOCUMENTS, record.offset)
            kept = lot.stock.facts[fact.identity]
            self._keep(QUANTITY, fact.lot, fact.identity, kept=kept, offset=record.offset)
        elif fresh:
            return
        yield self._locations(lot)

    def _keep(self, prefix: bytes, *names: str, kept: QuantityFact | LotRecord | HoldRecord, offset: int) -> None:
        self._dirty[prefix + orjson.dumps(names)] = orjson.dumps((offset, kept.encode().decode()))

    def _locations(self, lot: Lot) -> Output:
        return Output(
            self._topics.lot_locations, self._partition, LocationsRow(lot), key=lot.key.encode(), absolute=True
        )


class LocationsRow:
    """Where everything of a lot is when the message leaves: absolute, so that several changes need one message."""

    __slots__ = ("_lot",)

    def __init__(self, lot: Lot) -> None:
        self._lot = lot

    def __len__(self) -> int:
        return 1

    def extend(self, other: Self) -> None:
        """Take the place of the earlier one."""
        self._lot = other._lot

    def encode(self) -> bytes:
        """The value of a LotLocations message."""
        return encode_locations(self._lot)


def restate(core: Core) -> Iterable[Output]:
    """`LocateCore.restate`, for whom a core is a core."""
    assert isinstance(core, LocateCore)
    return core.restate()


def merge(key: bytes, older: bytes, newer: bytes, *, depth: int = DEPTH) -> bytes:
    """The union of two copies of one item of state."""
    if key[:1] == CHUNK:
        return merge_chunks(older, newer, depth=depth)
    if key[:1] == TOLD:
        return merge_told(older, newer)
    if key[:1] == ALERT:
        return merge_kept(older, newer)
    if key[:1] == WITHIN:
        return merge_parents(older, newer)
    (old_offset, old), (new_offset, new) = orjson.loads(older), orjson.loads(newer)
    kept: QuantityFact | LotRecord | HoldRecord
    if key[:1] == QUANTITY:
        kept = newest_quantity(QuantityFact.model_validate_json(old), QuantityFact.model_validate_json(new))
    elif key[:1] == HOLD:
        kept = newest_hold(HoldRecord.model_validate_json(old), HoldRecord.model_validate_json(new))
    else:
        kept = newest_record(LotRecord.model_validate_json(old), LotRecord.model_validate_json(new))
    return orjson.dumps((max(old_offset, new_offset), kept.encode().decode()))


def _by_lot(rows: Iterable[OfLot], partitions: int) -> Iterator[tuple[int, Sequence[OfLot]]]:
    """Rows of lots by partition, in parts that make one message."""
    placed: dict[int, list[OfLot]] = {}
    for row in rows:
        placed.setdefault(partition_of(row.lot, partitions), []).append(row)
    return ((partition, part) for partition, some in placed.items() for part in parts_of(some))


def _place(lot: Lot, position: Position, *, was: Entry | None, now: Entry | None) -> None:
    """A unit is somewhere else; a portion of class-level goods is no unit to count: it takes its amounts along."""
    logistic = False
    if isinstance(position, str):
        unit, logistic = unit_of(position), not is_sgtin(position)
        if unit:
            lot.carry(unit, now)
            return
    if was is not None:
        lot.count(was.word, logistic=logistic, by=-1)
    if now is not None:
        lot.count(now.word, logistic=logistic, by=1)


def _location(entry: Entry | None) -> str:
    return entry.word[1] if entry else ""


def _same_place(was: Word, now: Word) -> bool:
    """Whether two sightings count their unit in one row: location, disposition and evidence."""
    return was[1] == now[1] and was[2] == now[2] and not (was[0] ^ now[0]) & HOW
