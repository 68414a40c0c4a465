"""What is due when: timers of sightings and slots on log time and on the event time of files and buffers."""

from collections.abc import Iterator
from heapq import heappop, heappush

from lotstream.schemas.base import SLOT_US
from lotstream.streams.smooth.policy import SmoothPolicy
from lotstream.streams.smooth.state import LIVE, Book, Cell, Clock, SmoothState

ENDED = 1 << 62  # the event time of a source that has no more
STEP_US = 50_000  # timers are kept in steps: what is due in one becomes due at its end


def step_end(instant_us: int) -> int:
    """The last microsecond of an instant's step: whatever is due is so rounded, or a restart would decide sooner."""
    return instant_us - instant_us % STEP_US + STEP_US - 1


class Wheel:
    """What waits for one clock, by the step in which it is due."""

    __slots__ = ("_order", "_waiting")

    def __init__(self) -> None:
        self._order: list[int] = []
        self._waiting: dict[int, list[Cell | Book]] = {}

    def __bool__(self) -> bool:
        return bool(self._order)

    def push(self, what: Cell | Book, due_us: int) -> None:
        """Wait until the step is over."""
        step = due_us // STEP_US
        waiting = self._waiting.get(step)
        if waiting is None:
            self._waiting[step] = [what]
            heappush(self._order, step)
        else:
            waiting.append(what)

    def pop(self, now_us: int) -> list[Cell | Book]:
        """What waited for the oldest step that is over; nothing when none is."""
        order = self._order
        if not order or (order[0] + 1) * STEP_US > now_us:
            return []
        return self._waiting.pop(heappop(order))


class Timers:
    """One wheel per clock. An entry may be early, never late: what is not due yet goes back."""

    def __init__(self, state: SmoothState, policy: SmoothPolicy) -> None:
        self._state = state
        self._policy = policy
        self._wheels: dict[str, Wheel] = {LIVE: Wheel()}
        self._held: dict[Book, None] = {}  # due, but one of their clocks still holds them

    def time(self, clock: str) -> int:
        """How far a clock is: log time, or a source's event time."""
        if clock == LIVE:
            return self._state.log_us
        source = self._state.clocks.get(clock)
        return ENDED if source is None or source.ended_us >= 0 else source.time_us

    @staticmethod
    def due(cell: Cell) -> int:
        """When a sighting is final: its clocks must pass this."""
        if not cell.runs:
            return 0
        return step_end(cell.runs[-1].last + cell.book.point.wait_us)

    def passed(self, book: Book) -> int:
        """Runs of a slot that ended before this are final by its slowest clock, and their timers due."""
        now_us = self._state.log_us if book.live else min(map(self.time, book.clocks))
        return now_us - now_us % STEP_US - book.point.wait_us

    def _behind(self, book: Book, due_us: int) -> str | None:
        """A clock of the slot that has not passed an instant; None when all have."""
        if book.live:
            return None if due_us < self._state.log_us else LIVE
        for clock in book.clocks:
            if self.time(clock) <= due_us:
                return clock
        return None

    def watch(self, cell: Cell) -> None:
        """Put a sighting that is not final yet, and its slot, on their clocks."""
        book = cell.book
        clock = LIVE if book.live else min(book.clocks)
        if not book.timed:
            book.timed = True
            self._push(clock, book, due_us=self._forget_us(book))
        cell.queued = True
        self._push(clock, cell, due_us=self.due(cell))

    def pop(self) -> tuple[list[Cell], list[Book]]:
        """(sightings that are final now, slots to forget), each in the order of their times."""
        final: list[Cell] = []
        waiting = True
        held = self._held
        while waiting:
            waiting = False
            for clock in sorted(self._wheels) if len(self._wheels) > 1 else (LIVE,):
                wheel, now_us = self._wheels[clock], self.time(clock)
                while due := wheel.pop(now_us):
                    waiting = True
                    for what in due:
                        if isinstance(what, Cell):
                            self._cell(what, final)
                        else:
                            held[what] = None
                if clock != LIVE and not wheel:
                    del self._wheels[clock]
        forgotten = [book for book in held if not any(map(self._holds, _together(book)))]
        for book in forgotten:
            del held[book]
        final.sort(key=_order)
        forgotten.sort(key=_slot_order)
        return final, forgotten

    def _cell(self, cell: Cell, final: list[Cell]) -> None:
        if not cell.queued:  # a read that moved may have left two timers
            return
        cell.queued = False
        if cell.settled:
            return
        due_us, book = self.due(cell), cell.book
        behind = self._behind(book, due_us)
        if behind is None:
            final.append(cell)
        else:
            cell.queued = True
            self._push(behind, cell, due_us=due_us)

    def _holds(self, book: Book) -> bool:
        """Whether a clock still holds a slot: asked at every message, or a restart would forget at another moment."""
        due_us = self._forget_us(book)
        for clock in book.clocks:
            source = None if clock == LIVE else self._state.clocks.get(clock)
            if source is not None and source.ended_us >= 0:
                if self._state.log_us <= step_end(source.ended_us + self._policy.remember_us):
                    return True
            elif self.time(clock) <= due_us:
                return True
        return False

    def _forget_us(self, book: Book) -> int:
        # one slot more than reads are taken for: the slot after may still say that this one goes on in it
        return step_end(book.end_us + self._policy.remember_us + SLOT_US)

    def _push(self, clock: str, what: Cell | Book, *, due_us: int) -> None:
        wheel = self._wheels.get(clock)
        if wheel is None:
            wheel = self._wheels[clock] = Wheel()
        wheel.push(what, due_us)


def _together(book: Book) -> Iterator[Book]:
    """What is remembered together: a slot of neighbouring read points, or one would be weighed without the other."""
    yield book
    for door in book.doors:
        for point in book.point.doors[door].values():
            if point is not book.point and book.slot in point.books:
                yield point.books[book.slot]


def _order(cell: Cell) -> tuple[int, str, str]:
    point = cell.book.point
    return (cell.runs[-1].last + point.wait_us if cell.runs else 0), cell.tag, point.name


def _slot_order(book: Book) -> tuple[int, str]:
    return book.slot, book.point.name


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
