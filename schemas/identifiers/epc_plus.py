"""The + and ++ schemes of EPC Tag Data Standard 2.x: keys in decimal digits, and AIDC data behind the EPC.

Sections 14.5 and 14.6 of the standard. A ++ scheme adds a host name behind the key, which is no part of the identity.
"""

from dataclasses import dataclass, field

from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule
from lotstream.schemas.identifiers.keys import Key, build_key

_PLUS = {
    "F7": "sgtin", "FB": "dsgtin", "F9": "sscc", "F2": "sgln", "F1": "grai", "FA": "giai",
    "F4": "gsrn", "F5": "gsrnp", "F6": "gdti", "F0": "cpi", "F8": "sgcn", "F3": "itip",
}  # fmt: skip
_PLUS_PLUS = {
    "FD": "sgtin", "FC": "dsgtin", "EF": "sscc", "E9": "sgln", "EB": "grai", "EE": "giai",
    "E7": "gsrn", "E8": "gsrnp", "EA": "gdti", "E6": "cpi", "EC": "sgcn", "ED": "itip",
}  # fmt: skip
PLUS_HEADERS = frozenset(_PLUS) | frozenset(_PLUS_PLUS)
_DATE_AIS = ("11", "13", "15", "16", "17", "7006", "7007")
_TAIL_DATES = frozenset({"11", "13", "15", "16", "17"})
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_CODE40 = "\0ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"
_TEXT_END, _NUMBER_END = 14, 15


@dataclass(frozen=True, slots=True)
class PlusEpc:
    """What a + EPC says: the key, and the lot and dates that came with it ({AI: YYMMDD})."""

    key: Key
    lot: str | None = None
    dates: dict[str, str] = field(default_factory=dict)


class _Bits:
    """A place in the bits of an EPC; each `take` moves it on or raises IdentifierInvalid."""

    __slots__ = ("at", "bits", "epc")

    def __init__(self, epc: str) -> None:
        self.epc = epc
        self.bits = f"{int(epc, 16):0{4 * len(epc)}b}"
        self.at = 0

    def take(self, count: int) -> int:
        piece = self.bits[self.at : self.at + count]
        if len(piece) < count:
            raise IdentifierInvalid(Rule.LENGTH, f"{count} more bits", str(len(piece)), self.epc)
        self.at += count
        return int(piece, 2) if piece else 0

    def left(self) -> int:
        return len(self.bits) - self.at

    def digits(self, count: int) -> str:
        found = [self.take(4) for _ in range(count)]
        if any(digit > 9 for digit in found):
            raise IdentifierInvalid(Rule.CHARACTERS, "decimal digits", "a digit above 9", self.epc)
        return "".join(map(str, found))

    def number(self, digits: int) -> int:
        """An integer in as many bits as the greatest number of so many digits needs."""
        return self.take((10**digits - 1).bit_length())

    def numeric_text(self) -> str:
        """A number with its leading zeros, behind a length of four bits."""
        count = self.take(4)
        value = f"{self.number(count):0{count}d}" if count else ""
        if len(value) > count:
            raise IdentifierInvalid(Rule.LENGTH, f"{count} digits", repr(value), self.epc)
        return value

    def text(self) -> str:
        """Characters behind an encoding indicator of three bits and a length of five."""
        encoding, count = self.take(3), self.take(5)
        if encoding == 0:
            return str(self.number(count))
        if encoding in (1, 2):
            found = "".join(f"{self.take(4):X}" for _ in range(count))
            return found if encoding == 1 else found.lower()
        if encoding == 3:
            return "".join(_BASE64[self.take(6)] for _ in range(count))
        if encoding == 4:
            return "".join(chr(self.take(7)) for _ in range(count))
        if encoding == 5:
            return self._code40(count)
        raise IdentifierInvalid(Rule.VALUE, "a text encoding 0 to 5", str(encoding), self.epc)

    def digits_then_text(self) -> str:
        """Digits up to a mark: F ends them, E leads on to text."""
        found = ""
        while (nibble := self.take(4)) < 10:
            found += str(nibble)
        if nibble == _NUMBER_END:
            return found
        if nibble == _TEXT_END:
            return found + self.text()
        raise IdentifierInvalid(Rule.CHARACTERS, "decimal digits", f"{nibble:X}", self.epc)

    def date(self) -> str:
        year, month, day = self.take(7), self.take(4), self.take(5)
        return f"{year:02d}{month:02d}{day:02d}"

    def _code40(self, count: int) -> str:
        found = ""
        while len(found) < count:
            triple = self.take(16) - 1
            first, rest = divmod(triple, 1600)
            found += _CODE40[first] + _CODE40[rest // 40] + _CODE40[rest % 40]
        return found[:count]


def decode_plus(epc: str) -> PlusEpc:
    """The key, lot and dates of an EPC with a + or ++ header, upper-case hexadecimal digits.

    Raises IdentifierInvalid.
    """
    scheme = _PLUS.get(epc[:2]) or _PLUS_PLUS.get(epc[:2])
    if scheme is None:
        raise IdentifierInvalid(Rule.UNKNOWN_SCHEME, "a + scheme header", repr(epc[:2]), epc)
    bits = _Bits(epc)
    bits.take(8)
    has_tail = bits.take(1) == 1
    bits.take(3)  # filter value
    dates: dict[str, str] = {}
    if scheme == "dsgtin":
        kind = bits.take(4)
        if kind >= len(_DATE_AIS):
            raise IdentifierInvalid(Rule.VALUE, "a date type 0 to 6", str(kind), epc)
        dates[_DATE_AIS[kind]] = bits.date()
    key = build_key(_fields(scheme, bits), where=epc)
    if epc[:2] in _PLUS_PLUS and has_tail:
        has_tail = _skip_host(bits)
    lot = _tail(bits, dates) if has_tail else None
    return PlusEpc(key, lot, dates)


def _fields(scheme: str, bits: _Bits) -> tuple[tuple[str, str], ...]:
    if scheme in ("sgtin", "dsgtin"):
        return (("01", bits.digits(14)), ("21", bits.text()))
    if scheme in ("sscc", "gsrn", "gsrnp"):
        return (({"sscc": "00", "gsrn": "8018", "gsrnp": "8017"}[scheme], bits.digits(18)),)
    if scheme == "sgln":
        gln, extension = ("414", bits.digits(13)), bits.text()
        return (gln,) if extension == "0" else (gln, ("254", extension))
    if scheme == "itip":
        return (("8006", bits.digits(18)), ("21", bits.text()))
    if scheme == "giai":
        return (("8004", bits.digits_then_text()),)
    if scheme == "cpi":
        return (("8010", bits.digits_then_text()), ("8011", bits.numeric_text()))
    if scheme == "sgcn":
        return (("255", bits.digits(13) + bits.numeric_text()),)
    ai, count = ("8003", 14) if scheme == "grai" else ("253", 13)
    return ((ai, bits.digits(count) + bits.text()),)


def _skip_host(bits: _Bits) -> bool:
    """Move behind the host name; False where its packing has no length that could be skipped."""
    if bits.take(1) == 0:
        return False
    bits.take(7 * bits.take(6))
    return True


def _tail(bits: _Bits, dates: dict[str, str]) -> str | None:
    """Lot and dates among the AIDC data behind the key; reading ends at the first other AI."""
    lot = None
    while bits.left() >= 16:
        ai = f"{bits.take(4):X}{bits.take(4):X}"
        if ai == "10":
            lot = bits.text()
        elif ai in _TAIL_DATES:
            dates[ai] = bits.date()
        else:
            break
    return lot
