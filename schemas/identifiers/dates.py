"""Two-digit years, and dates whose day is 00 (General Specifications, sections 7.12 and 3.4)."""

from calendar import monthrange
from datetime import date

from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule

TODAY_YEAR = 2026  # callers that hold a receive stamp pass its year; the window is 50 years either way


def year_of(yy: int, *, today_year: int = TODAY_YEAR) -> int:
    """The year that two digits mean, seen from `today_year`: at most 49 years back, 50 ahead.

    The reading is a function of its arguments: a replay in another decade passes the same `today_year`.
    """
    if not 0 <= yy <= 99:
        raise ValueError(f"Expected a year of two digits, got {yy!r}.")
    century = today_year - today_year % 100
    ahead = yy - today_year % 100
    if ahead >= 51:
        return century - 100 + yy
    if ahead <= -50:
        return century + 100 + yy
    return century + yy


def parse_date(digits: str, *, today_year: int = TODAY_YEAR, day_zero: bool = True, where: str = "") -> date:
    """The date of YYMMDD (or YYYYMMDD). Day 00 is the last day of the month where `day_zero`.

    Raises IdentifierInvalid (date).
    """
    where = where or digits
    head = digits[:-4]
    month, day = int(digits[-4:-2]), int(digits[-2:])
    year = int(head) if len(head) == 4 else year_of(int(head), today_year=today_year)
    if not 1 <= month <= 12:
        raise IdentifierInvalid(Rule.DATE, "month 01 to 12", digits[-4:-2], where)
    if year == 0:
        raise IdentifierInvalid(Rule.DATE, "year 0001 to 9999", head, where)
    last = monthrange(year, month)[1]
    if day == 0 and day_zero:
        day = last
    if not 1 <= day <= last:
        raise IdentifierInvalid(Rule.DATE, f"day 01 to {last}", digits[-2:], where)
    return date(year, month, day)
