"""Codes from a file beside the map."""

from pathlib import Path

import pytest

from lotstream.readers.imports.code_tables import load_map
from lotstream.runtime.settings import SettingsInvalid

MAP = """
[products]
MILK = "09506000134352"
[tables.products]
file = "articles.csv"
code = "Article"
id = "GTIN"
[kinds.lots.columns]
product = "P"
lot = "L"
"""


def load(folder: Path, articles: str) -> dict[str, str]:
    """The codes of products under the map."""
    (folder / "map.toml").write_text(MAP)
    (folder / "articles.csv").write_text(articles)
    return load_map(str(folder / "map.toml"))[1].products


def test_codes_come_from_the_file_and_the_map_holds(tmp_path: Path) -> None:
    """A table adds codes; what the map itself says of a code is what holds; empty rows say nothing."""
    found = load(tmp_path, "Article,GTIN\nCREAM,0614141002016\nMILK,0614141002023\n,\nOLD,\n")
    assert found == {"MILK": "09506000134352", "CREAM": "0614141002016"}


@pytest.mark.parametrize(
    ("articles", "said"),
    [
        ("Article,GTIN\nA,1\nA,2\n", "Expected one GTIN for 'A'"),
        ("Article,EAN\nA,1\n", "Expected a column 'GTIN'"),
        ("", "Expected a table of codes"),
    ],
)
def test_a_table_that_contradicts_is_refused(tmp_path: Path, articles: str, said: str) -> None:
    """A code of two products, a missing column, an empty file: said before any row is read."""
    with pytest.raises(SettingsInvalid, match=said):
        load(tmp_path, articles)


def test_a_table_that_is_missing_is_named(tmp_path: Path) -> None:
    """A map whose table is not there says which."""
    load(tmp_path, "Article,GTIN\n")
    (tmp_path / "articles.csv").unlink()
    with pytest.raises(SettingsInvalid, match=r"articles\.csv"):
        load_map(str(tmp_path / "map.toml"))
