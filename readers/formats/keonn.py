"""Keonn AdvanNet: the XML of an inventory, in its two public layouts. Times are ms since 1970.

No DTD is read: a document that declares one is refused whole, so that entities cannot grow.
"""

import re
from xml.etree import ElementTree

from lotstream.readers.formats.items import Parsed, Refused, VendorRead
from lotstream.readers.formats.values import hex_word, in_calendar, port, scaled, wrong
from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import NOT_REPORTED

_ITEM = re.compile(rb"<item>.*?</item>", re.DOTALL)
_RSSI = re.compile(r"RSSI:(-?[0-9]{1,3}(?:\.[0-9]+)?)", re.ASCII)


def parse(payload: bytes) -> Parsed:
    """Reads of a body; never raises for bad data."""
    items = _ITEM.findall(payload)
    parsed = Parsed(items.__getitem__)
    try:
        document = _document(payload)
    except Rejected as rejected:
        parsed.refused.append(Refused.of(rejected, index=0, raw=payload))
        return parsed
    elements = document.findall("data/inventory/items/item")
    if len(elements) != len(items):
        # the bytes of an item cannot be told apart: a fault refuses the whole body
        parsed.raw = lambda _: payload
    for index, element in enumerate(elements):
        try:
            parsed.reads.append(_read(element))
            parsed.at.append(index)
        except Rejected as rejected:
            parsed.refused.append(Refused.of(rejected, index=index, raw=parsed.raw(index)))
    return parsed


def _document(payload: bytes) -> ElementTree.Element:
    if b"\0" in payload:
        raise Rejected(Reason.ENCODING_INVALID, "Expected XML in UTF-8, got a NUL byte.")
    if b"<!DOCTYPE" in payload or b"<!ENTITY" in payload:
        raise Rejected(Reason.XML_INVALID, "Expected XML without a DTD, got one.")
    try:
        document = ElementTree.fromstring(payload)  # noqa: S314 - without a DTD there are no entities to expand
    except ElementTree.ParseError as error:
        raise Rejected(Reason.XML_INVALID, f"Expected XML, got {error}.") from None
    if document.tag != "inventory":
        raise Rejected(Reason.UNKNOWN_FORMAT, f"Expected an inventory, got {document.tag!r}.")
    return document


def _read(item: ElementTree.Element) -> VendorRead:
    word = item.findtext("epc") or item.findtext("data/hexepc")
    if not word:
        raise wrong("item", "epc or data/hexepc", got=None, reason=Reason.IDENTIFIER_INVALID)
    antenna = item.findtext("antenna") or item.findtext("data/antenna")
    return VendorRead(
        hex_word(word.strip(), "epc"),
        port(None if antenna is None else _number(antenna, "antenna"), "antenna"),
        _time(item.findtext("ts")),
        rssi=_rssi(item),
    )


def _time(value: str | None) -> int:
    return in_calendar(_number(value, "ts") * 1_000, "ts", got=value)


def _number(value: str | None, field: str) -> int:
    found = (value or "").strip()
    if not (found.isascii() and found.isdigit() and len(found) <= 15):
        raise wrong(field, "a whole number", got=value)
    return int(found)


def _rssi(item: ElementTree.Element) -> int:
    for prop in item.findall("data/props/prop"):
        if said := _RSSI.fullmatch((prop.text or "").strip()):
            return scaled(float(said[1]), "RSSI", by=100, low=-20_000, high=5_000)
    return NOT_REPORTED
