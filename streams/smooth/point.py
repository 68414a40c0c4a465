"""What happens to the memory of one read point: reads come in, a read is known again, slots are forgotten."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from lotstream.schemas.base import SLOT_US
from lotstream.streams.smooth.decide import CROSS_READ, join, visit_after, visit_before
from lotstream.streams.smooth.pieces import Mask, event_times, pieces_of, select
from lotstream.streams.smooth.policy import SmoothPolicy
from lotstream.streams.smooth.state import (
    LIVE,
    TAG_SHIFT,
    Block,
    Book,
    Cell,
    Frame,
    Point,
    Run,
    SmoothState,
)
from lotstream.streams.smooth.table import Table

_LOW = (1 << TAG_SHIFT) - 1


@dataclass(frozen=True, slots=True)
class Touched:
    """What a message changed, each once and in the order of the message: to be decided again at its end."""

    cells: dict[Cell, None] = field(default_factory=dict)
    near: dict[Cell, None] = field(default_factory=dict)  # of them, those with a neighbouring slot


def point_of(state: SmoothState, policy: SmoothPolicy, *, name: str) -> Point:
    """The read point of a name, new when it is not known."""
    point = state.points.get(name)
    if point is None:
        rule = policy.at(name)
        point = state.points[name] = Point(name, rule, state.table, rule.silence_us + policy.grace_us, state.doors)
    return point


def split_late(point: Point, block: Block, *, oldest: int) -> tuple[Block | None, Block | None]:
    """(reads that join their slot, reads later than remembered): before slot ``oldest``, or of a forgotten one."""
    low, high = block.slots()
    if low >= oldest and not point.gone.touches(low, high):
        return block, None
    slot = event_times(block) // SLOT_US
    late = slot < oldest
    for number in sorted(set(slot.tolist())):
        if number in point.gone:
            late |= slot == number
    if late.all():
        return None, block
    return (select(block, ~late), select(block, late)) if late.any() else (block, None)


def take(point: Point, block: Block, *, touched: Touched) -> None:
    """Add reads that are not late, each once."""
    frame = point.frames.setdefault((block.reader, block.frame), Frame())
    fresh, contested = _not_seen(frame, block)
    if fresh is None:
        return
    remember(point, fresh, frame=frame)
    point.new_blocks.append(fresh)
    if contested:
        _rebuild_around(point, fresh, touched=touched)
    else:
        _add(point, fresh, touched=touched)


def _not_seen(frame: Frame, block: Block) -> tuple[Block | None, bool]:
    """The reads that count beside what the frame holds, and whether one of them takes another's place."""
    low_us = block.low_us
    upto = frame.upto
    known: Mask | None = None
    contested = False
    lost: Mask | None = None
    i = len(upto) - 1
    while i >= 0 and upto[i] >= low_us:
        other = frame.blocks[i]
        i -= 1
        hits = _same(block, other)
        if hits is None:
            continue
        if other.rank <= block.rank:
            lost = hits if lost is None else lost | hits
        else:
            known = hits if known is None else known | hits
    if known is not None:
        contested = bool((known if lost is None else known & ~lost).any())
    if lost is None:
        return (select(block, np.ones(len(block.codes), np.bool_), contested=True) if contested else block), contested
    if lost.all():
        return None, False
    return select(block, ~lost, contested=contested), contested


def _same(block: Block, other: Block) -> Mask | None:
    """Which reads of a block are in another one of the same frame; None when none is."""
    if other.high_us < block.low_us or other.low_us > block.high_us:
        return None
    codes = other.codes
    if other.keys is not block.keys and other.keys != block.keys:
        index = {key: i for i, key in enumerate(other.keys)}
        theirs = np.array([index.get(key, -1) for key in block.keys], np.int64)[block.codes >> TAG_SHIFT]
        wanted = (theirs << TAG_SHIFT) | (block.codes & _LOW)  # -1 stays negative: found nowhere
    else:
        wanted = block.codes
    at = np.searchsorted(codes, wanted)
    at[at == len(codes)] = 0
    hits: Mask = codes[at] == wanted
    return hits if hits.any() else None


