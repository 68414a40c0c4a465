"""Checked columns of vendor messages: one check for all reads of a payload instead of one a read.

Every function raises Rejected when any value is wrong, and says which where it can: one bad read in a hundred must not
cost that the other ninety-nine are looked at one by one. A column of tags, which are wrong most often, has a hole there
instead, so that the others are not looked at again either.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import repeat
from typing import Any, TypeVar

from lotstream.readers.formats.items import VendorRead
from lotstream.readers.formats.values import hex_word, text, time_us, wrong
from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import LATEST_US, NOT_REPORTED

_NOTHING = type(None)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Reads = Callable[[list[Any]], list[VendorRead]]
Column = list[Any]
Refused = dict[int, Rejected]
T = TypeVar("T")


class Refusals(Rejected):
    """Values of a column are wrong: ``found`` says which, each with its own refusal; ``good``, where it is known, are
    the reads without them."""

    def __init__(self, found: dict[int, Rejected], *, good: list[VendorRead] | None = None) -> None:
        first = found[min(found)]
        super().__init__(first.reason, first.detail, field=first.field)
        self.found = found
        self.good = good


class Holed(list[Any]):
    """A column with '' where a value is wrong; ``found`` has their refusals."""

    def __init__(self, values: Column, found: dict[int, Rejected]) -> None:
        super().__init__(values)
        self.found = found


def checked(check: Callable[..., Any], *columns: Iterable[Any]) -> Column:
    """What ``check`` makes of each value (of several columns side by side), with holes where it refuses one."""
    values: Column = []
    found: dict[int, Rejected] = {}
    left = map(check, *columns)
    while True:
        try:
            values.extend(left)
        except Rejected as rejected:
            found[len(values)] = rejected.with_traceback(None)  # which would hold all of this in a cycle
            values.append("")
        else:
            return Holed(values, found) if found else values


def refusals(check: Callable[[Any], object], column: Column) -> Refusals:
    """What ``check`` refuses of a column, which is something."""
    found = {}
    for index, value in enumerate(column):
        try:
            check(value)
        except Rejected as rejected:
            found[index] = rejected.with_traceback(None)
    return Refusals(found)


def separately(items: list[Any], reads: Reads, *, refused: Rejected) -> tuple[list[VendorRead], Refused]:
    """(the good reads, refusals by place) of items that ``reads`` has refused together.

    A round takes out all that one column refuses; where a column cannot say which, all that are left are tried one by
    one.
    """
    if isinstance(refused, Refusals) and refused.good is not None:
        return refused.good, refused.found
    found: Refused = {}
    places = list(range(len(items)))
    while isinstance(refused, Refusals):
        bad = refused.found
        found |= {places[index]: why for index, why in bad.items()}
        places = without(places, bad)
        if refused.good is not None:
            return refused.good, found
        try:
            return reads([items[place] for place in places]) if places else [], found
        except Rejected as next_refused:
            refused = next_refused.with_traceback(None)
    singles = {place: _single(items[place], reads) for place in places}
    good = [one for one in singles.values() if not isinstance(one, Rejected)]
    return good, found | {place: one for place, one in singles.items() if isinstance(one, Rejected)}


def _single(item: Any, reads: Reads) -> VendorRead | Rejected:
    try:
        return reads([item])[0]
    except Rejected as rejected:
        return rejected.with_traceback(None)


def without(column: list[T], places: Iterable[int]) -> list[T]:
    """The column without what stands at these places."""
    kept: list[T] = []
    start = 0
    for place in sorted(places):
        kept += column[start:place]
        start = place + 1
    return kept + column[start:]


def rows(tag: Column, others: Callable[[], tuple[Column, ...]]) -> list[VendorRead]:
    """Columns in the order of VendorRead as reads. What is wrong with a tag is told before what is wrong elsewhere, and
    beside the reads that are good then."""
    try:
        made = list(map(VendorRead._make, zip(tag, *others(), strict=True)))
    except Rejected:
        if isinstance(tag, Holed):
            raise Refusals(tag.found) from None
        raise
    if isinstance(tag, Holed):
        raise Refusals(tag.found, good=without(made, tag.found))
    return made


def wholes(column: Column, field: str, *, low: int, high: int) -> Column:
    """Integers in low..high; None is NOT_REPORTED."""
    kinds = set(map(type, column))
    if kinds == {_NOTHING}:
        return [NOT_REPORTED] * len(column)
    if not kinds <= {int, _NOTHING}:
        raise _other(column, field, "a whole number", int)
    _require_range(column, field, low=low, high=high, some=_NOTHING in kinds)
    return _filled(column) if _NOTHING in kinds else column


def scaleds(column: Column, field: str, *, by: int, low: int, high: int) -> Column:
    """Numbers times ``by``, rounded, in low..high (after scaling); None is NOT_REPORTED."""
    kinds = set(map(type, column))
    if kinds == {_NOTHING}:
        return [NOT_REPORTED] * len(column)
    if not kinds <= {int, float, _NOTHING}:
        raise _other(column, field, "a number", int, float)
    _require_range(column, field, low=low / by, high=high / by, some=_NOTHING in kinds)
    return [NOT_REPORTED if value is None else round(value * by) for value in column]


def ports(column: Column, field: str) -> Column:
    """Antenna ports 1..255, or 0 where the reader did not say."""
    found = wholes(column, field, low=0, high=255)
    return [0 if value == NOT_REPORTED else value for value in found] if NOT_REPORTED in found else found


def texts(column: Column, field: str) -> Column:
    """Short texts; None is ''. Most payloads have one for all."""
    if set(map(type, column)) <= {str, _NOTHING}:
        known = {value: text(value, field) for value in set(column)}
        return [known[value] for value in column]
    raise _other(column, field, "a text", str)


def words(column: Column, field: str) -> Column:
    """Memory banks in hex; None and '' are ''."""
    kinds = set(map(type, column))
    if kinds == {_NOTHING}:
        return [""] * len(column)
    if not kinds <= {str, _NOTHING}:
        raise _other(column, field, "hex", str, reason=Reason.IDENTIFIER_INVALID)
    try:
        return [hex_word(value, field) if value else "" for value in column]
    except Rejected:
        raise refusals(lambda value: value and hex_word(value, field), column) from None


def tags(column: Column, field: str) -> Column:
    """EPC banks in hex, all of them there, with holes where they are not."""
    return checked(_tag if set(map(type, column)) - {str} else hex_word, column, repeat(field))


def _tag(value: Any, field: str) -> str:
    if type(value) is not str:
        raise wrong(field, "hex", got=value, reason=Reason.IDENTIFIER_INVALID)
    return hex_word(value, field)


def times(column: Column, field: str) -> list[int]:
    """ISO 8601 instants with their offset, as us since the epoch."""
    parse = datetime.fromisoformat
    try:
        deltas = [parse(value) - _EPOCH for value in column]
    except (ValueError, TypeError):
        return _times_one_by_one(column, field)
    found = [(d.days * 86_400 + d.seconds) * 1_000_000 + d.microseconds for d in deltas]
    if found and (min(found) < 0 or max(found) >= LATEST_US or min(map(len, column)) < 19):
        return _times_one_by_one(column, field)
    return found


def _times_one_by_one(column: Column, field: str) -> list[int]:
    try:
        return [time_us(value, field) for value in column]
    except Rejected:
        raise refusals(lambda value: time_us(value, field), column) from None


def two_bytes(column: Column, field: str) -> Column:
    """Protocol control words of two bytes in hex ('' is NOT_REPORTED) as numbers."""
    if not any(column):
        return [NOT_REPORTED] * len(column)
    if {len(value) for value in column} - {0, 4}:
        raise wrong(field, "two bytes", got=next(value for value in column if len(value) not in (0, 4)))
    return [int(value, 16) if value else NOT_REPORTED for value in column]


def _require_range(column: Column, field: str, *, low: float, high: float, some: bool) -> None:
    values = [value for value in column if value is not None] if some else column
    # asked this way round, NaN fails too
    if not (min(values) >= low and max(values) <= high):
        raise Refusals(
            {
                index: wrong(field, f"{low:g}..{high:g}", got=value, reason=Reason.VALUE_OUT_OF_RANGE)
                for index, value in enumerate(column)
                if value is not None and not low <= value <= high
            }
        )


def _filled(column: Column) -> Column:
    return [NOT_REPORTED if value is None else value for value in column]


def _other(column: Column, field: str, expected: str, *kinds: type, reason: Reason = Reason.SCHEMA_INVALID) -> Refusals:
    """The refusals of the values that are there and of none of the kinds, of which there is one."""
    return Refusals(
        {
            index: wrong(field, expected, got=value, reason=reason)
            for index, value in enumerate(column)
            if value is not None and type(value) not in kinds
        }
    )
