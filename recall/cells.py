"""What stands in a table, whatever it is written as."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

Value = str | int | Decimal | datetime | date | None


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet: its name of at most 31 characters, its columns and rows."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Value]]
