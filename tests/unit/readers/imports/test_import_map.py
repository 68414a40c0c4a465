"""Maps: strict, and each wrong entry is named."""

import pytest

from lotstream.readers.imports.import_map import parse_map, read_map, shipped_maps
from lotstream.readers.imports.kinds import FORMS, Kind
from lotstream.runtime.settings import SettingsInvalid

GOOD = """
[kinds.lots.columns]
product = "GTIN"
lot = "Lot"
"""


@pytest.mark.parametrize("name", shipped_maps())
def test_shipped_maps_are_maps(name: str) -> None:
    """Every map that is shipped is valid, and found by its name."""
    assert read_map(name)[1].kinds == read_map(f"{name}.toml")[1].kinds


def test_the_plain_map_knows_every_kind() -> None:
    """Whatever can be imported can be imported by a form."""
    assert set(read_map("plain")[1].kinds) == set(Kind) == set(FORMS)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("[dates]\nzone = 'Berlin'\n", "dates.zone: Expected a time zone of the IANA list"),
        ("[dates]\nformats = ['DD.MM.YYYY']\n", "dates.formats.0: Expected a format like %d.%m.%Y"),
        ("[file]\nencoding = 'latin'\ndelimiter = '||'\n", "file.delimiter"),
        ("[file]\nencoding = 'utf-88'\n", "file.encoding: Expected an encoding like utf-8 or cp1252"),
        ("[numbers]\ndecimal = ','\nthousands = ','\n", "a thousands separator other than the decimal one"),
        ("[numbers]\ndecimal = 1\n", "numbers.decimal"),
        ("documents = 'DN-{code}'\n", "documents: Expected a URI with {code} in it"),
        ("color = 'red'\n", "color"),
        ("[kinds.receipts.columns]\nlot = 'Lot'\n", "kinds.receipts: a column or a constant for document"),
        ("[kinds.lots.constants]\ninvoice = '1'\n", "kinds.lots: fields of product, lot"),
        ("[kinds.orders.columns]\nlot = 'Lot'\n", "kinds.orders"),
        ("[[", "Expected TOML"),
    ],
)
def test_a_wrong_entry_is_named(entry: str, said: str) -> None:
    """What is wrong with a map is said with its place; nothing unknown is passed over."""
    with pytest.raises(SettingsInvalid) as refused:
        parse_map(entry + GOOD, name="test")
    assert said in str(refused.value)


def test_a_map_that_is_not_there_names_those_that_are() -> None:
    """A misspelt map is told the shipped ones."""
    with pytest.raises(SettingsInvalid, match="plain"):
        read_map("plane")
