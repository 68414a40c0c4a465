"""EPC binary to key, for every scheme of the EPC Tag Data Standard.

SGTIN-96 and SSCC-96 by `epc96`, the + schemes of TDS 2.x by `epc_plus`, all others by the library epcpy.
What is no valid EPC of a GS1 key keeps all of its bits: `hex/…`.
"""

from collections.abc import Sequence

from epcpy.utils.common import ConvertException
from epcpy.utils.parsers import hex_to_tag_encodable

from lotstream.schemas.identifiers.epc96 import (
    WORD_DIGITS,
    sgtin96,
    sgtin96_columns,
    sscc96,
    sscc96_columns,
    words96,
)
from lotstream.schemas.identifiers.epc_plus import PLUS_HEADERS, decode_plus_key
from lotstream.schemas.identifiers.epc_uri import epc_uri_to_key
from lotstream.schemas.identifiers.errors import IdentifierInvalid
from lotstream.schemas.identifiers.foreign import canonical_hex
from lotstream.schemas.identifiers.keys import Key, build_key, format_key, parse_key

_GDTI_113 = "3A"  # withdrawn in TDS 1.9, still on tags
_GIAI_202 = "38"
_TEXT = {"36": (58, 198), "39": (55, 195), "37": (58, 170), "3E": (55, 174), "41": (72, 212)}  # bits of 7-bit text
_GIAI_PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)
_GIAI_TEXT_END = 202
_LIBRARY_HEADERS = frozenset(
    {"2C", "2D", "2E", "32", "33", "34", "36", "37", "38", "39", "3C", "3D", "3E", "3F", "40", "41"}
)


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
        if header in PLUS_HEADERS:
            return decode_plus_key(epc)
        if header == _GDTI_113:
            return _gdti113(epc)
        if header in _LIBRARY_HEADERS and _text_ends_once(epc):
            return parse_key(epc_uri_to_key(hex_to_tag_encodable(epc).epc_uri))
    except (IdentifierInvalid, ConvertException, ValueError, KeyError, IndexError):
        return None
    return None


def epc_pure_uri(epc: str) -> str | None:
    """The pure identity URI in an EPC, whose bits know the length of the company prefix; None without one.

    The + schemes know none: their keys have no EPC URI.
    """
    whole = epc.upper()
    if whole[:2] not in _LIBRARY_HEADERS | {"30", "31"} or decode_epc(whole) is None:
        return None
    return str(hex_to_tag_encodable(whole).epc_uri)


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
    if len(epc) < 29:
        return None
    bits = f"{int(epc, 16):0{4 * len(epc)}b}"[:113]
    serial = str(int(bits[55:], 2))
    # header and filter as in GDTI-96, whose layout the first 55 bits share
    base = parse_key(epc_uri_to_key(hex_to_tag_encodable(f"{int('00101100' + bits[8:55] + '0' * 41, 2):024X}").epc_uri))
    if not serial.startswith("1") or len(serial) < 2:
        return None
    return build_key((("253", (base.value("253") or "")[:13] + serial[1:]),), where=epc)


def _text_ends_once(epc: str) -> bool:
    """Whether nothing follows the end of the 7-bit text: the library leaves zero characters out, AB0C is not ABC."""
    header = epc[:2]
    bits = f"{int(epc, 16):0{4 * len(epc)}b}"
    if header == _GIAI_202:
        start, end = 14 + _GIAI_PREFIX_BITS[int(bits[11:14], 2)], _GIAI_TEXT_END
    elif header in _TEXT:
        start, end = _TEXT[header]
    else:
        return True
    chars = [bits[at : at + 7] for at in range(start, end - 6, 7)]
    stop = chars.index("0000000") if "0000000" in chars else len(chars)
    return not any("1" in char for char in chars[stop:])
