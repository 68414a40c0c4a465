"""Tables as an XLSX workbook (ECMA-376, SpreadsheetML), row by row."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from lotstream.recall.cells import Table, Value

LONGEST = 32_767  # characters of a cell
_BOLD = Font(bold=True)
# what XML cannot say, and what would be read as the escape of such (ECMA-376, ST_Xstring)
_ESCAPED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def write_tables(tables: Iterable[Table], path: Path) -> None:
    """A sheet for each table: numbers, days and instants (UTC) as such, so that it sorts; texts are texts, also where
    they begin as a formula does. Raises OSError."""
    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.name)
        rows = list(table.rows)
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{len(rows) + 1}"
        sheet.append(_head(sheet, table.columns))
        for row in rows:
            sheet.append([_cell(sheet, value) for value in row])
    book.save(path)


def _head(sheet: WriteOnlyWorksheet, columns: Iterable[str]) -> list[Cell]:
    cells = [WriteOnlyCell(sheet, name) for name in columns]
    for cell in cells:
        cell.font = _BOLD
    return cells


def _cell(sheet: WriteOnlyWorksheet, value: Value) -> object:
    match value:
        case str():
            said = _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", value[:LONGEST])
            if said[:1] == "=":
                cell = WriteOnlyCell(sheet, said)
                cell.data_type = "s"
                return cell
            return said or None
        case Decimal() if not value.is_finite():
            return str(value)
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None)
    return value
