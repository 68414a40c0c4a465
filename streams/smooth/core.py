"""Smooth as a core of the engine: one partition of reads.v1 in, sightings and dead letters out."""

from collections.abc import Iterable, Mapping

from lotstream.runtime.errors import Rejected
from lotstream.schemas.base import Origin
from lotstream.schemas.reads import ReadBatch, SourceEnd, decode_reads, read_columns
from lotstream.schemas.sightings import Sighting, SightingRows, State
from lotstream.streams.engine.core import Output, Record
from lotstream.streams.parts import parts_of
from lotstream.streams.smooth.decide import (
    CROSS_READ,
    Words,
    closed,
    late,
    neighbours,
    opened,
    state_now,
)
from lotstream.streams.smooth.labels import LabelCache
from lotstream.streams.smooth.pieces import blocks_of
from lotstream.streams.smooth.point import Touched, forget, late_cells, point_of, split_late, take
from lotstream.streams.smooth.policy import SmoothPolicy
from lotstream.streams.smooth.rivals import opens_aside, weigh
from lotstream.streams.smooth.signals import Signals
from lotstream.streams.smooth.snapshot import Snapshot
from lotstream.streams.smooth.state import LIVE, Block, Book, Cell, SmoothState
from lotstream.streams.smooth.timers import Timers, clock_name, end_idle, hear, oldest_slot

_GLIMPSED, _OBSERVED = int(State.GLIMPSED), int(State.OBSERVED)


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

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Take back what `changes` reported."""
        self._snapshot.load(items)
        for _, point in sorted(self.state.points.items()):
            for _, book in sorted(point.books.items()):
                for _, cell in sorted(book.cells.items()):
                    self._timers.watch(cell)

    def changes(self) -> Mapping[bytes, bytes | None]:
        """Records of the changelog since the last call."""
        return self._snapshot.changes()

    def apply(self, record: Record) -> list[Output]:
        """Decide one message of reads.v1."""
        self.state.log_us = max(self.state.log_us, record.timestamp_us)
        rows: list[Sighting] = []
        outputs: list[Output] = []
        touched, words = Touched(), Words((self._epoch, record.offset))
        try:
            message = decode_reads(record.value)
        except Rejected as reason:
            outputs.append(self._signals.dead_letter(record, reason))
            message = None
        if isinstance(message, ReadBatch):
            outputs += self._read(message, record, touched=touched, rows=rows, words=words)
        elif isinstance(message, SourceEnd):
            self._end(clock_name(message.source, message.door))
        # what readers say besides reads is for the history; the gateway has told what they lost
        end_idle(self.state, self._policy)
        self._decide(touched, rows, words=words)
        return self._by_partition(rows) + outputs

    def _read(
        self, batch: ReadBatch, record: Record, *, touched: Touched, rows: list[Sighting], words: Words
    ) -> list[Output]:
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
        clock = self._clock_of(batch, columns.latest_us)
        now_us = self.state.log_us
        if clock != LIVE:
            source = self.state.clocks.get(clock)
            now_us = -1 if source is None or source.ended_us >= 0 else source.time_us
        oldest = oldest_slot(now_us, remember_us=self._policy.remember_us)
        point = point_of(self.state, self._policy, name=batch.read_point)
        past: list[Block] = []
        for block in blocks_of(batch, columns, labels=labels, clock=clock, policy=self._policy.version):
            joining, too_late = split_late(point, block, oldest=oldest)
            if joining is not None:
                take(point, joining, touched=touched)
            if too_late is not None:
                past.append(too_late)
        if past:
            rows += [late(cell, words) for cell in late_cells(point, past)]
        if clock != LIVE:
            hear(self.state, clock, time_us=columns.latest_us)
        return outputs

    def _clock_of(self, batch: ReadBatch, greatest_us: int) -> str:
        """Live reads run on log time, but for those of a reader far ahead: they would stay open until it is reached."""
        ahead = greatest_us - self.state.log_us > self._policy.source_idle_us
        return clock_name(batch.stamp.source, batch.door) if batch.stamp.origin is not Origin.LIVE or ahead else LIVE

    def _end(self, name: str) -> None:
        clock = self.state.clocks.get(name)
        if clock is not None and clock.ended_us < 0:
            clock.ended_us = self.state.log_us

    def _decide(self, touched: Touched, rows: list[Sighting], *, words: Words) -> None:
        """Publish what changed and what became final, each sighting at most once."""
        timers = self._timers
        near = dict(touched.near)
        for cell in touched.near:
            near.update(dict.fromkeys(neighbours(cell)))
        order = touched.cells | near if near else touched.cells
        book: Book | None = None
        for cell in order:
            if cell.settled:
                cell.settled = False
                cell.book.point.changed[cell] = None
            if not cell.queued:
                timers.watch(cell)
            if cell.book is not book:
                book = cell.book
                passed_us = timers.passed(book)
            runs = cell.runs
            if runs and runs[-1].last >= passed_us:  # else it is final, and its timer is due
                self._open(cell, rows, words=words)
        final, forgotten = timers.pop()
        if final:
            self._close(final, rows, words=words)
        for book in forgotten:
            forget(book.point, book.slot)

    def _open(self, cell: Cell, rows: list[Sighting], *, words: Words) -> None:
        """Publish a sighting that is not final when it says something new: that it is there, place or state."""
        place = cell.place.inside
        if cell.shown < 0 and (cell.beside or cell.carry is not None) and opens_aside(cell):
            cell.shown = CROSS_READ
        if cell.shown_at != place or (cell.shown <= _GLIMPSED and (cell.shown < 0 or state_now(cell) != cell.shown)):
            row = opened(cell, words)
            rows.append(row)
            cell.shown, cell.shown_at = row.form.state, place
            cell.book.point.changed[cell] = None
        # more reads say nothing new before it is final; what else may happen to it clears this again
        cell.steady = cell.shown >= _OBSERVED

    def _close(self, cells: list[Cell], rows: list[Sighting], *, words: Words) -> None:
        if any(len(points) > 1 for points in self.state.doors.values()):
            cells = weigh(cells)
        final = closed(cells, words)
        rows += final
        for cell, row in zip(cells, final, strict=True):
            cell.settled, cell.steady = True, False
            cell.shown, cell.shown_at = row.form.state, cell.place.inside
            book = cell.book
            book.point.changed[cell] = None
            if not cell.runs:
                del book.cells[cell.tag]

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
        return [
            Output(self._topic, number, SightingRows(some)) for number, part in parts.items() for some in parts_of(part)
        ]
