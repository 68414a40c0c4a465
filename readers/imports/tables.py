"""A file as rows of named cells: CSV here, workbooks in `sheets`."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lotstream.readers.imports.faults import Fault, Flag, TableInvalid
from lotstream.readers.imports.import_map import FileForm

MAX_BYTES = 100_000_000
MAX_ROWS = 1_000_000
MAX_CELL = 2_000

Cell = object  # text; of workbooks also numbers, dates and times; None where there is nothing


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet shows it, and its cells by the names of their columns."""

    number: int
    cells: dict[str, Cell]


@dataclass(slots=True)
class Table:
    """The rows below the header; what is wrong with the form of some of them stands in `faults`."""

    columns: list[str]
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)


def read_csv(content: bytes, form: FileForm) -> Table:
    """Rows of a CSV file; a byte order mark is passed over. Raises TableInvalid."""
    text = _decoded(content, form.encoding)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True)
    table = Table([])
    for number, cells in _numbered(lines):
        if number < form.header:
            continue
        if number == form.header:
            table.columns = header_of(cells)
        elif len(cells) != len(table.columns) and any(map(str.strip, cells)):
            expected = f"{len(table.columns)} cells, as the header has"
            table.faults.append(Fault(number, "", expected, f"{len(cells)}: {form.delimiter.join(cells)[:120]}"))
        elif any(map(str.strip, cells)):
            table.rows.append(
                Row(number, {name: cell.strip() for name, cell in zip(table.columns, cells, strict=True)})
            )
    if not table.columns:
        raise TableInvalid(f"Expected the names of the columns in row {form.header}, got a shorter file.")
    return table


def header_of(cells: Sequence[Cell]) -> list[str]:
    """Names of the columns; none twice. Raises TableInvalid."""
    names = ["" if cell is None else " ".join(str(cell).split()) for cell in cells]
    named = [name for name in names if name]
    if not named:
        raise TableInvalid("Expected the names of the columns in the header row, got an empty row.")
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise TableInvalid(f"Expected each column once, got {', '.join(twice)} more than once.")
    return [name or f"column {index}" for index, name in enumerate(names, start=1)]


def content_of(path: Path) -> bytes:
    """The file's bytes. Raises TableInvalid when it is too large."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise TableInvalid(f"Expected a file of at most {MAX_BYTES:,} bytes, got {size:,}: split it.")
    return path.read_bytes()


def _numbered(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Each record with its number; raises TableInvalid where quotes are open or cells are beyond reason."""
    number = 0
    while True:
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            raise TableInvalid(f"Expected CSV, got at record {number + 1}: {error}.") from None
        number += 1
        if number > MAX_ROWS:
            raise TableInvalid(f"Expected at most {MAX_ROWS:,} rows, got more: split the file.")
        if any(len(cell) > MAX_CELL for cell in cells):
            raise TableInvalid(f"Expected cells of at most {MAX_CELL} characters, got a longer one in row {number}.")
        yield number, cells


def _decoded(content: bytes, encoding: str) -> str:
    if content[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise TableInvalid("Expected CSV, got a workbook: its name has to end in .xlsx.")
    if content.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"  # the mark says it, whatever the map says
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        found = content[error.start : error.start + 1].hex()
        hint = "; Excel in the West writes cp1252" if encoding.startswith("utf") else ""
        raise TableInvalid(f"Expected {encoding} text, got byte 0x{found} in row {row}{hint}.") from None
    if "\0" in text:
        raise TableInvalid(f"Expected {encoding} text, got zero bytes: a file in UTF-16 needs its encoding in the map.")
    return text
