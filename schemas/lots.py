"""lots.v1: what is known of a lot besides where it is. Partitioned by lot; every record is kept."""

from datetime import date
from typing import Literal

from pydantic import Field, TypeAdapter

from lotstream.schemas.base import Amount, Key, Micros, Name, Wire


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
    status: Literal["active", "held", "recalled"] = "active"
    retracted: bool = False
    recorded_us: Micros


LOT_RECORD = TypeAdapter(LotRecord)
