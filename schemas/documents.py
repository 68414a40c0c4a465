"""documents.v1: document lines, quantity facts, transformations.

Partitioned by lot; what names no lot, by its document or process.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from lotstream.schemas.base import Amount, Evidence, Key, Micros, Name, Wire

UNITS_NAMED = 1000  # by one message


class Effect(StrEnum):
    """What a quantity fact does to the balance of its lot (docs/quantities.md)."""

    MOVED = "moved"  # or only seen, where source and location are the same
    MADE = "made"
    COUNTED = "counted"  # the amount at the location is this, whatever the books said: an absolute fact
    ADJUSTED = "adjusted"  # found, or written off
    CONSUMED = "consumed"
    DESTROYED = "destroyed"
    SHIPPED = "shipped"  # out of sight: sold, dispensed, sent where nobody said


class DocumentLine(Wire):
    """A line of a business document, as an event referred to it (CBV business transaction)."""

    kind: Literal["document_line"] = "document_line"
    v: Literal[1] = 1
    document: Name = Field(description="'type:number', type a CBV business transaction type")
    line: str = Field(default="", max_length=100)
    biz_step: str
    event: Name
    at_us: Micros
    lot: str = Field(
        default="", max_length=400, description="lot key, of a written line also 01/GTIN; empty: the units only"
    )
    units: tuple[Key, ...] = Field(default=(), description="units that the line names")
    amount: Amount | None = None
    uom: str = Field(default="", max_length=3)
    from_party: str = ""
    to_party: str = ""
    from_location: str = ""
    to_location: str = ""
    retracted: bool = False
    recorded_us: Micros


class DocumentRecord(Wire):
    """A document as it was written, without its lines. Per document the newest version holds, and its lines only."""

    kind: Literal["document"] = "document"
    v: Literal[1] = 1
    document: Name = Field(description="'type:number'")
    event: Name = Field(description="hash of what was written; its lines bear it too")
    at_us: Micros = Field(description="date of the document")
    from_party: str = ""
    to_party: str = ""
    references: tuple[Name, ...] = Field(default=(), description="documents that it names")
    cancelled: bool = False
    recorded_us: Micros


class QuantityFact(Wire):
    """Class-level goods of a lot change place: amount leaves ``source`` and arrives at ``location``.

    A counted amount moves nothing: it says what was at ``location`` at that instant, all in all.
    ``identity`` is the business line or the scan, never (lot, place, window): two equal cases are two.
    Stock is the sum over facts deduplicated by (lot, identity), each at its highest revision.
    """

    kind: Literal["quantity"] = "quantity"
    v: Literal[1] = 1
    lot: Key
    identity: Name
    revision: Annotated[int, Field(ge=0)] = Field(description="the document's revision, else the receive stamp")
    source: str = Field(default="", max_length=200, description="empty: made here, or not known")
    location: str = Field(default="", max_length=200, description="empty: consumed, sold, destroyed")
    source_disposition: str = Field(default="", max_length=100, description="in_transit: received out of transit")
    disposition: str = Field(default="", max_length=100, description="in_transit: on its way there")
    amount: Amount
    uom: str = Field(min_length=2, max_length=3, description="UN/CEFACT Rec 20")
    cases: int = Field(default=0, ge=0, description="labels or cases that the amount is the measure of (catch weight)")
    effect: Effect = Effect.MOVED
    biz_step: str
    evidence: Evidence
    document: str = ""
    line: str = ""
    party: str = ""
    read_point: str = ""
    event: str = Field(default="", description="hash of the event; empty for a scan")
    at_us: Micros
    retracted: bool = False
    recorded_us: Micros


class Transformation(Wire):
    """One side of a transformation: so much of a lot, or these units, went in or came out.

    Sides with the same ``process`` belong together: every input is in every output (EPCIS 2.0 section 7.4.6). A lot
    that is on both sides is rework. Units are named where the event does not say their lot; their bindings do.
    """

    kind: Literal["transformation"] = "transformation"
    v: Literal[1] = 1
    process: Name = Field(description="the event's transformation id; without one, the event's hash")
    event: Name
    side: Literal["input", "output"]
    lot: str = Field(default="", max_length=400, description="lot key; empty: of the units named")
    units: tuple[Key, ...] = Field(default=(), max_length=UNITS_NAMED, description="units whose lot was not said")
    items: int = Field(default=0, ge=0, description="serialised units, named here or bound to the lot by the event")
    amount: Amount | None = Field(default=None, description="class-level goods; none: not said")
    uom: str = Field(default="", max_length=3, description="UN/CEFACT Rec 20; empty: serialised units")
    part: int = Field(default=0, ge=0, description="numbers the messages that share one long list of units")
    location: str = Field(default="", max_length=200)
    biz_step: str = ""
    document: str = ""
    at_us: Micros
    retracted: bool = False
    recorded_us: Micros


DocumentsMessage = DocumentLine | DocumentRecord | QuantityFact | Transformation
DOCUMENTS: TypeAdapter[DocumentsMessage] = TypeAdapter(Annotated[DocumentsMessage, Field(discriminator="kind")])
