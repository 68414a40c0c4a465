"""identity.v1: bindings of units to lots and to what they are packed in. Partitioned by tag.

A binding fact's version is the offset of its message in identity.v1, and its interval follows from the set of
facts: from an ADD to the next DELETE of the same pair (or of all contents of the parent).
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter, model_validator

from lotstream.schemas.base import Key, Micros, Wire, decode, dump

MAX_ROWS = 20_000


class Relation(IntEnum):
    """What a binding says, and whose partition the row is written to."""

    LOT = 0  # subject is a unit or class with a serial range; object its lot; in the unit's partition
    PARENT = 1  # subject is the child; object what it is packed in; in the child's partition
    CONTENT = 2  # subject is the parent; object the child, or '' for all contents; in the parent's partition


class BindingAction(IntEnum):
    """EPCIS action of the fact."""

    ADD = 0
    DELETE = 1


class Binding(NamedTuple):
    """One binding fact."""

    relation: int
    subject: str  # key of the unit, child or parent; '01/<gtin14>' with a serial range
    first: int  # serial range, inclusive; -1 when the subject is one unit
    last: int
    object: str
    action: int
    at_us: int
    event: str  # hash of the event that said so
    retracted: int  # 1: an error declaration took the event back
    recorded_us: int


class BindingBatch(Wire):
    """Binding facts in columns: row i of every column is fact i."""

    kind: Literal["bindings"] = "bindings"
    v: Literal[1] = 1
    relation: list[Annotated[int, Field(ge=0, le=2)]]
    subject: Annotated[list[Key], Field(min_length=1, max_length=MAX_ROWS)]
    first: list[Annotated[int, Field(ge=-1)]]
    last: list[Annotated[int, Field(ge=-1)]]
    object: list[str]
    action: list[Annotated[int, Field(ge=0, le=1)]]
    at_us: list[Micros]
    event: list[str]
    retracted: list[Annotated[int, Field(ge=0, le=1)]]
    recorded_us: list[Micros]

    @model_validator(mode="after")
    def _same_length(self) -> "BindingBatch":
        n = len(self.subject)
        for name in Binding._fields:
            if len(getattr(self, name)) != n:
                raise ValueError(f"column {name} of {n} values, got {len(getattr(self, name))}")
        return self


class BindingRows:
    """Bindings on their way out: the rows of one message, coalesced until it is sent."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[Binding] = ()) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def extend(self, other: "BindingRows") -> None:
        """Take the rows of another message for the same partition."""
        self.rows.extend(other.rows)

    def encode(self) -> bytes:
        """The value of a BindingBatch message."""
        columns: dict[str, Sequence[object]] = dict(zip(Binding._fields, zip(*self.rows, strict=True), strict=True))
        return dump({"kind": "bindings", "v": 1, **columns})


_BINDINGS = TypeAdapter(BindingBatch)


def decode_bindings(value: bytes | None) -> list[Binding]:
    """The rows of a message of identity.v1. Raises Rejected."""
    batch = decode(_BINDINGS, value)
    return [Binding(*row) for row in zip(*(getattr(batch, name) for name in Binding._fields), strict=True)]
