"""What happens to the memory of one read point: reads come in, a read is known again, slots are forgotten."""

from collections.abc import Iterator

import numpy as np

from lotstream.schemas.base import SLOT_US
from lotstream.streams.smooth.decide import followers, join, visit_after, visit_before
from lotstream.streams.smooth.pieces import Mask, event_times, pieces_of, select
from lotstream.streams.smooth.state import (
    ANTENNA_BITS,
    FRAME_MASK,
    TAG_SHIFT,
    Block,
    Book,
    Cell,
    Frame,
    Point,
    Run,
)

Touched = dict[tuple[str, int, str], None]  # read point, slot, tag: to be decided again at the end of the message
_LOW = (1 << TAG_SHIFT) - 1


def split_late(point: Point, block: Block, *, oldest: int) -> tuple[Block | None, Block | None]:
    """(reads that join their slot, reads later than remembered): before slot ``oldest``, or of a forgotten one."""
    times = event_times(block)
    low, high = int(times.min()) // SLOT_US, int(times.max()) // SLOT_US
    if low >= oldest and not point.gone.touches(low, high):
        return block, None
    slot = times // SLOT_US
    late = slot < oldest
    for number in sorted(set(slot.tolist())):
        if number in point.gone:
            late |= slot == number
    if late.all():
        return None, block
    return (select(block, ~late), select(block, late)) if late.any() else (block, None)


def take(point: Point, block: Block, touched: Touched) -> list[tuple[Book, str, Cell]]:
    """Add reads that are not late, each once. Returns the sightings that are new, in the order of the block."""
    frame = point.frames.setdefault((block.reader, block.frame), Frame())
    fresh, contested = _not_seen(frame, block)
    if fresh is None:
        return []
    remember(point, frame, fresh)
    point.new_blocks.append(fresh)
    if contested:
        return _rebuild_around(point, fresh, touched)
    return _add(point, fresh, touched)


def _not_seen(frame: Frame, block: Block) -> tuple[Block | None, bool]:
    """The reads that count beside what the frame holds, and whether one of them takes another's place."""
    times = (block.codes >> ANTENNA_BITS) & FRAME_MASK
    low, high = int(times.min()), int(times.max())
    upto = frame.upto
    known: Mask | None = None
    contested = False
    lost: Mask | None = None
    i = len(upto) - 1
    while i >= 0 and upto[i] >= low:
        other = frame.blocks[i]
        i -= 1
        hits = _same(block, other, low=low, high=high)
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


def _same(block: Block, other: Block, *, low: int, high: int) -> Mask | None:
    """Which reads of a block are in another one of the same frame; None when none is."""
    codes = other.codes
    times = (codes >> ANTENNA_BITS) & FRAME_MASK
    if int(times.max()) < low or int(times.min()) > high:
        return None
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


def remember(point: Point, frame: Frame, block: Block) -> None:
    high = int(((block.codes >> ANTENNA_BITS) & FRAME_MASK).max())
    frame.blocks.append(block)
    frame.upto.append(max(high, frame.upto[-1]) if frame.upto else high)
    frame.contested = frame.contested or block.contested
    slots = event_times(block) // SLOT_US
    low, high = int(slots.min()), int(slots.max())
    frame.slots.update((low,) if low == high else slots.tolist())


def _add(point: Point, block: Block, touched: Touched | None) -> list[tuple[Book, str, Cell]]:
    """Put the reads of a block into their slots; ``touched`` is None while the memory is built again."""
    pieces = pieces_of(block, silence_us=point.rule.silence_us)
    silence = point.rule.silence_us
    keys, place, received, scanned = block.keys, block.place, block.rank.received_us, block.scanned
    opened: list[tuple[Book, str, Cell]] = []
    name, sums, sides = point.name, pieces.sums, pieces.sides
    book: Book | None = None
    for number, (tag, slot, first, last, reads) in enumerate(zip(*pieces[:5], strict=True)):
        key = keys[tag]
        if book is None or book.slot != slot:
            book = _book(point, slot, clock=block.clock)
        cell = book.cells.get(key)
        if cell is None:
            cell = book.cells[key] = Cell(place)
            opened.append((book, key, cell))
        elif not cell.runs:
            cell.place, cell.recorded, cell.scanned = place, 0, False
        elif place > cell.place:
            cell.place = place
        if received > cell.recorded:
            cell.recorded = received
        if scanned and tag in scanned:
            cell.scanned = True
        runs = cell.runs
        run = runs[-1] if runs else None
        if run is not None and run.first <= first <= run.last + silence:
            if last > run.last:
                run.last = last
            run.reads += reads
        else:
            run = join(runs, Run(first, last, reads=reads), silence_us=silence)
        run.parts.append((sums, number))
        if sides is not None:
            _add_sides(run, sides, number, slot=slot)
        if touched is not None:
            touched[name, slot, key] = None
    return opened


