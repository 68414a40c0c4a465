"""What the history says of the lots of a report, before anything is added up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lotstream.recall.edges import Link
from lotstream.recall.find import NotFound
from lotstream.recall.scope import ScopedLot

Row = dict[str, Any]


class FigureMissing(NotFound):
    """No figure of that name in a report."""


@dataclass(frozen=True, slots=True)
class LotFacts:
    """Rows of the queries `report_*`, of one lot, and the links of its processes."""

    scoped: ScopedLot
    statements: Sequence[Row] = ()
    decided: Sequence[Row] = ()
    units: Sequence[Row] = ()
    sent: Sequence[Row] = ()
    quantities: Sequence[Row] = ()
    carried: Sequence[Row] = ()
    carried_sent: Sequence[Row] = ()
    links: Sequence[Link] = ()

    @property
    def lot(self) -> str:
        """Its key."""
        return self.scoped.lot

    def units_at(self, location: str) -> set[str]:
        """A place, and the logistic units there that hold some of the lot by class: names of one set of books."""
        return {location, *(row["unit"] for row in self.carried if row["location"] == location)}

    def at_place(self, uom: str, location: str) -> list[Row]:
        """The quantity facts that touch a place, or a logistic unit that is there."""
        there = self.units_at(location)
        return [row for row in self.quantities if row["uom"] == uom and there & {row["location"], row["source"]}]


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for the whole report: the places of the mapping, linked documents, and of when it is."""

    day: date
    at: datetime | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    linked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
