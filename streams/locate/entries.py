"""What locate keeps of a message of lot-sightings.v1: an entry a row, made by columns."""

from collections.abc import Iterator

from lotstream.schemas.sightings import Form, LotSightingBatch, Mark
from lotstream.streams.locate.unit import AFTER, BEFORE, FINAL, RETRACTED, By, Entry, Word

_RETRACTED = int(Mark.RETRACTED)
_TAKEN_BACK = int(Mark.RETRACTED | Mark.ELSEWHERE)  # what is only of another lot is left out by whose the unit is
_BITS = ((int(Mark.FINAL), FINAL), (int(Mark.CONTINUES_BEFORE), BEFORE), (int(Mark.CONTINUES_AFTER), AFTER))


def entries_of(batch: LotSightingBatch) -> Iterator[Entry]:
    """One for each row; equal sightings of units that travel together are one object."""
    forms = batch.form_values
    said_by, words = [_by(form) for form in forms], [_word(form) for form in forms]
    versions, recorded = [edition[0] for edition in batch.editions], [edition[1] for edition in batch.editions]
    columns = (
        batch.slot, [said_by[i] for i in batch.form], [versions[i] for i in batch.edition], batch.binding,
        [words[i] for i in batch.form], batch.last_us, [recorded[i] for i in batch.edition],
    )  # fmt: skip
    entries = map(Entry._make, zip(*columns, strict=True))
    if not any(form.origin or form.lane for form in forms):
        return entries
    same: dict[Entry, Entry] = {}
    return (same.setdefault(entry, entry) for entry in entries)


def _by(form: Form) -> By:
    return form.context.read_point, form.lane, form.origin, form.path


def _word(form: Form) -> Word:
    bits = form.state | form.direction << 2 | form.how << 4 | sum(bit for mark, bit in _BITS if form.marks & mark)
    if form.marks & _TAKEN_BACK == _RETRACTED:
        bits |= RETRACTED
    event, biz_step, disposition, *papers = form.declaration
    return bits, form.location, disposition, (event, biz_step, *papers) if event else ()


def marks_of(entry: Entry) -> int:
    """What `entries_of` kept of the marks of a sighting."""
    bits = entry.word[0]
    return sum(mark for mark, bit in (*_BITS, (_RETRACTED, RETRACTED)) if bits & bit)
