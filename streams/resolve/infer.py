"""A logistic unit's sighting becomes inferred sightings of what is inside it. Pure.

What is inferred is a function of the sighting (its fact at its highest version) and of the contents; a version that
says nothing new infers nothing again, or a pallet of 60 would cost 60 rows each time it is seen.
"""

from collections.abc import Iterable, Iterator, Mapping

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import MAX_DEPTH, SLOT_US
from lotstream.schemas.sightings import Edition, How, Mark, Sighting, State
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
        if row.version == known.version:
            return True
        if row.version < known.version:
            return False
    if row.marks & Mark.RETRACTED:
        return True
    if known is None and row.marks & Mark.CONTINUES_BEFORE and row.slot % EVERY and not row.form.direction:
        return False  # it only goes on; where a visit ends with a direction, things may have left
    if row.marks & Mark.FINAL:
        return True
    if row.form.state != State.OBSERVED:
        return False
    return known is None or _place(row) != _place(known)


def _place(row: Sighting) -> tuple[str, int, int, int]:
    form = row.form
    return form.location, form.direction, form.state, form.marks & Mark.RETRACTED


def require_acyclic(row: Sighting) -> None:
    """Raises Rejected (cycle, depth_exceeded) when a sighting was inferred from its own tag, or nests too deep."""
    if row.tag in row.form.path:
        raise Rejected(
            Reason.CYCLE, f"Expected contents apart from their parents, got {row.tag!r} inside itself.", field="path"
        )
    if len(row.form.path) > MAX_DEPTH:
        raise Rejected(
            Reason.DEPTH_EXCEEDED, f"Expected at most {MAX_DEPTH} parents, got {len(row.form.path)}.", field="path"
        )


def inferred(row: Sighting, contents: Iterable[Content]) -> Iterator[Sighting]:
    """Sightings of the children that are, or by another version of this fact may have been, inside."""
    start = row.slot * SLOT_US
    for content in contents:
        if content.touches(start, start + SLOT_US):
            yield infer(row, content)


def repacked(row: Sighting, *, before: Mapping[str, Content], after: Mapping[str, Content]) -> Iterator[Sighting]:
    """Sightings of the children whose stay the newest facts changed: inferred anew, or retracted.

    A child that came or went in the slot is told so too: who had this partition before may have known these facts, have
    told of another version of the sighting, and have lost its state.
    """
    start = row.slot * SLOT_US
    for child, content in after.items():
        known = before.get(child)
        if known is not None and known.version == content.version:
            continue
        was, inside = known is not None and known.inside(row.last_us), content.inside(row.last_us)
        if was != inside or (not inside and content.touches(start, start + SLOT_US)):
            yield infer(row, content)


def infer(row: Sighting, content: Content) -> Sighting:
    """One child's sighting; retracted when the origin's is, or when the child was not inside."""
    form, edition = row.form, row.edition
    form = form._replace(
        origin=form.origin or row.tag,
        path=(*form.path, row.tag),
        how=int(How.DECLARED if form.how == How.DECLARED else How.INFERRED),
    )
    edition = Edition((*edition.version, content.version), max(edition.recorded_us, content.recorded_us))
    child = Sighting(content.child, form, edition, row.slot, row.first_us, row.last_us, 0)
    return child if content.inside(row.last_us) else child.retracted()
