"""Units of measure: what converts, exactly, and what never does."""

from decimal import Decimal

import pytest

from lotstream.schemas.identifiers.measures import MEASURES, Extent
from lotstream.schemas.units import BASE, CODES, UnitKind, UnitsDiffer, convert, is_counted, is_unit_code, kind_of


@pytest.mark.parametrize(
    ("amount", "unit", "to", "expected"),
    [
        ("1500", "GRM", "KGM", "1.5"),
        ("1", "LBR", "KGM", "0.453592"),  # 0.45359237 exactly (international pound), six places here
        ("1000000", "LBR", "KGM", "453592.37"),
        ("2.2046226218", "LBR", "KGM", "1"),
        ("1", "GLL", "LTR", "3.785412"),
        ("3", "MTQ", "LTR", "3000"),
        ("2", "DZN", "EA", "24"),
        ("5", "C62", "H87", "5"),
        ("12", "INH", "FOT", "1"),
        ("7", "XCS", "XCS", "7"),
    ],
)
def test_units_of_one_kind_convert(amount: str, unit: str, to: str, expected: str) -> None:
    """Amounts convert by exact factors, to six places."""
    assert convert(Decimal(amount), unit, to) == Decimal(expected)


@pytest.mark.parametrize(
    ("unit", "to"), [("KGM", "LTR"), ("XCS", "KGM"), ("XCS", "XBX"), ("H87", "XCS"), ("ZZZ", "KGM")]
)
def test_nothing_else_converts(unit: str, to: str) -> None:
    """Mass is no volume, a case no weight, and what the table does not know is only itself."""
    with pytest.raises(UnitsDiffer, match=f"converts to {to}, got {unit}"):
        convert(Decimal(1), unit, to)


def test_every_unit_of_the_table_converts_to_the_one_of_its_kind() -> None:
    """The table is whole: each code has a kind, and a factor to its unit that is not nothing."""
    assert all(convert(Decimal(10**6), code, BASE[kind_of(code)]) > 0 for code in CODES)


def test_units_of_labels_are_known() -> None:
    """What an element string measures of goods, the table knows: a label's amount is never of an unknown unit."""
    assert {kind_of(kind.unit) for kind in MEASURES.values() if kind.extent is Extent.NET} == {
        UnitKind.MASS, UnitKind.LENGTH, UnitKind.AREA, UnitKind.VOLUME,
    }  # fmt: skip


def test_what_counts() -> None:
    """Pieces and packages count; a former code of a case is a case."""
    assert all(map(is_counted, ("H87", "EA", "XCS", "CS")))
    assert not is_counted("KGM")


def test_codes() -> None:
    """Two or three capital letters and digits have the form of a code, whether the table knows it or not."""
    assert all(map(is_unit_code, ("KGM", "28", "XCS", "ZZZ")))
    assert not any(map(is_unit_code, ("kg", "K", "KGMS", "", "K-M", "ÄÖÜ")))
