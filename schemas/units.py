"""Units of measure: UN/CEFACT Recommendation 20, of its codes those that goods are traded in.

A code with a factor converts, exactly, to the unit of its kind; packages (Rec 20 annex II: X and a code of Rec 21)
convert by master data of their product only. A well-formed code that is not in the table is kept and never converted.
"""

import re
from decimal import Decimal, localcontext
from enum import StrEnum

from lotstream.schemas.identifiers.amounts import SIX_PLACES


class UnitKind(StrEnum):
    """What a unit measures."""

    MASS = "mass"
    VOLUME = "volume"
    LENGTH = "length"
    AREA = "area"
    COUNT = "count"
    PACKAGE = "package"
    OTHER = "other"


# code, how many of the unit of its kind (the first of each) it is
_TABLE = {
    UnitKind.MASS: """KGM 1 GRM 0.001 MGM 0.000001 HGM 0.1 DTN 100 TNE 1000 LBR 0.45359237 ONZ 0.028349523125
        APZ 0.0311034768 STI 6.35029318 CWA 45.359237 CWI 50.80234544 STN 907.18474 LTN 1016.0469088
        GRN 0.00006479891 CTM 0.0002""",
    UnitKind.VOLUME: """LTR 1 MLT 0.001 CLT 0.01 DLT 0.1 HLT 100 MTQ 1000 DMQ 1 CMQ 0.001 MMQ 0.000001 K6 1000
        GLL 3.785411784 QTL 0.946352946 PTL 0.473176473 OZA 0.0295735295625 GLI 4.54609 QTI 1.1365225 PTI 0.56826125
        OZI 0.0284130625 BLL 158.987294928 INQ 0.016387064 FTQ 28.316846592 YDQ 764.554857984""",
    UnitKind.LENGTH: "MTR 1 DMT 0.1 CMT 0.01 MMT 0.001 4H 0.000001 KMT 1000 INH 0.0254 FOT 0.3048 YRD 0.9144",
    UnitKind.AREA: """MTK 1 DMK 0.01 CMK 0.0001 MMK 0.000001 ARE 100 HAR 10000 INK 0.00064516 FTK 0.09290304
        YDK 0.83612736""",
    UnitKind.COUNT: "H87 1 C62 1 EA 1 PR 2 NPR 2 DZN 12 DPC 12 CEN 100 GRO 144 MIL 1000 GGR 1728",
}
_PACKAGE = re.compile(r"X[A-Z0-9]{2}", re.ASCII)
_FORMER = frozenset({"BG", "BX", "CS", "CT", "PK"})  # packages in Rec 20 before annex II; still sent
_CODE = re.compile(r"[A-Z0-9]{2,3}", re.ASCII)

_KINDS: dict[str, UnitKind] = {}
_FACTORS: dict[str, Decimal] = {}
BASE: dict[UnitKind, str] = {}
for _kind, _line in _TABLE.items():
    _words = _line.split()
    BASE[_kind] = _words[0]
    for _code, _factor in zip(_words[::2], _words[1::2], strict=True):
        _KINDS[_code], _FACTORS[_code] = _kind, Decimal(_factor)
CODES = tuple(_KINDS)


class UnitsDiffer(ValueError):
    """Two units of measure between which nothing known converts."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"Expected a unit that converts to {other}, got {one}, of which that is not known.")


def is_unit_code(text: str) -> bool:
    """Whether a text has the form of a Rec 20 code."""
    return _CODE.fullmatch(text) is not None


def kind_of(code: str) -> UnitKind:
    """What a unit measures; OTHER when the table does not say."""
    if _PACKAGE.fullmatch(code) or code in _FORMER:
        return UnitKind.PACKAGE
    return _KINDS.get(code, UnitKind.OTHER)


def is_counted(code: str) -> bool:
    """Whether a unit counts things: pieces or packages."""
    return kind_of(code) in (UnitKind.COUNT, UnitKind.PACKAGE)


def convert(amount: Decimal, unit: str, to: str) -> Decimal:
    """The amount in another unit, to six places, half even. Raises UnitsDiffer."""
    if unit == to:
        return amount
    kind = kind_of(unit)
    if unit not in _FACTORS or to not in _FACTORS or kind is not kind_of(to):
        raise UnitsDiffer(unit, to)
    with localcontext() as exact:
        exact.prec = 60
        return (amount * _FACTORS[unit] / _FACTORS[to]).quantize(SIX_PLACES)
