"""The cells of a row by field: which column of this file each field of the map is."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lotstream.readers.imports.faults import Flag, RowInvalid, TableInvalid
from lotstream.readers.imports.import_map import KindMap
from lotstream.readers.imports.kinds import FORMS, Field, Kind
from lotstream.readers.imports.tables import Cell, Row, Table
from lotstream.readers.imports.values import plain, text_of


@dataclass(frozen=True, slots=True)
class Cells:
    """One row; a field whose cell is empty has the constant of the map."""

    row: Row
    columns: Mapping[Field, str]
    constants: Mapping[Field, str]

    def __getitem__(self, field: Field) -> Cell:
        """The field's value, None where there is none."""
        value = self.row.cells.get(self.columns.get(field, ""))
        return self.constants.get(field) if value in (None, "") else value

    def column(self, field: Field) -> str:
        """What people call the field: its column, else its own name."""
        return self.columns.get(field, str(field))

    def text(self, field: Field) -> str:
        """The field as text, '' where there is none. Raises RowInvalid for a formula."""
        return plain(self[field], self.column(field))

    def required(self, field: Field) -> str:
        """The field as text. Raises RowInvalid when there is none."""
        text = self.text(field)
        if not text:
            raise RowInvalid(self.column(field), "a value", "nothing")
        return text


def columns_of(table: Table, wanted: KindMap, *, kind: Kind) -> dict[Field, str]:
    """The column of each field, of several names the first that the file has. Raises TableInvalid."""
    found: dict[Field, str] = {}
    required = {*FORMS[kind].required} - {*wanted.constants}
    for field, names in wanted.columns.items():
        named = [names] if isinstance(names, str) else names
        there = next((name for name in named if name in table.columns), None)
        if there is not None:
            found[field] = there
        elif field in required:
            raise TableInvalid(_missing(" or ".join(map(repr, named)), table, f" ({field})", near=named[0]))
    return found


def wanted_rows(table: Table, wanted: KindMap, *, totals: Sequence[str]) -> tuple[list[Row], list[Flag]]:
    """Rows of this kind, without the totals below them; what was passed over. Raises TableInvalid."""
    only = {_present(names, table): patterns for names, patterns in wanted.only.items()}
    rows = list(table.rows)
    flags: list[Flag] = []
    while rows and _is_total(rows[-1], totals):
        flags.append(Flag(rows.pop().number, "a row of totals, passed over"))
    return [row for row in rows if _is_wanted(row, only)], flags


def _present(names: str, table: Table) -> str:
    """The column that the file has, of names like 'From | location_id'."""
    named = [name.strip() for name in names.split("|")]
    for name in named:
        if name in table.columns:
            return name
    raise TableInvalid(_missing(" or ".join(map(repr, named)), table, " (only)", near=named[0]))


def _is_wanted(row: Row, only: Mapping[str, Sequence[str]]) -> bool:
    return all(
        any(fnmatchcase(text_of(row.cells.get(name)), pattern) for pattern in patterns)
        for name, patterns in only.items()
    )


def _is_total(row: Row, totals: Sequence[str]) -> bool:
    first = next((text for text in map(text_of, row.cells.values()) if text), "")
    return first.casefold().rstrip(": ") in totals


def _missing(names: str, table: Table, what: str, *, near: str) -> str:
    folded = {name.casefold(): name for name in table.columns}
    close = [folded[one] for one in difflib.get_close_matches(near.casefold(), folded, n=1)]
    hint = f" Did the map mean {close[0]!r}?" if close else ""
    shown = ", ".join(table.columns)
    return f"Expected a column {names}{what}, got {shown[:400]}.{hint}"
