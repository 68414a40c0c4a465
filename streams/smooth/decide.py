"""The decisions of smoothing, pure: which reads are one run, which slots one visit, how sure, which way, where."""

from collections.abc import Iterator

from lotstream.schemas.base import NOT_REPORTED, SLOT_US
from lotstream.schemas.sightings import NO_DECLARATION, Context, Direction, How, Mark, Sighting, State
from lotstream.streams.smooth.policy import Rule
from lotstream.streams.smooth.state import AntennaSums, Book, Cell, Folded, Run, Visit


def join(runs: list[Run], run: Run, *, silence_us: int) -> Run:
    """Take a run into runs of the same tag and slot; what it bridges becomes one. Returns the run it is now in."""
    kept = []
    for other in runs:
        if other.first - run.last <= silence_us and run.first - other.last <= silence_us:
            _absorb(run, other)
        else:
            kept.append(other)
    kept.append(run)
    kept.sort(key=_first)
    runs[:] = kept
    return run


def _first(run: Run) -> int:
    return run.first


def _absorb(run: Run, other: Run) -> None:
    run.first = min(run.first, other.first)
    run.last = max(run.last, other.last)
    run.reads += other.reads
    run.inner += other.inner
    run.inner_us += other.inner_us
    run.outer += other.outer
    run.outer_us += other.outer_us
    run.parts += other.parts
    for antenna, sums in other.folded.items():
        _add(run.folded, antenna, *sums)


def _add(folded: Folded, antenna: int, reads: int, rssi: int, reports: int) -> None:
    had = folded.get(antenna)
    folded[antenna] = (reads, rssi, reports) if had is None else (had[0] + reads, had[1] + rssi, had[2] + reports)


def fold(run: Run) -> Folded:
    """The run's sums per antenna, put together when somebody asks for them."""
    folded = run.folded
    for sums, piece in run.parts:
        _fold_piece(folded, sums, piece)
    run.parts.clear()
    return folded


def _fold_piece(folded: Folded, sums: AntennaSums, piece: int) -> None:
    reads, rssi, reports = sums.reads[piece], sums.rssi[piece], sums.reports[piece]
    for i, antenna in enumerate(sums.antennas):
        if reads[i]:
            _add(folded, antenna, reads[i], int(rssi[i]), reports[i])


