"""What a lot is, as people and events said it: its record, its holds, and who said what when and why."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from lotstream.recall.answers import LotEntry, LotShown
from lotstream.recall.ask import start, today, took_ms
from lotstream.recall.find import find_lot
from lotstream.recall.holds import scope_of
from lotstream.recall.store import History, Row
from lotstream.recall.tally import lot_of

_SAID = (
    "supplier_code", "description", "location", "site", "line", "produced_at", "expires", "best_before", "units",
    "amount", "uom", "planned", "planned_uom",
)  # fmt: skip
_DONE = {"place": "hold placed", "release": "hold released"}


def lot_shown(history: History, text: str, *, gtin: str = "", entries: bool = False) -> LotShown:
    """The record of a lot, with ``entries`` its history too.

    Raises LotMissing, LotAmbiguous, IdentifierInvalid, ClickhouseAway.
    """
    started = start(history)
    found = find_lot(history, text, gtin=gtin)
    told = history.ask_all("lot", "holds", *(("lot_statements", "lot_decisions") if entries else ()), lot=found.lot)
    return LotShown(
        lot=lot_of(found.lot, told["lot"], decided=told["holds"], day=today(history)),
        history=tuple(_entries(told["lot_statements"], told["lot_decisions"])) if entries else (),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def _entries(statements: Iterable[Row], decisions: Iterable[Row]) -> Iterator[LotEntry]:
    found = [*map(_statement, statements), *map(_decision, decisions)]
    return iter(sorted(found, key=lambda entry: (entry.recorded_at, entry.event)))


def _statement(row: Row) -> LotEntry:
    return LotEntry(
        what="taken back" if row["retracted"] else "said",
        event=row["event"],
        at=row["at"],
        recorded_at=row["recorded_at"],
        by=row["by"],
        reason=row["reason"],
        said={name: _text(row[name]) for name in _SAID if row[name] not in ("", None)},
    )


def _decision(row: Row) -> LotEntry:
    scope = scope_of(row).model_dump(mode="json", exclude_defaults=True)
    return LotEntry(
        what=_DONE[row["action"]],
        event=row["decision"],
        at=row["at"],
        recorded_at=row["recorded_at"],
        by=row["by"],
        reason=row["reason"],
        said={"hold": row["hold"], "purpose": row["purpose"]} | {name: str(value) for name, value in scope.items()},
    )


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
