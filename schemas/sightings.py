"""sightings.v1 (by tag) and lot-sightings.v1 (by lot): sightings in columns, many rows a message.

Fact key of a sighting: (tag, read point, slot, lane, origin, path). Within one key the higher version wins.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum, IntFlag, StrEnum
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, TypeAdapter, model_validator

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import MAX_DEPTH, Key, Micros, Wire, decode, dump

MAX_ROWS = 20_000


class State(IntEnum):
    """How sure one slot's reads are (ALE's words); a scan and a declaration are observed at once."""

    GLIMPSED = 0
    OBSERVED = 1
    CROSS_READ = 2


class Direction(IntEnum):
    """Through the read point, by the order of its two sides; unknown when one side is missing."""

    UNKNOWN = 0
    INWARD = 1
    OUTWARD = 2


class Mark(IntFlag):
    """What else is true of a sighting's version."""

    NONE = 0
    FINAL = 1
    CONTINUES_BEFORE = 2
    CONTINUES_AFTER = 4
    RETRACTED = 8
    LATE = 16


class How(IntEnum):
    """schemas.base.Evidence as a column value; the lower, the stronger."""

    CONFIRMED = 0
    INFERRED = 1
    DECLARED = 2
    PROBABILISTIC = 3


class BizStep(StrEnum):
    """CBV 2.0 business steps that lotstream gives a meaning of its own; other words pass through."""

    COMMISSIONING = "commissioning"
    PACKING = "packing"
    UNPACKING = "unpacking"
    SHIPPING = "shipping"
    DEPARTING = "departing"
    RECEIVING = "receiving"
    ARRIVING = "arriving"
    ACCEPTING = "accepting"
    STORING = "storing"
    INSPECTING = "inspecting"
    RETAIL_SELLING = "retail_selling"
    DESTROYING = "destroying"


class Context(NamedTuple):
    """Where and by which rules a sighting was made: shared by many rows."""

    read_point: str
    reader: str  # '' when declared
    policy: int
    mapping: int


class Declaration(NamedTuple):
    """The business event behind a declared sighting, and the document line it stands on."""

    event: str  # event hash
    biz_step: str  # CBV word
    disposition: str  # CBV word, '' when none
    document: str  # 'type:number', '' when none
    line: str
    party: str  # who receives, owning or possessing party; '' when nobody is named


NO_DECLARATION = Declaration("", "", "", "", "", "")


class Sighting(NamedTuple):
    """One version of one sighting. Times in us; strength per antenna inside ``runs``.

    ``runs`` holds one flat list of ints per run of reads: first, last, count, then for each antenna:
    antenna, reads, mean RSSI in 0.01 dBm (base.NOT_REPORTED without one).
    """

    tag: str
    context: Context
    slot: int
    lane: str  # '' main; 'late:<offset>'; 'event:<hash>' declared
    version: Sequence[int]  # epoch, offset in reads.v1 or events.v1, then one identity.v1 offset per hop
    location: str
    first_us: int
    last_us: int
    reads: int
    state: int
    direction: int
    marks: int
    how: int
    recorded_us: int
    origin: str  # '' direct; else the tag whose sighting this one was inferred from
    path: Sequence[str]  # parents from the origin down to the tag's own parent
    declaration: Declaration
    runs: Sequence[Sequence[int]]

    @property
    def fact(self) -> tuple[str, str, int, str, str, tuple[str, ...]]:
        """The key of the fact that this is a version of."""
        return (self.tag, self.context.read_point, self.slot, self.lane, self.origin, tuple(self.path))


class LotSighting(NamedTuple):
    """A sighting of a unit of a lot, with the binding that says so."""

    lot: str
    binding: int  # identity.v1 offset of the unit's newest lot binding
    relabelled: int  # -1; else the binding version by which another lot handed it over (loop 2)
    sighting: Sighting  # its runs do not travel


_Ints = Annotated[list[int], Field(max_length=MAX_ROWS)]
_Strs = Annotated[list[str], Field(max_length=MAX_ROWS)]


_CODED = ("context", "location", "declaration", "lane", "origin", "path")


