"""The decisions of smoothing, pure: which reads are one run, which slots one visit, how sure, which way, where."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.sightings import NO_DECLARATION, Context, Direction, Edition, Form, How, Mark, Sighting, State
from lotstream.streams.smooth.policy import Rule
from lotstream.streams.smooth.state import Cell, Place, Run, Visit
from lotstream.streams.smooth.table import Table, Told

# plain ints: an enum's value costs a call, and rows are made by the ten thousand a second
_GLIMPSED, _OBSERVED = int(State.GLIMPSED), int(State.OBSERVED)
CROSS_READ = int(State.CROSS_READ)
_UNKNOWN, _INWARD, _OUTWARD = int(Direction.UNKNOWN), int(Direction.INWARD), int(Direction.OUTWARD)
_FINAL, _LATE, _RETRACTED = int(Mark.FINAL), int(Mark.LATE), int(Mark.RETRACTED)
_CONTINUES_BEFORE, _CONTINUES_AFTER = int(Mark.CONTINUES_BEFORE), int(Mark.CONTINUES_AFTER)
_CONFIRMED = int(How.CONFIRMED)


def join(runs: list[Run], run: Run, *, silence_us: int, table: Table) -> Run:
    """Take a run into runs of the same tag and slot; what it bridges becomes one. Returns the run it is now in."""
    kept = []
    for other in runs:
        if other.first - run.last <= silence_us and run.first - other.last <= silence_us:
            run.first = min(run.first, other.first)
            run.last = max(run.last, other.last)
            run.reads += other.reads
            table.merge(run.row, other.row)
        else:
            kept.append(other)
    kept.append(run)
    kept.sort(key=_first)
    runs[:] = kept
    return run


def _first(run: Run) -> int:
    return run.first


def continues(earlier: Cell | None, later: Cell | None, *, silence_us: int) -> bool:
    """Whether the last run of a slot goes on as the first run of the next."""
    if earlier is None or later is None or not earlier.runs or not later.runs:
        return False
    return later.runs[0].first - earlier.runs[-1].last <= silence_us


def visit_before(cell: Cell) -> Visit | None:
    """The visit that the first run of a slot continues, up to the end of the slot before; None when it starts here."""
    point, tag, slot = cell.book.point, cell.tag, cell.book.slot
    silence_us = point.rule.silence_us
    total: Visit | None = None
    while True:
        first = cell.runs[0].first
        slot -= 1
        book = point.books.get(slot)
        before = None if book is None else book.cells.get(tag)
        if before is None or not before.runs:
            carry = cell.carry
            return _plus(total, carry) if carry is not None and first - carry.last <= silence_us else total
        run = before.runs[-1]
        if first - run.last > silence_us:
            return total
        total = _plus(total, _visit(run, point.table, slot=slot))
        if len(before.runs) > 1:
            return total
        cell = before


def visit_after(before: Visit | None, cell: Cell) -> Visit:
    """Totals of the visit of the last run of a slot."""
    own = _visit(cell.runs[-1], cell.book.point.table, slot=cell.book.slot)
    return own if before is None or len(cell.runs) > 1 else _plus(own, before)


def _visit(run: Run, table: Table, *, slot: int) -> Visit:
    inner, inner_us, outer, outer_us = table.sides(run.row)
    start = 2 * slot * SLOT_US
    return Visit(run.first, run.last, run.reads, inner, inner_us + start * inner, outer, outer_us + start * outer)


def _plus(total: Visit | None, other: Visit) -> Visit:
    if total is None:
        return other
    first, last, *sums = zip(total, other, strict=True)
    return Visit(min(first), max(last), *map(sum, sums))


def observed(run: Run, rule: Rule, *, before: Visit | None = None) -> bool:
    """Whether a run, with the visit it continues, reaches a threshold (ALE: count, or time between first and last)."""
    reads, first = run.reads, run.first
    if before is not None:
        reads, first = reads + before.reads, min(first, before.first)
    if reads >= rule.observe_count:
        return True
    return rule.observe_duration_us is not None and run.last - first >= rule.observe_duration_us


def state_of(cell: Cell, before: Visit | None) -> int:
    """Observed once any run of the slot is; a scan at once."""
    if cell.scanned:
        return _OBSERVED
    rule = cell.book.point.rule
    for run in cell.runs:
        if run.reads >= rule.observe_count or observed(run, rule, before=before):
            return _OBSERVED
        before = None  # only the first run goes on with it
    return _GLIMPSED


def _told_state(cell: Cell, before: Visit | None) -> int:
    """As what a sighting is told: a cross-read until it is weighed again."""
    return CROSS_READ if cell.shown == CROSS_READ else state_of(cell, before)


def goes_on_aside(cell: Cell) -> bool:
    """Whether a sighting goes on from a cross-read in the slot before."""
    point, slot = cell.book.point, cell.book.slot
    book = point.books.get(slot - 1)
    before = None if book is None else book.cells.get(cell.tag)
    if before is not None and before.runs:
        return before.shown == CROSS_READ and continues(before, cell, silence_us=point.rule.silence_us)
    carry = cell.carry
    return carry is not None and bool(carry.aside) and cell.runs[0].first - carry.last <= point.rule.silence_us


def state_now(cell: Cell) -> int:
    """The state of a slot that is still open."""
    state = state_of(cell, None)
    if state == _GLIMPSED and (cell.book.slot - 1 in cell.book.point.books or cell.carry is not None):
        return state_of(cell, visit_before(cell))
    return state


def direction_of(sides: Sequence[int]) -> int:
    """By the order of the mean times of the two sides; unknown when one is missing or both are equal."""
    inner, inner_us, outer, outer_us = sides
    if not inner or not outer:
        return _UNKNOWN
    inner_us, outer_us = inner_us * outer, outer_us * inner
    if inner_us == outer_us:
        return _UNKNOWN
    return _INWARD if outer_us < inner_us else _OUTWARD


def neighbours(cell: Cell) -> Iterator[Cell]:
    """Whose words may change with a sighting: the slot before when it was final, and all of the visit after."""
    books, tag, slot = cell.book.point.books, cell.tag, cell.book.slot
    before = books.get(slot - 1)
    if before is not None and tag in before.cells and before.cells[tag].settled:
        yield before.cells[tag]
    while (book := books.get(slot := slot + 1)) is not None:
        after = book.cells.get(tag)
        if after is None or not continues(cell, after, silence_us=book.point.rule.silence_us):
            return
        yield after
        cell = after


class Words:
    """What the rows of one message have in common, each said once: its version, places and states."""

    __slots__ = ("_editions", "_forms", "version")

    def __init__(self, version: tuple[int, int]) -> None:
        self.version = version
        self._editions: dict[int, Edition] = {}
        self._forms: dict[tuple[int, int, int, int], Form] = {}

    def edition(self, recorded_us: int) -> Edition:
        """This version, of what was received so far."""
        edition = self._editions.get(recorded_us)
        if edition is None:
            edition = self._editions[recorded_us] = Edition(self.version, recorded_us)
        return edition

    def form(self, place: Place, state: int, *, direction: int = _UNKNOWN, marks: int = 0) -> Form:
        """The form of a sighting of the main lane; who went outward is outside."""
        key = (id(place), state, direction, marks)  # of places that live as long as the rows are made
        form = self._forms.get(key)
        if form is None:
            if state == CROSS_READ:
                direction = _UNKNOWN  # it went through the neighbouring door
            location = place.outside if direction == _OUTWARD and place.outside else place.inside
            form = self._forms[key] = _form(place.context, location, "", state, direction, marks)
        return form


def opened(cell: Cell, words: Words) -> Sighting:
    """A version before the sighting is final: direction unknown, location inside, runs without their strengths."""
    slot = cell.book.slot
    start = slot * SLOT_US
    if _alone(cell):
        (run,) = cell.runs
        first = run.first if run.first > start else start
        form, runs = words.form(cell.place, _told_state(cell, None)), [[first, run.last, run.reads]]
        return Sighting(cell.tag, form, words.edition(cell.recorded), slot, first, run.last, run.reads, runs)
    visit, marks = _visit_and_marks(cell)
    runs = [[run.first if run.first > start else start, run.last, run.reads] for run in cell.runs]
    return _row(cell, words.form(cell.place, _told_state(cell, visit), marks=marks), words=words, runs=runs)


def closed(cells: Sequence[Cell], words: Words) -> list[Sighting]:
    """The final versions of sightings, in their order. One whose reads all turned out to lie elsewhere is retracted."""
    rows = [run.row for cell in cells for run in cell.runs]
    told = iter(cells[0].book.point.table.told(rows) if rows else ())  # all of a partition have one table
    return [
        _closed_alone(cell, next(told), words=words)
        if _alone(cell)
        else _closed(cell, [next(told) for _ in cell.runs], words=words)
        if cell.runs
        else _retraction(cell, words)
        for cell in cells
    ]


def _alone(cell: Cell) -> bool:
    """Whether a sighting is one run, and its tag has none in the slots beside it: nearly always."""
    return not cell.beside and cell.carry is None and len(cell.runs) == 1


def _closed_alone(cell: Cell, told: Told, *, words: Words) -> Sighting:
    (run,) = cell.runs
    slot = cell.book.slot
    strengths, sides = told
    first, last, reads = run.first, run.last, run.reads
    if first < slot * SLOT_US:
        first = slot * SLOT_US
    form = words.form(cell.place, _told_state(cell, None), direction=direction_of(sides), marks=_FINAL)
    runs = [[first, last, reads, *strengths]]
    return Sighting(cell.tag, form, words.edition(cell.recorded), slot, first, last, reads, runs)


def _closed(cell: Cell, told: list[Told], *, words: Words) -> Sighting:
    visit, marks = _visit_and_marks(cell)
    direction = _UNKNOWN
    if not marks & _CONTINUES_AFTER:
        if visit is None or len(told) > 1:
            direction = direction_of(told[-1][1])
        else:
            direction = direction_of(visit_after(visit, cell)[3:7])
    start = cell.book.slot * SLOT_US
    runs = [
        [run.first if run.first > start else start, run.last, run.reads, *strengths]
        for run, (strengths, _) in zip(cell.runs, told, strict=True)
    ]
    form = words.form(cell.place, _told_state(cell, visit), direction=direction, marks=marks | _FINAL)
    return _row(cell, form, words=words, runs=runs)


def _visit_and_marks(cell: Cell) -> tuple[Visit | None, int]:
    """The visit that goes on in this slot, and the marks of what goes on."""
    book, tag = cell.book, cell.tag
    books = book.point.books
    visit: Visit | None = None
    marks = 0
    before, after = books.get(book.slot - 1), books.get(book.slot + 1)
    if cell.carry is not None or (before is not None and tag in before.cells):
        visit = visit_before(cell)
        if visit is not None and (cell.shown == CROSS_READ or not goes_on_aside(cell)):
            marks = _CONTINUES_BEFORE  # where the neighbour had it before, it begins here
    later = None if after is None else after.cells.get(tag)
    if later is not None and continues(cell, later, silence_us=book.point.rule.silence_us):
        marks |= _CONTINUES_AFTER
    return visit, marks


def late(cell: Cell, words: Words) -> Sighting:
    """Reads later than remembered: final at once, in a lane of their own, direction unknown."""
    told = cell.book.point.table.told([run.row for run in cell.runs])
    start = cell.book.slot * SLOT_US
    runs = [
        [max(run.first, start), run.last, run.reads, *strengths]
        for run, (strengths, _) in zip(cell.runs, told, strict=True)
    ]
    place, lane = cell.place, f"late:{words.version[1]}"
    form = _form(place.context, place.inside, lane, state_of(cell, None), _UNKNOWN, _FINAL | _LATE)
    return _row(cell, form, words=words, runs=runs)


def _retraction(cell: Cell, words: Words) -> Sighting:
    """All reads of a published sighting turned out to lie elsewhere: a better copy of each tells another event time."""
    start = cell.book.slot * SLOT_US
    form = words.form(cell.place, _GLIMPSED, marks=_FINAL | _RETRACTED)
    return _row(cell, form, words=words, runs=[[start, start, 0]])._replace(runs=[])


def _row(cell: Cell, form: Form, *, words: Words, runs: list[list[int]]) -> Sighting:
    reads = runs[0][2] if len(runs) == 1 else sum(run[2] for run in runs)
    edition = words.edition(cell.recorded)
    return Sighting(cell.tag, form, edition, cell.book.slot, runs[0][0], runs[-1][1], reads, runs)


@lru_cache(maxsize=4_096)
def _form(context: Context, location: str, lane: str, state: int, direction: int, marks: int) -> Form:
    return Form(context, location, NO_DECLARATION, lane, "", (), state, direction, marks, _CONFIRMED)