def remember(point: Point, block: Block, *, frame: Frame) -> None:
    high_us = block.high_us
    frame.blocks.append(block)
    frame.upto.append(max(high_us, frame.upto[-1]) if frame.upto else high_us)
    frame.contested = frame.contested or block.contested
    low, high = block.slots()
    frame.slots.update((low,) if low == high else (event_times(block) // SLOT_US).tolist())


def _add(point: Point, block: Block, *, touched: Touched) -> None:
    """Put the reads of a block into their slots."""
    silence = point.rule.silence_us
    table = point.table
    pieces = pieces_of(block, table, silence_us=silence)
    keys, place, received, scanned = block.keys, block.place, block.rank.received_us, block.scanned
    cells, near = touched.cells, touched.near
    rows: list[int] = []
    done = 0
    slot = -1
    for tag, number, first, last, reads in zip(*pieces[:5], strict=True):
        if number != slot:
            slot = number
            book = _book(point, slot, block=block)
            known = book.cells
            beside = [near_by.cells for i in (slot - 1, slot + 1) if (near_by := point.books.get(i)) is not None]
        key = keys[tag]
        cell = known.get(key)
        if cell is None:
            cell = known[key] = Cell(book, key, place=place, recorded=received)
            run = Run(first, last, reads=reads, row=table.take())
            cell.runs.append(run)
        else:
            runs = cell.runs
            if not runs:  # its reads went elsewhere, or are being put together again
                cell.place, cell.recorded, cell.scanned, cell.steady = place, received, False, False
            if place is not cell.place and place > cell.place:
                cell.place, cell.steady = place, False
            if received > cell.recorded:
                cell.recorded = received
            if runs and (run := runs[-1]).first <= first <= run.last + silence:
                if last > run.last:
                    run.last = last
                run.reads += reads
            else:
                table.add(rows, pieces.sums[done : done + len(rows)])  # before a row of them is merged away
                done += len(rows)
                rows.clear()
                run = Run(first, last, reads=reads, row=table.take())
                join(runs, run, silence_us=silence, table=table)
        rows.append(run.row)
        if scanned and tag in scanned:
            cell.scanned = True
        if not cell.steady:
            cells[cell] = None
        for other in beside:
            if key in other:
                near[cell] = None
                cell.beside = other[key].beside = True
    table.add(rows, pieces.sums[done:])


def _book(point: Point, slot: int, *, block: Block) -> Book:
    book = point.books.get(slot)
    if book is None:
        book = point.books[slot] = Book(point, slot)
    book.clocks.add(block.clock)
    book.live = book.live and block.clock == LIVE
    door = block.place.door
    if door not in book.doors:
        book.doors.add(door)
        point.doors.setdefault(door, {})[point.name] = point
    return book


def _rebuild_around(point: Point, block: Block, *, touched: Touched) -> None:
    """A copy of a read took the place of another one: derive all runs again, decide its tags again."""
    known = {cell for book in point.books.values() for cell in book.cells.values()}
    rebuild(point)
    tags = {block.keys[i] for i in set((block.codes >> TAG_SHIFT).tolist())}
    for _, book in sorted(point.books.items()):
        for tag, cell in sorted(book.cells.items()):
            if tag in tags or cell not in known:
                cell.queued = cell.steady = False  # it may be final sooner than its timer says
                touched.cells[cell] = touched.near[cell] = None


def rebuild(point: Point) -> None:
    """Derive every run from the blocks. Sightings whose reads went elsewhere stay, empty."""
    for book in point.books.values():
        book.doors.clear()
        book.clocks.clear()  # a read that lost its place to a copy does not hold its slot open
        book.live = True
        for cell in book.cells.values():
            point.table.give_back([run.row for run in cell.runs])
            cell.runs.clear()
    nobody = Touched()
    for frame in point.frames.values():
        for block in _winners(frame):
            remembered = _remembered(point, block)
            if remembered is not None:
                _add(point, remembered, touched=nobody)


def _remembered(point: Point, block: Block) -> Block | None:
    if not point.gone.touches(*block.slots()):
        return block
    slots = event_times(block) // SLOT_US
    mask = np.ones(len(slots), np.bool_)
    for slot in set(slots.tolist()):
        if slot in point.gone:
            mask &= slots != slot
    return select(block, mask) if mask.any() else None


def _winners(frame: Frame) -> Iterator[Block]:
    """The blocks of a frame, each read once: the copy of the lowest rank."""
    if not frame.contested:
        yield from frame.blocks
        return
    seen: set[tuple[str, int]] = set()
    for block in sorted(frame.blocks, key=lambda block: block.rank):
        reads = [(block.keys[code >> TAG_SHIFT], code & _LOW) for code in block.codes.tolist()]
        mask = np.array([read not in seen for read in reads], np.bool_)
        seen.update(reads)
        if mask.any():
            yield select(block, mask)


def late_cells(point: Point, blocks: Iterable[Block]) -> list[Cell]:
    """Sightings of reads later than remembered: made of one message alone, and not remembered."""
    aside = Point(point.name, point.rule, Table(), point.wait_us)
    touched = Touched()
    for block in blocks:
        _add(aside, block, touched=touched)
    return list(touched.cells)


def forget(point: Point, slot: int) -> None:
    """Drop a slot for good; what a visit needs of it goes into the slot after."""
    book = point.books[slot]
    after = point.books.get(slot + 1)
    if after is not None:
        for tag, cell in book.cells.items():
            later = after.cells.get(tag)
            if later is not None and cell.runs:
                later.carry = visit_after(visit_before(cell), cell)._replace(aside=int(cell.shown == CROSS_READ))
                point.changed[later] = None
    for cell in [cell for cell in point.changed if cell.book is book]:
        del point.changed[cell]
    point.table.give_back([run.row for cell in book.cells.values() for run in cell.runs])
    del point.books[slot]
    if book.cells:
        point.gone.add(slot)
        point.gone_changed = True
        book.cells.clear()  # slot and sightings hold each other; apart they are freed at once
    dead = set()
    for key, frame in point.frames.items():
        frame.slots.discard(slot)
        if not frame.slots:
            dead.add(key)
    for key in dead:
        del point.frames[key]
    point.new_blocks = [block for block in point.new_blocks if (block.reader, block.frame) not in dead]
    for number, segment in list(point.segments.items()):
        segment.slots.discard(slot)
        segment.frames -= dead
        if not segment.slots and not segment.frames:
            del point.segments[number]
            point.dropped.append(number)
