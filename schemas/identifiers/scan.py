"""What a scanner sent, understood: symbology, elements, keys, lot, dates, amounts, warnings."""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from lotstream.schemas.identifiers.ai import SPECS
from lotstream.schemas.identifiers.amounts import Measure, Price, principal_amount, read_measures, read_prices
from lotstream.schemas.identifiers.checks import gtin14, sscc
from lotstream.schemas.identifiers.content import split_components
from lotstream.schemas.identifiers.dates import TODAY_YEAR, parse_date
from lotstream.schemas.identifiers.digital_link import parse_digital_link
from lotstream.schemas.identifiers.elements import (
    Elements,
    parse_bracketed,
    require_associations,
    require_no_conflict,
    require_signed_serial,
)
from lotstream.schemas.identifiers.epc import decode_epc
from lotstream.schemas.identifiers.epc_plus import PLUS_HEADERS, decode_plus
from lotstream.schemas.identifiers.epc_uri import class_urn_to_key, epc_uri_to_key
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule
from lotstream.schemas.identifiers.keys import FORMS, Key, build_key, format_key, lot_key, parse_key
from lotstream.schemas.identifiers.separators import DEFAULT_SEPARATORS, Separators, restore_fnc1
from lotstream.schemas.identifiers.swallowed import swallowed_ai
from lotstream.schemas.identifiers.symbology import Carries, Symbology, find_symbology, split_symbology

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_EPC = re.compile(r"[0-9A-Fa-f]{16,128}", re.ASCII)
_SUFFIX = "\r\n\t"  # what scanners add behind the data; no GS1 value can end in it
_COMPOSITE = "|]e0"
_GTIN_AIS = ("01", "02", "03")
_ITEM_AIS = ("8006", "8026")
_GTIN_LENGTHS = (8, 12, 13, 14)
_SSCC_LENGTH = 18


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan. `key` names one thing (or is None), `lot` is a lot key, `gtin` has 14 digits.

    `amount` is how much there is, six places, in `unit` (UN/CEFACT Rec 20); `dates` by AI, day 00 resolved;
    `count` is (37) or (30). `warnings` say what is legal but looks wrong.
    """

    symbology: str | None
    elements: Elements
    key: str | None = None
    lot: str | None = None
    sscc: str | None = None
    gtin: str | None = None
    serial: str | None = None
    dates: dict[str, date] = field(default_factory=dict)
    amount: Decimal | None = None
    unit: str | None = None
    count: int | None = None
    measures: tuple[Measure, ...] = ()
    prices: tuple[Price, ...] = ()
    warnings: tuple[str, ...] = ()


def parse_scan(
    data: str | bytes,
    *,
    symbology: str | None = None,
    today_year: int = TODAY_YEAR,
    separators: Separators = DEFAULT_SEPARATORS,
    whole_label: bool = True,
) -> Scan:
    """The meaning of scanner data: with a symbology identifier before it, beside it, or without one.

    `today_year` decides two-digit years; `whole_label=False` where the other symbols of the label are read by
    themselves, so that AIs may lack those they need. Raises IdentifierInvalid: no value is cut, guessed or mended.
    """
    text = _text(data)
    found, body = split_symbology(text)
    if found is None and symbology is not None:
        found = find_symbology(symbology)
    elements, hints = _elements(body, found, separators)
    require_no_conflict(elements)
    require_signed_serial(elements)
    if whole_label:
        require_associations(elements)
    return _scan(elements, None if found is None else found.code, today_year, hints)


def _text(data: str | bytes) -> str:
    # a byte that is no UTF-8 becomes a character that no AI allows, and is refused there
    text = data.decode("utf-8", errors="replace") if isinstance(data, bytes) else data
    text = text.rstrip(_SUFFIX)
    if not text:
        raise IdentifierInvalid(Rule.NOT_GS1, "scanner data", "nothing", repr(data))
    return text


def _elements(body: str, symbology: Symbology | None, separators: Separators) -> tuple[Elements, tuple[str, ...]]:
    """The elements, and warnings about how they were found."""
    if symbology is None:
        return _unmarked(body, separators)
    if symbology.carries is Carries.ELEMENTS:
        return restore_fnc1(body, separators)
    if symbology.carries is Carries.PLAIN:
        return _plain(body), ()
    length = 13 if symbology.carries is Carries.GTIN13 else 8
    primary, bar, composite = body.partition(_COMPOSITE)
    add_on = symbology.code == "E3"
    if len(primary) != length and not (add_on and len(primary) in (length + 2, length + 5)):
        raise IdentifierInvalid(Rule.LENGTH, f"{length} digits", str(len(primary)), body)
    elements: Elements = (("01", gtin14(primary[:length])),)
    return elements + (restore_fnc1(composite, separators)[0] if bar else ()), ()


def _plain(body: str) -> Elements:
    """A symbol that is no GS1 symbol by itself, but may hold a GTIN, a Digital Link or an EPC URI."""
    if body.startswith(("http://", "https://", "HTTP://", "HTTPS://")):
        return parse_digital_link(body)
    if body[:4].lower() == "urn:":
        return _urn(body)
    if body.startswith("("):
        return parse_bracketed(body)
    if _DIGITS.fullmatch(body) and len(body) in _GTIN_LENGTHS:
        return (("01", gtin14(body)),)
    raise IdentifierInvalid(Rule.NOT_GS1, "a GTIN, a Digital Link or an EPC URI", repr(body), body)


def _unmarked(body: str, separators: Separators) -> tuple[Elements, tuple[str, ...]]:
    """Without a symbology identifier: what it is shows in its form; bare digits by length and check digit."""
    if body.startswith(("http://", "https://", "HTTP://", "HTTPS://", "(")) or body[:4].lower() == "urn:":
        return _plain(body), ()
    if _DIGITS.fullmatch(body) and len(body) in _GTIN_LENGTHS:
        return (("01", gtin14(body)),), ()
    if _DIGITS.fullmatch(body) and len(body) == _SSCC_LENGTH and not body.startswith("01"):
        return (("00", sscc(body)),), ()
    try:
        return restore_fnc1(body, separators)
    except IdentifierInvalid:
        elements = _epc(body)
        if elements is None:
            raise
        return elements, ()


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
    if epc[:2] not in PLUS_HEADERS:
        return key.fields
    plus = decode_plus(epc)
    lot = () if plus.lot is None else (("10", plus.lot),)
    return (*key.fields, *lot, *plus.dates.items())


def _scan(elements: Elements, symbology: str | None, today_year: int, hints: tuple[str, ...]) -> Scan:
    values = dict(elements)
    key = _instance(elements)
    gtin = next((values[ai] for ai in _GTIN_AIS if ai in values), None)
    gtin = gtin or next((values[ai][:14] for ai in _ITEM_AIS if ai in values), None)
    lot = values.get("10")
    measures = read_measures(elements)
    principal = principal_amount(measures)
    count = values.get("37", values.get("30"))
    return Scan(
        symbology=symbology,
        elements=elements,
        key=None if key is None else format_key(key),
        lot=lot_key(gtin, lot) if gtin and lot else None,
        sscc=values.get("00"),
        gtin=gtin,
        serial=values.get("21", values.get("235")) if key is None else key.serial,
        dates=_dates(elements, today_year),
        amount=None if principal is None else principal.value,
        unit=None if principal is None else principal.unit,
        count=None if count is None else int(count),
        measures=measures,
        prices=read_prices(elements),
        warnings=(*hints, *_swallowed(elements)),
    )


def _instance(elements: Elements) -> Key | None:
    """The key of one thing: the first that the elements form."""
    values = dict(elements)
    for first in values:
        for form in FORMS:
            if form[0] == first and all(ai in values for ai in form):
                key = build_key(tuple((ai, values[ai]) for ai in form), where=first)
                if key.is_instance:
                    return key
    return None


def _dates(elements: Elements, today_year: int) -> dict[str, date]:
    found: dict[str, date] = {}
    for ai, value in elements:
        for part, piece in split_components(SPECS[ai], value):
            for linter in part.linters:
                if linter in ("yymmd0", "yymmdd", "yyyymmdd") and ai not in found:
                    found[ai] = parse_date(
                        piece, today_year=today_year, day_zero=linter == "yymmd0", where=f"({ai}){value}"
                    )
    return found


def _swallowed(elements: Elements) -> tuple[str, ...]:
    present = {ai for ai, _ in elements}
    found = []
    for ai, value in elements:
        inner = swallowed_ai(ai, value, present)
        if inner is not None:
            name = {"10": "lot", "21": "serial"}.get(ai, f"AI ({ai})")
            found.append(f"{name} {value} looks like it swallowed AI ({inner}): an FNC1 is missing")
    return tuple(found)
