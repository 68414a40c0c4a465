"""Files of an ERP, made as a test needs them."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from lotstream.readers.imports.check import Checked, check
from lotstream.readers.imports.import_map import ImportMap, parse_map
from lotstream.readers.imports.kinds import Kind

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
MAP = """
documents = "urn:epcglobal:cbv:bt:0614141000012:{code}"
[numbers]
decimal = ","
thousands = "."
[dates]
formats = ["%d.%m.%Y", "%d.%m.%Y %H:%M"]
zone = "Europe/Berlin"
[products]
MILK = "09506000134352"
[locations]
P1 = "0614141000012"
[parties]
C1 = "0614141001019"
[kinds.shipments.columns]
document = "Doc"
line = "Line"
date = "Date"
product = "Art"
lot = "Lot"
amount = "Qty"
uom = "Unit"
location = "Site"
party = "Customer"
[kinds.counts.columns]
date = "Date"
product = "Art"
lot = "Lot"
amount = "Qty"
uom = "Unit"
location = "Site"
"""
COLUMNS = ("Doc", "Line", "Date", "Art", "Lot", "Qty", "Unit", "Site", "Customer")
GOOD = ("DN-1", "10", "31.12.2025", "MILK", "AB-12/7", "1.250,5", "kg", "P1", "C1")


@pytest.fixture
def rules() -> ImportMap:
    """A map of German spreadsheets."""
    return parse_map(MAP, name="test")


@pytest.fixture
def checked(tmp_path: Path, rules: ImportMap) -> Callable[..., Checked]:
    """Checks rows as CSV: each a dict of what differs from a good row."""

    def run(
        *rows: dict[str, str],
        kind: Kind = Kind.SHIPMENTS,
        by: ImportMap | None = None,
        tail: str = "",
        encoding: str = "utf-8",
    ) -> Checked:
        path = tmp_path / "rows.csv"
        lines = [",".join(COLUMNS)]
        for row in rows:
            cells = dict(zip(COLUMNS, GOOD, strict=True)) | row
            lines.append(",".join(f'"{cells[name]}"' for name in COLUMNS))
        path.write_text("\n".join(lines) + "\n" + tail, encoding=encoding)
        return check(path, by or rules, kind, now=NOW, by="ann")

    return run


@pytest.fixture
def good() -> tuple[str, ...]:
    """The cells of a good row."""
    return GOOD


@pytest.fixture
def check_bytes(tmp_path: Path, rules: ImportMap) -> Callable[[bytes], Checked]:
    """Checks a CSV file of these bytes."""

    def run(content: bytes) -> Checked:
        path = tmp_path / "rows.csv"
        path.write_bytes(content)
        return check(path, rules, Kind.SHIPMENTS, now=NOW, by="ann")

    return run


@pytest.fixture
def workbook(tmp_path: Path, rules: ImportMap) -> Callable[..., Checked]:
    """Checks a workbook of these rows, with a range of cells merged."""

    def run(*rows: tuple[object, ...], merged: str = "") -> Checked:
        book = openpyxl.Workbook()
        for row in (COLUMNS, *rows):
            book.active.append(row)
        if merged:
            book.active.merge_cells(merged)
        path = tmp_path / "rows.xlsx"
        book.save(path)
        return check(path, rules, Kind.SHIPMENTS, now=NOW, by="ann")

    return run
