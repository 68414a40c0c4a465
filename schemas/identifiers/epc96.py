"""SGTIN-96 and SSCC-96, one word at a time and by columns: nearly every tag at a dock door is one of the two.

EPC Tag Data Standard 2.x, sections 14.6.1 and 14.6.2. A word whose partition, company prefix or reference is out of
range is no EPC of the scheme: None.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lotstream.schemas.identifiers.checks import check_digit
from lotstream.schemas.identifiers.keys import Key, Scheme

WORD_DIGITS = 24

UInt = npt.NDArray[np.uint64]
Bool = npt.NDArray[np.bool_]

# bits of the company prefix by partition value; it has 12 - partition digits, and the reference has the rest of the
# body: 44 bits for a trade item or asset type, 41 for a location or document type, 58 for a serial reference
PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)
_ITEM_BODY, _SSCC_BODY = 44, 58
_BELOW_PARTITION = 82


def _column(values: Sequence[int]) -> UInt:
    return np.array(values, dtype=np.uint64)


_PREFIX_TEN = _column([10 ** (12 - p) for p in range(7)])
_ITEM_TEN = _column([10**p for p in range(7)])
_ITEM_LIMIT = _column([10 ** (p + 1) for p in range(7)])
_SSCC_TEN = _column([10 ** (p + 4) for p in range(7)])
_SSCC_LIMIT = _column([10 ** (p + 5) for p in range(7)])
_ITEM_BITS = _column([_ITEM_BODY - bits for bits in PREFIX_BITS])
_SSCC_REFERENCE_BITS = _column([_SSCC_BODY - bits for bits in PREFIX_BITS])
_ONE, _THREE, _TEN = np.uint64(1), np.uint64(3), np.uint64(10)


def split_body(word: int, *, body: int, reference_digits: int) -> tuple[str, str] | None:
    """(company prefix, reference) in the `body` bits below the partition value of a 96-bit word.

    The reference has `reference_digits` more than the partition value; None when one of them is out of range.
    """
    partition = (word >> _BELOW_PARTITION) & 7
    if partition > 6:
        return None
    tail = _BELOW_PARTITION - body
    reference_bits = body - PREFIX_BITS[partition]
    reference = (word >> tail) & ((1 << reference_bits) - 1)
    prefix = (word >> (tail + reference_bits)) & ((1 << PREFIX_BITS[partition]) - 1)
    digits = partition + reference_digits
    if prefix >= 10 ** (12 - partition) or reference >= 10**digits:
        return None
    return f"{prefix:0{12 - partition}d}", f"{reference:0{digits}d}" if digits else ""


def gtin_of(word: int) -> str | None:
    """GTIN-14 in the 58 highest bits of a 96-bit word: those of every SGTIN and ITIP scheme."""
    found = split_body(word, body=_ITEM_BODY, reference_digits=1)
    if found is None:
        return None
    prefix, item = found
    digits = f"{item[0]}{prefix}{item[1:]}"
    return f"{digits}{check_digit(digits)}"


def sgtin96(word: int) -> Key | None:
    """The key in a 96-bit word with header 30."""
    gtin = gtin_of(word)
    if gtin is None:
        return None
    return Key(Scheme.SGTIN, (("01", gtin), ("21", str(word & ((1 << 38) - 1)))))


def sscc96(word: int) -> Key | None:
    """The key in a 96-bit word with header 31."""
    found = split_body(word, body=_SSCC_BODY, reference_digits=5)
    if found is None:
        return None
    prefix, serial = found
    digits = f"{serial[0]}{prefix}{serial[1:]}"
    return Key(Scheme.SSCC, (("00", f"{digits}{check_digit(digits)}"),))


def words96(epcs: list[str]) -> tuple[UInt, UInt] | None:
    """High 64 and low 32 bits of each word; None when there is none, or one is not hexadecimal."""
    text = "".join(epcs)
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return None
    if not raw or 2 * len(raw) != len(text):
        return None
    columns = np.frombuffer(raw, dtype=">u4").reshape(-1, 3).astype(np.uint64)
    return (columns[:, 0] << np.uint64(32)) | columns[:, 1], columns[:, 2]


def _parts(body: UInt, partition: npt.NDArray[np.intp], *, bits: UInt) -> tuple[UInt, UInt]:
    width = bits[partition]
    return body >> width, body & ((_ONE << width) - _ONE)


def _partition(high: UInt) -> tuple[npt.NDArray[np.intp], Bool]:
    partition = ((high >> np.uint64(50)) & np.uint64(7)).astype(np.intp)
    return np.minimum(partition, 6), partition < 7


def _check_digits(numbers: UInt, digits: int) -> UInt:
    total = np.zeros(len(numbers), dtype=np.uint64)
    rest = numbers
    for place in range(digits):
        quotient = rest // _TEN
        total += (rest - quotient * _TEN) * (_THREE if place % 2 == 0 else _ONE)
        rest = quotient
    return (_TEN - total % _TEN) % _TEN


def sgtin96_columns(words: tuple[UInt, UInt]) -> list[str | None]:
    """The keys in words with header 30."""
    high, low = words
    partition, valid = _partition(high)
    prefix, item = _parts((high & np.uint64((1 << 50) - 1)) >> np.uint64(6), partition, bits=_ITEM_BITS)
    valid &= (prefix < _PREFIX_TEN[partition]) & (item < _ITEM_LIMIT[partition])
    ten = _ITEM_TEN[partition]
    indicator = item // ten
    number = indicator * np.uint64(10**12) + prefix * ten + (item - indicator * ten)
    gtin = number * _TEN + _check_digits(number, 13)
    serial = ((high & np.uint64(0x3F)) << np.uint64(32)) | low
    return [
        f"01/{g:014d}/21/{s}" if ok else None
        for g, s, ok in zip(gtin.tolist(), serial.tolist(), valid.tolist(), strict=True)
    ]


def sscc96_columns(words: tuple[UInt, UInt]) -> list[str | None]:
    """The keys in words with header 31."""
    high, low = words
    partition, valid = _partition(high)
    body = ((high & np.uint64((1 << 50) - 1)) << np.uint64(8)) | (low >> np.uint64(24))
    prefix, reference = _parts(body, partition, bits=_SSCC_REFERENCE_BITS)
    valid &= (prefix < _PREFIX_TEN[partition]) & (reference < _SSCC_LIMIT[partition])
    ten = _SSCC_TEN[partition]
    extension = reference // ten
    number = extension * np.uint64(10**16) + prefix * ten + (reference - extension * ten)
    check = _check_digits(number, 17)
    return [
        f"00/{n:017d}{c}" if ok else None
        for n, c, ok in zip(number.tolist(), check.tolist(), valid.tolist(), strict=True)
    ]
