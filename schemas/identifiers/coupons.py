"""The digits inside a North American coupon, AI (8110) and AI (8112), read field by field.

North American Coupon Application Guideline (GS1 US); General Specifications, sections 3.9.4 and 3.9.5.
"""

from dataclasses import dataclass

from lotstream.schemas.identifiers.checks import require_digits
from lotstream.schemas.identifiers.dates import parse_date
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule

_REQUIREMENT_CODES = "012349"
_NO_PREFIX = "9"


@dataclass(slots=True)
class _Cursor:
    """A place in the digits; each `take` moves it on or raises IdentifierInvalid."""

    digits: str
    where: str
    at: int = 0

    def take(self, count: int, what: str) -> str:
        piece = self.digits[self.at : self.at + count]
        if len(piece) < count:
            raise IdentifierInvalid(Rule.LENGTH, f"{count} digits of {what}", repr(self.digits[self.at :]), self.where)
        self.at += count
        return piece

    def choose(self, choices: str, what: str) -> str:
        digit = self.take(1, what)
        if digit not in choices:
            raise IdentifierInvalid(Rule.VALUE, f"{what} of {', '.join(choices)}", repr(digit), self.where)
        return digit

    def sized(self, sizes: str, what: str, *, plus: int = 0) -> str:
        """A value behind its own length indicator."""
        return self.take(int(self.choose(sizes, f"length of {what}")) + plus, what)

    @property
    def ended(self) -> bool:
        return self.at >= len(self.digits)

    def require_end(self) -> None:
        if not self.ended:
            raise IdentifierInvalid(Rule.LENGTH, "nothing more", repr(self.digits[self.at :]), self.where)


def require_coupon(text: str, where: str) -> None:
    """Check a coupon code (AI 8110). Raises IdentifierInvalid."""
    cursor = _Cursor(require_digits(text, where), where)
    cursor.sized("0123456", "company prefix", plus=6)
    cursor.take(6, "offer code")
    cursor.sized("12345", "save value")
    _requirement(cursor, "first purchase")
    dates: dict[str, str] = {}
    for field in "1234569":
        if not cursor.ended and cursor.digits[cursor.at] == field:
            cursor.take(1, "field number")
            _optional(field, cursor, dates=dates)
    cursor.require_end()
    if "3" in dates and "4" in dates and parse_date(dates["3"]) < parse_date(dates["4"]):
        raise IdentifierInvalid(Rule.DATE, f"an expiration not before {dates['4']}", repr(dates["3"]), where)


def require_positive_offer(text: str, where: str) -> None:
    """Check a positive offer file coupon (AI 8112). Raises IdentifierInvalid."""
    cursor = _Cursor(require_digits(text, where), where)
    cursor.choose("01", "format code")
    cursor.sized("0123456", "funder id", plus=6)
    cursor.take(6, "offer code")
    cursor.sized("0123456789", "serial number", plus=6)
    cursor.require_end()


def _requirement(cursor: _Cursor, what: str) -> None:
    cursor.sized("12345", f"{what} requirement")
    cursor.choose(_REQUIREMENT_CODES, f"{what} requirement code")
    cursor.take(3, f"{what} family code")


def _other_purchase(cursor: _Cursor, what: str) -> None:
    _requirement(cursor, what)
    size = cursor.choose("0123456" + _NO_PREFIX, f"length of {what} company prefix")
    if size != _NO_PREFIX:
        cursor.take(int(size) + 6, f"{what} company prefix")


def _optional(field: str, cursor: _Cursor, *, dates: dict[str, str]) -> None:
    if field == "1":
        cursor.choose("0123", "additional purchase rules code")
        _other_purchase(cursor, "second purchase")
    elif field == "2":
        _other_purchase(cursor, "third purchase")
    elif field in "34":
        dates[field] = cursor.take(6, "expiration date" if field == "3" else "start date")
        parse_date(dates[field], day_zero=False, where=cursor.where)
    elif field == "5":
        cursor.sized("0123456789", "serial number", plus=6)
    elif field == "6":
        cursor.sized("1234567", "retailer company prefix or GLN", plus=6)
    else:
        cursor.choose("01256", "save value code")
        cursor.choose("012", "save value applies to item")
        cursor.take(1, "store coupon flag")
        cursor.choose("01", "don't multiply flag")
