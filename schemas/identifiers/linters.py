"""The content checks named in the table of application identifiers, one function each.

Each takes the part of the value it looks at and the whole for the message, and raises IdentifierInvalid.
"""

import re
from collections.abc import Callable
from functools import partial

from lotstream.schemas.identifiers.checks import DIGITS, check_pair, require_check_digit
from lotstream.schemas.identifiers.codes import COUNTRIES, COUNTRY_NUMBERS, CURRENCY_NUMBERS
from lotstream.schemas.identifiers.coupons import require_coupon, require_positive_offer
from lotstream.schemas.identifiers.dates import parse_date
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule

_GCP_SHORTEST = 4
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{6,}")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _refuse(expected: str, got: str, *, where: str, rule: Rule = Rule.VALUE) -> None:
    raise IdentifierInvalid(rule, expected, repr(got), where)


def _csum(text: str, where: str) -> None:
    require_check_digit(text, where)


def _csumalpha(text: str, where: str) -> None:
    if len(text) < 2:
        _refuse("at least two check characters", text, where=where, rule=Rule.LENGTH)
    expected = check_pair(text[:-2])
    if text[-2:] != expected:
        raise IdentifierInvalid(Rule.CHECK_PAIR, f"check characters {expected}", text[-2:], where)


def _company_prefix(text: str, where: str, *, start: int) -> None:
    head = text[start : start + _GCP_SHORTEST]
    if len(head) < _GCP_SHORTEST or not DIGITS.issuperset(head):
        _refuse(f"a GS1 Company Prefix of at least {_GCP_SHORTEST} digits", head, where=where, rule=Rule.FORM)


def _date(text: str, where: str, *, day_zero: bool) -> None:
    parse_date(text, day_zero=day_zero, where=where)


def _below(text: str, where: str, *, limit: int, what: str) -> None:
    if int(text) >= limit:
        _refuse(f"{what} 00 to {limit - 1}", text, where=where, rule=Rule.DATE)


def _hhmi(text: str, where: str) -> None:
    _below(text[:2], where, limit=24, what="hour")
    _below(text[2:], where, limit=60, what="minute")


def _pattern(text: str, where: str, *, pattern: re.Pattern[str], what: str) -> None:
    if not pattern.fullmatch(text):
        _refuse(what, text, where=where)


def _one_of(text: str, where: str, *, words: frozenset[str], what: str) -> None:
    if text not in words:
        _refuse(what, text, where=where)


def _at_most(text: str, where: str, *, limit: int, what: str) -> None:
    if int(text) > limit:
        _refuse(f"{what} at most {limit}", text, where=where)


def _piece_of_total(text: str, where: str) -> None:
    piece, total = int(text[:2]), int(text[2:])
    if piece == 0 or total == 0 or piece > total:
        _refuse("a piece number of 01 to the total", text, where=where)


def _position(text: str, where: str) -> None:
    position, _, end = text.partition("/")
    if len(text) != 3 or not DIGITS.issuperset(position + end) or not position or not end:
        _refuse("a position such as 1/3", text, where=where)
    if position == "0" or end == "0" or int(position) > int(end):
        _refuse("a position of 1 to the last", text, where=where)


def _iban(text: str, where: str) -> None:
    if not _IBAN.fullmatch(text) or text[:2] not in COUNTRIES:
        _refuse("an IBAN", text, where=where)
    number = "".join(str(int(char, 36)) for char in text[4:] + text[:4])
    if int(number) % 97 != 1:
        raise IdentifierInvalid(Rule.CHECK_PAIR, "IBAN check digits that fit", text[2:4], where)


def _percent(text: str, where: str) -> None:
    if _PERCENT.search(text):
        _refuse("two hexadecimal digits after each %", text, where=where)


def _package_type(text: str, where: str) -> None:
    _pattern(text, where, pattern=re.compile(r"[0-9A-Z]{1,3}"), what="a package type code")


def _digit_of(text: str, where: str, *, digits: str) -> None:
    _one_of(text, where, words=frozenset(digits), what=f"one of {', '.join(digits)}")


_TOTAL_LETTERS = frozenset("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_MEDIA = frozenset(f"{number:02d}" for number in (*range(1, 11), *range(80, 100)))

LINTERS: dict[str, Callable[[str, str], None]] = {
    "csum": _csum,
    "csumalpha": _csumalpha,
    "gcppos1": partial(_company_prefix, start=0),
    "gcppos2": partial(_company_prefix, start=1),
    "yymmdd": partial(_date, day_zero=False),
    "yymmd0": partial(_date, day_zero=True),
    "yyyymmdd": partial(_date, day_zero=False),
    "hh": partial(_below, limit=24, what="hour"),
    "mi": partial(_below, limit=60, what="minute"),
    "ss": partial(_below, limit=60, what="second"),
    "hhmi": _hhmi,
    "zero": partial(_digit_of, digits="0"),
    "nonzero": partial(_pattern, pattern=re.compile(r"[0-9]*[1-9][0-9]*"), what="a number above zero"),
    "nozeroprefix": partial(_pattern, pattern=re.compile(r"0|[1-9][0-9]*"), what="no leading zero"),
    "hasnondigit": partial(_pattern, pattern=re.compile(r".*[^0-9].*"), what="a character that is no digit"),
    "yesno": partial(_digit_of, digits="01"),
    "winding": partial(_digit_of, digits="019"),
    "iso5218": partial(_digit_of, digits="0129"),
    "hyphen": partial(_digit_of, digits="-"),
    "importeridx": partial(_one_of, words=_TOTAL_LETTERS, what="an importer index character"),
    "mediatype": partial(_one_of, words=_MEDIA, what="an AIDC media type"),
    "packagetype": _package_type,
    "iso3166": partial(_one_of, words=COUNTRY_NUMBERS, what="an ISO 3166 country number"),
    "iso3166999": partial(_one_of, words=COUNTRY_NUMBERS | {"999"}, what="an ISO 3166 country number or 999"),
    "iso3166alpha2": partial(_one_of, words=COUNTRIES, what="an ISO 3166 country code"),
    "iso4217": partial(_one_of, words=CURRENCY_NUMBERS, what="an ISO 4217 currency number"),
    "latitude": partial(_at_most, limit=1_800_000_000, what="a latitude of"),
    "longitude": partial(_at_most, limit=3_600_000_000, what="a longitude of"),
    "pieceoftotal": _piece_of_total,
    "posinseqslash": _position,
    "iban": _iban,
    "pcenc": _percent,
    "couponcode": require_coupon,
    "couponposoffer": require_positive_offer,
}
