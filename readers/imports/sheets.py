"""A sheet of a workbook (.xlsx) as rows of named cells, with the rules for what only spreadsheets do."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from lotstream.readers.imports.faults import Fault, Flag, TableInvalid
from lotstream.readers.imports.import_map import FileForm
from lotstream.readers.imports.tables import MAX_CELL, MAX_ROWS, Cell, Row, Table, header_of

MAX_UNPACKED = 500_000_000
_ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")


def read_sheet(content: bytes, form: FileForm) -> Table:
    """Rows of the sheet that the map names, else of its only visible one. Raises TableInvalid.

    Of a formula the value counts that the spreadsheet computed last; without one the row is wrong.
    """
    values, written = _opened(content, values=True), _opened(content, values=False)
    sheet = values[_sheet_of(values, form.sheet)]
    formulas = written[sheet.title]
    if sheet.max_row > MAX_ROWS:
        raise TableInvalid(f"Expected at most {MAX_ROWS:,} rows, got {sheet.max_row:,}: split the file.")
    if sheet.max_row < form.header:
        raise TableInvalid(f"Expected the names of the columns in row {form.header}, got a shorter sheet.")
    table = Table([])
    merged = _merged_rows(sheet, form.header)
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        found = [_value(cell) for cell in cells]
        if number == form.header:
            if number in merged:
                raise TableInvalid("Expected a header without merged cells, got merged ones.")
            table.columns = header_of(found)
        elif number > form.header and any(cell not in (None, "") for cell in found):
            _add(table, number, found, formulas=formulas[number], merged=merged.get(number, ""))
    return table


def _add(table: Table, number: int, found: Sequence[Cell], *, formulas: Sequence[Any], merged: str) -> None:
    if merged:
        table.faults.append(Fault(number, merged, "no merged cells among the rows", "merged cells"))
        return
    for name, value, formula in zip(table.columns, found, formulas, strict=False):
        if formula.data_type == "f":
            if value is None:
                fault = Fault(number, name, "a formula with its computed value (save it in the spreadsheet)", "none")
                table.faults.append(fault)
                return
            table.flags.append(Flag(number, f"{name}: value of a formula"))
        if isinstance(value, str) and (value in _ERRORS or len(value) > MAX_CELL):
            table.faults.append(Fault(number, name, "a value", value[:40]))
            return
    table.rows.append(Row(number, dict(zip(table.columns, found, strict=False))))


def _opened(content: bytes, *, values: bool) -> Any:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(one.file_size for one in packed.infolist())
        if size > MAX_UNPACKED:
            raise TableInvalid(f"Expected a workbook of at most {MAX_UNPACKED:,} bytes unpacked, got {size:,}.")
        return openpyxl.load_workbook(io.BytesIO(content), data_only=values)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise TableInvalid(f"Expected a workbook (.xlsx), got other bytes ({type(error).__name__}).") from None


def _sheet_of(book: Any, wanted: str) -> str:
    names: list[str] = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if wanted and wanted in book.sheetnames:
        return wanted
    if wanted or not names:
        raise TableInvalid(f"Expected a sheet {wanted!r}, got {', '.join(map(repr, names)) or 'none'}.")
    if len(names) > 1:
        raise TableInvalid(
            f"Expected file.sheet in the map where there are several, got {', '.join(map(repr, names))}."
        )
    return names[0]


def _merged_rows(sheet: Any, header: int) -> dict[int, str]:
    """Rows from the header on that a merged range touches, with the range."""
    found: dict[int, str] = {}
    for area in sheet.merged_cells.ranges:
        for number in _rows_of(area, header):
            found.setdefault(number, str(area.coord))
    return found


def _rows_of(area: Any, header: int) -> Iterator[int]:
    return iter(range(max(area.min_row, header), area.max_row + 1))


def _value(cell: Any) -> Cell:
    value = cell.value
    if isinstance(value, str):
        return value.strip()
    known = value is None or isinstance(value, bool | int | float | datetime | date | time)
    return value if known else str(value)
