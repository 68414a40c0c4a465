"""A file to fill in, as the map `plain` reads it: the columns of a kind, and one line that shows how."""

import csv
import io
from pathlib import Path

import openpyxl

from lotstream.readers.imports.kinds import FORMS, Field, Kind

_EXAMPLE: dict[Field, str] = {
    Field.DOCUMENT: "4711",
    Field.LINE: "10",
    Field.DATE: "2025-11-17",
    Field.TIME: "14:30",
    Field.PRODUCT: "09506000134352",
    Field.LOT: "AB-12/7",
    Field.AMOUNT: "1250.5",
    Field.UOM: "kg",
    Field.LOCATION: "0614141000012",
    Field.TO_LOCATION: "0614141000104",
    Field.PARTY: "0614141001019",
    Field.CONVERSIONS: "XCS = 12.5 KGM",
    Field.DESCRIPTION: "an example: overwrite this line",
}


def header_of(kind: Kind) -> list[str]:
    """The columns of a kind."""
    return [str(field) for field in FORMS[kind].fields]


def example_of(kind: Kind) -> list[str]:
    """A line that is valid."""
    return [_EXAMPLE.get(field, "") for field in FORMS[kind].fields]


def template_csv(kind: Kind) -> str:
    """The form as CSV."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([header_of(kind), example_of(kind)])
    return out.getvalue()


def write_xlsx(kind: Kind, path: Path) -> None:
    """The form as a workbook; every cell is text, so that nothing loses its leading zeros."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = str(kind)
    for row in (header_of(kind), example_of(kind)):
        sheet.append(row)
    for index, _ in enumerate(header_of(kind), start=1):
        letter = openpyxl.utils.get_column_letter(index)
        sheet.column_dimensions[letter].width = 18
        for number in range(2, 1002):
            sheet.cell(number, index).number_format = "@"
    sheet.freeze_panes = "A2"
    book.save(path)
