"""EPC schemes that are no GS1 keys (GID, USDOD, ADI): their key is the whole EPC in hexadecimal.

The filter bits of USDOD and ADI are set to zero in it: a filter value is no part of an identity, and one aircraft
part must have one key whether a tag was read or a pure identity URI came in an event.
"""

from enum import Enum
from typing import Any

from epcpy.epc_schemes.adi import ADI, ADIFilterValue
from epcpy.epc_schemes.gid import GID
from epcpy.epc_schemes.usdod import USDOD, USDODFilterValue
from epcpy.utils.common import ConvertException
from epcpy.utils.parsers import epc_pure_identity_to_tag_encodable, hex_to_tag_encodable

from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule

FOREIGN_SCHEMES = frozenset({"gid", "usdod", "adi"})
_FILTER_BITS = {"2F": 4, "3B": 6}
_FAILURES = (ConvertException, ValueError, KeyError, IndexError)
_FILTERS: dict[type, Enum] = {
    USDOD: USDODFilterValue("0"),
    ADI: ADIFilterValue("0"),
}


def foreign_hex(uri: str) -> str:
    """The EPC of a pure identity URI of one of these schemes, filter 0, upper case."""
    try:
        return _encode(epc_pure_identity_to_tag_encodable(uri))
    except _FAILURES as error:
        raise IdentifierInvalid(Rule.FORM, "an EPC URI of its scheme", repr(uri), uri) from error


def canonical_hex(epc: str) -> str:
    """The EPC with filter 0 when it is a valid USDOD-96 or ADI-var, else as it is.

    Valid means that its encoding gives back every bit but the filter: a tag of no EPC scheme keeps all of its own.
    """
    bits = _FILTER_BITS.get(epc[:2])
    if bits is None:
        return epc
    try:
        encoded = _encode(hex_to_tag_encodable(epc))
    except _FAILURES:
        return epc
    filter_mask = ((1 << bits) - 1) << (4 * len(epc) - 8 - bits)
    return encoded if len(encoded) == len(epc) and int(epc, 16) & ~filter_mask == int(encoded, 16) else epc


def _encode(scheme: Any) -> str:
    kind = type(scheme)
    coding = next(iter(kind.BinaryCodingScheme))
    if kind is GID:
        return str(scheme.hex(binary_coding_scheme=coding)).upper()
    return str(scheme.hex(binary_coding_scheme=coding, filter_value=_FILTERS[kind])).upper()
