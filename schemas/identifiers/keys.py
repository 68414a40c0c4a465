"""The one key type: every GS1 key as its canonical Digital Link path, and the whole EPC of what is none."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import quote, unquote

from lotstream.schemas.identifiers.ai import SPECS
from lotstream.schemas.identifiers.checks import gtin14
from lotstream.schemas.identifiers.content import require_key_value, require_value
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule

_NUMERIC_SERIAL = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_HEX = re.compile(r"[0-9A-Fa-f]+", re.ASCII)
_HEX_LONGEST = 128  # 512 bits: the longest EPC memory that readers report


class Scheme(StrEnum):
    """What a key identifies, by the names of the EPC Tag Data Standard."""

    SGTIN = "SGTIN"
    SSCC = "SSCC"
    GRAI = "GRAI"
    GIAI = "GIAI"
    SGLN = "SGLN"
    PGLN = "PGLN"
    GDTI = "GDTI"
    SGCN = "SGCN"
    ITIP = "ITIP"
    UPUI = "UPUI"
    CPI = "CPI"
    GSRN = "GSRN"
    GSRNP = "GSRNP"
    GINC = "GINC"
    GSIN = "GSIN"
    GMN = "GMN"
    LGTIN = "LGTIN"
    GTIN = "GTIN"
    HEX = "HEX"


FORMS: dict[tuple[str, ...], Scheme] = {
    ("01", "21"): Scheme.SGTIN,
    ("01", "10"): Scheme.LGTIN,
    ("01", "235"): Scheme.UPUI,
    ("01",): Scheme.GTIN,
    ("00",): Scheme.SSCC,
    ("8003",): Scheme.GRAI,
    ("8004",): Scheme.GIAI,
    ("414", "254"): Scheme.SGLN,
    ("414",): Scheme.SGLN,
    ("417",): Scheme.PGLN,
    ("253",): Scheme.GDTI,
    ("255",): Scheme.SGCN,
    ("8006", "21"): Scheme.ITIP,
    ("8006", "10"): Scheme.ITIP,
    ("8006",): Scheme.ITIP,
    ("8010", "8011"): Scheme.CPI,
    ("8010",): Scheme.CPI,
    ("8017",): Scheme.GSRNP,
    ("8018",): Scheme.GSRN,
    ("401",): Scheme.GINC,
    ("402",): Scheme.GSIN,
    ("8013",): Scheme.GMN,
    ("hex",): Scheme.HEX,
}
_SERIAL_AIS = ("21", "235", "8011", "254")
SERIAL_FROM = {  # where the serial starts inside the value
    Scheme.GRAI: ("8003", 14),
    Scheme.GDTI: ("253", 13),
    Scheme.SGCN: ("255", 13),
}
CLASSES = frozenset({Scheme.GTIN, Scheme.LGTIN, Scheme.GMN})
_CARRIERS = frozenset({Scheme.SSCC, Scheme.GRAI, Scheme.GIAI})
_NEEDS_SERIAL = frozenset({Scheme.ITIP, Scheme.CPI, *SERIAL_FROM})


@dataclass(frozen=True, slots=True)
class Key:
    """One GS1 key, valid in form and check digits: its scheme and its values by application identifier."""

    scheme: Scheme
    fields: tuple[tuple[str, str], ...]

    def value(self, ai: str) -> str | None:
        """The value of one application identifier, or None."""
        return next((value for name, value in self.fields if name == ai), None)

    @property
    def gtin(self) -> str | None:
        """GTIN-14 of the trade item; of an ITIP, the item it is a piece of."""
        piece = self.value("8006")
        return self.value("01") or (piece[:14] if piece else None)

    @property
    def lot(self) -> str | None:
        """Lot code, when the key is of a lot."""
        return self.value("10")

    @property
    def serial(self) -> str | None:
        """What tells one instance from another of its class; None where the whole key does, or nothing."""
        if self.scheme in SERIAL_FROM:
            ai, start = SERIAL_FROM[self.scheme]
            return (self.value(ai) or "")[start:] or None
        return next((value for name, value in self.fields if name in _SERIAL_AIS), None)

    @property
    def numeric_serial(self) -> int | None:
        """The serial as a number when it is one without leading zeros below 10^18: '007' is not '7'."""
        serial = self.serial
        return int(serial) if serial is not None and _NUMERIC_SERIAL.fullmatch(serial) else None

    @property
    def is_logistic(self) -> bool:
        """Whether it can carry things: SSCC, GRAI with serial, GIAI."""
        return self.scheme in _CARRIERS and self.is_instance

    @property
    def is_instance(self) -> bool:
        """Whether it names one thing, not a class or a lot."""
        if self.scheme in _NEEDS_SERIAL:
            return self.serial is not None
        return self.scheme not in CLASSES

    def __str__(self) -> str:
        return format_key(self)


def escape(value: str) -> str:
    """A value as a path segment: unreserved characters of RFC 3986 kept, everything else %XX upper case."""
    return quote(value, safe="")


def unescape(text: str) -> str:
    """The value of a path segment; what is no escape stays as it is, bytes above 7F fail later as characters."""
    return unquote(text, encoding="latin-1")


def build_key(fields: tuple[tuple[str, str], ...], *, where: str) -> Key:
    """The key of these values. Raises IdentifierInvalid (form, or a value's own rule)."""
    scheme = FORMS.get(tuple(ai for ai, _ in fields))
    if scheme is None:
        raise IdentifierInvalid(Rule.FORM, "a GS1 key", " ".join(f"({ai})" for ai, _ in fields) or "nothing", where)
    if scheme is Scheme.HEX:
        return Key(scheme, (("hex", _require_hex(fields[0][1], where)),))
    for ai, value in fields:
        if ai == "01" and len(value) != 14:
            raise IdentifierInvalid(Rule.LENGTH, "a GTIN of 14 digits", repr(value), where)
        require_key_value(SPECS[ai], value)
    return Key(scheme, fields)


def parse_key(text: str) -> Key:
    """The key whose canonical text this is (escapes may be written in lower case or left out).

    Raises IdentifierInvalid.
    """
    parts = text.split("/")
    if len(parts) % 2:
        raise IdentifierInvalid(Rule.FORM, "AI/value pairs", repr(text), text)
    fields = tuple((ai, unescape(value)) for ai, value in zip(parts[::2], parts[1::2], strict=True))
    return build_key(fields, where=text)


def format_key(key: Key) -> str:
    """The canonical text: a Digital Link path without domain and leading slash."""
    return "/".join(f"{ai}/{escape(value)}" for ai, value in key.fields)


@lru_cache(maxsize=1 << 16)
def lot_key(gtin: str, lot: str) -> str:
    """The lot key of a GTIN (8, 12, 13 or 14 digits, check digit verified) and a lot code, whole.

    Raises IdentifierInvalid.
    """
    return f"01/{gtin14(gtin)}/10/{escape(require_value(SPECS['10'], lot))}"


def split_lot_key(key: str) -> tuple[str, str]:
    """(GTIN-14, lot code) of a lot key. Raises IdentifierInvalid (form) for any other key."""
    parsed = parse_key(key)
    gtin, lot = parsed.value("01"), parsed.value("10")
    if gtin is None or lot is None:
        raise IdentifierInvalid(Rule.FORM, "a lot key 01/{gtin14}/10/{lot}", repr(key), key)
    return gtin, lot


def _require_hex(text: str, where: str) -> str:
    if not _HEX.fullmatch(text) or len(text) > _HEX_LONGEST:
        raise IdentifierInvalid(Rule.CHARACTERS, f"1 to {_HEX_LONGEST} hexadecimal digits", repr(text), where)
    return text.upper()
