"""What units are packed in: from the parent's partition of resolve down to its contents on sightings.v1, and on
lot-sightings.v1 to the lots of these.

A statement is about one link, of a unit to its parent. It goes to all that is in the unit, so that each lot knows the
way up from its own units. Of two statements about a link the higher version holds.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from lotstream.schemas.base import MAX_DEPTH, Key, Wire, dump

MAX_ROWS = 20_000
UNIT_PARENTS = (("kind", b"unit_parents"),)  # headers, so that these messages are not joined with those of sightings
ITSELF = ""

Stays = tuple[tuple[int, int], ...]  # [start, end) in us, oldest first


class UnitParents(NamedTuple):
    """``unit`` is in ``parent`` during ``stays``, as known at the identity.v1 offset ``version`` of the parent's
    partition. Said to ``tags``, which came, or may come, to be inside by way of ``path``."""

    lot: str  # of the tags; '' on sightings.v1
    unit: str  # ITSELF: each of the tags is the one that is in the parent
    parent: str
    version: int
    stays: Stays
    path: tuple[str, ...]  # from the parent down to what the tags are in
    tags: tuple[str, ...]


class UnitParentsBatch(Wire):
    """What units are packed in, in columns: row i of every column is statement i."""

    kind: Literal["unit_parents"] = "unit_parents"
    v: Literal[1] = 1
    lot: Annotated[list[str], Field(min_length=1, max_length=MAX_ROWS, description="of the tags; '' on sightings.v1")]
    unit: list[str] = Field(description="that is in the parent; '': each of the tags")
    parent: list[Key]
    version: list[Annotated[int, Field(ge=0)]]
    stays: list[list[tuple[int, int]]] = Field(description="start (inclusive) and end (exclusive), us")
    path: list[Annotated[list[Key], Field(min_length=1, max_length=MAX_DEPTH)]]
    tags: list[Annotated[list[Key], Field(min_length=1, max_length=MAX_ROWS)]] = Field(description="who is told")

    @model_validator(mode="after")
    def _same_length(self) -> "UnitParentsBatch":
        n = len(self.lot)
        for name in UnitParents._fields:
            if len(getattr(self, name)) != n:
                raise ValueError(f"column {name} of {n} values, got {len(getattr(self, name))}")
        return self

    def rows(self) -> list[UnitParents]:
        """The statements as values."""
        stays, path, tags = map(tuple, self.stays), map(tuple, self.path), map(tuple, self.tags)
        columns = (self.lot, self.unit, self.parent, self.version, stays, path, tags)
        return list(map(UnitParents._make, zip(*columns, strict=True)))


class UnitParentsRows:
    """Statements on their way out: the rows of one message, coalesced until it is sent."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[UnitParents] = ()) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def extend(self, other: "UnitParentsRows") -> None:
        """Take the rows of another message for the same partition."""
        self.rows.extend(other.rows)

    def encode(self) -> bytes:
        """The value of a UnitParentsBatch message."""
        columns: dict[str, Sequence[object]] = dict(zip(UnitParents._fields, zip(*self.rows, strict=True), strict=True))
        return dump({"kind": "unit_parents", "v": 1, **columns})
