"""lots.v1: what is known of a lot besides where it is. Partitioned by lot; every record is kept."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from lotstream.schemas.base import Amount, Key, Micros, Name, Wire

Serial = Annotated[int, Field(ge=0, lt=10**18)]


class LotRecord(Wire):
    """One statement about a lot, by one event. The lot is the set of them; per event the newest version wins."""

    kind: Literal["lot"] = "lot"
    v: Literal[1] = 1
    lot: Key
    gtin: str = Field(pattern=r"^[0-9]{14}$")
    code: Name = Field(description="lot code (AI 10)")
    event: Name = Field(description="hash of the event that said so")
    at_us: Micros
    description: str = Field(default="", max_length=500)
    location: str = Field(default="", max_length=200, description="where it was made: the TLC source")
    produced_us: Micros | None = None
    expires: date | None = Field(default=None, description="AI 17")
    best_before: date | None = Field(default=None, description="AI 15")
    units: int | None = Field(default=None, ge=0, description="serialised units that this event commissioned")
    amount: Amount | None = Field(default=None, description="class-level amount that this event made")
    uom: str = Field(default="", max_length=3)
    supplier_code: str = Field(default="", max_length=200, description="the supplier's own lot code")
    site: str = Field(default="", max_length=200)
    line: str = Field(default="", max_length=200, description="production line")
    planned: Amount | None = Field(default=None, description="how much was to be made")
    planned_uom: str = Field(default="", max_length=3)
    by: str = Field(default="", max_length=200, description="who said it, where a person did")
    reason: str = Field(default="", max_length=500)
    status: Literal["active", "held", "recalled"] = "active"
    retracted: bool = False
    recorded_us: Micros


class HoldAction(StrEnum):
    """A release ends the hold of its name, and no other, for ever; also when it comes first."""

    PLACE = "place"
    RELEASE = "release"


class HoldPurpose(StrEnum):
    """What a hold makes of its lot: held, or recalled."""

    QUARANTINE = "quarantine"
    RECALL = "recall"


class HoldScope(Wire):
    """What of a lot is held: one kind of words, or none for the whole lot."""

    serials: tuple[tuple[Serial, Serial], ...] = Field(default=(), max_length=1000, description="first..last, numeric")
    units: tuple[Key, ...] = Field(default=(), max_length=10_000, description="items, or SSCCs with what is in them")
    amount: Amount | None = Field(default=None, gt=0)
    uom: str = Field(default="", max_length=3, description="UN/CEFACT Rec 20")
    site: str = Field(default="", max_length=200, description="site or location: what of the lot is there")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (bool(self.serials) + bool(self.units) + (self.amount is not None) + bool(self.site)) > 1:
            raise ValueError("serials, units, an amount or a site, one of them")
        if (self.amount is None) != (not self.uom):
            raise ValueError("an amount with its unit of measure")
        if any(first > last for first, last in self.serials):
            raise ValueError("serial ranges with first <= last")
        return self


class HoldRecord(Wire):
    """One decision about a hold. Per (lot, hold, action) the newest holds."""

    kind: Literal["hold"] = "hold"
    v: Literal[1] = 1
    lot: Key
    hold: Name
    action: HoldAction
    purpose: HoldPurpose = HoldPurpose.QUARANTINE
    scope: HoldScope = HoldScope()
    by: Name
    reason: str = Field(max_length=500)
    at_us: Micros
    decision: Name = Field(description="hash of what was decided")
    recorded_us: Micros


class LotNumber(Wire):
    """The register's answer to a claim: the lot, or why there is none. In the partition of 01/{gtin}."""

    kind: Literal["lot_number"] = "lot_number"
    v: Literal[1] = 1
    claim: Name
    gtin: str = Field(pattern=r"^[0-9]{14}$")
    lot: str = Field(default="", max_length=400, description="lot key; empty when the claim was refused")
    detail: str = Field(default="", max_length=500, description="why it was refused")
    by: Name
    recorded_us: Micros


LotsMessage = LotRecord | HoldRecord | LotNumber
LOTS_MESSAGE: TypeAdapter[LotsMessage] = TypeAdapter(Annotated[LotsMessage, Field(discriminator="kind")])
LOT_RECORD = TypeAdapter(LotRecord)
