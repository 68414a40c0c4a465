"""Smooth as a core of the engine: one partition of reads.v1 in, sightings, blind windows and dead letters out."""

from collections.abc import Iterable, Mapping

from lotstream.runtime.errors import Rejected
from lotstream.schemas.base import Origin
from lotstream.schemas.reads import (
    ReadBatch,
    ReaderEvent,
    ReaderEventType,
    SourceEnd,
    decode_reads,
    read_columns,
)
from lotstream.schemas.sightings import Context, Sighting, SightingRows
from lotstream.streams.engine.core import Output, Record
from lotstream.streams.smooth.decide import late_sighting, sighting, state_now
from lotstream.streams.smooth.labels import LabelCache
from lotstream.streams.smooth.pieces import blocks_of, event_times
from lotstream.streams.smooth.point import Touched, forget, late_cells, split_late, take, unsettle
from lotstream.streams.smooth.policy import SmoothPolicy
from lotstream.streams.smooth.signals import Signals
from lotstream.streams.smooth.snapshot import Snapshot
from lotstream.streams.smooth.state import LIVE, Block, Book, Cell, Point, SmoothState
from lotstream.streams.smooth.timers import Timers, clock_name, end_idle, hear, oldest_slot


class SmoothCore:
    """State of one partition. Every decision is a function of the log: no clock but log and event time."""

    def __init__(self, policy: SmoothPolicy, *, signals: Signals, sightings: str, partitions: int, epoch: int) -> None:
        self.state = SmoothState()
        self._policy = policy
        self._signals = signals
        self._topic = sightings
        self._epoch = epoch
        self._labels = LabelCache(partitions)
        self._timers = Timers(self.state, policy)
        self._snapshot = Snapshot(self.state, policy)
        self._contexts: dict[tuple[str, int, str], Context] = {}

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Take back what `changes` reported."""
        self._snapshot.load(items)
        for _, point in sorted(self.state.points.items()):
            for _, book in sorted(point.books.items()):
                for tag, cell in sorted(book.cells.items()):
                    cell.queued = cell.settled
                    self._timers.watch(point, book, tag, cell)
                    cell.queued = not cell.settled

    def changes(self) -> Mapping[bytes, bytes | None]:
        """Records of the changelog since the last call."""
        return self._snapshot.changes()

    def apply(self, record: Record) -> list[Output]:
        """Decide one message of reads.v1."""
        self.state.log_us = max(self.state.log_us, record.timestamp_us)
        rows: list[Sighting] = []
        outputs: list[Output] = []
        touched: Touched = {}
        try:
            message = decode_reads(record.value)
        except Rejected as reason:
            outputs.append(self._signals.dead_letter(record, reason))
            message = None
        if isinstance(message, ReadBatch):
            outputs += self._read(message, record, touched, rows)
        elif isinstance(message, SourceEnd):
            self._end(clock_name(message.source, message.door))
        elif isinstance(message, ReaderEvent):
            outputs += self._event(message)
        end_idle(self.state, self._policy)
        self._decide(touched, rows, version=(self._epoch, record.offset))
        return self._by_partition(rows) + outputs

    def _read(self, batch: ReadBatch, record: Record, touched: Touched, rows: list[Sighting]) -> list[Output]:
        try:
            columns = read_columns(batch)
        except Rejected as reason:
            return [self._signals.dead_letter(record, reason, source=batch.stamp.source)]
        labels, refused = self._labels.read(batch.tags)
        outputs = [
            self._signals.dead_letter(record, reason, source=batch.stamp.source, field=f"tags.{i}")
            for i, reason in refused[:1]  # one copy of the bytes is enough to mend all of them
        ]
        if not labels.keys:
            return outputs
        greatest = int(columns.last_us.max())
        clock = self._clock_of(batch, greatest)
        now_us = self.state.log_us
        if clock != LIVE:
            source = self.state.clocks.get(clock)
            now_us = -1 if source is None or source.ended_us >= 0 else source.time_us
        oldest = oldest_slot(now_us, remember_us=self._policy.remember_us)
        point = self._point(batch.read_point)
        for block in blocks_of(batch, columns, labels, clock=clock):
            joining, late = split_late(point, block, oldest=oldest)
            if joining is not None:
                for book, tag, cell in take(point, joining, touched):
                    self._timers.watch(point, book, tag, cell)
            if late is not None:
                rows += self._late(point, late, version=(self._epoch, record.offset))
        if clock != LIVE:
            hear(self.state, clock, time_us=greatest)
        return outputs

    def _clock_of(self, batch: ReadBatch, greatest_us: int) -> str:
        """Live reads run on log time, but for those of a reader far ahead: they would stay open until it is reached."""
        ahead = greatest_us - self.state.log_us > self._policy.source_idle_us
        return clock_name(batch.stamp.source, batch.door) if batch.stamp.origin is not Origin.LIVE or ahead else LIVE

    def _late(self, point: Point, block: Block, *, version: tuple[int, int]) -> list[Sighting]:
        return [
            late_sighting(cell, tag, slot, rule=point.rule, context=self._context(point, cell), version=version)
            for (slot, tag), cell in late_cells(point, block).items()
        ]

    def _event(self, event: ReaderEvent) -> list[Output]:
        if event.type is not ReaderEventType.OVERFLOW and not event.lost:
            return []
        seen = -1
        point = self.state.points.get(event.read_point)
        if point is not None:
            for (reader, _), frame in point.frames.items():
                if reader == event.reader:
                    seen = max(seen, *(int(event_times(block).max()) for block in frame.blocks))
        return [self._signals.blind_window(event, last_seen_us=seen)]

    def _end(self, name: str) -> None:
        clock = self.state.clocks.get(name)
        if clock is not None and clock.ended_us < 0:
            clock.ended_us = self.state.log_us

    def _point(self, name: str) -> Point:
        point = self.state.points.get(name)
        if point is None:
            point = self.state.points[name] = Point(name, self._policy.at(name))
        return point

    def _decide(self, touched: Touched, rows: list[Sighting], *, version: tuple[int, int]) -> None:
        """Publish what changed and what became final, each sighting at most once."""
        final, forgotten = self._timers.pop()
        order = dict(touched)
        for name, slot, tag in touched:
            point = self.state.points[name]
            cell = point.books[slot].cells[tag]
            if cell.settled or not cell.queued:
                self._unsettle(point, slot, tag, cell)
            for other, neighbour in unsettle(point, slot, tag):
                order[name, other, tag] = None
                self._unsettle(point, other, tag, neighbour)
        for timer in final:
            order[timer.read_point, timer.slot, timer.tag] = None
        for name, slot, tag in order:
            row = self._publish(self.state.points[name], slot, tag, version=version)
            if row is not None:
                rows.append(row)
        for timer in forgotten:
            forget(self.state.points[timer.read_point], timer.slot)

    def _unsettle(self, point: Point, slot: int, tag: str, cell: Cell) -> None:
        cell.settled = False
        point.changed[slot, tag] = None
        self._timers.watch(point, point.books[slot], tag, cell)

    def _publish(self, point: Point, slot: int, tag: str, *, version: tuple[int, int]) -> Sighting | None:
        book = point.books[slot]
        cell = book.cells.get(tag)
        if cell is None or cell.settled:
            return None
        final = self._timers.behind(book, self._timers.due(point, cell)) is None
        if not final and not self._matters(point, book, tag, cell):
            return None
        point.changed[slot, tag] = None
        cell.settled = final
        row = sighting(
            point.books,
            tag,
            slot,
            rule=point.rule,
            context=self._context(point, cell),
            version=version,
            final=final,
        )
        cell.shown, cell.shown_at = row.state, cell.place.inside
        if not cell.runs:
            del book.cells[tag]
        return row

    def _matters(self, point: Point, book: Book, tag: str, cell: Cell) -> bool:
        """Whether a sighting that is still open says something new: it opened, another place, another state."""
        if not cell.runs:
            return False
        if cell.shown < 0 or cell.shown_at != cell.place.inside:
            return True
        return cell.shown != 1 and state_now(point.books, tag, book.slot, rule=point.rule) != cell.shown

    def _context(self, point: Point, cell: Cell) -> Context:
        place = cell.place
        key = (point.name, place.mapping, place.reader)
        context = self._contexts.get(key)
        if context is None:
            context = Context(point.name, place.reader, self._policy.version, place.mapping)
            self._contexts[key] = context
        return context

    def _by_partition(self, rows: list[Sighting]) -> list[Output]:
        partition = self._labels.partition
        parts: dict[int, list[Sighting]] = {}
        for row in rows:
            number = partition(row.tag)
            part = parts.get(number)
            if part is None:
                parts[number] = [row]
            else:
                part.append(row)
        return [Output(self._topic, number, SightingRows(part)) for number, part in parts.items()]
