"""Units of an event as serial ranges, the shape in which a production run stays small. Pure."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.events import SerialRange
from lotstream.streams.serials import NOT_NUMERIC, serial_of

WIDEST = 1 << 24  # serials of one event: 4,096 neighbourhoods to write to; more is an error of the sender


class Run(NamedTuple):
    """Serials first..last of a GTIN-14."""

    gtin: str
    first: int
    last: int

    @property
    def width(self) -> int:
        return self.last - self.first + 1

    def tags(self) -> Iterator[str]:
        """The key of each unit."""
        return (f"01/{self.gtin}/21/{serial}" for serial in range(self.first, self.last + 1))


def runs_of(tags: Iterable[str], ranges: Iterable[SerialRange] = ()) -> tuple[list[Run], list[str]]:
    """(disjoint runs of numeric serials, the other tags in order), nothing twice. Raises Rejected (range)."""
    numeric: list[Run] = [_checked(item) for item in ranges]
    others: dict[str, None] = {}
    for tag in tags:
        serial = serial_of(tag)
        if serial == NOT_NUMERIC:
            others[tag] = None
        else:
            numeric.append(Run(tag[3:17], serial, serial))
    runs: list[Run] = []
    for run in sorted(numeric):
        last = runs[-1] if runs else None
        if last is not None and last.gtin == run.gtin and run.first <= last.last + 1:
            runs[-1] = last._replace(last=max(last.last, run.last))
        else:
            runs.append(run)
    width = sum(run.width for run in runs)
    if width > WIDEST:
        raise Rejected(Reason.VALUE_OUT_OF_RANGE, f"Expected at most {WIDEST} serials, got {width}.", field="ranges")
    return runs, list(others)


def _checked(item: SerialRange) -> Run:
    if item.last < item.first:
        raise Rejected(Reason.VALUE_OUT_OF_RANGE, f"Expected last >= {item.first}, got {item.last}.", field="ranges")
    return Run(item.gtin, item.first, item.last)