class _Columns(Wire):
    """What both batches have: row i of every column is sighting i; what repeats is an index into its dictionary."""

    v: Literal[1] = 1
    contexts: list[tuple[str, str, int, int]] = Field(description="read point, reader, policy, mapping")
    locations: _Strs
    declarations: list[tuple[str, str, str, str, str, str]] = Field(
        description="event hash, biz step, disposition, document, line, party"
    )
    lanes: _Strs
    origins: _Strs
    paths: Annotated[list[Annotated[tuple[str, ...], Field(max_length=MAX_DEPTH)]], Field(max_length=MAX_ROWS)]
    tag: Annotated[list[Key], Field(min_length=1, max_length=MAX_ROWS)]
    context: _Ints
    location: _Ints
    declaration: _Ints
    slot: _Ints
    lane: _Ints
    version: list[Annotated[list[int], Field(min_length=2, max_length=2 + MAX_DEPTH)]]
    first_us: list[Micros]
    last_us: list[Micros]
    reads: _Ints
    state: list[Annotated[int, Field(ge=0, le=2)]]
    direction: list[Annotated[int, Field(ge=0, le=2)]]
    marks: list[Annotated[int, Field(ge=0, le=31)]]
    how: list[Annotated[int, Field(ge=0, le=3)]]
    recorded_us: list[Micros]
    origin: _Ints
    path: _Ints

    @property
    def _runs(self) -> Sequence[Sequence[Sequence[int]]]:
        return [()] * len(self.tag)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        n = len(self.tag)
        for name in Sighting._fields[:-1]:
            if len(getattr(self, name)) != n:
                raise ValueError(f"column {name} of {n} values, got {len(getattr(self, name))}")
        for name in _CODED:
            if min(getattr(self, name)) < 0 or max(getattr(self, name)) >= len(getattr(self, name + "s")):
                raise ValueError(f"indices of {name} within its dictionary")
        return self

    def rows(self) -> list[Sighting]:
        """The sightings as values."""
        columns = {name: getattr(self, name) for name in Sighting._fields[:-1]} | {"runs": self._runs}
        words: dict[str, Sequence[Any]] = {name: getattr(self, name + "s") for name in _CODED}
        words["context"] = [Context(*values) for values in self.contexts]
        words["declaration"] = [Declaration(*values) for values in self.declarations]
        for name in _CODED:
            dictionary = words[name]
            columns[name] = [dictionary[i] for i in columns[name]]
        return [Sighting._make(row) for row in zip(*columns.values(), strict=True)]


class SightingBatch(_Columns):
    """Sightings in columns, each with its runs of reads."""

    kind: Literal["sightings"] = "sightings"
    runs: list[list[list[int]]]

    @property
    def _runs(self) -> Sequence[Sequence[Sequence[int]]]:
        if len(self.runs) != len(self.tag):
            raise Rejected(
                Reason.SCHEMA_INVALID,
                f"Expected column runs of {len(self.tag)} values, got {len(self.runs)}.",
                field="runs",
            )
        return self.runs


class LotSightingBatch(_Columns):
    """Sightings of units of lots, in columns; ``lot`` is an index into ``lots``.

    The runs stay with the sighting of the tag (sightings.v1): where a unit of a lot is does not depend on them.
    """

    kind: Literal["lot_sightings"] = "lot_sightings"
    lots: list[Key]
    lot: _Ints
    binding: _Ints
    relabelled: _Ints

    @model_validator(mode="after")
    def _lots_consistent(self) -> Self:
        n = len(self.tag)
        if not len(self.lot) == len(self.binding) == len(self.relabelled) == n:
            raise ValueError(f"columns lot, binding, relabelled of {n} values")
        if min(self.lot) < 0 or max(self.lot) >= len(self.lots):
            raise ValueError("indices of lot within its dictionary")
        return self

    def lot_rows(self) -> list[LotSighting]:
        """The sightings as values, each with its lot."""
        return [
            LotSighting(self.lots[k], binding, relabelled, sighting)
            for k, binding, relabelled, sighting in zip(
                self.lot, self.binding, self.relabelled, self.rows(), strict=True
            )
        ]


class SightingRows:
    """Sightings on their way out: the rows of one message, coalesced until it is sent."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[Sighting] = ()) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def extend(self, other: "SightingRows") -> None:
        """Take the rows of another message for the same partition."""
        self.rows.extend(other.rows)

    def encode(self) -> bytes:
        """The value of a SightingBatch message."""
        return dump({"kind": "sightings", "v": 1, **_columns(self.rows)})


class LotSightingRows:
    """Sightings of lots on their way out."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[LotSighting] = ()) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def extend(self, other: "LotSightingRows") -> None:
        """Take the rows of another message for the same partition."""
        self.rows.extend(other.rows)

    def encode(self) -> bytes:
        """The value of a LotSightingBatch message."""
        lots, binding, relabelled, sightings = zip(*self.rows, strict=True)
        words, index = coded(lots)
        own = {"lots": words, "lot": index, "binding": binding, "relabelled": relabelled}
        columns = _columns(sightings)
        del columns["runs"]
        return dump({"kind": "lot_sightings", "v": 1, **own, **columns})


def coded(values: Iterable[Any]) -> tuple[list[Any], list[int]]:
    """Dictionary coding: (distinct values in order of appearance, index per value)."""
    seen: dict[Any, int] = {}
    index = [seen.setdefault(value, len(seen)) for value in values]
    return list(seen), index


def _columns(rows: Sequence[Sighting]) -> dict[str, Any]:
    columns: dict[str, Any] = dict(zip(Sighting._fields, zip(*rows, strict=True), strict=True))
    columns["path"] = [tuple(path) for path in columns["path"]]
    for name in _CODED:
        columns[name + "s"], columns[name] = coded(columns[name])
    for name in ("contexts", "declarations"):
        columns[name] = [tuple(value) for value in columns[name]]  # orjson takes no subclass of tuple
    return columns


_SIGHTINGS = TypeAdapter(SightingBatch)
_LOT_SIGHTINGS = TypeAdapter(LotSightingBatch)


def decode_sightings(value: bytes | None) -> list[Sighting]:
    """The rows of a message of sightings.v1. Raises Rejected."""
    return decode(_SIGHTINGS, value).rows()


def decode_lot_sightings(value: bytes | None) -> list[LotSighting]:
    """The rows of a message of lot-sightings.v1. Raises Rejected."""
    return decode(_LOT_SIGHTINGS, value).lot_rows()
