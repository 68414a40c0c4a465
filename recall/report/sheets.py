"""A report as plain tables: what the terminal, CSV, XLSX and HTML show, from one source. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from lotstream.recall.cells import Value
from lotstream.recall.report.model import PARTS, Figure, Report, ReportLot, Term

Cells = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: the name of its file or sheet, its title, columns and rows."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Cells, ...]


_LOT = ("lot", "scope", "status", "description", "supplier_code", "produced_at", "expires", "best_before", "line")
_SHARE = ("value", "measure", "percent", "of", "at")
_TOTALS = ("lot", "term", *_SHARE, "figure")
_WHERE = (
    "lot", "term", "location", "name", "disposition", *_SHARE, "evidence", "provisional", "last_at", "figure",
)  # fmt: skip
_SENT = ("lot", "party", "document", "line", "location", *_SHARE, "first_at", "linked", "figure")
_MADE = ("lot", "term", "others", "biz_step", "location", "document", *_SHARE, "first_at", "process", "figure")
_SHARED = ("lot", "other", "location", "line", "since", "until", "items")
_WINDOW = ("subject", "cause", "from_at", "until_at", "lost", "detail", "touches", "topic", "partition", "offset")
_OFFSET = ("topic", "partition", "next")


def sheets(report: Report) -> tuple[Sheet, ...]:
    """Every table of a report, the most wanted first."""
    figures = [*report.totals, *(one for lot in report.lots for one in lot.figures)]

    def some(name: str, title: str, columns: tuple[str, ...], wanted: Callable[[Figure], bool]) -> Sheet:
        return Sheet(name, title, columns, tuple(_figure(one, columns) for one in figures if wanted(one)))

    return (
        about(report),
        Sheet("lots", "Lots", _LOT, tuple(_lot(one) for one in report.lots)),
        some("accounted", "What became of it", _TOTALS, lambda one: one.total),
        some("where", "Where it is", _WHERE, lambda one: not one.total and one.term in PARTS),
        some("sent", "Who received some", _SENT, lambda one: one.term is Term.SENT),
        some("processes", "Made into, made from", _MADE, lambda one: bool(one.process)),
        Sheet("shared", "What was beside it", _SHARED, rows_of_models(report.shared, _SHARED)),
        Sheet("blind_windows", "What could hide more", _WINDOW, rows_of_models(report.blind_windows, _WINDOW)),
        Sheet("offsets", "What the sinks had passed", _OFFSET, rows_of_models(report.offsets, _OFFSET)),
    )


def about(report: Report) -> Sheet:
    """Of what and of when a report is."""
    instants = (("as of", report.as_of), ("as known at", report.known_at))
    said: list[Cells] = [("case", report.case)] if report.case else []
    said += [("lots", len(report.lots)), *((name, at) for name, at in instants if at is not None)]
    said += [("there are more", name.replace("_", " ")) for name in report.truncated]
    return Sheet("about", "About", ("word", "said"), (*said, ("note", report.disclaimer)))


def matrix(figures: Iterable[Figure]) -> Sheet:
    """Totals as people read them: a row for each measure, a column for each term, and what is accounted for."""
    found: dict[str, dict[Term, Figure]] = {}
    for one in figures:
        if one.total:
            found.setdefault(one.measure, {})[one.term] = one
    terms = [term for term in Term if any(term in own for own in found.values())]
    rows = tuple(
        (measure, *(own[term].value if term in own else None for term in terms), _accounted(own.get(Term.UNEXPLAINED)))
        for measure, own in found.items()
    )
    return Sheet("totals", "In all", ("of", *(term.value for term in terms), "accounted_percent"), rows)


def rows_of_models(found: Iterable[object], columns: tuple[str, ...]) -> tuple[Cells, ...]:
    """Rows of values that have these members."""
    return tuple(tuple(_plain(getattr(one, name)) for name in columns) for one in found)


def text(value: Value) -> str:
    """A cell as people read it: UTC to the second, decimals without trailing zeros."""
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value.normalize():f}"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%SZ")
    return str(value)


def heading(column: str) -> str:
    """A column's name as people read it."""
    return {"percent": "%", "of": "% of", "at": "% at"}.get(column, column.replace("_percent", " %").replace("_", " "))


def _accounted(unexplained: Figure | None) -> Decimal | None:
    return 100 - unexplained.share.percent if unexplained is not None and unexplained.share is not None else None


def _figure(one: Figure, columns: Iterable[str]) -> Cells:
    share: Any = one.share
    said: dict[str, Any] = {name: getattr(share, name) if share else None for name in ("percent", "of", "at")}
    said |= {"lot": one.lot or "all", "evidence": ", ".join(f"{kind} {count}" for kind, count in one.evidence.items())}
    return tuple(said[name] if name in said else _plain(getattr(one, name)) for name in columns)


def _lot(one: ReportLot) -> Cells:
    return tuple(one.scope or "all of it" if name == "scope" else _plain(getattr(one.lot, name)) for name in _LOT)


def _plain(value: Any) -> Value:
    return ", ".join(value) if isinstance(value, tuple) else value


def shown(sheet: Sheet) -> Iterator[tuple[int, str]]:
    """The columns of a table that have anything in any row, by number: the others only take room on paper."""
    return (
        (at, name) for at, name in enumerate(sheet.columns) if any(row[at] not in (None, "", 0) for row in sheet.rows)
    )
