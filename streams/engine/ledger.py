"""Which records of which source partition are done: plain offsets, nothing weak, nothing clever.

Faust keeps unacknowledged messages in a weak set and looks for gaps in a list of acknowledged ones; a message that
was collected, or dropped from a queue, is then committed over (faust-streaming issues 312, 596, 606). Here an offset
is committable when every offset below it was received and acknowledged, and only then.
"""

from collections.abc import Mapping
from enum import StrEnum

SourcePartition = tuple[str, int]


class Place(StrEnum):
    """Where an arriving offset stands: the next one, one that came before, or one beyond a hole."""

    NEXT = "next"
    SEEN = "seen"
    HOLE = "hole"


class SourceLedger:
    """One source partition from `start` on. `expected` is the next offset to receive; `first` the first one not
    acknowledged, which is what may be committed."""

    __slots__ = ("_done", "_skipped", "committed", "expected", "first")

    def __init__(self, start: int, *, committed: int | None = None) -> None:
        self.expected = start
        self.first = start
        self.committed = committed
        self._done: set[int] = set()
        self._skipped: dict[int, int] = {}

    def place(self, offset: int) -> Place:
        if offset == self.expected:
            return Place.NEXT
        return Place.SEEN if offset < self.expected else Place.HOLE

    def receive(self, offset: int) -> None:
        if offset != self.expected:
            raise ValueError(f"Expected offset {self.expected!r}, got {offset!r}.")
        self.expected = offset + 1

    def jump(self, offset: int) -> None:
        """The log starts at `offset` now: what lies between is gone and will never come."""
        if offset < self.expected:
            raise ValueError(f"Expected an offset >= {self.expected!r} to jump to, got {offset!r}.")
        if offset > self.expected:
            self._skipped[self.expected] = offset
            self.expected = offset
            self._advance()

    def acknowledge(self, offset: int) -> None:
        if not self.first <= offset < self.expected or offset in self._done:
            raise ValueError(
                f"Expected an offset in [{self.first!r}, {self.expected!r}) not yet acknowledged, got {offset!r}."
            )
        self._done.add(offset)
        self._advance()

    def acknowledge_below(self, offset: int) -> None:
        """Everything below `offset` is done, whatever was acknowledged one by one."""
        if offset > self.expected:
            raise ValueError(f"Expected an offset <= {self.expected!r}, got {offset!r}.")
        if offset > self.first:
            self.first = max([offset, *(end for start, end in self._skipped.items() if start < offset)])
            self._done = {done for done in self._done if done >= self.first}
            self._skipped = {start: end for start, end in self._skipped.items() if start >= self.first}
            self._advance()

    @property
    def pending(self) -> int:
        """How many offsets were received (or jumped) and are not yet committable."""
        return self.expected - self.first

    def _advance(self) -> None:
        while True:
            if self.first in self._done:
                self._done.remove(self.first)
                self.first += 1
            elif self.first in self._skipped:
                self.first = self._skipped.pop(self.first)
            else:
                return


class Ledger:
    """The source partitions that this process owns now."""

    def __init__(self) -> None:
        self._sources: dict[SourcePartition, SourceLedger] = {}

    def start(self, source: SourcePartition, ledger: SourceLedger) -> None:
        """Own a source partition; an earlier ledger of it is forgotten."""
        self._sources[source] = ledger

    def get(self, source: SourcePartition) -> SourceLedger | None:
        return self._sources.get(source)

    def forget(self, source: SourcePartition) -> None:
        """Own it no more; acknowledgements that come later change nothing that can be committed."""
        self._sources.pop(source, None)

    def sources(self) -> Mapping[SourcePartition, SourceLedger]:
        return self._sources

    def committable(self) -> dict[SourcePartition, int]:
        """Per source partition the offset to commit; only where it is beyond the one Kafka took last."""
        return {
            source: ledger.first for source, ledger in self._sources.items() if ledger.first > (ledger.committed or 0)
        }

    def committed(self, offsets: Mapping[SourcePartition, int]) -> None:
        """Kafka took these offsets: the bookkeeping moves now, and at no other time."""
        for source, offset in offsets.items():
            ledger = self._sources.get(source)
            if ledger is not None and offset <= ledger.first and offset > (ledger.committed or 0):
                ledger.committed = offset

    @property
    def pending(self) -> int:
        return sum(ledger.pending for ledger in self._sources.values())
