"""What is due when: timers of sightings and slots on log time and on the event time of files and buffers."""

from heapq import heappop, heappush
from typing import NamedTuple

from lotstream.schemas.base import SLOT_US
from lotstream.streams.smooth.policy import SmoothPolicy
from lotstream.streams.smooth.state import LIVE, Book, Cell, Clock, Point, SmoothState

ENDED = 1 << 62  # the event time of a source that has no more


class Timer(NamedTuple):
    """Due when a clock has passed ``due_us``; ``tag`` is empty for the forgetting of the slot."""

    due_us: int
    read_point: str
    slot: int
    tag: str


class Timers:
    """One heap per clock. An entry may be early, never late: what is not due yet goes back."""

    def __init__(self, state: SmoothState, policy: SmoothPolicy) -> None:
        self._state = state
        self._policy = policy
        self._heaps: dict[str, list[Timer]] = {LIVE: []}

    def time(self, clock: str) -> int:
        """How far a clock is: log time, or a source's event time."""
        if clock == LIVE:
            return self._state.log_us
        source = self._state.clocks.get(clock)
        return ENDED if source is None or source.ended_us >= 0 else source.time_us

    def due(self, point: Point, cell: Cell) -> int:
        """When a sighting is final: its clocks must pass this."""
        last = cell.runs[-1].last if cell.runs else 0
        return last + point.rule.silence_us + self._policy.grace_us

    def behind(self, book: Book, due_us: int) -> str | None:
        """A clock of the slot that has not passed an instant; None when all have."""
        for clock in book.clocks if len(book.clocks) == 1 else sorted(book.clocks):
            if self.time(clock) <= due_us:
                return clock
        return None

    def watch(self, point: Point, book: Book, tag: str, cell: Cell) -> None:
        """Put a sighting that is not final yet, and its slot, on their clocks."""
        if not book.timed:
            book.timed = True
            self._push(min(book.clocks), Timer(self._forget_us(book), point.name, book.slot, ""))
        if not cell.queued:
            cell.queued = True
            self._push(min(book.clocks), Timer(self.due(point, cell), point.name, book.slot, tag))

    def pop(self) -> tuple[list[Timer], list[Timer]]:
        """(sightings that are final now, slots to forget), each in the order of their times."""
        final: list[Timer] = []
        forgotten: list[Timer] = []
        waiting = True
        while waiting:
            waiting = False
            for clock in sorted(self._heaps):
                heap, now = self._heaps[clock], self.time(clock)
                while heap and heap[0].due_us < now:
                    waiting = True
                    self._take(heappop(heap), final, forgotten)
                if clock != LIVE and not heap:
                    del self._heaps[clock]
        return sorted(final), sorted(forgotten)

    def _take(self, timer: Timer, final: list[Timer], forgotten: list[Timer]) -> None:
        point = self._state.points.get(timer.read_point)
        book = None if point is None else point.books.get(timer.slot)
        if point is None or book is None:
            return
        if not timer.tag:
            again = self._not_before(book)
            if again is None:
                forgotten.append(timer)
            else:
                self._push(again[0], timer._replace(due_us=again[1]))
            return
        cell = book.cells.get(timer.tag)
        if cell is None:
            return
        due_us = self.due(point, cell)
        behind = None if cell.settled else self.behind(book, due_us)
        if behind is not None:
            self._push(behind, timer._replace(due_us=due_us))
            return
        cell.queued = False
        if not cell.settled:
            final.append(timer._replace(due_us=due_us))

    def _not_before(self, book: Book) -> tuple[str, int] | None:
        """(clock, instant) that a slot's forgetting still waits for."""
        due_us = self._forget_us(book)
        for clock in sorted(book.clocks):
            source = None if clock == LIVE else self._state.clocks.get(clock)
            if source is not None and source.ended_us >= 0:
                until_us = source.ended_us + self._policy.remember_us
                if self._state.log_us <= until_us:
                    return LIVE, until_us
            elif self.time(clock) <= due_us:
                return clock, due_us
        return None

    def _forget_us(self, book: Book) -> int:
        # one slot more than reads are taken for: the slot after may still say that this one goes on in it
        return book.end_us + self._policy.remember_us + SLOT_US

    def _push(self, clock: str, timer: Timer) -> None:
        heappush(self._heaps.setdefault(clock, []), timer)


def clock_name(source: str, door: str) -> str:
    """The clock of a source that is not live, at one door."""
    return f"{source}\n{door}"


def oldest_slot(now_us: int, *, remember_us: int) -> int:
    """The first slot whose reads are not late at a clock's time: its end plus ``remember_us`` is not passed."""
    return -((remember_us - now_us) // SLOT_US) - 1


def hear(state: SmoothState, source: str, *, time_us: int) -> None:
    """A file or buffer sent reads up to an event time: its clock goes on, or starts anew."""
    clock = state.clocks.get(source)
    if clock is None or clock.ended_us >= 0:
        state.clocks[source] = Clock(time_us=time_us, heard_us=state.log_us)
    else:
        clock.time_us = max(clock.time_us, time_us)
        clock.heard_us = state.log_us


def end_idle(state: SmoothState, policy: SmoothPolicy) -> None:
    """Sources not heard for long have ended; those that ended before anything remembered are dropped."""
    for source, clock in list(state.clocks.items()):
        if clock.ended_us < 0 and state.log_us - clock.heard_us > policy.source_idle_us:
            clock.ended_us = state.log_us
        elif clock.ended_us >= 0 and state.log_us - clock.ended_us > 2 * policy.remember_us:
            del state.clocks[source]
