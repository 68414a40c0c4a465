# ruff: noqa: N815 - the members have the names of the standard
"""Events of EPCIS 2.0 as they stand in JSON (JSON binding, section 10), extensions taken out beforehand.

What the models check is what EPCIS-JSON-Schema checks of a member by itself: names, types, what is required. What
members demand of each other is in `conditions`; identifiers, words and times are checked where they get their meaning.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    TypeAdapter,
    model_validator,
)

from lotstream.schemas.epcis.keys import is_uri
from lotstream.schemas.epcis.times import parse_instant
from lotstream.schemas.events import Action

Number = int | Decimal
Uris = list[str]


def _distinct(uris: Uris) -> Uris:
    if len(set(uris)) != len(uris):
        raise ValueError("each item once")
    return uris


def _uri(text: str) -> str:
    if not is_uri(text.strip()):
        raise ValueError("a URI")
    return text


def _instant(text: str) -> str:
    try:
        parse_instant(text)
    except ValueError:
        raise ValueError("a date and time with its offset (RFC 3339)") from None
    return text


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Uri = Annotated[str, AfterValidator(_uri)]
Instant = Annotated[str, AfterValidator(_instant)]
Text = Annotated[str, Field(min_length=1)]
Distinct = Annotated[Uris, AfterValidator(_distinct)]
Offset = Annotated[str, Field(pattern=r"^[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)$")]
_NONE: Any = Field(default_factory=list)  # a list as the default itself would be copied deep for every event
Version = Annotated[str, Field(pattern=r"^2(?:\.[0-9]+)*$")]


class Null:
    """Stands for a null where the standard has a value."""

    def __repr__(self) -> str:
        return "null"


NULL = Null()


class Standard(BaseModel):
    """Strict, frozen, nothing that the standard does not name."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, value: object) -> object:
        if isinstance(value, dict) and None in value.values():
            # a null is no absence: the member's own type refuses it
            return {name: NULL if item is None else item for name, item in value.items()}
        return value


class ErrorDeclaration(Standard):
    """Section 7.4.1.3."""

    declarationTime: str
    reason: Text = ""
    correctiveEventIDs: list[Uri] = _NONE


class QuantityElement(Standard):
    """Section 7.3.3.3."""

    epcClass: str
    quantity: Number | None = None
    uom: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,3}$")] | None = None


class Place(Standard):
    """A read point or business location."""

    id: str


class BizTransaction(Standard):
    """A business transaction and its type."""

    type: Text = ""
    bizTransaction: str


class Source(Standard):
    """Where the goods came from."""

    type: str
    source: str


class Destination(Standard):
    """Where the goods go."""

    type: str
    destination: str


