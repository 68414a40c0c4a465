"""Clauses of a scope, and the clock of a case, in words. Pure."""

from datetime import UTC, datetime, timedelta

from lotstream.schemas.recalls import (
    Clause,
    ExposedClause,
    IngredientClause,
    LotClause,
    ProducedClause,
    SerialsClause,
    SupplierClause,
    UnitClause,
    Window,
)


def words(clause: Clause) -> str:
    """A clause as people read it."""
    match clause:
        case LotClause():
            return f"lot {clause.lot}" + (f" serials {ranges(clause.serials)}" if clause.serials else "")
        case SerialsClause():
            return f"serials {ranges(clause.serials)} of {clause.gtin}"
        case UnitClause():
            return f"unit {clause.unit}" + (f" {_window(clause.window)}" if clause.window else "")
        case ProducedClause():
            line = f" line {clause.line}" if clause.line else ""
            return f"made at {clause.site}{line} {_window(clause.window)}"
        case SupplierClause():
            return f"supplier's lot {clause.code}"
        case IngredientClause():
            return f"made from {clause.lot}" + (f" in {clause.depth} steps" if clause.depth else "")
        case ExposedClause():
            of = f" of {clause.lot}" if clause.lot else ""
            return f"at {clause.location}{of} {_window(clause.window)}"


def ranges(serials: tuple[tuple[int, int], ...]) -> str:
    """'1..5, 7'."""
    return ", ".join(f"{first}..{last}" if first != last else str(first) for first, last in serials)


def clock(seconds: float) -> str:
    """'1:02:03'."""
    return str(timedelta(seconds=int(seconds)))


def _window(window: Window) -> str:
    return f"from {_instant(window.from_us)} to {_instant(window.until_us)}"


def _instant(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
