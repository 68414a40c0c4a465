"""A valid event in the words of events.v1: identifiers as keys, CBV words bare, times in UTC."""

from collections.abc import Iterable, Mapping
from typing import Any

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.epcis import models
from lotstream.schemas.epcis.keys import LONGEST_NAME
from lotstream.schemas.epcis.master import document_line, ilmd_of, line_revision, serial_ranges
from lotstream.schemas.epcis.names import Names
from lotstream.schemas.epcis.reading import Reader, instant_of
from lotstream.schemas.epcis.sensors import check_sensors
from lotstream.schemas.epcis.words import BIZ_STEP, DISPOSITION, ERROR_REASON
from lotstream.schemas.events import ErrorDeclaration, EventType, Quantity, SerialRange

_SUBJECTS = (
    *("epcs", "ranges", "quantities", "outputs", "output_quantities"),
    *("inputs", "input_quantities", "children", "child_quantities"),
)
Fields = dict[str, Any]


def fields_of(event: models.AnyEvent, extensions: Mapping[str, object], names: Names) -> Fields:
    """Every field of TraceEvent that follows from the event's members alone. Raises Rejected."""
    read = Reader(names)
    check_sensors(event.sensorElementList, read=read)
    if event.recordTime is not None:
        instant_of(event.recordTime, "recordTime")
    places = {
        "read_point": read.place(event.readPoint, "readPoint"),
        "biz_location": read.place(event.bizLocation, "bizLocation"),
    }
    said: Fields = _goods(event, read) | places
    persistent = event.persistentDisposition or models.PersistentDisposition.model_construct(set=None, unset=None)
    return said | {
        "event_type": EventType(event.type),
        "event_id": event.eventID or "",
        "event_time_us": instant_of(event.eventTime, "eventTime"),
        "event_time_zone_offset": event.eventTimeZoneOffset,
        "error": _error(event.errorDeclaration, read),
        "biz_step": read.word(event.bizStep, BIZ_STEP, "bizStep"),
        "disposition": read.word(event.disposition, DISPOSITION, "disposition"),
        "persistent_set": read.words(persistent.set, "persistentDisposition.set"),
        "persistent_unset": read.words(persistent.unset, "persistentDisposition.unset"),
        "documents": read.documents(event.bizTransactionList),
        "sources": read.parties([(one.type, one.source) for one in event.sourceList], "source"),
        "destinations": read.parties([(one.type, one.destination) for one in event.destinationList], "destination"),
        "document_line": document_line(extensions, names),
        "line_revision": line_revision(extensions, names),
        "ranges": serial_ranges(extensions, names),
    }


def subject_of(fields: Fields, event_hash: str) -> str:
    """The partition key of an event: a function of its content, so that its duplicates meet.

    The parent; else the GTIN-14 of its objects and classes (the smallest, because their order means nothing); else the
    event's hash.
    """
    parent = str(fields.get("parent", ""))
    if 0 < len(parent) <= LONGEST_NAME:
        return parent
    for name in _SUBJECTS:
        gtins = [key[3:17] for key in map(_key_of, fields.get(name, ())) if key.startswith("01/")]
        if gtins:
            return min(gtins)
    return event_hash


def _key_of(good: str | Quantity | SerialRange) -> str:
    if isinstance(good, Quantity):
        return good.epc_class
    return f"01/{good.gtin}" if isinstance(good, SerialRange) else good


def _goods(event: models.AnyEvent, read: Reader) -> Fields:
    """What the event is about, by its type."""
    if isinstance(event, models.TransformationEvent):
        return _transformed(event, read)
    goods: Fields = {"action": event.action}
    if isinstance(event, models.WithChildren):
        goods["children"] = read.epcs(event.childEPCs, "childEPCs")
        goods["child_quantities"] = read.quantities(event.childQuantityList, "childQuantityList")
    else:
        goods["epcs"] = read.epcs(event.epcList or (), "epcList")
        goods["quantities"] = read.quantities(event.quantityList, "quantityList")
    if isinstance(event, models.ObjectEvent):
        goods["ilmd"] = ilmd_of(event.ilmd, read.names, lot_of_gtin=_has_gtin(goods["epcs"], goods["quantities"]))
    else:
        goods["parent"] = read.epc(event.parentID, "parentID")
        if goods["parent"] in goods.get("children", ()):
            detail = f"Expected a parent apart from its children, got {event.parentID!r} in itself."
            raise Rejected(Reason.CYCLE, detail, field="parentID")
    return goods


def _transformed(event: models.TransformationEvent, read: Reader) -> Fields:
    outputs = read.epcs(event.outputEPCList, "outputEPCList")
    made = read.quantities(event.outputQuantityList, "outputQuantityList")
    return {
        "inputs": read.epcs(event.inputEPCList, "inputEPCList"),
        "input_quantities": read.quantities(event.inputQuantityList, "inputQuantityList"),
        "outputs": outputs,
        "output_quantities": made,
        "transformation_id": read.name(event.transformationID, "transformationID"),
        "ilmd": ilmd_of(event.ilmd, read.names, lot_of_gtin=_has_gtin(outputs, made)),
    }


def _has_gtin(epcs: Iterable[str], quantities: Iterable[Quantity]) -> bool:
    return any(key.startswith("01/") for key in epcs) or any(one.epc_class.startswith("01/") for one in quantities)


def _error(declaration: models.ErrorDeclaration | None, read: Reader) -> ErrorDeclaration | None:
    if declaration is None:
        return None
    return ErrorDeclaration(
        declared_us=instant_of(declaration.declarationTime, "errorDeclaration.declarationTime"),
        reason=read.word(declaration.reason or None, ERROR_REASON, "errorDeclaration.reason"),
        corrective=tuple(declaration.correctiveEventIDs),
    )
