"""What a scanner sent, understood: symbology, elements, keys, lot, dates, amounts, warnings."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from lotstream.schemas.identifiers.ai import SPECS
from lotstream.schemas.identifiers.amounts import Measure, Price, principal_amount, read_measures, read_prices
from lotstream.schemas.identifiers.content import split_components
from lotstream.schemas.identifiers.dates import TODAY_YEAR, parse_date
from lotstream.schemas.identifiers.elements import (
    Elements,
    require_associations,
    require_no_conflict,
    require_signed_serial,
)
from lotstream.schemas.identifiers.keys import CLASSES, FORMS, Key, Scheme, build_key, format_key, lot_key
from lotstream.schemas.identifiers.scan_read import Found, Written, read_elements, scanner_text
from lotstream.schemas.identifiers.separators import DEFAULT_SEPARATORS, Separators
from lotstream.schemas.identifiers.swallowed import swallowed_ai
from lotstream.schemas.identifiers.symbology import find_symbology, split_symbology

_GTIN_AIS = ("01", "02", "03")
_ITEM_AIS = ("8006", "8026")
_GOODS = frozenset({"00", "01", "02", "03", "8006", "8026"})
_THINGS = {
    first: tuple((form, scheme) for form, scheme in FORMS.items() if form[0] == first and scheme not in CLASSES)
    for first in {form[0] for form in FORMS}
}
_PLACES = frozenset({Scheme.SGLN, Scheme.PGLN})


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
    written: Written = Written.ELEMENT_STRING


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
    symbol, body = split_symbology(scanner_text(data))
    if symbol is None and symbology is not None:
        symbol = find_symbology(symbology)
    found = read_elements(body, symbol, separators=separators)
    require_no_conflict(found.elements)
    require_signed_serial(found.elements)
    if whole_label:
        require_associations(found.elements)
    return _scan(found, None if symbol is None else symbol.code, today_year=today_year)


def _scan(found: Found, symbology: str | None, *, today_year: int) -> Scan:
    elements = found.elements
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
        warnings=(*found.warnings, *_swallowed(elements)),
        written=found.written,
    )


def _instance(elements: Elements) -> Key | None:
    """The key of one thing: the first that the elements form; a place only where they name no goods."""
    values = dict(elements)
    has_goods = not _GOODS.isdisjoint(values)
    for first in values:
        for form, scheme in _THINGS.get(first, ()):
            if (has_goods and scheme in _PLACES) or not all(ai in values for ai in form):
                continue
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
        inner = swallowed_ai(ai, value, present=present)
        if inner is not None:
            name = {"10": "lot", "21": "serial"}.get(ai, f"AI ({ai})")
            found.append(f"{name} {value} looks like it swallowed AI ({inner}): an FNC1 is missing")
    return tuple(found)
