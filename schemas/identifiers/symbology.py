"""AIM symbology identifiers (ISO/IEC 15424): what a scanner says about the symbol before the data in it."""

from dataclasses import dataclass
from enum import StrEnum

from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule


class Carries(StrEnum):
    """What the data of a symbol is: element strings, a GTIN of a fixed length, or anything."""

    ELEMENTS = "elements"
    GTIN13 = "gtin13"
    GTIN8 = "gtin8"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Symbology:
    """One symbology identifier without its bracket (`C1`), the name of the symbol, what it carries."""

    code: str
    name: str
    carries: Carries

    @property
    def has_add_on(self) -> bool:
        """Whether two or five digits of an add-on symbol may follow."""
        return self.code == "E3"


_TABLE = {
    Carries.ELEMENTS: {
        "C1": "GS1-128",
        "e0": "GS1 DataBar",
        "e1": "GS1 Composite",
        "e2": "GS1 Composite",
        "d2": "GS1 DataMatrix",
        "d5": "GS1 DataMatrix",
        "Q3": "GS1 QR Code",
        "Q4": "GS1 QR Code",
        "J1": "GS1 DotCode",
    },
    Carries.GTIN13: {"E0": "EAN-13", "E3": "EAN-13 with add-on"},
    Carries.GTIN8: {"E4": "EAN-8"},
    Carries.PLAIN: {
        "A0": "Code 39",
        "A1": "Code 39",
        "A3": "Code 39",
        "A4": "Code 39",
        "A5": "Code 39",
        "A7": "Code 39",
        "C0": "Code 128",
        "C2": "Code 128",
        "C4": "Code 128",
        "G0": "Code 93",
        "I0": "ITF",
        "I1": "ITF-14",
        "I3": "ITF",
        "L0": "PDF417",
        "L1": "PDF417",
        "L2": "PDF417",
        "Q0": "QR Code",
        "Q1": "QR Code",
        "Q2": "QR Code",
        "Q5": "QR Code",
        "Q6": "QR Code",
        "d0": "Data Matrix",
        "d1": "Data Matrix",
        "d3": "Data Matrix",
        "d4": "Data Matrix",
        "d6": "Data Matrix",
        "J0": "DotCode",
        "J2": "DotCode",
        "J3": "DotCode",
        "z0": "Aztec Code",
        "z1": "Aztec Code",
        "z2": "Aztec Code",
        "X0": "other",
    },
}
SYMBOLOGIES = {
    code: Symbology(code, name, carries) for carries, names in _TABLE.items() for code, name in names.items()
}
_LENGTH = 3


def split_symbology(text: str) -> tuple[Symbology | None, str]:
    """(symbology, data) of scanner data such as `]C101…`; None when there is no identifier before it.

    Raises IdentifierInvalid (unknown_symbology).
    """
    if not text.startswith("]"):
        return None, text
    return find_symbology(text[:_LENGTH]), text[_LENGTH:]


def find_symbology(code: str) -> Symbology:
    """The symbology of `]C1` or `C1`. Raises IdentifierInvalid (unknown_symbology)."""
    found = SYMBOLOGIES.get(code.removeprefix("]"))
    if found is None:
        raise IdentifierInvalid(Rule.UNKNOWN_SYMBOLOGY, "a symbology identifier such as ]C1", repr(code), code)
    return found
