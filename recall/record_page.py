"""A traceability test record for paper: as text, and as one HTML page. Pure."""

from collections.abc import Iterable, Iterator
from html import escape

from lotstream.recall.clauses import clock
from lotstream.recall.record import TestRecord, Way
from lotstream.recall.report.page import document, rows_of
from lotstream.recall.report.sheets import Cells, Sheet, heading, shown, text

_LINE = "_" * 28
_BALANCE = (
    "lot", "unit", "made", "on hand", "in transit", "shipped", "consumed", "destroyed", "adjusted", "unexplained",
    "accounted %",
)  # fmt: skip


def as_html(record: TestRecord) -> str:
    """One printable page."""
    title = f"Traceability test record {record.case.case}"
    parts = [f"<h1>{escape(title)}</h1>"]
    for sheet in sheets_of(record):
        parts += [f"<h2>{escape(sheet.title)}</h2>", rows_of(sheet) if sheet.rows else "<p>Nothing is known.</p>"]
    return document(title, [*parts, f'<p class="note">{escape(record.disclaimer)}</p>'])


def as_text(record: TestRecord) -> str:
    """Plain lines, columns of one width."""
    lines = [f"TRACEABILITY TEST RECORD {record.case.case}"]
    for sheet in sheets_of(record):
        lines += ["", sheet.title.upper(), *(_table(sheet) if sheet.rows else ["Nothing is known."])]
    return "\n".join([*lines, "", record.disclaimer, ""])


def sheets_of(record: TestRecord) -> Iterator[Sheet]:
    """The tables of a record, in the order of an auditor's form."""
    case = record.case
    about: list[Cells] = [
        ("exercise", case.title or case.case),
        ("kind", f"{'mock ' if case.mock else ''}{case.recall.replace('_', ' ')}"),
        ("start", record.started_at),
        ("end", record.ended_at or "the clock is running"),
        ("time taken", clock(case.elapsed_s)),
        ("team", ", ".join(record.team) or "nobody was named"),
    ]
    about += [("as known at", record.known_at)] if record.known_at else []
    yield Sheet("about", "About", ("word", "said"), tuple(about))
    stages = tuple((stage.step, stage.at, clock(stage.elapsed_s)) for stage in record.stages)
    yield Sheet("stages", "Times", ("step", "when", "after"), stages)
    clauses = tuple(("without" if one.excluded else "with", one.words) for one in record.clauses)
    yield Sheet("scope", "Scope", ("way", "clause"), clauses)
    lots = tuple((lot.lot, lot.description, lot.supplier_code, "a part" if lot.part else "all") for lot in record.lots)
    yield Sheet("lots", "Product and lots", ("lot", "description", "supplier_code", "scope"), lots)
    yield from _way("back", "Back: what went into it", "Back: from whom it came", record.back)
    yield from _way("forward", "Forward: what was made from it", "Forward: who received some", record.forward)
    yield Sheet("balance", "Balance", _BALANCE, tuple(_balance(record)))
    actions = tuple((number, action) for number, action in enumerate(record.corrective, start=1))
    yield Sheet("corrective", "Corrective actions", ("number", "action"), actions)
    signed = tuple((name, _LINE, _LINE) for name in record.signatures)
    yield Sheet("signatures", "Signatures", ("name", "signature", "date"), signed)


def _way(name: str, made: str, sent: str, way: Way) -> Iterator[Sheet]:
    lots = tuple((node.name, node.description, node.steps) for node in way.lots)
    more: tuple[Cells, ...] = (("and more", f"capped by {way.capped}", None),) if way.capped else ()
    yield Sheet(f"{name}_lots", made, ("lot", "description", "steps"), lots + more)
    columns = ("lot", "step", "from", "to", "document", "line", "when", "items", "amount", "unit")
    rows = tuple(
        (one.lot, one.biz_step, one.sender or one.origin, one.receiver or one.location, one.document, one.line, one.at,
         one.items or None, one.amount, one.uom)
        for one in way.deliveries
    )  # fmt: skip
    yield Sheet(f"{name}_deliveries", sent, columns, rows)


def _balance(record: TestRecord) -> Iterable[Cells]:
    for lot in record.lots:
        for one in lot.accounted:
            yield (
                lot.lot, one.uom, one.made, one.on_hand, one.in_transit, one.shipped, one.consumed, one.destroyed,
                one.adjusted, one.unexplained, one.percent,
            )  # fmt: skip


def _table(sheet: Sheet) -> Iterator[str]:
    columns = list(shown(sheet))
    rows = [[heading(name) for _, name in columns], *([text(row[at]) for at, _ in columns] for row in sheet.rows)]
    widths = [max(len(row[number]) for row in rows) for number in range(len(columns))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
