"""Instants of EPCIS: RFC 3339 with an offset, to microseconds of UTC and to the form of the event hash."""

import re
from datetime import UTC, date, datetime, timedelta

_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_instant(text: str) -> int:
    """Microseconds since the epoch of a date and time with its offset; finer digits are cut off.

    Raises ValueError with what was expected.
    """
    seconds, fraction = _seconds(text)
    return seconds * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def canonical_instant(text: str) -> str:
    """`YYYY-MM-DDTHH:MM:SS.mmmZ`, the fourth digit of the fraction rounded half up (CBV 2.0, event hash).

    Raises ValueError.
    """
    seconds, fraction = _seconds(text)
    milliseconds = seconds * 1000 + int(fraction[:3].ljust(3, "0")) + (fraction[3:4] >= "5")
    whole, rest = divmod(milliseconds, 1000)
    try:
        instant = _EPOCH + timedelta(seconds=whole)
    except OverflowError:
        raise ValueError(f"Expected a year from 0001 to 9999, got {text!r}.") from None
    return f"{instant.isoformat()[:19]}.{rest:03d}Z"


def parse_day(text: str) -> date:
    """The calendar day of an xsd:date or of a date and time, as its writer's clock shows it. Raises ValueError."""
    found = _DATE.fullmatch(text) or _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError(f"Expected a date YYYY-MM-DD, got {text!r}.")
    return _checked_day(found, text)


def _checked_day(found: re.Match[str], text: str) -> date:
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise ValueError(f"Expected a day of the calendar, got {text!r}.") from None


def _seconds(text: str) -> tuple[int, str]:
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError(f"Expected a date and time with its offset (RFC 3339), got {text!r}.")
    hour, minute, second, fraction, sign, off_hour, off_minute = found.groups()[3:]
    days = (_checked_day(found, text) - date(1970, 1, 1)).days
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        raise ValueError(f"Expected a time of day up to 23:59:59, got {text!r}.")
    offset = 0
    if sign:
        if int(off_hour) > 14 or int(off_minute) > 59:
            raise ValueError(f"Expected an offset up to 14:00, got {text!r}.")
        offset = (int(off_hour) * 3600 + int(off_minute) * 60) * (1 if sign == "+" else -1)
    return days * 86_400 + int(hour) * 3600 + int(minute) * 60 + int(second) - offset, fraction or ""
