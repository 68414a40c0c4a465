"""A report as one HTML page: for the screen and for paper, with nothing to load and no script. Pure."""

from collections.abc import Iterable
from html import escape

from lotstream.recall.cells import Value
from lotstream.recall.report.model import Report
from lotstream.recall.report.sheets import Sheet, about, heading, matrix, sheets, shown, text
from lotstream.recall.trace_picture import svg

STYLE = """
body { font: 14px/1.4 sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #111 }
h1 { font-size: 1.6em } h2 { font-size: 1.2em; margin: 1.6em 0 .4em; border-bottom: 1px solid #999 }
table { border-collapse: collapse; width: 100%; font-size: 12px }
th, td { border-bottom: 1px solid #ddd; padding: 2px 8px 2px 0; text-align: left; vertical-align: top;
  overflow-wrap: anywhere }
td.n, th.n { text-align: right; white-space: nowrap; overflow-wrap: normal }
.held { color: #b00; font-weight: bold } .note { color: #555 } .picture { overflow: auto }
svg { max-width: 100%; height: auto }
@media print { body { margin: 0; max-width: none; font-size: 9pt } table { font-size: 7.5pt }
  thead { display: table-header-group } tr, svg { break-inside: avoid } h2 { break-after: avoid }
  @page { size: A4 landscape; margin: 12mm } }
"""


def page(report: Report) -> str:
    """The page of a report."""
    codes = ", ".join(one.lot.code for one in report.lots)
    title = f"Recall report {report.case or codes}"
    parts = [f"<h1>{escape(title)}</h1>", *parts_of(report)]
    return document(title, [*parts, f'<p class="note">{escape(report.disclaimer)}</p>'])


def parts_of(report: Report) -> list[str]:
    """What stands on the page, one after the other."""
    parts = [rows_of(about(report))]
    for one in report.lots:
        lot = one.lot
        words = ", ".join(filter(None, (f"{lot.code} of {lot.gtin}", lot.description, one.scope)))
        held = f' <span class="held">{escape(lot.status)}</span>' if lot.status != "active" else ""
        parts += [f"<h2>Lot {escape(words)}{held}</h2>", rows_of(matrix(one.figures))]
    parts += ["<h2>All lots together</h2>", rows_of(matrix(report.totals))] if report.totals else []
    for sheet in sheets(report)[2:]:
        parts += [f"<h2>{escape(sheet.title)}</h2>", rows_of(sheet) if sheet.rows else "<p>Nothing is known.</p>"]
    for name, trace in (("Trace forward: what was made from it", report.forward), ("Trace back", report.back)):
        if trace is not None and trace.edges:
            parts += [f"<h2>{name}</h2>", f'<div class="picture">{svg(trace)}</div>']
    return parts


def document(title: str, parts: Iterable[str]) -> str:
    """A whole page of what is given, which is well-formed as XML too."""
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def rows_of(sheet: Sheet) -> str:
    """A table of the columns that have anything in them; numbers to the right."""
    columns = list(shown(sheet))
    numbers = {at for at, _ in columns if all(_is_number(row[at]) for row in sheet.rows)}
    head = "".join(f"<th{_side(at, numbers)}>{escape(heading(name))}</th>" for at, name in columns)
    rows = [
        "<tr>" + "".join(f"<td{_side(at, numbers)}>{escape(text(row[at]))}</td>" for at, _ in columns) + "</tr>"
        for row in sheet.rows
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>"


def _is_number(value: Value) -> bool:
    return value is None or not isinstance(value, str)


def _side(at: int, numbers: set[int]) -> str:
    return ' class="n"' if at in numbers else ""
