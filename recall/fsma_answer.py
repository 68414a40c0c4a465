"""The FSMA 204 spreadsheet as programs read it."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from lotstream.recall.answers import Answer
from lotstream.recall.fsma_rule import RULE, Cte

DISCLAIMER = (
    f"Made from the records of lotstream for {RULE}. It supports compliance and certifies nothing: "
    "whoever files it answers for it."
)


class FsmaRow(Answer):
    """One critical tracking event of one traceability lot."""

    event: str = Field(description="hash of the event that says so; empty for scanned labels")
    lot: str = Field(description="lot key")
    values: dict[str, str] = Field(description="by column; empty: missing")


class FsmaSheet(Answer):
    """All rows of one kind of critical tracking event."""

    cte: Cte
    cfr: str
    columns: tuple[str, ...]
    rows: tuple[FsmaRow, ...]


class FsmaMissing(Answer):
    """A key data element that has to be there and is not."""

    cte: Cte
    event: str
    lot: str
    kde: str
    label: str
    detail: str = Field(description="what is missing of it, or what would do instead")


class Fsma(Answer):
    """`lotstream fsma LOT...`: the electronic sortable spreadsheet."""

    kind: Literal["fsma"] = "fsma"
    v: Literal[1] = 1
    rule: str = RULE
    disclaimer: str = DISCLAIMER
    lots: tuple[str, ...]
    sheets: tuple[FsmaSheet, ...]
    missing: tuple[FsmaMissing, ...]
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float
