# ruff: noqa: N815 - the members have the names of the standard
"""Events of EPCIS 2.0 as they stand in JSON (JSON binding, section 10), extensions taken out beforehand.

What the models check is what EPCIS-JSON-Schema checks: names, types, what is required beside what. Identifiers, words
and times are checked where they get their meaning.
"""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, TypeAdapter, model_validator

from lotstream.schemas.events import Action

Number = int | Decimal
Uris = list[str]


def _distinct(uris: Uris) -> Uris:
    if len(set(uris)) != len(uris):
        raise ValueError("each EPC once")
    return uris


Distinct = Annotated[Uris, AfterValidator(_distinct)]
Offset = Annotated[str, Field(pattern=r"^[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)$")]
Version = Annotated[str, Field(pattern=r"^\d+(?:\.\d+)*$")]


class Standard(BaseModel):
    """Strict, frozen, nothing that the standard does not name."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, value: object) -> object:
        if isinstance(value, dict):
            for name, item in value.items():
                if item is None:
                    raise ValueError(f"a value or nothing at all for {name}")
        return value


class ErrorDeclaration(Standard):
    """Section 7.4.1.3."""

    declarationTime: str
    reason: str = ""
    correctiveEventIDs: Uris = []


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

    type: str = ""
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

    set: Annotated[Uris, Field(min_length=1)] | None = None
    unset: Annotated[Uris, Field(min_length=1)] | None = None

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
    deviceID: str | None = None
    deviceMetadata: str | None = None
    rawData: str | None = None
    dataProcessingMethod: str | None = None
    bizRules: str | None = None


class SensorReport(Standard):
    """One sensor observation."""

    type: str
    exception: str | None = None
    deviceID: str | None = None
    deviceMetadata: str | None = None
    rawData: str | None = None
    dataProcessingMethod: str | None = None
    bizRules: str | None = None
    time: str | None = None
    microorganism: str | None = None
    chemicalSubstance: str | None = None
    coordinateReferenceSystem: str | None = None
    value: Number | None = None
    component: str | None = None
    stringValue: str | None = None
    booleanValue: bool | None = None
    hexBinaryValue: Annotated[str, Field(pattern=r"^[A-Fa-f0-9]+$")] | None = None
    uriValue: str | None = None
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
    eventID: str = ""
    certificationInfo: str | Uris | None = None
    errorDeclaration: ErrorDeclaration | None = None
    bizStep: str | None = None
    disposition: str | None = None
    persistentDisposition: PersistentDisposition | None = None
    readPoint: Place | None = None
    bizLocation: Place | None = None
    bizTransactionList: list[BizTransaction] = []
    sourceList: list[Source] = []
    destinationList: list[Destination] = []
    sensorElementList: list[SensorElement] = []


class ObjectEvent(Event):
    """Something happened to objects."""

    type: Literal["ObjectEvent"]
    action: Annotated[Action, Field(strict=False)]
    epcList: Distinct | None = None
    quantityList: list[QuantityElement] = []
    ilmd: dict[str, object] | None = None

    @model_validator(mode="after")
    def _said(self) -> Self:
        if self.epcList is None and not self.quantityList and not (self.sensorElementList and self.readPoint):
            raise ValueError("epcList, quantityList, or sensorElementList with readPoint")
        if self.ilmd is not None and self.action is not Action.ADD:
            raise ValueError(f"no ilmd beside action {self.action}")
        return self


class WithChildren(Event):
    """Events about a parent and its children."""

    action: Annotated[Action, Field(strict=False)]
    parentID: str = ""
    childEPCs: Uris = []
    childQuantityList: list[QuantityElement] = []

    @model_validator(mode="after")
    def _children(self) -> Self:
        if not self.childEPCs and not self.childQuantityList and self.action is not Action.DELETE:
            raise ValueError("childEPCs or childQuantityList")
        return self


class AggregationEvent(WithChildren):
    """Objects were put into, or taken out of, a parent."""

    type: Literal["AggregationEvent"]

    @model_validator(mode="after")
    def _parent(self) -> Self:
        if not self.parentID and self.action is not Action.OBSERVE:
            raise ValueError(f"parentID beside action {self.action}")
        return self


class TransactionEvent(Event):
    """Objects became, or ceased to be, part of business transactions."""

    type: Literal["TransactionEvent"]
    action: Annotated[Action, Field(strict=False)]
    bizTransactionList: Annotated[list[BizTransaction], Field(min_length=1)]
    parentID: str = ""
    epcList: Uris | None = None
    quantityList: list[QuantityElement] = []

    @model_validator(mode="after")
    def _said(self) -> Self:
        if self.epcList is None and not self.quantityList and self.action is not Action.DELETE:
            raise ValueError("epcList or quantityList")
        return self


class TransformationEvent(Event):
    """Inputs were consumed, outputs produced. It has no action."""

    type: Literal["TransformationEvent"]
    inputEPCList: Distinct = []
    inputQuantityList: list[QuantityElement] = []
    outputEPCList: Distinct = []
    outputQuantityList: list[QuantityElement] = []
    transformationID: str = ""
    ilmd: dict[str, object] | None = None

    @model_validator(mode="after")
    def _said(self) -> Self:
        used, made = self.inputEPCList or self.inputQuantityList, self.outputEPCList or self.outputQuantityList
        if not (used and made) and not (self.transformationID and (used or made)):
            raise ValueError("inputs and outputs, or one of them with transformationID")
        return self


class AssociationEvent(WithChildren):
    """Objects were associated with a parent, or separated from it."""

    type: Literal["AssociationEvent"]
    parentID: Annotated[str, Field(min_length=1)]


AnyEvent = ObjectEvent | AggregationEvent | TransactionEvent | TransformationEvent | AssociationEvent
EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Discriminator("type")])


class Body(Standard):
    """epcisBody of a document; the events are checked one by one."""

    eventList: list[object]


class Document(Standard):
    """EPCISDocument."""

    type: Literal["EPCISDocument"]
    id: str | None = None
    schemaVersion: Version
    creationDate: str
    instanceIdentifier: str | None = None
    sender: str | None = None
    receiver: str | None = None
    epcisHeader: dict[str, object] | None = None
    epcisBody: Body


class ResultsBody(Standard):
    """Events that a query found."""

    eventList: list[object]
    vocabularyList: list[object] | None = None


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
    id: str | None = None
    schemaVersion: Version | None = None
    creationDate: str | None = None
    epcisBody: QueryBody


DOCUMENT: TypeAdapter[Document | QueryDocument] = TypeAdapter(
    Annotated[Document | QueryDocument, Discriminator("type")]
)
