"""Every value of an event held against its rule, whatever else is wrong with the event: for those who want all faults.

`content.fields_of` reads the same values by the same readers and stops at the first; what it takes, this takes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotstream.runtime.errors import Rejected
from lotstream.schemas.epcis.canonical import CANONICAL, canonical_uri
from lotstream.schemas.epcis.master import document_line, ilmd_of, line_revision, serial_ranges
from lotstream.schemas.epcis.names import Names
from lotstream.schemas.epcis.reading import Reader, amount_of, instant_of
from lotstream.schemas.epcis.rules import Path
from lotstream.schemas.epcis.words import (
    ALERT,
    BIZ_STEP,
    COMPONENT,
    DISPOSITION,
    ERROR_REASON,
    MEASUREMENT,
    PARTY,
    TRANSACTION,
    Vocabulary,
)

Check = Callable[[Reader, Any], object]
Found = tuple[Path, Rejected]


@dataclass(frozen=True, slots=True)
class Each:
    """The items of an array."""

    of: "Shape"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the right kind; of another kind the models have said so already."""

    check: Check
    kinds: tuple[type, ...] = (str,)


Shape = Each | Value | Mapping[str, "Shape"]


def _word(vocabulary: Vocabulary) -> Value:
    return Value(lambda read, text: read.word(text, vocabulary, ""))


_TIME = Value(lambda read, text: instant_of(text, ""))
_EPC = Value(lambda read, uri: read.epc(uri or " ", ""))
_PARENT = Value(lambda read, uri: read.epc(uri, ""))
_CLASS = Value(lambda read, uri: read.class_of(uri, ""))
_NAME = Value(lambda read, uri: read.name(uri, ""))
_TRANSACTION_ID = Value(lambda read, uri: read.name(uri or " ", ""))
_AT = Value(lambda read, uri: read.place_of(uri, ""))
_AMOUNT = Value(lambda read, number: amount_of(number, ""), kinds=(int, Decimal))
_PLACE = {"id": _AT}
_QUANTITIES = Each({"epcClass": _CLASS, "quantity": _AMOUNT})
_SENSOR_TIMES = {"time": _TIME, "startTime": _TIME, "endTime": _TIME}
_REPORT = _SENSOR_TIMES | {"type": _word(MEASUREMENT), "exception": _word(ALERT), "component": _word(COMPONENT)}
_TRANSACTION_TYPE = Value(lambda read, text: read.word(text or None, TRANSACTION, ""))
_BEGUN = ("epcList", "quantityList", "outputEPCList", "outputQuantityList")
_GTIN = f"{CANONICAL}/01/"
_REASON = Value(lambda read, text: read.word(text or None, ERROR_REASON, ""))
_EVENT: Shape = {
    "eventTime": _TIME,
    "recordTime": _TIME,
    "errorDeclaration": {"declarationTime": _TIME, "reason": _REASON},
    "epcList": Each(_EPC),
    "childEPCs": Each(_EPC),
    "inputEPCList": Each(_EPC),
    "outputEPCList": Each(_EPC),
    "parentID": _PARENT,
    "quantityList": _QUANTITIES,
    "childQuantityList": _QUANTITIES,
    "inputQuantityList": _QUANTITIES,
    "outputQuantityList": _QUANTITIES,
    "transformationID": _NAME,
    "bizStep": _word(BIZ_STEP),
    "disposition": _word(DISPOSITION),
    "persistentDisposition": {"set": Each(_word(DISPOSITION)), "unset": Each(_word(DISPOSITION))},
    "readPoint": _PLACE,
    "bizLocation": _PLACE,
    "bizTransactionList": Each({"type": _TRANSACTION_TYPE, "bizTransaction": _TRANSACTION_ID}),
    "sourceList": Each({"type": _word(PARTY), "source": _AT}),
    "destinationList": Each({"type": _word(PARTY), "destination": _AT}),
    "sensorElementList": Each({"sensorMetadata": _SENSOR_TIMES, "sensorReport": Each(_REPORT)}),
}


def value_faults(event: Mapping[str, Any], names: Names) -> Iterator[Found]:
    """(path, what is wrong) of each value of an event that breaks its rule."""
    yield from _walk(_EVENT, event, Reader(names), ())
    yield from _ilmd(event, names)
    for name, value in event.items():
        if ":" in name:
            yield from _tried((name,), lambda one: _ours(one, names), {name: value})


def _walk(shape: Shape, value: Any, read: Reader, path: Path) -> Iterator[Found]:
    if isinstance(shape, Each):
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _walk(shape.of, item, read, (*path, index))
    elif isinstance(shape, Value):
        if isinstance(value, shape.kinds) and not isinstance(value, bool):
            yield from _tried(path, lambda given: shape.check(read, given), value)
    elif isinstance(value, dict):
        for name, inner in shape.items():
            if name in value:
                yield from _walk(inner, value[name], read, (*path, name))


def _ilmd(event: Mapping[str, Any], names: Names) -> Iterator[Found]:
    """Member by member; what two members contradict in is said when each by itself is good."""
    ilmd = event.get("ilmd")
    if not isinstance(ilmd, dict):
        return
    found = False
    names = names.within(ilmd.get("@context"))
    for name, value in ilmd.items():
        for fault in _tried(("ilmd", name), lambda one: ilmd_of(one, names, lot_of_gtin=False), {name: value}):
            found = True
            yield fault
    if not found:
        yield from _tried(("ilmd",), lambda whole: ilmd_of(whole, names, lot_of_gtin=_of_gtin(event, names)), ilmd)


def _ours(extension: Mapping[str, Any], names: Names) -> object:
    return document_line(extension, names), line_revision(extension, names), serial_ranges(extension, names)


def _of_gtin(event: Mapping[str, Any], names: Names) -> bool:
    """Whether the event begins goods of a GTIN, as far as their identifiers are good."""
    begun = [uri for name in _BEGUN if isinstance(event.get(name), list) for uri in event[name]]
    uris = [one.get("epcClass") if isinstance(one, dict) else one for one in begun]
    return any(isinstance(uri, str) and canonical_uri(names.iri(uri)).startswith(_GTIN) for uri in uris)


def _tried(path: Path, check: Callable[[Any], object], value: Any) -> Iterator[Found]:
    try:
        check(value)
    except Rejected as rejected:
        yield path, rejected
