"""A logistic unit's sighting becomes inferred sightings of what is inside it. Pure.

What is inferred is a function of the sighting (its fact at its highest version) and of the contents; a version that
says nothing new infers nothing again, or a pallet of 60 would cost 60 rows each time it is seen.
"""

from collections.abc import Iterable, Iterator, Mapping

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import MAX_DEPTH, SLOT_US
from lotstream.schemas.sightings import How, Mark, Sighting, State
from lotstream.streams.resolve.lives import Content

EVERY = 120  # of the slots that only continue a visit, one an hour is inferred: by number, so that replays agree

_LOGISTIC = ("00/", "8003/", "8004/")


def is_logistic(tag: str) -> bool:
    """Whether a key is a logistic unit's or an asset's: SSCC, GRAI, GIAI."""
    return tag.startswith(_LOGISTIC)


def worth(row: Sighting, known: Sighting | None) -> bool:
    """Whether this version infers anything. ``known`` is the kept version of the same fact.

    A version equal to the known one does: it is a replay, or a copy.
    """
    if known is not None:
        if list(row.version) == list(known.version):
            return True
        if list(row.version) < list(known.version):
            return False
    if row.marks & Mark.RETRACTED:
        return True
    if known is None and row.marks & Mark.CONTINUES_BEFORE and row.slot % EVERY:
        return False
    if row.marks & Mark.FINAL:
        return True
    if row.state != State.OBSERVED:
        return False
    return known is None or _place(row) != _place(known)


def _place(row: Sighting) -> tuple[str, int, int, int]:
    return row.location, row.direction, row.state, row.marks & Mark.RETRACTED


def require_acyclic(row: Sighting) -> None:
    """Raises Rejected (cycle, depth_exceeded) when a sighting was inferred from its own tag, or nests too deep."""
    if row.tag in row.path:
        raise Rejected(
            Reason.CYCLE, f"Expected contents apart from their parents, got {row.tag!r} inside itself.", field="path"
        )
    if len(row.path) > MAX_DEPTH:
        raise Rejected(
            Reason.DEPTH_EXCEEDED, f"Expected at most {MAX_DEPTH} parents, got {len(row.path)}.", field="path"
        )


def inferred(row: Sighting, contents: Iterable[Content]) -> Iterator[Sighting]:
    """Sightings of the children that are, or by another version of this fact may have been, inside."""
    start = row.slot * SLOT_US
    for content in contents:
        if content.touches(start, start + SLOT_US):
            yield infer(row, content)


def repacked(row: Sighting, *, before: Mapping[str, Content], after: Mapping[str, Content]) -> Iterator[Sighting]:
    """Sightings of the children whose stay the newest facts changed: inferred anew, or retracted."""
    for child, content in after.items():
        was = child in before and before[child].inside(row.last_us)
        if was != content.inside(row.last_us):
            yield infer(row, content)


def infer(row: Sighting, content: Content) -> Sighting:
    """One child's sighting; retracted when the origin's is, or when the child was not inside."""
    inside = content.inside(row.last_us)
    return Sighting(
        content.child,
        row.context,
        row.slot,
        row.lane,
        (*row.version, content.version),
        row.location,
        row.first_us,
        row.last_us,
        0,
        row.state,
        row.direction,
        row.marks if inside else row.marks | int(Mark.RETRACTED),
        int(How.DECLARED if row.how == How.DECLARED else How.INFERRED),
        max(row.recorded_us, content.recorded_us),
        row.origin or row.tag,
        (*row.path, row.tag),
        row.declaration,
        (),
    )
