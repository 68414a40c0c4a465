"""Tables as a workbook, as another reader has it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from lotstream.recall.cells import Table
from lotstream.recall.xlsx import LONGEST, write_tables

T0 = datetime(2026, 11, 23, 10, 15, 30, 250_000, tzinfo=UTC)
SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def test_values_stay_what_they_are(tmp_path: Path) -> None:
    """Numbers, days and instants sort as such; every text is a text, whatever it looks like."""
    texts = ["=1+1", "+1", "@x", "007", "1e3", " kept ", "<&>\"'", "Müsli 😀", "a\nb", "NaN"]
    numbers = [0, -7, 2**40, Decimal("2.50"), Decimal("1E+3"), Decimal("-0.000001")]
    rows = [[value, T0 + timedelta(hours=n), T0.date(), None] for n, value in enumerate([*texts, *numbers])]
    write_tables([Table("a & b's", ("value", "at", "day", "none"), rows)], tmp_path / "t.xlsx")
    sheet = load_workbook(tmp_path / "t.xlsx")["a & b's"]
    found = list(sheet.iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in found] == [*texts, *(float(number) for number in numbers)]
    assert [cell.data_type for cell in sheet["A"][1:]] == ["s"] * len(texts) + ["n"] * len(numbers)
    assert [row[1] for row in found] == [row[1].replace(tzinfo=None) for row in rows]
    assert {(row[2].date(), row[3]) for row in found} == {(date(2026, 11, 23), None)}
    assert (sheet["A1"].font.b, sheet["A2"].font.b) == (True, False)
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:D{len(rows) + 1}")


def test_sheets_are_in_order_and_columns_have_names(tmp_path: Path) -> None:
    """A sheet for each table, also for an empty one; the column after Z is AA."""
    wide = [f"c{number}" for number in range(800)]
    write_tables([Table("wide", wide, [range(800)]), Table("empty", ("a",), ())], tmp_path / "t.xlsx")
    book = load_workbook(tmp_path / "t.xlsx")
    assert book.sheetnames == ["wide", "empty"]
    assert [cell.value for cell in book["wide"][2]] == list(range(800))
    assert [book["wide"]["AA1"].value, book["wide"]["ADT1"].value, book["empty"]["A1"].value] == ["c26", "c799", "a"]


@pytest.mark.parametrize(
    ("text", "written"),
    [("\x00\x1b\ufffe", "_x0000__x001B__xFFFE_"), ("_x0041_", "_x005F_x0041_"), ("x" * 40_000, "x" * LONGEST)],
)
def test_what_xml_cannot_say_is_escaped(tmp_path: Path, text: str, written: str) -> None:
    """Characters that XML has no word for, and what looks like their escape, are written as the standard says; a text
    is no longer than a cell may be."""
    write_tables([Table("t", ("a",), [[text]])], tmp_path / "t.xlsx")
    with ZipFile(tmp_path / "t.xlsx") as book:
        parts = {name: ElementTree.fromstring(book.read(name)) for name in book.namelist()}
    assert [found.text for found in parts["xl/worksheets/sheet1.xml"].iter(f"{SPACE}t")] == ["a", written]


def test_a_number_that_is_none_is_a_text(tmp_path: Path) -> None:
    """A workbook with NaN among its numbers would not open."""
    write_tables([Table("t", ("a",), [[Decimal("NaN")]])], tmp_path / "t.xlsx")
    assert load_workbook(tmp_path / "t.xlsx")["t"]["A2"].value == "NaN"
