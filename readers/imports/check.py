"""A file against its map: the lines that can be sent, what is wrong row by row, and what looks odd. Writes nothing."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from lotstream.readers.imports.cells import Cells, columns_of, wanted_rows
from lotstream.readers.imports.code_tables import read_table
from lotstream.readers.imports.events import event_of
from lotstream.readers.imports.faults import Fault, Flag, RowInvalid, TableInvalid
from lotstream.readers.imports.import_map import ImportMap
from lotstream.readers.imports.kinds import RECORDS, Kind
from lotstream.readers.imports.lines import Line, LineReader, Record, numbered, once
from lotstream.readers.imports.masters import RecordReader, lot_change, record_event
from lotstream.readers.imports.tables import Table
from lotstream.schemas.epcis import parse_document

T = TypeVar("T", Line, Record)


@dataclass(slots=True)
class Checked:
    """What a file holds."""

    sha256: str
    rows: int = 0
    passed_over: int = 0
    lines: list[Line] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)


def check(path: Path, rules: ImportMap, kind: Kind, *, now: datetime, by: str) -> Checked:
    """Read a whole file; `by` is who says what it says. Raises TableInvalid when it is not what the map describes."""
    if kind not in rules.kinds:
        raise TableInvalid(f"Expected a map with [kinds.{kind}], got one for {', '.join(rules.kinds)}.")
    content, table = read_table(path, rules.file)
    checked = Checked(hashlib.sha256(content).hexdigest(), len(table.rows) + len(table.faults))
    checked.faults += table.faults
    checked.flags += table.flags
    _read_lines(table, rules, kind, checked=checked, now=now)
    _write_events(checked, by=by, reason=f"import of {path.name}"[:500])
    checked.faults.sort(key=lambda one: one.row)
    checked.flags.sort(key=lambda one: one.row)
    return checked


def _read_lines(table: Table, rules: ImportMap, kind: Kind, *, checked: Checked, now: datetime) -> None:
    wanted = rules.kinds[kind]
    columns = columns_of(table, wanted, kind=kind)
    rows, passed = wanted_rows(table, wanted, totals=rules.totals)
    checked.passed_over = len(table.rows) - len(rows)
    checked.flags += passed
    if missing := [field for field in wanted.columns if field not in columns]:
        checked.flags.append(Flag(rules.file.header, f"no column for {', '.join(missing)}"))
    cells = [Cells(row, columns, wanted.constants) for row in rows]
    if kind in RECORDS:
        checked.records = list(_kept(once(_read(cells, RecordReader(rules, kind).read, checked)), checked))
        return
    lines = _kept(numbered(_read(cells, LineReader(rules, kind, now=now).read, checked)), checked)
    checked.lines = list(_kept(once(lines), checked))
    if kind not in (Kind.COUNTS, Kind.LOTS):
        zero = (line for line in checked.lines if not all(amount for amount, _ in line.amounts))
        checked.flags += [Flag(line.row, "an amount of 0") for line in zero]


def _read(cells: Iterable[Cells], read: Callable[[Cells], T], checked: Checked) -> Iterator[T]:
    for one in cells:
        try:
            yield read(one)
        except RowInvalid as invalid:
            checked.faults.append(Fault.of(one.row.number, invalid))


def _kept(found: Iterable[T | Fault | Flag], checked: Checked) -> Iterator[T]:
    for one in found:
        if isinstance(one, Fault):
            checked.faults.append(one)
        elif isinstance(one, Flag):
            checked.flags.append(one)
        else:
            yield one


def _write_events(checked: Checked, *, by: str, reason: str) -> None:
    """What is to be sent, as the gateway will see it: what it would refuse is a fault of the row."""

    def line_event(line: Line) -> bytes:
        return lot_change(line, by=by, reason=reason) if line.kind is Kind.LOTS else _accepted(event_of(line))

    checked.lines = list(_written(checked.lines, line_event, checked))
    checked.records = list(_written(checked.records, lambda record: _accepted(record_event(record)), checked))


def _written(said: Iterable[T], write: Callable[[T], bytes], checked: Checked) -> Iterator[T]:
    for one in said:
        try:
            checked.events.append(write(one))
            yield one
        except RowInvalid as invalid:
            checked.faults.append(Fault.of(one.row, invalid))


def _accepted(event: bytes) -> bytes:
    for parsed in parse_document(event):
        if parsed.rejected is not None:
            raise RowInvalid(parsed.rejected.field or "", "an event that the gateway takes", parsed.rejected.detail)
    return event
