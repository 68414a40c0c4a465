"""A valid event in the words of events.v1: identifiers as keys, CBV words bare, times in UTC."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import LATEST_US
from lotstream.schemas.epcis import models
from lotstream.schemas.epcis.keys import LONGEST_NAME, class_key, epc_key, place_key, require_name
from lotstream.schemas.epcis.master import document_line, ilmd_of, serial_ranges
from lotstream.schemas.epcis.names import Names
from lotstream.schemas.epcis.sensors import check_sensors
from lotstream.schemas.epcis.times import parse_instant
from lotstream.schemas.epcis.tree import number_text
from lotstream.schemas.epcis.words import BIZ_STEP, DISPOSITION, ERROR_REASON, PARTY, TRANSACTION, Vocabulary
from lotstream.schemas.events import ErrorDeclaration, EventType, Quantity, SerialRange, Typed

_MILLIONTH = Decimal("0.000001")
_TOO_LARGE = Decimal(10**12)
_SUBJECTS = (
    *("epcs", "ranges", "quantities", "outputs", "output_quantities"),
    *("inputs", "input_quantities", "children", "child_quantities"),
)
Fields = dict[str, Any]


def fields_of(event: models.AnyEvent, extensions: Mapping[str, object], names: Names) -> Fields:
    """Every field of TraceEvent that follows from the event's members alone. Raises Rejected."""
    read = _Reader(names)
    check_sensors(event.sensorElementList, instant=_instant)
    if event.recordTime is not None:
        _instant(event.recordTime, "recordTime")
    places = {
        "read_point": read.place(event.readPoint, "readPoint"),
        "biz_location": read.place(event.bizLocation, "bizLocation"),
    }
    said: Fields = _goods(event, read) | places
    persistent = event.persistentDisposition or models.PersistentDisposition.model_construct(set=None, unset=None)
    return said | {
        "event_type": EventType(event.type),
        "event_id": event.eventID,
        "event_time_us": _instant(event.eventTime, "eventTime"),
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


def _goods(event: models.AnyEvent, read: "_Reader") -> Fields:
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
    return goods


def _transformed(event: models.TransformationEvent, read: "_Reader") -> Fields:
    outputs = read.epcs(event.outputEPCList, "outputEPCList")
    made = read.quantities(event.outputQuantityList, "outputQuantityList")
    return {
        "inputs": read.epcs(event.inputEPCList, "inputEPCList"),
        "input_quantities": read.quantities(event.inputQuantityList, "inputQuantityList"),
        "outputs": outputs,
        "output_quantities": made,
        "transformation_id": read.at("transformationID", require_name, event.transformationID),
        "ilmd": ilmd_of(event.ilmd, read.names, lot_of_gtin=_has_gtin(outputs, made)),
    }


def _has_gtin(epcs: Iterable[str], quantities: Iterable[Quantity]) -> bool:
    return any(key.startswith("01/") for key in epcs) or any(one.epc_class.startswith("01/") for one in quantities)


class _Reader:
    """Reads the values of one event under its names; what is wrong is said with its field."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def at(self, field: str, parse: Callable[[str], str], uri: str) -> str:
        """`parse(uri)` with compact IRIs expanded; '' of ''."""
        if not uri:
            return ""
        try:
            return parse(self.names.iri(uri))
        except Rejected as rejected:
            raise Rejected(rejected.reason, rejected.detail, field=field) from None

    def epc(self, uri: str, field: str) -> str:
        return self.at(field, epc_key, uri)

    def epcs(self, uris: Sequence[str], field: str) -> tuple[str, ...]:
        iri = self.names.iri
        try:
            # one pass without a frame per EPC; the position is looked for only when one is wrong
            return tuple(dict.fromkeys([epc_key(iri(uri)) for uri in uris]))
        except Rejected:
            return tuple([self.at(f"{field}.{index}", epc_key, uri or " ") for index, uri in enumerate(uris)])

    def place(self, place: models.Place | None, field: str) -> str:
        return "" if place is None else self.at(f"{field}.id", place_key, place.id or " ")

    def quantities(self, elements: Sequence[models.QuantityElement], field: str) -> tuple[Quantity, ...]:
        return tuple([self._quantity(one, f"{field}.{index}") for index, one in enumerate(elements)])

    def _quantity(self, element: models.QuantityElement, field: str) -> Quantity:
        amount = None if element.quantity is None else _amount(Decimal(element.quantity), f"{field}.quantity")
        key = self.at(f"{field}.epcClass", class_key, element.epcClass or " ")
        return Quantity(epc_class=key, quantity=amount, uom=element.uom or "")

    def word(self, text: str | None, vocabulary: Vocabulary, field: str) -> str:
        """The bare word; a word of another vocabulary as its whole URI."""
        if text is None or text in vocabulary.words:
            return text or ""
        iri = self.names.iri(text)
        if ":" not in iri:
            detail = f"Expected {vocabulary.what} of CBV 2.0 or a URI, got {text!r}."
            raise Rejected(Reason.SCHEMA_INVALID, detail, field=field)
        return vocabulary.bare(require_name(iri))

    def words(self, texts: Sequence[str] | None, field: str) -> tuple[str, ...]:
        return tuple(self.word(text, DISPOSITION, f"{field}.{index}") for index, text in enumerate(texts or ()))

    def documents(self, elements: Sequence[models.BizTransaction]) -> tuple[Typed, ...]:
        found = []
        for index, one in enumerate(elements):
            field = f"bizTransactionList.{index}"
            kind = self.word(one.type or None, TRANSACTION, f"{field}.type")
            self.at(f"{field}.bizTransaction", require_name, one.bizTransaction or " ")
            found.append(Typed(type=kind, id=one.bizTransaction))
        return tuple(found)

    def parties(self, typed: Sequence[tuple[str, str]], role: str) -> tuple[Typed, ...]:
        found = []
        for index, (kind, uri) in enumerate(typed):
            field = f"{role}List.{index}"
            key = self.at(f"{field}.{role}", place_key, uri or " ")
            found.append(Typed(type=self.word(kind, PARTY, f"{field}.type"), id=key))
        return tuple(found)


def _error(declaration: models.ErrorDeclaration | None, read: _Reader) -> ErrorDeclaration | None:
    if declaration is None:
        return None
    return ErrorDeclaration(
        declared_us=_instant(declaration.declarationTime, "errorDeclaration.declarationTime"),
        reason=read.word(declaration.reason or None, ERROR_REASON, "errorDeclaration.reason"),
        corrective=tuple(declaration.correctiveEventIDs),
    )


def _instant(text: str, field: str) -> int:
    try:
        time_us = parse_instant(text)
    except ValueError as error:
        raise Rejected(Reason.SCHEMA_INVALID, str(error), field=field) from None
    if not 0 <= time_us <= LATEST_US:
        raise Rejected(Reason.VALUE_OUT_OF_RANGE, f"Expected a time from 1970 to 2100, got {text!r}.", field=field)
    return time_us


def _amount(number: Decimal, field: str) -> Decimal:
    """Decimal(18,6); finer digits are the dust of binary fractions and are rounded off."""
    if not 0 <= number < _TOO_LARGE:
        raise Rejected(Reason.VALUE_OUT_OF_RANGE, f"Expected 0 <= quantity < 10^12, got {number}.", field=field)
    return Decimal(number_text(number.quantize(_MILLIONTH, rounding=ROUND_HALF_EVEN)))