def _add_sides(
    run: Run, sides: tuple[list[int], list[float], list[int], list[float]], piece: int, *, slot: int
) -> None:
    inner, outer = sides[0][piece], sides[2][piece]
    if inner:
        run.inner += inner
        run.inner_us += int(sides[1][piece]) + 2 * slot * SLOT_US * inner
    if outer:
        run.outer += outer
        run.outer_us += int(sides[3][piece]) + 2 * slot * SLOT_US * outer


def _book(point: Point, slot: int, *, clock: str) -> Book:
    book = point.books.get(slot)
    if book is None:
        book = point.books[slot] = Book(slot)
    book.clocks.add(clock)
    return book


def _rebuild_around(point: Point, block: Block, touched: Touched) -> list[tuple[Book, str, Cell]]:
    """A copy of a read took the place of another one: derive all runs again, decide its tags again."""
    opened = rebuild(point)
    tags = {block.keys[i] for i in set((block.codes >> TAG_SHIFT).tolist())}
    for slot, book in sorted(point.books.items()):
        for tag in sorted(tags):
            if tag in book.cells:
                touched[point.name, slot, tag] = None
                book.cells[tag].queued = False  # it may be final sooner than its timer says
    return opened


def rebuild(point: Point) -> list[tuple[Book, str, Cell]]:
    """Derive every run from the blocks. Sightings whose reads went elsewhere stay, empty. Returns the new ones."""
    for book in point.books.values():
        for cell in book.cells.values():
            cell.runs.clear()
    opened = []
    for frame in point.frames.values():
        for block in _winners(frame):
            remembered = _remembered(point, block)
            if remembered is not None:
                opened += _add(point, remembered, None)
    return opened


def _remembered(point: Point, block: Block) -> Block | None:
    times = event_times(block)
    if not point.gone.touches(int(times.min()) // SLOT_US, int(times.max()) // SLOT_US):
        return block
    slots = times // SLOT_US
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


def late_cells(point: Point, block: Block) -> dict[tuple[int, str], Cell]:
    """Sightings of reads later than remembered, by (slot, tag): made of this block alone, and not remembered."""
    silence = point.rule.silence_us
    pieces = pieces_of(block, silence_us=silence)
    cells: dict[tuple[int, str], Cell] = {}
    for number, (tag, slot, first, last, reads) in enumerate(zip(*pieces[:5], strict=True)):
        cell = cells.setdefault((slot, block.keys[tag]), Cell(block.place))
        cell.recorded = block.rank.received_us
        cell.scanned = tag in block.scanned
        join(cell.runs, Run(first, last, reads=reads), silence_us=silence).parts.append((pieces.sums, number))
    return cells


def unsettle(point: Point, slot: int, tag: str) -> Iterator[tuple[int, Cell]]:
    """The neighbours of a changed sighting that may now say something else: one before, all of the visit after."""
    books, silence = point.books, point.rule.silence_us
    before = books.get(slot - 1)
    if before is not None:
        cell = before.cells.get(tag)
        if cell is not None and cell.settled:
            yield slot - 1, cell
    if slot + 1 in books and books[slot].cells[tag].runs:
        for book, cell in followers(books, tag, slot, silence_us=silence):
            yield book.slot, cell


def forget(point: Point, slot: int) -> None:
    """Drop a slot for good; what a visit needs of it goes into the slot after."""
    book = point.books[slot]
    after = point.books.get(slot + 1)
    if after is not None:
        for tag, cell in book.cells.items():
            later = after.cells.get(tag)
            if later is not None and cell.runs:
                before = visit_before(point.books, tag, slot, silence_us=point.rule.silence_us)
                later.carry = visit_after(before, cell.runs)
                point.changed[slot + 1, tag] = None
    del point.books[slot]
    point.gone.add(slot)
    point.gone_changed = True
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
