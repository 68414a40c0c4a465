"""Checked columns of vendor messages: one check for all reads of a payload instead of one a read.

Nothing is raised. Where a column cannot be right as a whole its suspects are found, and they alone are put to the
strict check of one value, which says what is wrong: one bad read in a hundred must not cost that the other
ninety-nine are looked at one by one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from lotstream.readers.formats.items import VendorRead
from lotstream.readers.formats.values import MAX_TEXT, MAX_WORD, bank, hex_word, scaled, text, time_us, whole, wrong
from lotstream.runtime.errors import Rejected
from lotstream.schemas.base import LATEST_US, NOT_REPORTED

_NOTHING = type(None)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORTEST = 19  # characters of an instant
Column = list[Any]
T = TypeVar("T")


@dataclass(slots=True)
class Columns:
    """Checks columns of the same rows. What is wrong with a row stands in ``refused``, by the first column that says
    so; the row has a hole there, anything that fits the column."""

    refused: dict[int, Rejected] = field(default_factory=dict)

    def rows(self, *columns: Column) -> list[VendorRead]:
        """Columns in the order of VendorRead as reads, those that are wrong left out."""
        return without(list(map(VendorRead._make, zip(*columns, strict=True))), self.refused)

    def each(self, check: Callable[..., T], *columns: Iterable[Any], hole: T) -> list[T]:
        """What ``check`` makes of each value, of several columns side by side."""
        values: list[T] = []
        left = map(check, *columns)
        while True:
            try:
                values.extend(left)
            except Rejected as rejected:
                self._refuse(len(values), rejected)
                values.append(hole)
            else:
                return values

    def wholes(self, column: Column, name: str, *, low: int, high: int) -> Column:
        """Integers in low..high; None is NOT_REPORTED."""
        kinds = set(map(type, column))
        if kinds == {_NOTHING}:
            return [NOT_REPORTED] * len(column)
        some = _NOTHING in kinds
        if not (kinds <= {int, _NOTHING} and _within(column, low=low, high=high, some=some)):
            suspects = _strays(column, int, low=low, high=high)
            column = self._holed(column, suspects, lambda value: whole(value, name, low=low, high=high))
            some = True
        return [NOT_REPORTED if value is None else value for value in column] if some else column

    def scaleds(self, column: Column, name: str, *, by: int, low: int, high: int) -> Column:
        """Numbers times ``by``, rounded, in low..high (after scaling); None is NOT_REPORTED."""
        kinds = set(map(type, column))
        if kinds == {_NOTHING}:
            return [NOT_REPORTED] * len(column)
        least, most = low / by, high / by
        if not (kinds <= {int, float, _NOTHING} and _within(column, low=least, high=most, some=_NOTHING in kinds)):
            suspects = _strays(column, int, float, low=least, high=most)
            column = self._holed(column, suspects, lambda value: scaled(value, name, by=by, low=low, high=high))
        return [NOT_REPORTED if value is None else round(value * by) for value in column]

    def ports(self, column: Column, name: str) -> Column:
        """Antenna ports 1..255, or 0 where the reader did not say."""
        found = self.wholes(column, name, low=0, high=255)
        return [0 if value == NOT_REPORTED else value for value in found] if NOT_REPORTED in found else found

    def texts(self, column: Column, name: str) -> Column:
        """Short texts; None is ''. Most payloads have one for all."""
        kinds = set(map(type, column))
        some = _NOTHING in kinds
        if not (kinds <= {str, _NOTHING} and all(len(value or "") <= MAX_TEXT for value in set(column))):
            suspects = [i for i, value in enumerate(column) if type(value) is not str or len(value) > MAX_TEXT]
            column, some = self._holed(column, suspects, lambda value: text(value, name)), True
        return [value or "" for value in column] if some else column

    def words(self, column: Column, name: str) -> Column:
        """Memory banks in hex; None and '' are ''."""
        if set(map(type, column)) == {_NOTHING}:
            return [""] * len(column)
        filled = ["" if value is None else value for value in column]
        return self._banks(filled, name, missing=filled.count(""))

    def tags(self, column: Column, name: str) -> Column:
        """EPC banks in hex, all of them there."""
        return self._banks(column, name, missing=0)

    def times(self, column: Column, name: str) -> list[int]:
        """ISO 8601 instants with their offset, as us since the epoch."""
        try:
            deltas = [datetime.fromisoformat(value) - _EPOCH for value in column]
        except (ValueError, TypeError):
            column = self._holed(column, _strangers(column), lambda value: time_us(value, name), hole="")
            deltas = [_since_epoch(value) for value in column]
        found = [(d.days * 86_400 + d.seconds) * 1_000_000 + d.microseconds for d in deltas]
        if min(found) < 0 or max(found) >= LATEST_US or min(map(len, column)) < _SHORTEST:
            suspects = [i for i, us in enumerate(found) if not 0 <= us < LATEST_US or len(column[i]) < _SHORTEST]
            self._holed(column, suspects, lambda value: time_us(value, name))
        return found

    def two_bytes(self, column: Column, name: str) -> Column:
        """Protocol control words of two bytes in hex ('' is NOT_REPORTED) as numbers."""
        if not any(column):
            return [NOT_REPORTED] * len(column)
        if {len(value) for value in column} - {0, 4}:
            suspects = [i for i, value in enumerate(column) if len(value) not in (0, 4)]
            for place in suspects:
                self._refuse(place, wrong(name, "two bytes", got=column[place]))
        return [int(value, 16) if value else NOT_REPORTED for value in column]

    def _banks(self, column: Column, name: str, *, missing: int) -> Column:
        if set(map(type, column)) != {str} or max(map(len, column)) > MAX_WORD:
            suspects = [i for i, value in enumerate(column) if type(value) is not str or len(value) > MAX_WORD]
            column = self._holed(column, suspects, lambda value: hex_word(value, name), hole="")
        found = list(map(bank, column))
        if found.count("") > missing:
            suspects = [place for place in _blanks(found) if column[place] or not missing]
            self._holed(column, suspects, lambda value: hex_word(value, name))
        return found

    def _holed(
        self, column: Column, suspects: Iterable[int], check: Callable[[Any], object], *, hole: Any = None
    ) -> Column:
        """The column with a hole for every suspect that ``check`` refuses."""
        holed = list(column)
        for place in suspects:
            try:
                check(column[place])
            except Rejected as rejected:
                self._refuse(place, rejected)
                holed[place] = hole
        return holed

    def _refuse(self, place: int, rejected: Rejected) -> None:
        # its traceback would hold all of this in a cycle
        self.refused.setdefault(place, rejected.with_traceback(None))


Reads = Callable[[Columns, list[Any]], list[VendorRead]]


def without(column: list[T], places: Iterable[int]) -> list[T]:
    """The column without what stands at these places."""
    kept: list[T] = []
    start = 0
    for place in sorted(places):
        kept += column[start:place]
        start = place + 1
    return kept + column[start:] if start else column


def _within(column: Column, *, low: float, high: float, some: bool) -> bool:
    values = [value for value in column if value is not None] if some else column
    return bool(min(values) >= low and max(values) <= high)


def _strays(column: Column, *kinds: type, low: float, high: float) -> list[int]:
    """Where something stands that is not of the kinds, or not in the range."""
    return [
        place
        for place, value in enumerate(column)
        if value is not None and not (type(value) in kinds and low <= value <= high)
    ]


def _blanks(column: Column) -> list[int]:
    places: list[int] = []
    for _ in range(column.count("")):
        places.append(column.index("", places[-1] + 1 if places else 0))
    return places


def _strangers(column: Column) -> list[int]:
    """Where no text stands."""
    return [place for place, value in enumerate(column) if type(value) is not str]


def _since_epoch(value: str) -> timedelta:
    """Before the epoch where it is no instant."""
    try:
        return datetime.fromisoformat(value) - _EPOCH
    except (ValueError, TypeError):
        return timedelta(-1)
