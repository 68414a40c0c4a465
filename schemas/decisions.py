"""What people and their programs decide about lots, and documents as they are written.

They send it to POST /decisions, or by `lotstream lot`.

The gateway adds its stamp and makes records of events.v1 of them (schemas/events.py).
"""

import hashlib
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from lotstream.schemas.base import Amount, Key, Micros, Name, Wire
from lotstream.schemas.lots import HoldAction, HoldPurpose, HoldScope
from lotstream.schemas.recalls import RecallContent

Text = Annotated[str, Field(max_length=500)]


class Master(Wire):
    """What a person says of a lot; what is left out says nothing."""

    description: Text = ""
    production_date: date | None = None
    expires: date | None = Field(default=None, description="AI 17")
    best_before: date | None = Field(default=None, description="AI 15")
    supplier_code: str = Field(default="", max_length=200, description="the supplier's own lot code")
    site: str = Field(default="", max_length=200)
    line: str = Field(default="", max_length=200, description="production line")
    planned: Amount | None = Field(default=None, gt=0, description="how much is to be made; events count what was")
    planned_uom: str = Field(default="", max_length=3, description="UN/CEFACT Rec 20")
    by: Name = Field(description="who decided")
    reason: Text = ""

    @model_validator(mode="after")
    def _whole_amount(self) -> Self:
        if (self.planned is None) != (not self.planned_uom):
            raise ValueError("a planned amount with its unit of measure")
        return self


class ClaimContent(Master):
    """A number for a new lot: by template, or the code itself. First in log order wins, within a GTIN.

    ``claim`` is the identity: said again it gets the same number, and its master data, when they differ, correct those
    of the first.
    """

    kind: Literal["lot_claim"] = "lot_claim"
    claim: str = Field(min_length=1, max_length=100, description="chosen by who claims, unique within the GTIN")
    gtin: str = Field(pattern=r"^[0-9]{8,14}$")
    template: str = Field(default="", max_length=200)
    code: str = Field(default="", max_length=20, description="lot code (AI 10)")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.template) == bool(self.code):
            raise ValueError("a template or a code, not both")
        return self


class ChangeContent(Master):
    """Master data of a lot, said anew: of each kind the newest word holds."""

    kind: Literal["lot_change"] = "lot_change"
    lot: Key
    at_us: Micros | None = Field(default=None, description="when it was decided; absent: when it arrived")


class HoldContent(Wire):
    """A hold is placed, or released for ever. Placed again under the same name it is another version of it."""

    kind: Literal["hold"] = "hold"
    hold: str = Field(min_length=1, max_length=100, description="chosen by who places it, unique within the lot")
    lot: Key
    action: HoldAction
    purpose: HoldPurpose = HoldPurpose.QUARANTINE
    scope: HoldScope = HoldScope()
    by: Name = Field(description="who decided")
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    at_us: Micros | None = Field(default=None, description="when it was decided; absent: when it arrived")


class DocumentType(StrEnum):
    """CBV 2.0 section 7.3: business transaction types."""

    BOL = "bol"
    CERT = "cert"
    DESADV = "desadv"
    INV = "inv"
    PEDIGREE = "pedigree"
    PO = "po"
    POC = "poc"
    PRODORDER = "prodorder"
    RECADV = "recadv"
    RMA = "rma"
    TESTPRD = "testprd"
    TESTRES = "testres"
    UPEVT = "upevt"


class DocumentName(Wire):
    """A document by its type and number: with its issuer, or as events write it (CBV 2.0 section 8.5)."""

    type: DocumentType
    number: str = Field(min_length=1, max_length=150)
    issuer: str = Field(default="", pattern=r"^([0-9]{13})?$", description="GLN of who numbered it")

    @property
    def name(self) -> str:
        """'type:number', as everywhere."""
        issued = f"urn:epcglobal:cbv:bt:{self.issuer}:" if self.issuer else ""
        return f"{self.type}:{issued}{self.number}"


class DocumentItem(Wire):
    """A line of a document."""

    line: str = Field(default="", max_length=100)
    goods: str = Field(default="", max_length=400, description="lot key, or GTIN; empty: the units alone")
    units: tuple[Key, ...] = Field(default=(), max_length=1000)
    amount: Amount | None = None
    uom: str = Field(default="", max_length=3, description="UN/CEFACT Rec 20; empty: pieces")


class DocumentContent(DocumentName):
    """A document as it was written. Said again under its name it is a newer version; cancelled it says nothing more.

    It moves nothing: that goods went, events say. They and ``references`` link documents.
    """

    kind: Literal["document"] = "document"
    from_party: str = Field(default="", max_length=200)
    to_party: str = Field(default="", max_length=200)
    at_us: Micros | None = Field(default=None, description="its date; absent: when it arrived")
    lines: tuple[DocumentItem, ...] = Field(default=(), max_length=1000)
    references: tuple[DocumentName, ...] = Field(default=(), max_length=1000)
    cancelled: bool = False

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({(item.line, item.goods, item.uom) for item in self.lines}) != len(self.lines):
            raise ValueError("lines with numbers of their own")
        return self


DecisionContent = ClaimContent | ChangeContent | HoldContent | DocumentContent | RecallContent
DECISION: TypeAdapter[DecisionContent] = TypeAdapter(Annotated[DecisionContent, Field(discriminator="kind")])


def decision_hash(content: DecisionContent) -> str:
    """Identity of a decision: a function of what was sent, so that a repeated request repeats the decision."""
    return f"ni:///sha-256;{hashlib.sha256(content.encode()).hexdigest()}"
