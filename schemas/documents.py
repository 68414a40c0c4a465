"""documents.v1: document lines and quantity facts. Partitioned by lot (a line without lot: by document)."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from lotstream.schemas.base import Amount, Evidence, Key, Micros, Name, Wire


class DocumentLine(Wire):
    """A line of a business document, as an event referred to it (CBV business transaction)."""

    kind: Literal["document_line"] = "document_line"
    v: Literal[1] = 1
    document: Name = Field(description="'type:number', type a CBV business transaction type")
    line: str = Field(default="", max_length=100)
    biz_step: str
    event: Name
    at_us: Micros
    lot: str = Field(default="", max_length=400, description="lot key; empty when the line names units only")
    units: tuple[Key, ...] = Field(default=(), description="units that the line names")
    amount: Amount | None = None
    uom: str = Field(default="", max_length=3)
    from_party: str = ""
    to_party: str = ""
    from_location: str = ""
    to_location: str = ""
    retracted: bool = False
    recorded_us: Micros


class QuantityFact(Wire):
    """Class-level goods of a lot change place: amount leaves ``source`` and arrives at ``location``.

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
    cases: int = Field(default=0, ge=0, description="labels that the fact counts")
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


DocumentsMessage = DocumentLine | QuantityFact
DOCUMENTS: TypeAdapter[DocumentsMessage] = TypeAdapter(Annotated[DocumentsMessage, Field(discriminator="kind")])
