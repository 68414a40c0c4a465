"""A file against its map: the lines that can be sent, what is wrong row by row, and what looks odd. Writes nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from lotstream.readers.imports.cells import Cells, columns_of, wanted_rows
from lotstream.readers.imports.events import event_of
from lotstream.readers.imports.faults import Fault, Flag, RowInvalid, TableInvalid
from lotstream.readers.imports.import_map import FileForm, ImportMap
from lotstream.readers.imports.kinds import Kind
from lotstream.readers.imports.lines import Line, LineReader, numbered
from lotstream.readers.imports.sheets import read_sheet
from lotstream.readers.imports.tables import Table, content_of, read_csv
from lotstream.schemas.epcis import parse_document

_READERS: dict[str, Callable[[bytes, FileForm], Table]] = {".csv": read_csv, ".txt": read_csv, ".xlsx": read_sheet}


@dataclass(slots=True)
class Checked:
    """What a file holds."""

    sha256: str
    rows: int = 0
    passed_over: int = 0
    lines: list[Line] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)


def check(path: Path, rules: ImportMap, kind: Kind, *, now: datetime) -> Checked:
    """Read a whole file. Raises TableInvalid when it is not what the map describes."""
    if kind not in rules.kinds:
        raise TableInvalid(f"Expected a map with [kinds.{kind}], got one for {', '.join(rules.kinds)}.")
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise TableInvalid(f"Expected a file named {', '.join(_READERS)}, got {path.name!r}.")
    content = content_of(path)
    table = read(content, rules.file)
    checked = Checked(hashlib.sha256(content).hexdigest(), len(table.rows) + len(table.faults))
    checked.faults += table.faults
    checked.flags += table.flags
    _read_lines(table, rules, kind, checked=checked, now=now)
    _verify(checked)
    checked.faults.sort(key=lambda one: one.row)
    checked.flags.sort(key=lambda one: one.row)
    return checked


def _read_lines(table: Table, rules: ImportMap, kind: Kind, *, checked: Checked, now: datetime) -> None:
    wanted = rules.kinds[kind]
    columns = columns_of(table, wanted, kind=kind)
    reader = LineReader(rules, kind, now=now)
    rows, passed = wanted_rows(table, wanted, totals=rules.totals)
    checked.passed_over = len(table.rows) - len(rows)
    checked.flags += passed
    lines: list[Line] = []
    for row in rows:
        try:
            lines.append(reader.read(Cells(row, columns, wanted.constants)))
        except RowInvalid as invalid:
            checked.faults.append(Fault.of(row.number, invalid))
    for one in numbered(lines):
        if isinstance(one, Fault):
            checked.faults.append(one)
        elif isinstance(one, Flag):
            checked.flags.append(one)
        else:
            checked.lines.append(one)
            if not all(amount for amount, _ in one.amounts) and kind is not Kind.COUNTS:
                checked.flags.append(Flag(one.row, "an amount of 0"))


def _verify(checked: Checked) -> None:
    """The events as the gateway will see them: what it would refuse is a fault of the row."""
    lines, checked.lines = checked.lines, []
    for line in lines:
        event = event_of(line)
        for parsed in parse_document(event):
            if parsed.rejected is None:
                checked.lines.append(line)
                checked.events.append(event)
            else:
                checked.faults.append(Fault(line.row, parsed.rejected.field or "", parsed.rejected.detail, ""))
