"""Which door of a group saw a tag, and which only overheard it: cross-reads, decided when sightings are final. Pure.

A door overheard the tag in a slot when a neighbour observed it all the while, and better: by mean strength, then by
reads, then by name; a scan is always better. "All the while" keeps apart what went through one door and then through
the next: whoever saw the tag while the other did not has not only overheard it. A reader that tells no strength is
weighed against its like alone. Better is an order, so of a group one door always stands; and what a sighting is
follows from the reads of its slot alone, since each is weighed again when one of the others is final.
"""

from collections.abc import Iterator

from lotstream.schemas.sightings import State
from lotstream.streams.smooth.decide import CROSS_READ, continues, goes_on_aside, state_of, visit_before
from lotstream.streams.smooth.state import Cell

_OBSERVED = int(State.OBSERVED)


def weigh(cells: list[Cell]) -> list[Cell]:
    """Mark as cross-reads what is, of the sightings that are final now and of those that are weighed against them.

    Returns the former and, after them, final ones that are to be told again: a cross-read no more or only now, or the
    next slot of one that turned.
    """
    due = dict.fromkeys(cells)
    weighed = due | {other: None for cell in cells for other in _beside(cell) if other.settled}
    turned = [cell for cell in weighed if _turns(cell)]
    again = {*turned, *filter(None, map(_final_after, turned))}.difference(due)
    return [*cells, *sorted(again, key=lambda cell: (cell.tag, cell.book.point.name, cell.book.slot))]


def overheard(cell: Cell) -> bool:
    """Whether a neighbouring door saw the tag better, all the while that this one did."""
    if cell.scanned:
        return False
    rivals = [other for other in _beside(cell) if other.place.door == cell.place.door]
    return bool(rivals) and _is_observed(cell) and any(_beats(rival, cell) for rival in rivals)


def opens_aside(cell: Cell) -> bool:
    """Whether a sighting goes on from one that is a cross-read so far: then it opens as one, until it is weighed."""
    if goes_on_aside(cell):
        return True
    book = cell.book.point.books.get(cell.book.slot - 1)
    before = None if book is None else book.cells.get(cell.tag)
    return (
        before is not None and overheard(before) and continues(before, cell, silence_us=cell.book.point.rule.silence_us)
    )


def _beside(cell: Cell) -> Iterator[Cell]:
    """Sightings of the same tag in the same slot at the other read points of its doors."""
    book = cell.book
    point, slot = book.point, book.slot
    for door in book.doors:
        for other in point.doors[door].values():
            if other is not point and (near := other.books.get(slot)) is not None and cell.tag in near.cells:
                yield near.cells[cell.tag]


def _turns(cell: Cell) -> bool:
    """Note whether a sighting is a cross-read, and say whether that differs from what was told."""
    was, now = cell.shown == CROSS_READ, overheard(cell)
    if now is not was:
        cell.shown = CROSS_READ if now else -1
    return now is not was


def _final_after(cell: Cell) -> Cell | None:
    """The sighting in the slot after, if it was told as final: it says whether it goes on from this one."""
    book = cell.book.point.books.get(cell.book.slot + 1)
    after = None if book is None else book.cells.get(cell.tag)
    return after if after is not None and after.settled else None


def _is_observed(cell: Cell) -> bool:
    return bool(cell.runs) and state_of(cell, visit_before(cell)) == _OBSERVED


def _beats(rival: Cell, cell: Cell) -> bool:
    return _is_observed(rival) and _covers(rival, cell) and (rival.scanned or _is_better(rival, cell))


def _covers(rival: Cell, cell: Cell) -> bool:
    """Whether every run of a sighting lies within one of the rival's, which lasts for a silence on both sides."""
    silence_us = rival.book.point.rule.silence_us
    return all(
        any(run.first <= own.first + silence_us and own.last - silence_us <= run.last for run in rival.runs)
        for own in cell.runs
    )


def _is_better(rival: Cell, cell: Cell) -> bool:
    (told, *theirs), (own_told, *own) = _evidence(rival), _evidence(cell)
    return told is own_told and theirs > own


def _evidence(cell: Cell) -> tuple[bool, int, int, str]:
    """Whether any strength was told; its mean in 0.01 dBm, reads, and the name of the read point."""
    point = cell.book.point
    sum_, reports = point.table.strength([run.row for run in cell.runs])
    mean = (2 * sum_ + reports) // (2 * reports) if reports else 0
    return bool(reports), mean, sum(run.reads for run in cell.runs), point.name
