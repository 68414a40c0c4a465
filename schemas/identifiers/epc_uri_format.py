"""Keys to EPC URIs. The length of the company prefix is not in a key and must be known: 6 to 12 digits."""

from collections.abc import Callable

from epcpy.utils.common import ConvertException
from epcpy.utils.parsers import hex_to_tag_encodable

from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule
from lotstream.schemas.identifiers.keys import Key, Scheme, parse_key

_ESCAPED = {ord(char): f"%{ord(char):02X}" for char in '"%&/<>?#'}


def key_to_epc_uri(key: str, *, company_prefix_length: int) -> str:
    """The pure identity URI of a key; of a lot or class, its class URN or pattern.

    Raises IdentifierInvalid when the key has no EPC URI, or is shorter than its prefix.
    """
    if not 6 <= company_prefix_length <= 12:
        raise IdentifierInvalid(Rule.VALUE, "a company prefix of 6 to 12 digits", str(company_prefix_length), key)
    parsed = parse_key(key)
    if parsed.scheme is Scheme.HEX:
        return _foreign(parsed.fields[0][1])
    build = _BUILDERS.get((parsed.scheme, parsed.is_instance))
    if build is None:
        raise IdentifierInvalid(Rule.UNKNOWN_SCHEME, "a key with an EPC URI", repr(key), key)
    return build(parsed, company_prefix_length)


def _foreign(epc: str) -> str:
    try:
        return str(hex_to_tag_encodable(epc).epc_uri)
    except (ConvertException, ValueError, KeyError, IndexError) as error:
        raise IdentifierInvalid(Rule.UNKNOWN_SCHEME, "an EPC of a known scheme", repr(epc), epc) from error


def _value(key: Key, ai: str) -> str:
    return key.value(ai) or ""


def _item(gtin: str, prefix: int) -> str:
    return f"{gtin[1 : 1 + prefix]}.{gtin[0]}{gtin[1 + prefix : 13]}"


def _escape(text: str) -> str:
    return text.translate(_ESCAPED)


def _with_serial(scheme: str, ai: str, *, urn: str = "id") -> Callable[[Key, int], str]:
    """A GTIN and one more value."""

    def build(key: Key, prefix: int) -> str:
        return f"urn:epc:{urn}:{scheme}:{_item(_value(key, '01'), prefix)}.{_escape(_value(key, ai))}"

    return build


def _checked(scheme: str, ai: str, *, start: int, end: int, instance: bool) -> Callable[[Key, int], str]:
    """Prefix and reference from `start` to before the check digit at `end`, then what follows it, or a star."""

    def build(key: Key, prefix: int) -> str:
        value = _value(key, ai)
        tail = _escape(value[end + 1 :]) if instance else "*"
        urn = "id" if instance else "idpat"
        return f"urn:epc:{urn}:{scheme}:{value[start : start + prefix]}.{value[start + prefix : end]}.{tail}"

    return build


def _plain(scheme: str, ai: str, *, end: int | None = None) -> Callable[[Key, int], str]:
    """Prefix and the rest, without the check digit at `end` where there is one."""

    def build(key: Key, prefix: int) -> str:
        value = _value(key, ai)[:end]
        if len(value) <= prefix and scheme != "pgln":
            raise IdentifierInvalid(Rule.LENGTH, f"more than {prefix} characters", repr(value), str(key))
        return f"urn:epc:id:{scheme}:{value[:prefix]}.{_escape(value[prefix:])}"

    return build


def _sscc(key: Key, prefix: int) -> str:
    value = _value(key, "00")
    return f"urn:epc:id:sscc:{value[1 : 1 + prefix]}.{value[0]}{value[1 + prefix : 17]}"


def _sgln(key: Key, prefix: int) -> str:
    gln = _value(key, "414")
    return f"urn:epc:id:sgln:{gln[:prefix]}.{gln[prefix:12]}.{_escape(key.value('254') or '0')}"


def _itip(key: Key, prefix: int) -> str:
    piece = _value(key, "8006")
    return f"urn:epc:id:itip:{_item(piece, prefix)}.{piece[14:16]}.{piece[16:]}.{_escape(_value(key, '21'))}"


def _cpi(key: Key, prefix: int) -> str:
    part = _value(key, "8010")
    return f"urn:epc:id:cpi:{part[:prefix]}.{_escape(part[prefix:])}.{_value(key, '8011')}"


def _gtin(key: Key, prefix: int) -> str:
    return f"urn:epc:idpat:sgtin:{_item(_value(key, '01'), prefix)}.*"


_BUILDERS: dict[tuple[Scheme, bool], Callable[[Key, int], str]] = {
    (Scheme.SGTIN, True): _with_serial("sgtin", "21"),
    (Scheme.UPUI, True): _with_serial("upui", "235"),
    (Scheme.LGTIN, False): _with_serial("lgtin", "10", urn="class"),
    (Scheme.GTIN, False): _gtin,
    (Scheme.SSCC, True): _sscc,
    (Scheme.SGLN, True): _sgln,
    (Scheme.PGLN, True): _plain("pgln", "417", end=12),
    (Scheme.GRAI, True): _checked("grai", "8003", start=1, end=13, instance=True),
    (Scheme.GRAI, False): _checked("grai", "8003", start=1, end=13, instance=False),
    (Scheme.GDTI, True): _checked("gdti", "253", start=0, end=12, instance=True),
    (Scheme.GDTI, False): _checked("gdti", "253", start=0, end=12, instance=False),
    (Scheme.SGCN, True): _checked("sgcn", "255", start=0, end=12, instance=True),
    (Scheme.SGCN, False): _checked("sgcn", "255", start=0, end=12, instance=False),
    (Scheme.GIAI, True): _plain("giai", "8004"),
    (Scheme.GINC, True): _plain("ginc", "401"),
    (Scheme.GSIN, True): _plain("gsin", "402", end=16),
    (Scheme.GSRN, True): _plain("gsrn", "8018", end=17),
    (Scheme.GSRNP, True): _plain("gsrnp", "8017", end=17),
    (Scheme.ITIP, True): _itip,
    (Scheme.CPI, True): _cpi,
}
