"""From what a scanner sent to its elements: by the symbology identifier, or by how the text is written."""

import re
from dataclasses import dataclass
from enum import StrEnum

from lotstream.schemas.identifiers.checks import gtin14, sscc
from lotstream.schemas.identifiers.digital_link import parse_digital_link
from lotstream.schemas.identifiers.elements import Elements, parse_bracketed
from lotstream.schemas.identifiers.epc import decode_epc
from lotstream.schemas.identifiers.epc_plus import PLUS_HEADERS, decode_plus
from lotstream.schemas.identifiers.epc_uri import class_urn_to_key, epc_uri_to_key
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule
from lotstream.schemas.identifiers.keys import parse_key
from lotstream.schemas.identifiers.separators import Separators, restore_fnc1
from lotstream.schemas.identifiers.symbology import Carries, Symbology

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_EPC = re.compile(r"[0-9A-Fa-f]{16,128}", re.ASCII)
_LINK = re.compile(r"(?:https?|HTTPS?)://")
_SUFFIX = "\r\n\t"  # what scanners add behind the data; no GS1 value can end in it
_COMPOSITE = "|]e0"
_GTIN_LENGTHS = (8, 12, 13, 14)
_SSCC_LENGTH = 18
_ADD_ON_LENGTHS = (0, 2, 5)


class Written(StrEnum):
    """How identifiers are written."""

    ELEMENT_STRING = "element string"
    NUMBER = "number"
    EPC = "EPC"
    EPC_URI = "EPC URI"
    DIGITAL_LINK = "Digital Link"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Found:
    """Elements, how they were written, and what looks wrong about it."""

    elements: Elements
    written: Written = Written.ELEMENT_STRING
    warnings: tuple[str, ...] = ()


def scanner_text(data: str | bytes) -> str:
    """The text of scanner data without the line end behind it. Raises IdentifierInvalid when there is none."""
    # a byte that is no UTF-8 becomes a character that no AI allows, and is refused there
    text = data.decode("utf-8", errors="replace") if isinstance(data, bytes) else data
    text = text.rstrip(_SUFFIX)
    if not text:
        raise IdentifierInvalid(Rule.NOT_GS1, "scanner data", "nothing", repr(data))
    return text


def read_elements(body: str, symbology: Symbology | None, *, separators: Separators) -> Found:
    """The elements in the data of a symbol. Raises IdentifierInvalid."""
    if symbology is None:
        return _unmarked(body, separators)
    if symbology.carries is Carries.ELEMENTS:
        return _raw(body, separators)
    if symbology.carries is Carries.PLAIN:
        return _plain(body)
    return _retail(body, symbology, separators=separators)


def _raw(body: str, separators: Separators) -> Found:
    elements, warnings = restore_fnc1(body, separators)
    return Found(elements, Written.ELEMENT_STRING, warnings)


def _retail(body: str, symbology: Symbology, *, separators: Separators) -> Found:
    """EAN-13 or EAN-8; an add-on is no part of the GTIN, a composite component beside it holds elements."""
    length = 13 if symbology.carries is Carries.GTIN13 else 8
    primary, bar, composite = body.partition(_COMPOSITE)
    extra = len(primary) - length
    if extra != 0 and not (symbology.has_add_on and extra in _ADD_ON_LENGTHS):
        raise IdentifierInvalid(Rule.LENGTH, f"{length} digits", str(len(primary)), body)
    elements: Elements = (("01", gtin14(primary[:length])),)
    if not bar:
        return Found(elements, Written.NUMBER)
    beside = _raw(composite, separators)
    return Found(elements + beside.elements, Written.ELEMENT_STRING, beside.warnings)


def _plain(body: str) -> Found:
    """A symbol that is no GS1 symbol by itself, but may hold a GTIN, an SSCC, a Digital Link or an EPC URI."""
    if _LINK.match(body):
        return Found(parse_digital_link(body), Written.DIGITAL_LINK)
    if body[:4].lower() == "urn:":
        return Found(_urn(body), Written.EPC_URI)
    if body.startswith("("):
        return Found(parse_bracketed(body))
    number = _number(body)
    if number is None:
        raise IdentifierInvalid(Rule.NOT_GS1, "a GTIN, an SSCC, a Digital Link or an EPC URI", repr(body), body)
    return Found(number, Written.NUMBER)


def _number(body: str) -> Elements | None:
    """A GTIN or SSCC in bare digits, told apart by length."""
    if not _DIGITS.fullmatch(body):
        return None
    if len(body) in _GTIN_LENGTHS:
        return (("01", gtin14(body)),)
    if len(body) == _SSCC_LENGTH + 2 and body.startswith("00"):
        body = body[2:]
    return (("00", sscc(body)),) if len(body) == _SSCC_LENGTH else None


def _unmarked(body: str, separators: Separators) -> Found:
    """Without a symbology identifier: what it is shows in its form; bare digits by length and check digit."""
    if _LINK.match(body) or body.startswith("(") or body[:4].lower() == "urn:":
        return _plain(body)
    number = _number(body)
    if number is not None:
        return Found(number, Written.NUMBER)
    try:
        return _raw(body, separators)
    except IdentifierInvalid:
        elements = _epc(body)
        if elements is None:
            raise
        return Found(elements, Written.EPC)


def _urn(uri: str) -> Elements:
    is_class = uri[:14].lower().startswith(("urn:epc:class:", "urn:epc:idpat:"))
    key = class_urn_to_key(uri) if is_class else epc_uri_to_key(uri)
    if key.startswith("hex/"):
        raise IdentifierInvalid(Rule.NOT_GS1, "an EPC URI of a GS1 key", repr(uri), uri)
    return parse_key(key).fields


def _epc(body: str) -> Elements | None:
    if not _EPC.fullmatch(body):
        return None
    epc = body.upper()
    key = decode_epc(epc)
    if key is None:
        return None
    return decode_plus(epc) if epc[:2] in PLUS_HEADERS else key.fields
