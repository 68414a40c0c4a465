"""What a scanner would send for these elements: for simulators, replays and labels under test."""

from lotstream.schemas.identifiers.checks import gtin14
from lotstream.schemas.identifiers.elements import FNC1, Elements, format_raw
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule
from lotstream.schemas.identifiers.symbology import Carries, find_symbology

_COMPOSITE = "]e0"


def format_scan(elements: Elements, *, symbology: str = "C1", composite: Elements = ()) -> str:
    """Scanner data with its AIM prefix; `composite` are the elements of a composite component beside the symbol.

    Raises IdentifierInvalid when the symbol cannot carry them.
    """
    found = find_symbology(symbology)
    if found.carries is Carries.ELEMENTS:
        code = _COMPOSITE if composite else f"]{found.code}"
        return code + _joined(elements, composite)
    if found.carries is Carries.PLAIN:
        raise IdentifierInvalid(Rule.NOT_GS1, "a symbology of element strings or of a GTIN", repr(symbology), symbology)
    length = 13 if found.carries is Carries.GTIN13 else 8
    if [ai for ai, _ in elements] != ["01"]:
        raise IdentifierInvalid(Rule.FORM, "one GTIN in an EAN symbol", repr(elements), symbology)
    gtin = gtin14(elements[0][1])
    if gtin[: 14 - length].strip("0"):
        raise IdentifierInvalid(Rule.LENGTH, f"a GTIN of {length} digits", repr(gtin), gtin)
    tail = f"|{_COMPOSITE}{format_raw(composite)}" if composite else ""
    return f"]{found.code}{gtin[14 - length :]}{tail}"


def _joined(elements: Elements, composite: Elements) -> str:
    return format_raw((*elements, *composite), fnc1=FNC1)
