"""Whose units are which lot's, where one binding does not tell: what resolve tells locate on lot-sightings.v1.

A lot that was named for a unit is told when the unit turns out to be another's, or to have ended, or when sightings of
it may have been forgotten before its binding came. Of two statements about a unit the higher binding holds.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from lotstream.schemas.base import Key, Wire, dump

MAX_ROWS = 20_000
FOREVER = 1 << 62
UNIT_LOTS = (("kind", b"unit_lots"),)  # headers, so that these messages are not joined with those of sightings
NO_LOT = ""


class Life(NamedTuple):
    """A unit belongs to ``lot`` from ``start`` to ``end``, both inclusive, in us."""

    start: int
    end: int
    lot: str


def lot_at(lives: Sequence[Life], time_us: int) -> str:
    """The lot at an instant, or NO_LOT. ``lives`` are the oldest first."""
    for life in reversed(lives):
        if life.start <= time_us:
            return life.lot if time_us <= life.end else NO_LOT
    return NO_LOT


class UnitLots(NamedTuple):
    """Said to ``lot``: these units have these lives, as known at the identity.v1 offset ``binding``."""

    lot: str
    subject: str  # key of the unit; '01/<gtin14>' with a serial range
    first: int  # serial range, inclusive; -1 when the subject is one unit
    last: int
    binding: int
    horizon_us: int  # sightings up to then may have been forgotten; -1: none
    lives: tuple[Life, ...]


class UnitLotsBatch(Wire):
    """Lives of units in columns: row i of every column is statement i."""

    kind: Literal["unit_lots"] = "unit_lots"
    v: Literal[1] = 1
    lot: Annotated[list[Key], Field(min_length=1, max_length=MAX_ROWS)]
    subject: list[Key]
    first: list[Annotated[int, Field(ge=-1)]]
    last: list[Annotated[int, Field(ge=-1)]]
    binding: list[Annotated[int, Field(ge=0)]]
    horizon_us: list[Annotated[int, Field(ge=-1)]]
    lives: list[list[tuple[int, int, str]]] = Field(description="start, end (both inclusive, us), lot")

    @model_validator(mode="after")
    def _same_length(self) -> "UnitLotsBatch":
        n = len(self.lot)
        for name in UnitLots._fields:
            if len(getattr(self, name)) != n:
                raise ValueError(f"column {name} of {n} values, got {len(getattr(self, name))}")
        return self

    def rows(self) -> list[UnitLots]:
        """The statements as values."""
        lives = [tuple(Life(*life) for life in of_unit) for of_unit in self.lives]
        columns = (self.lot, self.subject, self.first, self.last, self.binding, self.horizon_us, lives)
        return list(map(UnitLots._make, zip(*columns, strict=True)))


class UnitLotsRows:
    """Statements on their way out: the rows of one message, coalesced until it is sent."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[UnitLots] = ()) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def extend(self, other: "UnitLotsRows") -> None:
        """Take the rows of another message for the same partition."""
        self.rows.extend(other.rows)

    def encode(self) -> bytes:
        """The value of a UnitLotsBatch message."""
        columns = dict(zip(UnitLots._fields, zip(*self.rows, strict=True), strict=True))
        columns["lives"] = tuple([tuple(life) for life in lives] for lives in columns["lives"])
        return dump({"kind": "unit_lots", "v": 1, **columns})