class PersistentDisposition(Standard):
    """Dispositions that hold until they are unset: at least one of the two lists."""

    set: Annotated[Distinct, Field(min_length=1)] | None = None
    unset: Annotated[Distinct, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.set is None and self.unset is None:
            raise ValueError("set or unset")
        return self


class SensorMetadata(Standard):
    """What is common to the reports of one sensor element."""

    time: str | None = None
    startTime: str | None = None
    endTime: str | None = None
    deviceID: Uri | None = None
    deviceMetadata: Uri | None = None
    rawData: Uri | None = None
    dataProcessingMethod: Uri | None = None
    bizRules: Uri | None = None


class SensorReport(Standard):
    """One sensor observation."""

    type: str
    exception: str | None = None
    deviceID: Uri | None = None
    deviceMetadata: Uri | None = None
    rawData: Uri | None = None
    dataProcessingMethod: Uri | None = None
    bizRules: Uri | None = None
    time: str | None = None
    microorganism: Uri | None = None
    chemicalSubstance: Uri | None = None
    coordinateReferenceSystem: Uri | None = None
    value: Number | None = None
    component: str | None = None
    stringValue: str | None = None
    booleanValue: bool | None = None
    hexBinaryValue: Annotated[str, Field(pattern=r"^[A-Fa-f0-9]+$")] | None = None
    uriValue: Uri | None = None
    minValue: Number | None = None
    maxValue: Number | None = None
    meanValue: Number | None = None
    sDev: Number | None = None
    percRank: Number | None = None
    percValue: Number | None = None
    uom: str | None = None


class SensorElement(Standard):
    """Sensor observations with what is common to them."""

    sensorMetadata: SensorMetadata | None = None
    sensorReport: Annotated[list[SensorReport], Field(min_length=1)]


class Event(Standard):
    """What every event type has."""

    eventTime: str
    eventTimeZoneOffset: Offset
    recordTime: str | None = None
    eventID: Uri | None = None
    certificationInfo: Annotated[list[Uri], BeforeValidator(_listed)] = _NONE
    errorDeclaration: ErrorDeclaration | None = None
    bizStep: str | None = None
    disposition: str | None = None
    persistentDisposition: PersistentDisposition | None = None
    readPoint: Place | None = None
    bizLocation: Place | None = None
    bizTransactionList: list[BizTransaction] = _NONE
    sourceList: list[Source] = _NONE
    destinationList: list[Destination] = _NONE
    sensorElementList: list[SensorElement] = _NONE


class ObjectEvent(Event):
    """Something happened to objects."""

    type: Literal["ObjectEvent"]
    action: Annotated[Action, Field(strict=False)]
    epcList: Distinct | None = None
    quantityList: list[QuantityElement] = _NONE
    ilmd: dict[str, object] | None = None


class WithChildren(Event):
    """Events about a parent and its children."""

    action: Annotated[Action, Field(strict=False)]
    parentID: Text = ""
    childEPCs: Uris = _NONE
    childQuantityList: list[QuantityElement] = _NONE


class AggregationEvent(WithChildren):
    """Objects were put into, or taken out of, a parent."""

    type: Literal["AggregationEvent"]


class TransactionEvent(Event):
    """Objects became, or ceased to be, part of business transactions."""

    type: Literal["TransactionEvent"]
    action: Annotated[Action, Field(strict=False)]
    bizTransactionList: Annotated[list[BizTransaction], Field(min_length=1)]
    parentID: Text = ""
    epcList: Uris | None = None
    quantityList: list[QuantityElement] = _NONE


class TransformationEvent(Event):
    """Inputs were consumed, outputs produced. It has no action."""

    type: Literal["TransformationEvent"]
    inputEPCList: Distinct = _NONE
    inputQuantityList: list[QuantityElement] = _NONE
    outputEPCList: Distinct = _NONE
    outputQuantityList: list[QuantityElement] = _NONE
    transformationID: Text = ""
    ilmd: dict[str, object] | None = None


class AssociationEvent(WithChildren):
    """Objects were associated with a parent, or separated from it."""

    type: Literal["AssociationEvent"]
    parentID: Text


AnyEvent = ObjectEvent | AggregationEvent | TransactionEvent | TransformationEvent | AssociationEvent
EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Discriminator("type")])


class Part(Standard):
    """A part of master data: what it does not name is left to whoever sent it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Attribute(Part):
    """What is said of a vocabulary element."""

    id: Uri
    attribute: Number | str | dict[str, object] | None = None


class VocabularyElement(Part):
    """A party, place, product ... with its attributes."""

    id: Uri
    attributes: list[Attribute] = _NONE
    children: list[Uri] = _NONE


class MasterVocabulary(Part):
    """Master data of one kind."""

    type: Uri
    vocabularyElementList: list[VocabularyElement] = _NONE


class MasterData(Part):
    """epcisMasterData of a header."""

    vocabularyList: list[MasterVocabulary] = _NONE


class Header(Part):
    """epcisHeader of a document: master data, and headers of others."""

    epcisMasterData: MasterData | None = None


class Body(Standard):
    """epcisBody of a document; the events are checked one by one."""

    eventList: list[object]


class Document(Standard):
    """EPCISDocument."""

    type: Literal["EPCISDocument"]
    id: Uri | None = None
    schemaVersion: Version
    creationDate: Instant
    instanceIdentifier: str | None = None
    sender: str | None = None
    receiver: str | None = None
    epcisHeader: Header | None = None
    epcisBody: Body


class ResultsBody(Standard):
    """Events that a query found."""

    eventList: list[object]
    vocabularyList: list[MasterVocabulary] | None = None


class QueryResults(Standard):
    """The answer to a query."""

    queryName: str
    subscriptionID: str | None = None
    resultsBody: ResultsBody


class QueryBody(Standard):
    """epcisBody of a query document."""

    queryResults: QueryResults


class QueryDocument(Standard):
    """EPCISQueryDocument."""

    type: Literal["EPCISQueryDocument"]
    id: Uri | None = None
    schemaVersion: Version | None = None
    creationDate: Instant | None = None
    epcisBody: QueryBody


DOCUMENT: TypeAdapter[Document | QueryDocument] = TypeAdapter(
    Annotated[Document | QueryDocument, Discriminator("type")]
)
