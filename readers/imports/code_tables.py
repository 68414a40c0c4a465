"""Codes of the ERP from a file of its own, where they are too many for the map."""

from collections.abc import Callable
from pathlib import Path

from lotstream.readers.imports.faults import TableInvalid
from lotstream.readers.imports.import_map import CodeTable, FileForm, ImportMap, read_map
from lotstream.readers.imports.sheets import read_sheet
from lotstream.readers.imports.tables import Table, content_of, read_csv
from lotstream.readers.imports.values import text_of
from lotstream.runtime.settings import SettingsInvalid

READERS: dict[str, Callable[[bytes, FileForm], Table]] = {".csv": read_csv, ".txt": read_csv, ".xlsx": read_sheet}


def read_table(path: Path, form: FileForm) -> tuple[bytes, Table]:
    """(the bytes, the rows) of a file, by its name CSV or a workbook. Raises TableInvalid."""
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise TableInvalid(f"Expected a file named {', '.join(READERS)}, got {path.name!r}.")
    content = content_of(path)
    return content, read(content, form)


def load_map(name: str) -> tuple[str, ImportMap]:
    """(its text, the map) with the codes of its tables, which lie beside it. Raises SettingsInvalid."""
    text, rules = read_map(name)
    found = {what: _codes(table, rules, folder=Path(name).parent) for what, table in rules.tables.items()}
    # what the map itself says holds
    return text, rules.model_copy(update={what: codes | getattr(rules, what) for what, codes in found.items()})


def _codes(wanted: CodeTable, rules: ImportMap, *, folder: Path) -> dict[str, str]:
    path = folder / wanted.file
    try:
        _, table = read_table(path, rules.file.model_copy(update={"header": 1, "sheet": ""}))
    except (OSError, TableInvalid) as error:
        raise SettingsInvalid(f"Expected a table of codes in {wanted.file!r}, got: {error}") from None
    for name in (wanted.code, wanted.id):
        if name not in table.columns:
            raise SettingsInvalid(f"Expected a column {name!r} in {wanted.file!r}, got {', '.join(table.columns)}.")
    codes: dict[str, str] = {}
    for row in table.rows:
        code, named = text_of(row.cells[wanted.code]), text_of(row.cells[wanted.id])
        if code and named and codes.setdefault(code, named) != named:
            raise SettingsInvalid(
                f"Expected one {wanted.id} for {code!r} in {wanted.file!r}, got {codes[code]} and {named}."
            )
    return codes
