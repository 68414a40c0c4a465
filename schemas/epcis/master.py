"""What lotstream understands of extensions: lot and dates of the ILMD, document line, serial ranges."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.epcis.names import GS1_VOC, MDA, Names, local, namespace
from lotstream.schemas.epcis.reading import instant_of
from lotstream.schemas.epcis.times import parse_day
from lotstream.schemas.epcis.tree import scalar
from lotstream.schemas.events import Conversion, Ilmd, SerialRange
from lotstream.schemas.identifiers import IdentifierInvalid, gtin14
from lotstream.schemas.identifiers.ai import SPECS
from lotstream.schemas.identifiers.content import require_value

_SERIAL = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_LONGEST = 200
# CBV 2.0 section 9.2 (urn:epcglobal:cbv:mda) and the GS1 Web Vocabulary name the same things
_FIELDS = {
    "lotNumber": "lot",
    "hasBatchLotNumber": "lot",
    "itemExpirationDate": "expires",
    "expirationDate": "expires",
    "bestBeforeDate": "best_before",
    "productionDate": "produced_us",
    "descriptionShort": "description",
    "productDescription": "description",
    "productName": "description",
}
# no standard has a word for the supplier's own lot code: these are understood in every namespace
_CONVERSIONS = "unitConversions"
_CONVERSION = re.compile(r"(?:1 )?([A-Z0-9]{2,3}) ?= ?([0-9]{1,12}(?:\.[0-9]{1,6})?) ([A-Z0-9]{2,3})", re.ASCII)
_SUPPLIER_LOT = frozenset({"supplierLot", "supplierLotNumber", "supplierLotCode"})


def ilmd_of(ilmd: Mapping[str, object] | None, names: Names, *, lot_of_gtin: bool) -> Ilmd | None:
    """The master data that are understood; None where there are none. Raises Rejected.

    `lot_of_gtin`: the event begins goods of a GTIN, whose lot code has to be one of AI (10).
    """
    if not ilmd:
        return None
    names = names.within(ilmd.get("@context"))
    found: dict[str, Any] = {}
    for name, value in ilmd.items():
        if ":" not in name and not name.startswith("@"):
            detail = f"Expected a name with its namespace (cbvmda:{name}), got {name!r}."
            raise Rejected(Reason.SCHEMA_INVALID, detail, field=f"ilmd.{name}")
        key = _field_of(name, names)
        text = "" if key is None else _text(value, f"ilmd.{name}")
        if key is None or not text:
            continue
        read = _READ[key](text, f"ilmd.{name}")
        if found.setdefault(key, read) != read:
            detail = f"Expected one value for the same thing, got {found[key]!s} and {read!s}."
            raise Rejected(Reason.CONTRADICTION, detail, field=f"ilmd.{name}")
    if lot_of_gtin and "lot" in found:
        _require_lot(found["lot"])
    return Ilmd(**found) if found else None


def document_line(extensions: Mapping[str, object], names: Names) -> str:
    """Text of `…:documentLine`, '' without one. Raises Rejected."""
    for name, value in _named(extensions, names, "documentLine"):
        return _text(value, name)
    return ""


def line_revision(extensions: Mapping[str, object], names: Names) -> int:
    """Number of `…:lineRevision`, 0 without one. Raises Rejected."""
    for name, value in _named(extensions, names, "lineRevision"):
        return _serial(value, name)
    return 0


def serial_ranges(extensions: Mapping[str, object], names: Names) -> tuple[SerialRange, ...]:
    """`…:serialRanges`: objects of gtin, first and last, prefixed or bare. Raises Rejected."""
    return tuple(
        _range(item, f"{name}.{index}")
        for name, value in _named(extensions, names, "serialRanges")
        for index, item in enumerate(value if isinstance(value, list) else [value])
    )


def _named(extensions: Mapping[str, object], names: Names, wanted: str) -> Iterator[tuple[str, object]]:
    return ((name, value) for name, value in extensions.items() if local(names.full(name)) == wanted)


def _field_of(name: str, names: Names) -> str | None:
    full = names.full(name)
    if local(full) in _SUPPLIER_LOT:
        return "supplier_lot"
    if local(full) == _CONVERSIONS:
        return "conversions"
    # the context of EPCIS protects its prefixes: who gives cbvmda another meaning has broken his context, not his lots
    known = namespace(full) in (MDA, GS1_VOC) or name.startswith("cbvmda:")
    return _FIELDS.get(local(full)) if known else None


def _text(value: object, field: str) -> str:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and "@value" in value:
        value = value["@value"]
    if value is None or isinstance(value, str | int | Decimal):
        text = "" if value is None else scalar(value).strip()
        if len(text) <= _LONGEST:
            return text
        raise Rejected(
            Reason.VALUE_OUT_OF_RANGE, f"Expected at most {_LONGEST} characters, got {len(text)}.", field=field
        )
    raise Rejected(Reason.SCHEMA_INVALID, f"Expected one text, got {type(value).__name__}.", field=field)


def _range(item: object, field: str) -> SerialRange:
    if not isinstance(item, dict):
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected gtin, first and last, got {item!r}.", field=field)
    parts = {name.rpartition(":")[2]: value for name, value in item.items()}
    if set(parts) != {"gtin", "first", "last"}:
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected gtin, first and last, got {sorted(parts)}.", field=field)
    try:
        gtin = gtin14(_text(parts["gtin"], f"{field}.gtin"))
    except IdentifierInvalid as invalid:
        raise Rejected(invalid.reason, invalid.detail, field=f"{field}.gtin") from None
    first, last = _serial(parts["first"], f"{field}.first"), _serial(parts["last"], f"{field}.last")
    if last < first:
        raise Rejected(Reason.VALUE_OUT_OF_RANGE, f"Expected last >= {first}, got {last}.", field=f"{field}.last")
    return SerialRange(gtin=gtin, first=first, last=last)


def _serial(value: object, field: str) -> int:
    text = _text(value, field)
    if not _SERIAL.fullmatch(text):
        raise Rejected(
            Reason.VALUE_OUT_OF_RANGE,
            f"Expected a number of at most 18 digits without leading zeros, got {text!r}.",
            field=field,
        )
    return int(text)


def _require_lot(lot: str) -> None:
    try:
        require_value(SPECS["10"], lot)
    except IdentifierInvalid as invalid:
        raise Rejected(invalid.reason, invalid.detail, field="ilmd.lotNumber") from None


def _day(text: str, field: str) -> object:
    try:
        return parse_day(text)
    except ValueError as error:
        raise Rejected(Reason.SCHEMA_INVALID, str(error), field=field) from None


def _produced(text: str, field: str) -> object:
    return instant_of(text if "T" in text else f"{_day(text, field)}T00:00:00Z", field)


def _conversions(text: str, field: str) -> object:
    return tuple(_conversion(part.strip(), field) for part in text.split(";"))


def _conversion(text: str, field: str) -> Conversion:
    found = _CONVERSION.fullmatch(text)
    if found is None or not (factor := Decimal(found[2])) or found[1] == found[3]:
        expected = "Expected a conversion between two units like 'XCS = 12.5 KGM'"
        raise Rejected(Reason.UNIT_UNKNOWN, f"{expected}, got {text!r}.", field=field)
    return Conversion(uom=found[1], factor=factor, to=found[3])


def _same(text: str, field: str) -> object:
    return text


_READ: dict[str, Callable[[str, str], object]] = {
    "lot": _same,
    "expires": _day,
    "best_before": _day,
    "produced_us": _produced,
    "description": _same,
    "supplier_lot": _same,
    "conversions": _conversions,
}
