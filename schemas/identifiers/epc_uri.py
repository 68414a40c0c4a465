"""EPC URIs and class URNs: pure identity, tag, class and pattern forms to keys, and back.

EPC Tag Data Standard 2.x, section 6 (pure identity), 12 (tag URI); CBV 2.0, section 8.3 (classes).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from lotstream.schemas.identifiers.checks import check_digit
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule
from lotstream.schemas.identifiers.foreign import FOREIGN_SCHEMES, foreign_hex
from lotstream.schemas.identifiers.keys import SERIAL_FROM, Key, build_key, format_key, unescape

Fields = tuple[tuple[str, str], ...]
_BODY = re.compile(r"(?:[0-9A-Za-z!'()*+,\-.:;=_]|%[0-9A-Fa-f]{2})+", re.ASCII)
_DIGITS = re.compile(r"[0-9]*", re.ASCII)
_TAG_SCHEMES = re.compile(
    r"(sgtin-(?:96|198)|sscc-96|sgln-(?:96|195)|grai-(?:96|170)|giai-(?:96|202)|gsrnp?-96|gdti-(?:96|113|174)"
    r"|cpi-(?:96|var)|sgcn-96|itip-(?:110|212)|gid-96|usdod-96|adi-var)"
)
_SERIAL_BITS = {
    "sgtin-96": 38,
    "grai-96": 38,
    "itip-110": 38,
    "sgln-96": 41,
    "gdti-96": 41,
    "cpi-96": 31,
    "cpi-var": 40,
}
_FILTERS = {"adi": 63, "usdod": 15}  # greatest filter value; 7 elsewhere
_NUMBER = re.compile(r"0|[1-9][0-9]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Form:
    """How the parts of a URI between dots make up a key: `digits` of prefix and reference together."""

    parts: int
    digits: int | None
    build: Callable[[list[str]], Fields]


def _gtin(prefix: str, item: str) -> str:
    digits = f"{item[0]}{prefix}{item[1:]}"
    return f"{digits}{check_digit(digits)}"


def _checked(digits: str) -> str:
    return f"{digits}{check_digit(digits)}"


def _sscc(parts: list[str]) -> Fields:
    prefix, serial = parts
    return (("00", _checked(f"{serial[0]}{prefix}{serial[1:]}")),)


def _sgln(parts: list[str]) -> Fields:
    gln = ("414", _checked(parts[0] + parts[1]))
    return (gln,) if parts[2] == "0" else (gln, ("254", parts[2]))


def _itip(parts: list[str]) -> Fields:
    prefix, item, piece, total, serial = parts
    if not (len(piece) == len(total) == 2):
        raise IdentifierInvalid(Rule.LENGTH, "piece and total of two digits", f"{piece}.{total}", ".".join(parts))
    return (("8006", _gtin(prefix, item) + piece + total), ("21", serial))


_FORMS: dict[str, _Form] = {
    "sgtin": _Form(3, 13, lambda p: (("01", _gtin(p[0], p[1])), ("21", p[2]))),
    "lgtin": _Form(3, 13, lambda p: (("01", _gtin(p[0], p[1])), ("10", p[2]))),
    "upui": _Form(3, 13, lambda p: (("01", _gtin(p[0], p[1])), ("235", p[2]))),
    "itip": _Form(5, 13, _itip),
    "sscc": _Form(2, 17, _sscc),
    "sgln": _Form(3, 12, _sgln),
    "pgln": _Form(2, 12, lambda p: (("417", _checked(p[0] + p[1])),)),
    "grai": _Form(3, 12, lambda p: (("8003", f"0{_checked(p[0] + p[1])}{p[2]}"),)),
    "gdti": _Form(3, 12, lambda p: (("253", _checked(p[0] + p[1]) + p[2]),)),
    "sgcn": _Form(3, 12, lambda p: (("255", _checked(p[0] + p[1]) + p[2]),)),
    "giai": _Form(2, None, lambda p: (("8004", p[0] + p[1]),)),
    "ginc": _Form(2, None, lambda p: (("401", p[0] + p[1]),)),
    "gsin": _Form(2, 16, lambda p: (("402", _checked(p[0] + p[1])),)),
    "gsrn": _Form(2, 17, lambda p: (("8018", _checked(p[0] + p[1])),)),
    "gsrnp": _Form(2, 17, lambda p: (("8017", _checked(p[0] + p[1])),)),
    "cpi": _Form(3, None, lambda p: (("8010", p[0] + p[1]), ("8011", p[2]))),
}


def epc_uri_to_key(uri: str) -> str:
    """The key of a pure identity URI or tag URI. Raises IdentifierInvalid."""
    kind, scheme, body = _split(uri, ("id", "tag"))
    if kind == "tag":
        return _tag_key(uri, scheme=scheme, body=body)
    return _pure_key(uri, scheme=scheme, body=body)


def class_urn_to_key(urn: str) -> str:
    """The lot key of `urn:epc:class:lgtin:…`, the class key of `urn:epc:idpat:…:prefix.reference.*`.

    Raises IdentifierInvalid; a pattern wider than one class is none.
    """
    kind, scheme, body = _split(urn, ("class", "idpat"))
    if (kind == "class") is not (scheme == "lgtin"):
        raise IdentifierInvalid(Rule.UNKNOWN_SCHEME, "urn:epc:class:lgtin:… or urn:epc:idpat:…", repr(urn), urn)
    if kind == "class":
        return format_key(_build(urn, scheme=scheme, body=body))
    if not body.endswith(".*"):
        return _pure_key(urn, scheme=scheme, body=body)
    anything = ".*.*.*" if scheme == "itip" and body.endswith(".*.*.*") else ".*"
    stand_in = body.removesuffix(anything) + anything.replace(".*", ".01")[:-2] + "1"
    return format_key(_class_of(_build(urn, scheme=scheme, body=stand_in), urn))


def _class_of(key: Key, urn: str) -> Key:
    ai, value = key.fields[0]
    if key.scheme in SERIAL_FROM:
        return build_key(((ai, value[: SERIAL_FROM[key.scheme][1]]),), where=urn)
    if len(key.fields) == 2:
        return build_key(key.fields[:1], where=urn)
    raise IdentifierInvalid(Rule.FORM, "a pattern of one class", repr(urn), urn)


def _split(uri: str, kinds: tuple[str, ...]) -> tuple[str, str, str]:
    parts = uri.split(":", 4)
    if len(parts) != 5 or parts[0].lower() != "urn" or parts[1].lower() != "epc" or parts[2].lower() not in kinds:
        raise IdentifierInvalid(Rule.FORM, f"urn:epc:{'|'.join(kinds)}:…", repr(uri), uri)
    return parts[2].lower(), parts[3].lower(), parts[4]


def _tag_key(uri: str, *, scheme: str, body: str) -> str:
    if not _TAG_SCHEMES.fullmatch(scheme):
        raise IdentifierInvalid(Rule.UNKNOWN_SCHEME, "an EPC tag scheme", repr(scheme), uri)
    pure = scheme.partition("-")[0]
    if pure != "gid":
        filter_value, _, body = body.partition(".")
        if not _NUMBER.fullmatch(filter_value) or int(filter_value) > _FILTERS.get(pure, 7):
            raise IdentifierInvalid(Rule.VALUE, "a filter value", repr(filter_value), uri)
    bits = _SERIAL_BITS.get(scheme)
    serial = body.rpartition(".")[2]
    if bits and (not _NUMBER.fullmatch(serial) or int(serial) >= 1 << bits):
        raise IdentifierInvalid(Rule.VALUE, f"a serial number of at most {bits} bits", repr(serial), uri)
    return _pure_key(uri, scheme=pure, body=body)


def _pure_key(uri: str, *, scheme: str, body: str) -> str:
    if scheme in FOREIGN_SCHEMES:
        return f"hex/{foreign_hex(f'urn:epc:id:{scheme}:{body}')}"
    if scheme == "lgtin":
        raise IdentifierInvalid(Rule.FORM, "a class URN for lgtin", repr(uri), uri)
    return format_key(_build(uri, scheme=scheme, body=body))


def _build(uri: str, *, scheme: str, body: str) -> Key:
    form = _FORMS.get(scheme)
    if form is None:
        raise IdentifierInvalid(Rule.UNKNOWN_SCHEME, "an EPC scheme with a key", repr(scheme), uri)
    parts = body.split(".", form.parts - 1)
    if len(parts) != form.parts or not _BODY.fullmatch(body):
        raise IdentifierInvalid(Rule.FORM, f"{form.parts} parts between dots", repr(body), uri)
    prefix = parts[0]
    if not 6 <= len(prefix) <= 12 or not _DIGITS.fullmatch(prefix):
        raise IdentifierInvalid(Rule.LENGTH, "a company prefix of 6 to 12 digits", repr(prefix), uri)
    if form.digits is not None:
        _require_reference(prefix, parts[1], digits=form.digits, uri=uri)
    if not all(parts[2:]):
        raise IdentifierInvalid(Rule.LENGTH, "a serial", "none", uri)
    return build_key(form.build([unescape(part) for part in parts]), where=uri)


def _require_reference(prefix: str, reference: str, *, digits: int, uri: str) -> None:
    if len(prefix) + len(reference) != digits or not _DIGITS.fullmatch(reference):
        raise IdentifierInvalid(
            Rule.LENGTH, f"company prefix and reference of {digits} digits", repr(f"{prefix}.{reference}"), uri
        )
