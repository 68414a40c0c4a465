"""movements.v1 and lot-locations.v1: what locate says to live clients and dashboards. Partitioned by lot."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, TypeAdapter, model_validator

from lotstream.schemas.base import Amount, Evidence, Key, Micros, Name, Wire, decode, dump
from lotstream.schemas.lots import HoldPurpose, HoldScope

MAX_ROWS = 20_000


class Movement(NamedTuple):
    """A unit of a lot arrives at a location at an instant. ``source`` (where from) is a hint."""

    lot: str
    unit: str
    source: str  # '' when not known
    location: str
    read_point: str
    at_us: int
    slot: int
    direction: int  # schemas.sightings.Direction
    how: int  # schemas.sightings.How
    version: Sequence[int]
    recorded_us: int


_CODED = ("lot", "source", "location", "read_point")


class MovementBatch(Wire):
    """Movements in columns; lot, source, location and read_point are indices into ``words``."""

    kind: Literal["movements"] = "movements"
    v: Literal[1] = 1
    words: list[str]
    lot: list[int]
    unit: Annotated[list[Key], Field(min_length=1, max_length=MAX_ROWS)]
    source: list[int]
    location: list[int]
    read_point: list[int]
    at_us: list[Micros]
    slot: list[int]
    direction: list[Annotated[int, Field(ge=0, le=2)]]
    how: list[Annotated[int, Field(ge=0, le=3)]]
    version: list[list[int]]
    recorded_us: list[Micros]

    @model_validator(mode="after")
    def _consistent(self) -> "MovementBatch":
        n = len(self.unit)
        for name in Movement._fields:
            if len(getattr(self, name)) != n:
                raise ValueError(f"column {name} of {n} values, got {len(getattr(self, name))}")
        for name in _CODED:
            if min(getattr(self, name)) < 0 or max(getattr(self, name)) >= len(self.words):
                raise ValueError(f"indices of {name} within words")
        return self


class MovementRows:
    """Movements on their way out, in columns."""

    __slots__ = ("_columns",)

    def __init__(self, rows: Iterable[Movement] = ()) -> None:
        self._columns: list[list[Any]] = [[] for _ in Movement._fields]
        for row in rows:
            self._append(*([value] for value in row))

    @classmethod
    def of_columns(
        cls,
        *,
        lot: Sequence[str],
        unit: Sequence[str],
        source: Sequence[str],
        location: Sequence[str],
        read_point: Sequence[str],
        at_us: Sequence[int],
        slot: Sequence[int],
        direction: Sequence[int],
        how: Sequence[int],
        version: Sequence[Sequence[int]],
        recorded_us: Sequence[int],
    ) -> Self:
        """Row i of every column is movement i."""
        rows = cls()
        rows._append(lot, unit, source, location, read_point, at_us, slot, direction, how, version, recorded_us)
        return rows

    def __len__(self) -> int:
        return len(self._columns[0])

    def extend(self, other: "MovementRows") -> None:
        """Take the rows of another message for the same partition."""
        self._append(*other._columns)

    def encode(self) -> bytes:
        """The value of a MovementBatch message."""
        columns = dict(zip(Movement._fields, self._columns, strict=True))
        words = dict.fromkeys(word for name in _CODED for word in columns[name])
        index = {word: place for place, word in enumerate(words)}
        for name in _CODED:
            columns[name] = list(map(index.__getitem__, columns[name]))
        return dump({"kind": "movements", "v": 1, "words": list(words), **columns})

    def _append(self, *columns: Sequence[Any]) -> None:
        for own, more in zip(self._columns, columns, strict=True):
            own.extend(more)


_MOVEMENTS = TypeAdapter(MovementBatch)


def decode_movements(value: bytes | None) -> list[Movement]:
    """The rows of a message of movements.v1. Raises Rejected."""
    batch = decode(_MOVEMENTS, value)
    columns = [
        [batch.words[i] for i in getattr(batch, name)] if name in _CODED else getattr(batch, name)
        for name in Movement._fields
    ]
    return [Movement(*row) for row in zip(*columns, strict=True)]


class UnitsAt(Wire):
    """How many units of a lot are at a location."""

    location: str
    disposition: str = ""
    items: int = Field(ge=0)
    logistic: int = Field(ge=0, description="cases and pallets that are themselves units of the lot")
    evidence: Evidence = Field(description="the weakest among them")


class QuantityAt(Wire):
    """How much class-level goods of a lot is at a location."""

    location: str
    disposition: str = ""
    amount: Amount
    uom: str
    cases: int = Field(description="labels counted")


class HoldNow(Wire):
    """A hold that is in force."""

    hold: Name
    purpose: HoldPurpose
    scope: HoldScope = HoldScope()
    reason: str = Field(default="", max_length=500)
    since_us: Micros


class LotLocations(Wire):
    """Where everything of a lot is: absolute, so that the newest message alone is right."""

    kind: Literal["lot_locations"] = "lot_locations"
    v: Literal[1] = 1
    lot: Key
    revision: int = Field(ge=0, description="rises with every change of this lot; the highest wins")
    as_of_us: Micros = Field(description="newest sighting or fact in it")
    units: tuple[UnitsAt, ...] = ()
    quantities: tuple[QuantityAt, ...] = ()
    status: Name = Field(default="active", description="active, held or recalled; whether it expired, its date tells")
    expires: date | None = None
    holds: tuple[HoldNow, ...] = Field(default=(), description="those in force, oldest first")
    depth_exceeded: int | None = Field(
        default=None, ge=1, description="units of which more is known in history than here: ask it where they are"
    )


LOT_LOCATIONS = TypeAdapter(LotLocations)
