"""Checked columns of vendor messages: one check for all reads of a payload instead of one a read.

Every function raises Rejected when any value is wrong; whose it is, is found by asking for single reads.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from lotstream.readers.formats.items import VendorRead
from lotstream.readers.formats.values import hex_word, text, time_us, wrong
from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import LATEST_US, NOT_REPORTED

_NOTHING = type(None)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Reads = Callable[[list[Any]], list[VendorRead]]
Column = list[Any]


def separately(items: list[Any], reads: Reads) -> list[VendorRead | Rejected]:
    """A read or its refusal for each item, after ``reads`` has refused them together."""
    found: list[VendorRead | Rejected] = []
    for item in items:
        try:
            found += reads([item])
        except Rejected as rejected:
            found.append(rejected)
    return found


def rows(*columns: Column) -> list[VendorRead]:
    """Columns in the order of VendorRead as reads."""
    return list(map(VendorRead._make, zip(*columns, strict=True)))


def wholes(column: Column, field: str, *, low: int, high: int) -> Column:
    """Integers in low..high; None is NOT_REPORTED."""
    kinds = set(map(type, column))
    if kinds == {_NOTHING}:
        return [NOT_REPORTED] * len(column)
    if not kinds <= {int, _NOTHING}:
        raise wrong(field, "a whole number", got=_other(column, int))
    _require_range(
        [value for value in column if value is not None] if _NOTHING in kinds else column, field, low=low, high=high
    )
    return _filled(column) if _NOTHING in kinds else column


def scaleds(column: Column, field: str, *, by: int, low: int, high: int) -> Column:
    """Numbers times ``by``, rounded, in low..high (after scaling); None is NOT_REPORTED."""
    kinds = set(map(type, column))
    if kinds == {_NOTHING}:
        return [NOT_REPORTED] * len(column)
    if not kinds <= {int, float, _NOTHING}:
        raise wrong(field, "a number", got=_other(column, int, float))
    _require_range([value for value in column if value is not None], field, low=low / by, high=high / by)
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
    raise wrong(field, "a text", got=_other(column, str))


def words(column: Column, field: str) -> Column:
    """Memory banks in hex; None and '' are ''."""
    kinds = set(map(type, column))
    if kinds == {_NOTHING}:
        return [""] * len(column)
    if not kinds <= {str, _NOTHING}:
        raise wrong(field, "hex", got=_other(column, str), reason=Reason.IDENTIFIER_INVALID)
    return [hex_word(value, field) if value else "" for value in column]


def tags(column: Column, field: str) -> Column:
    """EPC banks in hex, all of them there."""
    if set(map(type, column)) - {str}:
        got = next(value for value in column if type(value) is not str)
        raise wrong(field, "hex", got=got, reason=Reason.IDENTIFIER_INVALID)
    return [hex_word(value, field) for value in column]


def times(column: Column, field: str) -> list[int]:
    """ISO 8601 instants with their offset, as us since the epoch."""
    parse = datetime.fromisoformat
    try:
        deltas = [parse(value) - _EPOCH for value in column]
    except (ValueError, TypeError):
        return [time_us(value, field) for value in column]
    found = [(d.days * 86_400 + d.seconds) * 1_000_000 + d.microseconds for d in deltas]
    if found and (min(found) < 0 or max(found) >= LATEST_US or min(map(len, column)) < 19):
        return [time_us(value, field) for value in column]
    return found


def two_bytes(column: Column, field: str) -> Column:
    """Protocol control words of two bytes in hex ('' is NOT_REPORTED) as numbers."""
    if not any(column):
        return [NOT_REPORTED] * len(column)
    if {len(value) for value in column} - {0, 4}:
        raise wrong(field, "two bytes", got=next(value for value in column if len(value) not in (0, 4)))
    return [int(value, 16) if value else NOT_REPORTED for value in column]


def _require_range(values: Sequence[float], field: str, *, low: float, high: float) -> None:
    # asked this way round, NaN fails too
    if not (min(values) >= low and max(values) <= high):
        got = next(value for value in values if not low <= value <= high)
        raise wrong(field, f"{low:g}..{high:g}", got=got, reason=Reason.VALUE_OUT_OF_RANGE)


def _filled(column: Column) -> Column:
    return [NOT_REPORTED if value is None else value for value in column]


def _other(column: Column, *kinds: type) -> object:
    return next(value for value in column if value is not None and type(value) not in kinds)
