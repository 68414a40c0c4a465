"""The + and ++ schemes of EPC Tag Data Standard 2.x: keys in decimal digits, and AIDC data behind the EPC.

Sections 14.5 and 14.6 of the standard. A ++ scheme adds a host name behind the key, which is no part of the identity.
"""

from lotstream.schemas.identifiers.ai import SPECS, AiSpec
from lotstream.schemas.identifiers.content import require_value
from lotstream.schemas.identifiers.epc_bits import EpcBits
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
Fields = tuple[tuple[str, str], ...]
PLUS_HEADERS = frozenset(_PLUS) | frozenset(_PLUS_PLUS)
_DATE_AIS = ("11", "13", "15", "16", "17", "7006", "7007")
_DATE_CHECKS = frozenset({"yymmdd", "yymmd0"})
_LONGEST_AI = 4


def decode_plus_key(epc: str) -> Key:
    """The key of an EPC with a + or ++ header, upper-case hexadecimal digits. Raises IdentifierInvalid."""
    return _head(epc)[0]


def decode_plus(epc: str) -> tuple[tuple[str, str], ...]:
    """Everything that such an EPC says, key first: its date, and the lot and other AIDC data behind it.

    The data behind the key is read up to the first AI whose packing is not known here, and never beyond it.
    Raises IdentifierInvalid.
    """
    key, dates, bits, has_tail = _head(epc)
    return (*key.fields, *dates, *(_tail(bits) if has_tail else ()))


def _head(epc: str) -> tuple[Key, Fields, EpcBits, bool]:
    """Key, dates, the reader behind the key, and whether AIDC data can be read there."""
    scheme = _PLUS.get(epc[:2]) or _PLUS_PLUS.get(epc[:2])
    if scheme is None:
        raise IdentifierInvalid(Rule.UNKNOWN_SCHEME, "a + scheme header", repr(epc[:2]), epc)
    bits = EpcBits(epc)
    bits.take(8)
    has_tail = bits.take(1) == 1
    bits.take(3)  # filter value: no part of the identity
    dates: Fields = ()
    if scheme == "dsgtin":
        kind = bits.take(4)
        if kind >= len(_DATE_AIS):
            raise IdentifierInvalid(Rule.VALUE, "a date type 0 to 6", str(kind), epc)
        dates = ((_DATE_AIS[kind], bits.date()),)
    key = build_key(_fields(scheme, bits), where=epc)
    if has_tail and epc[:2] in _PLUS_PLUS:
        has_tail = _skip_host(bits)
    return key, dates, bits, has_tail


def _fields(scheme: str, bits: EpcBits) -> Fields:
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


def _skip_host(bits: EpcBits) -> bool:
    """Move behind the host name; False where its packing has no length that could be skipped."""
    if bits.take(1) == 0:
        return False
    bits.take(7 * bits.take(6))
    return True


def _tail(bits: EpcBits) -> Fields:
    found: list[tuple[str, str]] = []
    while bits.has_more():
        spec = _next_ai(bits)
        value = None if spec is None else _packed(spec, bits)
        if spec is None or value is None:
            break
        found.append((spec.ai, require_value(spec, value)))
    return tuple(found)


def _next_ai(bits: EpcBits) -> AiSpec | None:
    """An AI is written digit by digit in four bits each; the set of AIs is prefix-free."""
    ai = bits.digits(2)
    while ai not in SPECS and len(ai) < _LONGEST_AI:
        ai += bits.digits(1)
    return SPECS.get(ai)


def _packed(spec: AiSpec, bits: EpcBits) -> str | None:
    """The value of one AI; None where its packing is none of these (TDS 2.x, table F)."""
    part, *more = spec.components
    if more:
        return None
    if part.charset == "X":
        return bits.text(part.longest.bit_length())
    if part.charset != "N":
        return None
    if _DATE_CHECKS.intersection(part.linters):
        return bits.date()
    if part.shortest != part.longest:
        return bits.numeric_text() if part.longest > 7 else None
    if "csum" in part.linters:
        return bits.digits(part.longest)
    return f"{bits.number(part.longest):0{part.longest}d}" if not part.linters else None
