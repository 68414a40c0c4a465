"""EPC binary to key, for every scheme of the EPC Tag Data Standard.

SGTIN-96 and SSCC-96 by `epc96`, serials of 7-bit text by `epc_text`, the + schemes of TDS 2.x by `epc_plus`, all
others by the library epcpy.
What is no valid EPC of a GS1 key keeps all of its bits: `hex/…`.
"""

from collections.abc import Sequence

from epcpy.utils.common import ConvertException
from epcpy.utils.parsers import hex_to_tag_encodable

from lotstream.schemas.identifiers.checks import check_digit
from lotstream.schemas.identifiers.epc96 import (
    WORD_DIGITS,
    sgtin96,
    sgtin96_columns,
    split_body,
    sscc96,
    sscc96_columns,
    words96,
)
from lotstream.schemas.identifiers.epc_plus import PLUS_HEADERS, decode_plus_key
from lotstream.schemas.identifiers.epc_text import TEXT_HEADERS, decode_text
from lotstream.schemas.identifiers.epc_uri import epc_uri_to_key
from lotstream.schemas.identifiers.epc_uri_format import key_to_epc_uri
from lotstream.schemas.identifiers.errors import IdentifierInvalid
from lotstream.schemas.identifiers.foreign import canonical_hex
from lotstream.schemas.identifiers.keys import Key, build_key, format_key, parse_key

_GDTI_113 = "3A"  # withdrawn in TDS 1.9, still on tags
_GDTI_113_BITS = 113
_LIBRARY_HEADERS = frozenset({"2C", "2D", "2E", "32", "33", "34", "3C", "3D", "3F", "40"})


def epc_to_key(epc: str) -> str:
    """The key of an EPC of hexadecimal digits (any case). Raises IdentifierInvalid when it is not hexadecimal."""
    whole = build_key((("hex", epc),), where=epc).fields[0][1]
    decoded = decode_epc(whole)
    return format_key(decoded) if decoded is not None else f"hex/{canonical_hex(whole)}"


def decode_epc(epc: str) -> Key | None:
    """The GS1 key in an EPC of upper-case hexadecimal digits; None when there is none, or it is not valid."""
    header = epc[:2]
    try:
        if header in ("30", "31"):
            if len(epc) < WORD_DIGITS:
                return None
            word = int(epc[:WORD_DIGITS], 16)
            return sgtin96(word) if header == "30" else sscc96(word)
        if header in TEXT_HEADERS:
            return decode_text(epc)
        if header in PLUS_HEADERS:
            return decode_plus_key(epc)
        if header == _GDTI_113:
            return _gdti113(epc)
        if header in _LIBRARY_HEADERS:
            return parse_key(epc_uri_to_key(hex_to_tag_encodable(epc).epc_uri))
    except (IdentifierInvalid, ConvertException, ValueError, KeyError, IndexError):
        return None
    return None


def epc_pure_uri(epc: str) -> str | None:
    """The pure identity URI in an EPC, whose bits know the length of the company prefix; None without one.

    The + schemes know none: their keys have no EPC URI.
    """
    whole = epc.upper()
    key = None if whole[:2] in PLUS_HEADERS else decode_epc(whole)
    if key is None:
        return None
    partition = (int(whole, 16) >> (4 * len(whole) - 14)) & 7
    return key_to_epc_uri(format_key(key), company_prefix_length=12 - partition)


def sgtin96_keys(epcs: Sequence[str]) -> list[str]:
    """The keys of many EPCs, in their order; SGTIN-96 and SSCC-96 by columns, the rest one by one.

    Raises IdentifierInvalid when one is not hexadecimal.
    """
    keys: list[str | None] = [None] * len(epcs)
    for header, decode in (("30", sgtin96_columns), ("31", sscc96_columns)):
        rows = [i for i, epc in enumerate(epcs) if len(epc) == WORD_DIGITS and epc.startswith(header)]
        words = words96([epcs[i] for i in rows])
        if words is not None:
            for i, key in zip(rows, decode(words), strict=True):
                keys[i] = key
    return [epc_to_key(epc) if key is None else key for epc, key in zip(epcs, keys, strict=True)]


def _gdti113(epc: str) -> Key | None:
    """GDTI-113: the serial is a number behind a leading 1, so that its zeros count."""
    spare = 4 * len(epc) - _GDTI_113_BITS
    if spare < 0:
        return None
    bits = int(epc, 16) >> spare
    found = split_body(bits >> (_GDTI_113_BITS - 96), body=41, reference_digits=0)
    serial = str(bits & ((1 << 58) - 1))
    if found is None or serial[0] != "1" or len(serial) < 2:
        return None
    digits = found[0] + found[1]
    return build_key((("253", f"{digits}{check_digit(digits)}{serial[1:]}"),), where=epc)
