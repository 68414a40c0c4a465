"""`lotstream recall report`: everything about some lots, for people, programs, spreadsheets and paper."""

from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from lotstream.cli import tables
from lotstream.cli.ask import asked, gtin_option, history_of, print_answer, when_options
from lotstream.cli.context import json_option
from lotstream.recall.case_ask import find_case
from lotstream.recall.report.ask import lots_named, newest_instant, report_of
from lotstream.recall.report.explain import Explainer
from lotstream.recall.report.files import write_csv, write_xlsx
from lotstream.recall.report.model import Explanation, FactBehind, Report
from lotstream.recall.report.page import page
from lotstream.recall.report.sheets import Sheet, heading, matrix, sheets, shown, text
from lotstream.recall.scope_ask import scope_now
from lotstream.recall.store import History

_FILE = click.Path(dir_okay=False, path_type=Path)
_FACT = tuple(FactBehind.model_fields)


@click.command()
@click.argument("case", default="")
@click.option("--lot", "lots", multiple=True, help="A lot, where there is no case; may be given again.")
@gtin_option
@when_options
@click.option("--explain", "figure", default="", help="Instead: the facts behind this figure.")
@click.option("--limit", default=1000, show_default=True, help="Facts listed at most.")
@click.option("--csv", "folder", type=click.Path(file_okay=False, path_type=Path), help="Also as CSV into this folder.")
@click.option("--xlsx", type=_FILE, help="Also as a spreadsheet.")
@click.option("--html", type=_FILE, help="Also as one page to print.")
@json_option
@click.pass_context
@asked
def report(
    context: click.Context,
    *,
    case: str,
    lots: tuple[str, ...],
    gtin: str,
    figure: str,
    limit: int,
    folder: Path | None,
    xlsx: Path | None,
    html: Path | None,
    as_json: bool,
    **when: datetime | None,
) -> None:
    """Where everything of a recall's lots is, who received some, what was made of it, how sure we are.

    It says what it was known at: asked again with that --known-at it is the same. It supports compliance and certifies
    nothing.
    """
    if bool(case) == bool(lots):
        raise click.UsageError("Expected a case or --lot, got both." if case else "Expected a case or --lot, got none.")
    history = fixed(context, **when)
    scoped = scope_now(history, find_case(history, case).scope).lots if case else lots_named(history, lots, gtin=gtin)
    if figure:
        print_answer(Explainer(history, scoped).explain(figure, limit=limit), as_json)
        return
    answer = report_of(history, scoped, case=case)
    if folder is not None:
        write_csv(sheets(answer), folder)
    if xlsx is not None:
        write_xlsx(sheets(answer), xlsx)
    if html is not None:
        html.write_text(page(answer), encoding="utf-8")
    print_answer(answer, as_json)


def fixed(context: click.Context, *, as_of: datetime | None = None, known_at: datetime | None = None) -> History:
    """The history as known at an instant that can be named again: the newest, where none is given."""
    if known_at is None:
        with history_of(context, as_of=as_of, known_at=None) as history:
            known_at = newest_instant(history)
    return history_of(context, as_of=as_of, known_at=known_at)


@tables.show.register
def _show_report(answer: Report, out: Console) -> None:
    tables.when_line(out, answer)
    for one in answer.lots:
        tables.lot_line(out, one.lot)
        if one.scope:
            out.print(f"Only {escape(one.scope)}", soft_wrap=True)
        _print(matrix(one.figures), out)
    if answer.totals:
        _print(matrix(answer.totals), out, title="All lots together")
    for sheet in sheets(answer)[3:-1]:
        _print(sheet, out, title=sheet.title)
    for name in answer.truncated:
        out.print(f"There are more {name.replace('_', ' ')} than are listed.")
    offsets = ", ".join(f"{one.topic}/{one.partition} {one.next}" for one in answer.offsets)
    out.print(f"The sinks had passed: {offsets or 'nothing that they told of'}", soft_wrap=True)
    out.print(f"{answer.disclaimer} Answered in {answer.milliseconds:.1f} ms.", soft_wrap=True)


@tables.show.register
def _show_explanation(answer: Explanation, out: Console) -> None:
    tables.when_line(out, answer)
    one = answer.figure
    out.print(
        f"{one.figure}: {text(one.value)} {one.measure} {one.term.replace('_', ' ')}; {answer.how}", soft_wrap=True
    )
    for part in answer.parts:
        out.print(f"  {part.figure}: {text(part.value)} {part.measure}", markup=False, soft_wrap=True)
    rows = tuple(tuple(getattr(fact, name) for name in _FACT) for fact in answer.facts)
    _print(Sheet("facts", "Facts", _FACT, rows), out, title="Facts")
    more = " There are more: raise --limit." if answer.truncated else ""
    out.print(f"{len(rows):,} facts.{more} Answered in {answer.milliseconds:.1f} ms.")


def _print(sheet: Sheet, out: Console, *, title: str = "") -> None:
    """A table of the columns that have anything in them."""
    if not sheet.rows:
        return
    columns = list(shown(sheet))
    numbers = {at for at, _ in columns if not any(isinstance(row[at], str) for row in sheet.rows)}
    made = tables.table(
        title,
        *(heading(name) for _, name in columns),
        right=tuple(heading(name) for at, name in columns if at in numbers),
    )
    for row in sheet.rows:
        made.add_row(*(text(row[at]) for at, _ in columns))
    out.print(made)
