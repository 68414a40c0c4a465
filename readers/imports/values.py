"""Cells as values: amounts, dates, identifiers, units. Each raises RowInvalid with what was expected."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from urllib.parse import quote

from lotstream.readers.imports.faults import RowInvalid
from lotstream.readers.imports.import_map import EXCEL, Dates, Numbers
from lotstream.readers.imports.tables import Cell
from lotstream.schemas.identifiers import IdentifierInvalid, gln, gtin14, lot_key

LONGEST = 200
_TOO_LARGE = Decimal(10**12)
_MILLIONTH = Decimal("0.000001")
_CONTROL = re.compile(r"[\x00-\x1f]")
_REC20 = re.compile(r"[A-Z0-9]{2,3}", re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s]+", re.ASCII)
_DAY_ZERO = datetime(1899, 12, 30)
_SERIALS = (20_000, 80_000)  # 1954 to 2119: what is outside is no date of goods
# what people write for the units of UN/CEFACT Rec 20 that goods are counted in
UNITS = {
    **dict.fromkeys(("kg", "kgs", "kilo", "kilogram", "kilogramm"), "KGM"),
    **dict.fromkeys(("g", "gr", "gram", "gramm"), "GRM"),
    **dict.fromkeys(("t", "to", "ton", "tonne"), "TNE"),
    **dict.fromkeys(("lb", "lbs", "pound"), "LBR"),
    **dict.fromkeys(("oz", "ounce"), "ONZ"),
    **dict.fromkeys(("l", "ltr", "liter", "litre"), "LTR"),
    **dict.fromkeys(("ml",), "MLT"),
    **dict.fromkeys(("m", "meter", "metre"), "MTR"),
    **dict.fromkeys(("pc", "pcs", "piece", "pieces", "ea", "each", "unit", "units", "st", "stk", "stück"), "H87"),
}


def text_of(value: Cell) -> str:
    """A cell as text, '' where there is nothing; whole numbers of a spreadsheet without a point.

    `="00123"`, which keeps leading zeros in Excel, is what it quotes.
    """
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = str(value).strip()
    return text[2:-1] if len(text) > 3 and text.startswith('="') and text.endswith('"') else text


def plain(value: Cell, column: str) -> str:
    """Text that is no formula. Raises RowInvalid."""
    text = text_of(value)
    if text.startswith("="):
        raise RowInvalid(column, "a value", f"the formula {text[:60]}")
    if len(text) > LONGEST or _CONTROL.search(text):
        raise RowInvalid(column, f"one line of at most {LONGEST} characters", text[:60])
    return text


def amount(value: Cell, column: str, *, numbers: Numbers) -> Decimal:
    """A number as the map says numbers are written; of spreadsheets a number as it is. Raises RowInvalid."""
    if isinstance(value, (bool, date | time)):
        raise RowInvalid(column, "a number", str(value))
    number = Decimal(repr(value)) if isinstance(value, int | float) else _written(plain(value, column), column, numbers)
    if not number.is_finite() or abs(number) >= _TOO_LARGE:
        raise RowInvalid(column, "a number below 10^12", str(value))
    exact = number.quantize(_MILLIONTH)
    if exact != number and not isinstance(value, float):
        raise RowInvalid(column, "at most 6 digits after the point", str(value))
    return exact.normalize()


def instant(value: Cell, column: str, *, dates: Dates, at: Cell = None) -> datetime:
    """The instant of a date or date and time, and of a time in a column of its own. Raises RowInvalid."""
    found = _local(value, column, dates)
    if at not in (None, ""):
        clock = at if isinstance(at, time) else _time(text_of(at), column)
        found = datetime.combine(found.date(), clock, found.tzinfo)
    elif isinstance(found, _Day):
        hour, minute = map(int, dates.of_day.split(":"))
        found = datetime(found.year, found.month, found.day, hour, minute)
    if found.tzinfo is None:
        found = found.replace(tzinfo=dates.time_zone)
    if not 1970 < found.year < 2100:
        raise RowInvalid(column, "a year from 1971 to 2099", str(value))
    return found


def day(value: Cell, column: str, *, dates: Dates) -> date:
    """A calendar day. Raises RowInvalid."""
    return _local(value, column, dates).date()


def gtin(text: str, column: str) -> str:
    """GTIN-14; zeros that a spreadsheet has eaten are not put back, the check digit says so. Raises RowInvalid."""
    try:
        return gtin14(text)
    except IdentifierInvalid as invalid:
        raise RowInvalid(column, invalid.expected, text) from None


def lot_uri(of: str, code: str, column: str) -> str:
    """The Digital Link of a lot of a GTIN. Raises RowInvalid."""
    try:
        return f"https://id.gs1.org/{lot_key(of, code)}"
    except IdentifierInvalid as invalid:
        raise RowInvalid(column, invalid.expected, code) from None


def place_uri(text: str, column: str, *, ai: str, codes: dict[str, str]) -> str:
    """The URI of a location (414) or party (417): a GLN, a URI, or a code that the map knows. Raises RowInvalid."""
    if not text:
        raise RowInvalid(column, "a location" if ai == "414" else "a party", "nothing")
    found = codes.get(text, text)
    if _URI.fullmatch(found):
        return found
    try:
        return f"https://id.gs1.org/{ai}/{gln(found)}"
    except IdentifierInvalid as invalid:
        if "*" in codes and text not in codes:
            return coded(codes["*"], text)
        looks = found.isdecimal() and len(found) == 13
        raise RowInvalid(column, invalid.expected if looks else "a GLN, a URI or a code of the map", text) from None


def coded(template: str, code: str) -> str:
    """A URI out of a code."""
    return template.replace("{code}", quote(code, safe="-._~"))


def unit(text: str, column: str, *, units: dict[str, str]) -> str:
    """The Rec 20 code of a unit of measure: as the map says, as people write it, or as it is. Raises RowInvalid."""
    found = units.get(text) or UNITS.get(text.casefold().rstrip(".")) or text
    if not _REC20.fullmatch(found):
        raise RowInvalid(column, "a unit of UN/CEFACT Rec 20 (KGM, H87) or one that the map names", text)
    return found


class _Day(datetime):
    """A date that came without a time of day."""


def _written(text: str, column: str, numbers: Numbers) -> Decimal:
    sign, digits = ("-", text[1:]) if text[:1] in ("-", "\u2212") else ("", text.removeprefix("+"))
    if digits.endswith("-") and not sign:  # as SAP writes it
        sign, digits = "-", digits[:-1]
    whole, point, rest = digits.strip().replace("\u00a0", " ").replace("\u202f", " ").partition(numbers.decimal)
    groups = whole.split(numbers.thousands) if numbers.thousands else [whole]
    grouped = len(groups) == 1 or (1 <= len(groups[0]) <= 3 and all(len(one) == 3 for one in groups[1:]))
    joined = "".join(groups)
    if not (grouped and _digits(joined) and (not point or _digits(rest))):
        shown = f"1{numbers.thousands}234{numbers.decimal}5"
        raise RowInvalid(column, f"a number like {shown}", text)
    return Decimal(f"{sign}{joined}.{rest or 0}")


def _digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _local(value: Cell, column: str, dates: Dates) -> datetime:
    if isinstance(value, datetime):
        midnight = value.time() == time.min and value.tzinfo is None
        return _Day(value.year, value.month, value.day) if midnight else value
    if isinstance(value, date):
        return _Day(value.year, value.month, value.day)
    if isinstance(value, bool | time):
        raise RowInvalid(column, "a date", str(value))
    text = plain(value, column)
    found = {one for form in dates.formats if (one := _parsed(text, form)) is not None}
    if len(found) > 1:
        shown = " or ".join(sorted({one.date().isoformat() for one in found}))
        raise RowInvalid(column, "a date that can be read in one way only", f"{text}: {shown}")
    if not found:
        raise RowInvalid(column, f"a date like {' or '.join(dates.formats)}", text or "nothing")
    return found.pop()


@lru_cache(maxsize=1 << 12)
def _parsed(text: str, form: str) -> datetime | None:
    if form == EXCEL:
        return _serial(text)
    try:
        found = datetime.strptime(text, form)
    except ValueError:
        return None
    timed = any(mark in form for mark in ("%H", "%I"))
    return found if timed else _Day(found.year, found.month, found.day)


def _serial(text: str) -> datetime | None:
    try:
        days = Decimal(text)
    except ArithmeticError:
        return None
    if not days.is_finite() or not _SERIALS[0] <= days <= _SERIALS[1]:
        return None
    found = _DAY_ZERO + timedelta(seconds=round(float(days) * 86_400))
    return found if days % 1 else _Day(found.year, found.month, found.day)


def _time(text: str, column: str) -> time:
    for form in ("%H:%M", "%H:%M:%S", "%H%M%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).time()
        except ValueError:
            continue
    raise RowInvalid(column, "a time like 14:30", text)
