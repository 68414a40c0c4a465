"""Check digits, check character pairs and the character sets of GS1 (General Specifications, section 7.9 and 7.11)."""

import re

from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule

CSET39 = frozenset("#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
CSET64 = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_=")
CSET82_TEXT = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
CSET82 = frozenset(CSET82_TEXT)
DIGITS = frozenset("0123456789")

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
_PAIR_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GTIN_LENGTHS = re.compile(r"[0-9]{8}|[0-9]{12,14}", re.ASCII)


def check_digit(digits: str) -> int:
    """The modulo-10 check digit that follows `digits`, which come without it."""
    require_digits(digits, digits)
    backwards = digits[::-1]
    total = 3 * sum(map(int, backwards[::2])) + sum(map(int, backwards[1::2]))
    return -total % 10


def require_digits(text: str, where: str) -> str:
    """`text` when it is one or more ASCII digits. Raises IdentifierInvalid (characters)."""
    if not text or not DIGITS.issuperset(text):
        raise IdentifierInvalid(Rule.CHARACTERS, "digits 0-9 only", repr(text), where)
    return text


def require_check_digit(text: str, where: str) -> str:
    """`text` when its last digit is its check digit. Raises IdentifierInvalid (check_digit, characters)."""
    require_digits(text, where)
    expected = check_digit(text[:-1]) if len(text) > 1 else -1
    if int(text[-1]) != expected:
        raise IdentifierInvalid(Rule.CHECK_DIGIT, f"check digit {expected}", text[-1], where)
    return text


def gtin14(gtin: str) -> str:
    """GTIN-8, -12, -13 or -14 as GTIN-14, its check digit verified."""
    if not _GTIN_LENGTHS.fullmatch(gtin):
        raise IdentifierInvalid(Rule.LENGTH, "a GTIN of 8, 12, 13 or 14 digits", repr(gtin), gtin)
    return require_check_digit(gtin, gtin).zfill(14)


def gtin(text: str) -> str:
    """GTIN-14 of a GTIN; the same as `gtin14`, by its field's name."""
    return gtin14(text)


def sscc(text: str) -> str:
    """An SSCC of 18 digits, its check digit verified."""
    return _of_length(text, 18, what="an SSCC of 18 digits")


def gln(text: str) -> str:
    """A GLN of 13 digits, its check digit verified."""
    return _of_length(text, 13, what="a GLN of 13 digits")


def check_pair(text: str) -> str:
    """The two check characters that follow `text` in a GMN (General Specifications, section 7.9.5)."""
    total = sum(CSET82_TEXT.index(char) * prime for char, prime in zip(reversed(text), _PRIMES, strict=False))
    total %= 1021
    return _PAIR_ALPHABET[total >> 5] + _PAIR_ALPHABET[total & 31]


def _of_length(text: str, length: int, *, what: str) -> str:
    if len(text) != length or not DIGITS.issuperset(text):
        raise IdentifierInvalid(Rule.LENGTH, what, repr(text), text)
    return require_check_digit(text, text)
