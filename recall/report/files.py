"""A report as files: a folder of CSV, or one XLSX."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from lotstream.recall.cells import Table
from lotstream.recall.report.sheets import Cells, Sheet
from lotstream.recall.xlsx import write_tables


def write_csv(sheets: Iterable[Sheet], folder: Path) -> None:
    """One file for each table; instants ISO 8601, numbers as they are. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for sheet in sheets:
        with (folder / f"{sheet.name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(sheet.columns)
            writer.writerows(map(_texts, sheet.rows))


def write_xlsx(sheets: Iterable[Sheet], path: Path) -> None:
    """One sheet for each table. Raises OSError."""
    write_tables((Table(sheet.name, sheet.columns, sheet.rows) for sheet in sheets), path)


def _texts(row: Cells) -> Iterator[str]:
    for value in row:
        yield "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
