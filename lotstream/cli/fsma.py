"""`lotstream fsma` and `lotstream steps`: what regulators ask for."""

from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from lotstream.cli.ask import asked, gtin_option, history_of, when_options
from lotstream.cli.context import console, json_option, print_json
from lotstream.cli.tables import amount, instant, table, when_line
from lotstream.recall.fsma_answer import Fsma
from lotstream.recall.fsma_ask import fsma as ask_fsma
from lotstream.recall.fsma_sheet import FORMATS, counted, write_sheet
from lotstream.recall.steps import Party, Step, Steps
from lotstream.recall.steps import steps as ask_steps
from lotstream.recall.trace_picture import short_name


def _sheet_path(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in FORMATS:
        raise click.BadParameter(f"Expected a file named {' or '.join(FORMATS)}, got {path.name!r}.")
    return path


@click.command()
@click.argument("lots", metavar="LOT...", nargs=-1, required=True)
@gtin_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_sheet_path,
    help="Write the spreadsheet into this file: .xlsx or .csv.",
)
@when_options
@json_option
@click.pass_context
@asked
def fsma(
    context: click.Context,
    *,
    lots: tuple[str, ...],
    gtin: str,
    out: Path | None,
    as_json: bool,
    **when: datetime | None,
) -> None:
    """The FDA FSMA 204 electronic sortable spreadsheet of lots, and which key data elements are missing.

    It supports compliance and certifies nothing.
    """
    answer = ask_fsma(history_of(context, **when), lots, gtin=gtin)
    if out is not None:
        write_sheet(answer, out)
    if as_json:
        print_json(answer)
    else:
        _show(answer, console(), out)


@click.command()
@click.argument("lot")
@gtin_option
@when_options
@json_option
@click.pass_context
@asked
def steps(context: click.Context, *, lot: str, gtin: str, as_json: bool, **when: datetime | None) -> None:
    """One step back, one step forward of LOT: who sent some, who received some (EC 178/2002, EU 931/2011).

    It supports compliance and certifies nothing.
    """
    answer = ask_steps(history_of(context, **when), lot, gtin=gtin)
    if as_json:
        print_json(answer)
    else:
        _show_steps(answer, console())


def _show_steps(answer: Steps, out: Console) -> None:
    when_line(out, answer)
    for title, found in (("One step back", answer.back), ("One step forward", answer.forward)):
        columns = ("lot", "food", "from", "to", "items", "amount", "at", "dispatched", "document", "line", "missing")
        rows = table(title, *columns, right=("items", "amount"))
        for one in found:
            rows.add_row(*_step_cells(one))
        out.print(rows if found else f"{title}: nothing is known.")
    for title, lots in (("Made from", answer.made_from), ("Made into", answer.made_into)):
        out.print(f"{title}: {', '.join(map(short_name, lots)) or 'nothing that is known'}")
    out.print(f"{answer.disclaimer} Answered in {answer.milliseconds:.1f} ms.")


def _step_cells(one: Step) -> tuple[str, ...]:
    return (
        short_name(one.lot), one.description, _end(one.sender, "from", one.origin),
        _end(one.receiver, "to", one.destination),
        f"{one.items:,}" if one.items else "", "" if one.amount is None else amount(one.amount, one.uom),
        instant(one.at), instant(one.dispatched_at), one.document, one.line, ", ".join(one.missing),
    )  # fmt: skip


def _end(party: Party, way: str, place: Party | None) -> str:
    return _party(party) if place is None else f"{_party(party)} ({way} {_party(place)})"


def _party(party: Party) -> str:
    return ", ".join(filter(None, (party.name or party.key, party.address)))


def _show(answer: Fsma, out: Console, path: Path | None) -> None:
    when_line(out, answer)
    rows = table("Critical tracking events", "event", "rule", "rows", right=("rows",))
    for sheet in answer.sheets:
        rows.add_row(sheet.cte.replace("_", " "), f"21 CFR {sheet.cfr}", f"{len(sheet.rows):,}")
    out.print(rows)
    lacks = table("Missing key data elements", "event", "element", "missing", "events", right=("events",))
    for (cte, label, detail), count in counted(answer.missing).items():
        lacks.add_row(cte.replace("_", " "), label, detail, f"{count:,}")
    out.print(lacks if answer.missing else "No key data element is missing.")
    if path is not None:
        out.print(f"Written: {path}")
    out.print(f"{answer.disclaimer} Answered in {answer.milliseconds:.1f} ms.")