def flat(run: Run, *, slot: int) -> list[int]:
    """A run as it is published: first and last in the slot, reads, then antenna, reads, mean RSSI (rounded half up)."""
    row = [max(run.first, slot * SLOT_US), run.last, run.reads]
    folded = fold(run)
    for antenna in sorted(folded) if len(folded) > 1 else folded:
        reads, rssi, reports = folded[antenna]
        row += (antenna, reads, (2 * rssi + reports) // (2 * reports) if reports else NOT_REPORTED)
    return row


def continues(earlier: Cell | None, later: Cell | None, *, silence_us: int) -> bool:
    """Whether the last run of a slot goes on as the first run of the next."""
    return (
        earlier is not None
        and later is not None
        and bool(earlier.runs)
        and bool(later.runs)
        and later.runs[0].first - earlier.runs[-1].last <= silence_us
    )


def visit_before(books: dict[int, Book], tag: str, slot: int, *, silence_us: int) -> Visit | None:
    """The visit that the first run of a slot continues, up to the end of the slot before; None when it starts here."""
    cell = books[slot].cells[tag]
    total: Visit | None = None
    while True:
        first = cell.runs[0].first
        slot -= 1
        book = books.get(slot)
        before = None if book is None else book.cells.get(tag)
        if before is None or not before.runs:
            carry = cell.carry
            return _plus(total, carry) if carry is not None and first - carry.last <= silence_us else total
        run = before.runs[-1]
        if first - run.last > silence_us:
            return total
        total = _plus(total, _visit(run))
        if len(before.runs) > 1:
            return total
        cell = before


def visit_after(before: Visit | None, runs: list[Run]) -> Visit:
    """Totals of the visit of the last run of a slot."""
    own = _visit(runs[-1])
    return own if before is None or len(runs) > 1 else _plus(own, before)


def _visit(run: Run) -> Visit:
    return Visit(run.first, run.last, run.reads, run.inner, run.inner_us, run.outer, run.outer_us)


def _plus(total: Visit | None, other: Visit) -> Visit:
    if total is None:
        return other
    first, last, *sums = zip(total, other, strict=True)
    return Visit(min(first), max(last), *map(sum, sums))


def observed(run: Run, rule: Rule, before: Visit | None = None) -> bool:
    """Whether a run, with the visit it continues, reaches a threshold (ALE: count, or time between first and last)."""
    reads, first = run.reads, run.first
    if before is not None:
        reads, first = reads + before.reads, min(first, before.first)
    if reads >= rule.observe_count:
        return True
    return rule.observe_duration_us is not None and run.last - first >= rule.observe_duration_us


def state_of(cell: Cell, rule: Rule, before: Visit | None) -> State:
    """Observed once any run of the slot is; a scan at once."""
    if cell.scanned:
        return State.OBSERVED
    for i, run in enumerate(cell.runs):
        if observed(run, rule, before if i == 0 else None):
            return State.OBSERVED
    return State.GLIMPSED


def state_now(books: dict[int, Book], tag: str, slot: int, *, rule: Rule) -> State:
    """The state of a slot that is still open."""
    cell = books[slot].cells[tag]
    state = state_of(cell, rule, None)
    if state is State.GLIMPSED and (slot - 1 in books or cell.carry is not None):
        return state_of(cell, rule, visit_before(books, tag, slot, silence_us=rule.silence_us))
    return state


def direction_of(visit: Visit) -> Direction:
    """By the order of the mean times of the two sides; unknown when one is missing or both are equal."""
    if not visit.inner or not visit.outer:
        return Direction.UNKNOWN
    inner, outer = visit.inner_us * visit.outer, visit.outer_us * visit.inner
    if inner == outer:
        return Direction.UNKNOWN
    return Direction.INWARD if outer < inner else Direction.OUTWARD


def followers(books: dict[int, Book], tag: str, slot: int, *, silence_us: int) -> Iterator[tuple[Book, Cell]]:
    """The later slots of the visit that ends or goes on in this one."""
    cell = books[slot].cells[tag]
    while (book := books.get(slot := slot + 1)) is not None:
        after = book.cells.get(tag)
        if after is None or not continues(cell, after, silence_us=silence_us):
            return
        yield book, after
        cell = after


def sighting(
    books: dict[int, Book], tag: str, slot: int, *, rule: Rule, context: Context, version: tuple[int, int], final: bool
) -> Sighting:
    """The version of a sighting that its reads make now. Before the visit ends: direction unknown, location inside."""
    cell = books[slot].cells[tag]
    runs = cell.runs
    if not runs:
        return _retraction(cell, tag, slot, context=context, version=version)
    before = visit_before(books, tag, slot, silence_us=rule.silence_us)
    after = books.get(slot + 1)
    goes_on = after is not None and continues(cell, after.cells.get(tag), silence_us=rule.silence_us)
    marks = Mark.CONTINUES_BEFORE.value if before is not None else 0
    direction = Direction.UNKNOWN
    if goes_on:
        marks |= Mark.CONTINUES_AFTER.value
    elif final:
        direction = direction_of(visit_after(before, runs))
    if final:
        marks |= Mark.FINAL.value
    place = cell.place
    rows = [flat(run, slot=slot) for run in runs]
    return Sighting(
        tag,
        context,
        slot,
        "",
        version,
        place.outside if direction is Direction.OUTWARD and place.outside else place.inside,
        rows[0][0],
        rows[-1][1],
        sum(row[2] for row in rows),
        state_of(cell, rule, before).value,
        direction.value,
        marks,
        How.CONFIRMED.value,
        cell.recorded,
        "",
        (),
        NO_DECLARATION,
        rows,
    )


def late_sighting(
    cell: Cell, tag: str, slot: int, *, rule: Rule, context: Context, version: tuple[int, int]
) -> Sighting:
    """Reads later than remembered: final at once, in a lane of their own, direction unknown."""
    rows = [flat(run, slot=slot) for run in cell.runs]
    return Sighting(
        tag,
        context,
        slot,
        f"late:{version[1]}",
        version,
        cell.place.inside,
        rows[0][0],
        rows[-1][1],
        sum(row[2] for row in rows),
        state_of(cell, rule, None).value,
        Direction.UNKNOWN.value,
        (Mark.FINAL | Mark.LATE).value,
        How.CONFIRMED.value,
        cell.recorded,
        "",
        (),
        NO_DECLARATION,
        rows,
    )


def _retraction(cell: Cell, tag: str, slot: int, *, context: Context, version: tuple[int, int]) -> Sighting:
    """All reads of a published sighting turned out to lie elsewhere: a better copy of each tells another event time."""
    start = slot * SLOT_US
    return Sighting(
        tag,
        context,
        slot,
        "",
        version,
        cell.place.inside,
        start,
        start,
        0,
        State.GLIMPSED.value,
        Direction.UNKNOWN.value,
        (Mark.FINAL | Mark.RETRACTED).value,
        How.CONFIRMED.value,
        cell.recorded,
        "",
        (),
        NO_DECLARATION,
        [],
    )
