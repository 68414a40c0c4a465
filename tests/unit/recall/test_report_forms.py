"""A report as tables, files and a page."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from openpyxl import load_workbook

from lotstream.recall.report.build import build
from lotstream.recall.report.facts import LotFacts, Setting
from lotstream.recall.report.files import write_csv, write_xlsx
from lotstream.recall.report.model import Report
from lotstream.recall.report.page import page
from lotstream.recall.report.sheets import Sheet, matrix, sheets, text
from lotstream.recall.scope import ScopedLot, Tags

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
LOT = "01/90614141000411/10/A%22%3C"
SHEET = Sheet("t", "T", ("a", "b"), (("=1+1", Decimal("2.50")), ("<&>", T0), (None, None)))


@pytest.fixture
def report() -> Report:
    """Three units of four, two of them in a store, of a lot with an awkward name."""
    said: dict[str, Any] = dict.fromkeys(
        ("supplier_code", "location", "site", "line", "planned_uom", "uom", "status"), ""
    )
    said |= dict.fromkeys(("produced_at", "expires", "best_before", "planned", "amount"))
    said |= {"units": 4, "description": "Müsli <&>", "status": "active"}
    seen = {"disposition": "", "provisional": 1, "cases": [], "read_points": [], "since": T0, "newest": T0}
    units = [
        {"location": "plant", "items": 1, "evidence": {"confirmed": 1}, "pallets": [], **seen},
        {"location": "store", "items": 2, "evidence": {"declared": 1, "confirmed": 1}, "pallets": ["00/1"], **seen},
    ]
    scoped = ScopedLot(LOT, Tags(serials=((1, 4),)), ("serials",))
    setting = Setting(day=date(2026, 11, 23), at=T0, names={"store": "Shop"}, kinds={"store": "customer"})
    return build([LotFacts(scoped, statements=[said], units=units)], setting, known_at=T0)


def test_rows_of_the_tables(report: Report) -> None:
    """Places with their name, term, percentage and of what, evidence the strongest first; totals as a matrix."""
    (where,) = [sheet for sheet in sheets(report) if sheet.name == "where"]
    rows = [dict(zip(where.columns, row, strict=True)) for row in where.rows]
    (shop,) = [row for row in rows if row["name"] == "Shop" and row["measure"] == "items"]
    assert (shop["term"], shop["value"], shop["percent"], shop["of"], shop["at"]) == ("shipped", 2, 50, 4, T0)
    assert (shop["evidence"], shop["provisional"]) == ("confirmed 1, declared 1", 1)
    told = matrix(report.lots[0].figures)
    assert told.columns == ("of", "made", "on_hand", "shipped", "unexplained", "accounted_percent")
    assert told.rows == (("items", 4, 1, 2, 1, 75), ("pallets", None, None, 1, None, None))
    assert report.lots[0].scope == "serials 1..4"


def test_files_keep_texts_numbers_and_instants(tmp_path: Path) -> None:
    """A text that begins as a formula stays a text; numbers and instants are such in the spreadsheet."""
    write_csv([SHEET], tmp_path / "new" / "folder")
    with (tmp_path / "new" / "folder" / "t.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["a", "b"], ["=1+1", "2.50"], ["<&>", T0.isoformat()], ["", ""]]
    write_xlsx([SHEET], tmp_path / "t.xlsx")
    cells = load_workbook(tmp_path / "t.xlsx")["t"]
    assert [cells["A2"].value, cells["A2"].data_type, cells["B2"].value] == ["=1+1", "s", 2.5]
    assert (cells["B3"].value, cells["A4"].value) == (T0.replace(tzinfo=None), None)


def test_the_page_stands_alone(report: Report) -> None:
    """One well-formed page that loads nothing and runs nothing, whatever the names of lots and goods are."""
    told = page(report)
    root = ElementTree.fromstring(told.removeprefix("<!DOCTYPE html>"))
    said = "".join(root.itertext())
    assert 'A"< of 90614141000411, Müsli <&>, serials 1..4' in said
    assert "certifies nothing" in said and "2026-11-23 10:00:00Z" in said
    assert not {"script", "link", "img"} & {one.tag for one in root.iter()}
    assert "http" not in told and "@media print" in told


def test_cells_as_people_read_them() -> None:
    """Decimals without trailing zeros, never in powers of ten; instants in UTC to the second."""
    cells = (Decimal("1000.00"), Decimal("0.5000"), T0, None, 7, "x")
    assert [text(cell) for cell in cells] == ["1000", "0.5", "2026-11-23 10:00:00Z", "", "7", "x"]
