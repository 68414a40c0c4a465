"""The spreadsheet as a file: XLSX with a sheet for each kind of event, or one CSV of all of them."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from lotstream.recall.cells import Table, Value
from lotstream.recall.fsma_answer import Fsma, FsmaMissing
from lotstream.recall.fsma_rule import KDES, Cte
from lotstream.recall.xlsx import write_tables

FORMATS = (".xlsx", ".csv")
OWN = ("event", "lot")  # behind the columns of the rule: what each row leads back to
_MISSING = ("cte", "event", "lot", "kde", "label", "detail")


def write_sheet(answer: Fsma, path: Path) -> None:
    """Write the file that the name asks for. Raises OSError."""
    if path.suffix.lower() == ".csv":
        _write_csv(answer, path)
    else:
        write_tables(_tables(answer), path)


def _write_csv(answer: Fsma, path: Path) -> None:
    wide = list(dict.fromkeys(column for sheet in answer.sheets for column in sheet.columns if sheet.rows))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["critical_tracking_event", *wide, *OWN])
        for sheet in answer.sheets:
            for row in sheet.rows:
                writer.writerow([sheet.cte, *(row.values.get(column, "") for column in wide), row.event, row.lot])


def _tables(answer: Fsma) -> Iterator[Table]:
    yield Table("about", ("about", ""), _about(answer))
    for sheet in answer.sheets:
        if sheet.rows:
            columns = (*sheet.columns, *OWN)
            types = {column: kde.type for kde in KDES[sheet.cte] for column in kde.columns}
            rows = ([*(row.values[column] for column in sheet.columns), row.event, row.lot] for row in sheet.rows)
            yield Table(sheet.cte.value, columns, (_values(columns, row, types) for row in rows))
    yield Table("missing", _MISSING, ([str(getattr(lack, name)) for name in _MISSING] for lack in answer.missing))


def _values(columns: Iterable[str], row: Iterable[str], types: Mapping[str, str]) -> list[Value]:
    return [_value(text, types.get(column, "string")) for column, text in zip(columns, row, strict=True)]


def _about(answer: Fsma) -> list[list[str]]:
    said = [["rule", answer.rule], ["note", answer.disclaimer], ["lots", ", ".join(answer.lots)]]
    said += [["as of", str(answer.as_of)]] if answer.as_of else []
    said += [["as known at", str(answer.known_at)]] if answer.known_at else []
    return [*said, ["missing elements", str(len(answer.missing))]]


def _value(text: str, type_: str) -> str | Decimal | date:
    """Numbers and dates as such, so that the sheet sorts; whatever is neither stays as it was said."""
    try:
        if type_ == "decimal":
            return Decimal(text)
        if type_ == "date":
            return date.fromisoformat(text)
    except (InvalidOperation, ValueError):
        pass
    return text


def counted(missing: Iterable[FsmaMissing]) -> dict[tuple[Cte, str, str], int]:
    """How many events lack an element, by kind of event, element and what is missing of it."""
    found: dict[tuple[Cte, str, str], int] = {}
    for lack in missing:
        key = lack.cte, lack.label, lack.detail
        found[key] = found.get(key, 0) + 1
    return found
