"""events.v1: business events in EPCIS 2.0 terms, class-level scans, and the mapping. Partitioned by subject."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from lotstream.schemas.base import Amount, Key, Micros, Name, Stamp, Wire
from lotstream.schemas.decisions import ChangeContent, ClaimContent, DocumentContent, HoldContent
from lotstream.schemas.recalls import RecallContent


class EventType(StrEnum):
    """The five event types of EPCIS 2.0."""

    OBJECT = "ObjectEvent"
    AGGREGATION = "AggregationEvent"
    TRANSACTION = "TransactionEvent"
    TRANSFORMATION = "TransformationEvent"
    ASSOCIATION = "AssociationEvent"


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
    DISPENSING = "dispensing"
    DESTROYING = "destroying"
    DECOMMISSIONING = "decommissioning"
    CYCLE_COUNTING = "cycle_counting"
    STOCK_TAKING = "stock_taking"
    VOID_SHIPPING = "void_shipping"


class Action(StrEnum):
    """EPCIS action."""

    ADD = "ADD"
    OBSERVE = "OBSERVE"
    DELETE = "DELETE"


class Quantity(Wire):
    """An EPCIS QuantityElement. ``epc_class`` is a lot key, a class key, or the identifier as sent."""

    epc_class: Name
    quantity: Amount | None = None
    uom: str = Field(default="", max_length=3, description="UN/CEFACT Rec 20; empty: a count of pieces")


class SerialRange(Wire):
    """Serials first..last (inclusive, numeric) of a GTIN-14: how commissioning names a production run."""

    gtin: str = Field(pattern=r"^[0-9]{14}$")
    first: int = Field(ge=0, lt=10**18)
    last: int = Field(ge=0, lt=10**18)


class Typed(Wire):
    """An identifier with its CBV type: business transaction, source or destination. Types are bare words."""

    type: str = ""
    id: Name


class ErrorDeclaration(Wire):
    """EPCIS 2.0 section 7.4.1.3: the event with this content was wrong. It stays visible."""

    declared_us: Micros
    reason: str = ""
    corrective: tuple[str, ...] = ()


class Conversion(Wire):
    """One unit of measure of a product in another: 1 ``uom`` is ``factor`` ``to``, from the event's time on."""

    uom: str = Field(min_length=2, max_length=3)
    factor: Amount = Field(gt=0)
    to: str = Field(min_length=2, max_length=3)


class Ilmd(Wire):
    """Instance and lot master data that lotstream understands; the rest stays in ``TraceEvent.text``."""

    lot: str = ""
    description: str = ""
    produced_us: Micros | None = None
    expires: date | None = None
    best_before: date | None = None
    supplier_lot: str = ""
    conversions: tuple[Conversion, ...] = Field(default=(), description="of the products that the event names by class")


