"""The mass balance of production, as programs read it."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from lotstream.recall.answers import Answer, Verdict


class MassEntry(Answer):
    """So much of one lot went into production, came out of it, or was lost there."""

    role: Literal["input", "rework", "output", "waste", "adjustment"] = Field(
        description="rework: an input of a product that the same production makes"
    )
    lot: str = Field(description="lot key; the key of a unit whose lot nobody said")
    description: str = ""
    amount: Decimal = Field(description="as it was told")
    uom: str = Field(description="'items', or UN/CEFACT Rec 20")
    converted: Decimal = Field(description="the same in the unit that conversions lead to")
    converted_uom: str
    percent: Decimal | None = Field(description="of all that went in, in the converted unit; absent where nothing did")
    process: str = ""
    event: str
    at: datetime


class MassLine(Answer):
    """The balance in one unit: in + rework = out + waste + adjusted + unexplained."""

    uom: str
    taken: Decimal = Field(description="what went in, rework aside; with what was lost before it could go in")
    rework: Decimal
    out: Decimal = Field(description="what came out and was not lost")
    waste: Decimal
    adjusted: Decimal = Field(description="written off by corrections; below nothing: found")
    unexplained: Decimal | None = Field(description="absent where nothing of this unit came out: packaging, say")
    percent: Decimal | None = Field(description="unexplained, of what went in")
    verdict: Verdict = Field(default="", description="by the tolerance; empty: there is none, or nothing to compare")


class MassBalance(Answer):
    """`lotstream balance --order ORDER`, or `LOT --production`: what went into production and what came of it."""

    kind: Literal["mass_balance"] = "mass_balance"
    v: Literal[1] = 1
    orders: tuple[str, ...] = Field(description="documents of the production: type:number")
    lot: str = Field(default="", description="the lot whose production it is, where one was asked for")
    processes: tuple[str, ...]
    tolerance: Decimal | None = Field(
        default=None, description="percent; the smallest of the products made, where none was asked for"
    )
    lines: tuple[MassLine, ...]
    entries: tuple[MassEntry, ...]
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float
