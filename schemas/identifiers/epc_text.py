"""The EPC schemes whose serial is 7-bit text: SGTIN-198, SGLN-195, GRAI-170, GIAI-202, GDTI-174, ITIP-212.

EPC Tag Data Standard 2.x, section 14.6. Not left to the library: it leaves out zero characters, so that two serials
become one, and refuses serials that begin with a character it has to escape.
"""

from lotstream.schemas.identifiers.checks import check_digit
from lotstream.schemas.identifiers.epc96 import PREFIX_BITS, gtin_of, split_body
from lotstream.schemas.identifiers.keys import Key, build_key

Fields = tuple[tuple[str, str], ...]
_SIZES = {"36": 198, "37": 170, "38": 202, "39": 195, "3E": 174, "41": 212}
_TEXT_FROM = {"36": 58, "37": 58, "39": 55, "3E": 55, "41": 72}
TEXT_HEADERS = frozenset(_SIZES)


def decode_text(epc: str) -> Key | None:
    """The key of an EPC with one of these headers, upper-case hexadecimal digits; None when it is not valid.

    Raises IdentifierInvalid when the text holds a character that the key may not.
    """
    header = epc[:2]
    size = _SIZES[header]
    spare = 4 * len(epc) - size
    if spare < 0:
        return None
    bits = int(epc, 16) >> spare
    word = bits >> (size - 96)
    partition = (word >> 82) & 7
    if partition > 6:
        return None
    start = 14 + PREFIX_BITS[partition] if header == "38" else _TEXT_FROM[header]
    serial = _text(bits, size - start)
    fields = None if serial is None else _fields(header, word, serial=serial)
    return None if fields is None else build_key(fields, where=epc)


def _text(bits: int, length: int) -> str | None:
    """The characters in the lowest `length` bits, read from their left end; None where one follows the end."""
    codes = [bits >> shift & 0x7F for shift in range(length - 7, -1, -7)]
    text = bytes(codes).rstrip(b"\0").decode("ascii")
    return text if text and "\0" not in text and not bits & ((1 << length % 7) - 1) else None


def _fields(header: str, word: int, *, serial: str) -> Fields | None:
    if header in ("36", "41"):
        gtin = gtin_of(word)
        if gtin is None:
            return None
        if header == "36":
            return (("01", gtin), ("21", serial))
        piece, total = (word >> 31) & 0x7F, (word >> 24) & 0x7F
        return (("8006", f"{gtin}{piece:02d}{total:02d}"), ("21", serial)) if max(piece, total) < 100 else None
    if header == "38":
        prefix = _prefix(word)
        return None if prefix is None else (("8004", prefix + serial),)
    found = split_body(word, body=44 if header == "37" else 41, reference_digits=0)
    if found is None:
        return None
    digits = found[0] + found[1]
    checked = f"{digits}{check_digit(digits)}"
    if header == "37":
        return (("8003", f"0{checked}{serial}"),)
    if header == "3E":
        return (("253", checked + serial),)
    return (("414", checked),) if serial == "0" else (("414", checked), ("254", serial))


def _prefix(word: int) -> str | None:
    partition = (word >> 82) & 7
    prefix = (word >> (82 - PREFIX_BITS[partition])) & ((1 << PREFIX_BITS[partition]) - 1)
    return f"{prefix:0{12 - partition}d}" if prefix < 10 ** (12 - partition) else None