class TraceEvent(Wire):
    """One EPCIS event, its identifiers as keys and its words as bare CBV words; ``text`` is the event as sent."""

    kind: Literal["event"] = "event"
    v: Literal[1] = 1
    event_type: EventType
    event_hash: Name = Field(description="CBV 2.0 event hash id: the event's identity, a function of its content")
    event_id: str = ""
    event_time_us: Micros
    event_time_zone_offset: str = ""
    error: ErrorDeclaration | None = None
    action: Action | None = None
    epcs: tuple[Key, ...] = ()
    ranges: tuple[SerialRange, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    parent: str = ""
    children: tuple[Key, ...] = ()
    child_quantities: tuple[Quantity, ...] = ()
    inputs: tuple[Key, ...] = ()
    input_quantities: tuple[Quantity, ...] = ()
    outputs: tuple[Key, ...] = ()
    output_quantities: tuple[Quantity, ...] = ()
    transformation_id: str = ""
    biz_step: str = ""
    disposition: str = ""
    persistent_set: tuple[str, ...] = ()
    persistent_unset: tuple[str, ...] = ()
    read_point: str = ""
    biz_location: str = ""
    documents: tuple[Typed, ...] = ()
    document_line: str = ""
    line_revision: int = Field(default=0, ge=0, description="counts corrections of the line; those before are wrong")
    sources: tuple[Typed, ...] = ()
    destinations: tuple[Typed, ...] = ()
    ilmd: Ilmd | None = None
    text: str = Field(description="the event as JSON, as sent")
    subject: Name = Field(description="partition key: a function of the content (subject_of)")
    stamp: Stamp


class QuantityScan(Wire):
    """A scanned label without serial: so much of a lot, seen by a scanner whose job is known.

    Identity: (scanner, boot, sequence); without boot and sequence, the device time and the raw bytes.
    """

    kind: Literal["quantity_scan"] = "quantity_scan"
    v: Literal[1] = 1
    scanner: Name
    boot: str = ""
    sequence: int | None = Field(default=None, ge=0)
    lot: Key
    unit: str = Field(default="", max_length=400, description="the logistic unit that bears the label and holds this")
    amount: Amount = Field(description="net amount on the label; 1 when it gives none")
    cases: int = Field(default=1, ge=0, description="labels, or trade items in the unit (37)")
    uom: str = Field(min_length=2, max_length=3)
    expires: date | None = None
    best_before: date | None = None
    produced: date | None = None
    raw: str = Field(max_length=1000, description="the label's data as scanned")
    biz_step: str
    read_point: Name
    location: str = Field(description="where the goods are after the step; empty: gone")
    source: str = Field(default="", description="where they came from, as the scanner's job says")
    document: str = ""
    line: str = ""
    party: str = ""
    time_us: Micros = Field(description="the device's clock, corrected")
    device_time_us: Micros
    subject: Name
    stamp: Stamp


class LocationMaster(Wire):
    """A location of the mapping: where goods can be."""

    id: Name
    name: str
    site: str = ""
    time_zone: str = "UTC"
    gln: str = ""
    kind: Literal["site", "zone", "transit", "customer"] = "zone"


class ReadPointMaster(Wire):
    """A read point of the mapping with the locations it joins."""

    id: Name
    door: Name
    inside: Name
    outside: str = ""


class SiteMapping(Wire):
    """The mapping as a record of the log: which locations and read points there are since when."""

    kind: Literal["mapping"] = "mapping"
    v: Literal[1] = 1
    version: int = Field(ge=0)
    locations: tuple[LocationMaster, ...]
    read_points: tuple[ReadPointMaster, ...]
    subject: Name = "mapping"
    stamp: Stamp


class LotClaim(ClaimContent):
    """A claim to a lot number. All of a GTIN are in one partition, and its events: the order there decides."""

    v: Literal[1] = 1
    gtin: str = Field(pattern=r"^[0-9]{14}$")
    subject: Name = Field(description="the GTIN, as of its events (schemas.epcis.subject_of)")
    stamp: Stamp


class LotChange(ChangeContent):
    """Master data of a lot, said by a person."""

    v: Literal[1] = 1
    at_us: Micros
    decision: Name = Field(description="hash of what was decided")
    subject: Name = Field(description="the GTIN of the lot")
    stamp: Stamp


class HoldDecision(HoldContent):
    """A hold placed or released."""

    v: Literal[1] = 1
    at_us: Micros
    decision: Name = Field(description="hash of what was decided")
    subject: Name = Field(description="the GTIN of the lot")
    stamp: Stamp


class DocumentSaid(DocumentContent):
    """A document as it was written."""

    v: Literal[1] = 1
    at_us: Micros
    decision: Name = Field(description="hash of what was written")
    subject: Name = Field(description="the document")
    stamp: Stamp


class RecallDecision(RecallContent):
    """A step in the life of a recall case. All of a case are in one partition: their order there is its life."""

    v: Literal[1] = 1
    at_us: Micros
    decision: Name = Field(description="hash of what was decided")
    subject: Name = Field(description="the case")
    stamp: Stamp


Decision = LotClaim | LotChange | HoldDecision | DocumentSaid | RecallDecision
EventsMessage = TraceEvent | QuantityScan | SiteMapping | Decision
EVENTS: TypeAdapter[EventsMessage] = TypeAdapter(Annotated[EventsMessage, Field(discriminator="kind")])
