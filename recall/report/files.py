"""A report as files: a folder of CSV, or one XLSX."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from lotstream.recall.report.sheets import Cells, Sheet, Value

_BOLD = Font(bold=True)


def write_csv(sheets: Iterable[Sheet], folder: Path) -> None:
    """One file for each table; instants ISO 8601, numbers as they are. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for sheet in sheets:
        with (folder / f"{sheet.name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(sheet.columns)
            writer.writerows(map(_texts, sheet.rows))


def write_xlsx(sheets: Iterable[Sheet], path: Path) -> None:
    """One sheet for each table, row by row; numbers and instants (UTC) as such, so that it sorts. Raises OSError."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        made = book.create_sheet(sheet.name)
        made.freeze_panes = "A2"
        made.append(_head(made, sheet.columns))
        for row in sheet.rows:
            made.append([_cell(made, value) for value in row])
    book.save(path)


def _texts(row: Cells) -> Iterator[str]:
    for value in row:
        yield "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)


def _head(sheet: WriteOnlyWorksheet, columns: Iterable[str]) -> list[Cell]:
    cells = [WriteOnlyCell(sheet, name) for name in columns]
    for cell in cells:
        cell.font = _BOLD
    return cells


def _cell(sheet: WriteOnlyWorksheet, value: Value) -> object:
    """A text stays a text, also where it begins as a formula does."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s"
        return cell
    return value
