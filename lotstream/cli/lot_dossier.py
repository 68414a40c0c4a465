"""`lotstream lot dossier`: everything about a lot, for an auditor."""

from datetime import datetime
from pathlib import Path

import click

from lotstream.cli.ask import asked, gtin_option, lot_argument, when_options
from lotstream.cli.context import console, json_option, print_json
from lotstream.cli.recall_report import fixed
from lotstream.recall.report.dossier import MOST
from lotstream.recall.report.dossier import dossier as ask_dossier
from lotstream.recall.report.dossier_page import dossier_page, dossier_sheets, write_zip

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@lot_argument
@gtin_option
@when_options
@click.option("--limit", default=MOST, show_default=True, help="Documents, movements and events listed at most, each.")
@click.option("--html", type=_FILE, help="As one page to print, into this file.")
@click.option(
    "--zip", "archive", type=_FILE, help="As an archive: the page, JSON, tables, the events as they were sent."
)
@json_option
@click.pass_context
@asked
def dossier(
    context: click.Context,
    lot: str,
    gtin: str,
    *,
    limit: int,
    html: Path | None,
    archive: Path | None,
    as_json: bool,
    **when: datetime | None,
) -> None:
    """Everything about LOT: its record and holds with who, when and why, master data and its versions, where it is,
    traces, balances, documents, movements, events, blind windows. It supports compliance and certifies nothing.
    """
    answer = ask_dossier(fixed(context, **when), lot, gtin=gtin, limit=limit)
    if html is not None:
        html.write_text(dossier_page(answer), encoding="utf-8")
    if archive is not None:
        write_zip(answer, archive)
    if as_json:
        print_json(answer)
        return
    out = console()
    for sheet in dossier_sheets(answer):
        out.print(f"{sheet.title}: {len(sheet.rows):,}")
    for path in filter(None, (html, archive)):
        out.print(f"Written: {path}", soft_wrap=True)
    out.print(f"{answer.disclaimer} Answered in {answer.milliseconds:.1f} ms.", soft_wrap=True)
