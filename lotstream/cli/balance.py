"""`lotstream balance`: what became of everything that was made of a lot; what went into production and came of it."""

from datetime import datetime
from decimal import Decimal, InvalidOperation

import click
from rich.console import Console

from lotstream.cli import tables
from lotstream.cli.ask import asked, gtin_option, history_of, print_answer, when_options
from lotstream.cli.context import json_option
from lotstream.cli.exits import EXIT_NO
from lotstream.recall.answers import Balance
from lotstream.recall.balance import balance as ask_balance
from lotstream.recall.mass_answer import MassBalance
from lotstream.recall.mass_ask import mass_of_lot, mass_of_order
from lotstream.recall.trace_picture import short_name


def _percent(_context: click.Context, _option: click.Parameter, text: str | None) -> Decimal | None:
    try:
        percent = None if text is None else Decimal(text)
    except InvalidOperation:
        percent = Decimal("NaN")
    if percent is not None and not (percent.is_finite() and percent >= 0):
        raise click.BadParameter(f"Expected a percentage from 0 on, like 0.5, got {text!r}.")
    return percent


@click.command()
@click.argument("lot", default="")
@gtin_option
@click.option("--order", default="", help="Instead: the mass balance of this production order.")
@click.option("--production", is_flag=True, help="Instead: the mass balance of the production of LOT.")
@click.option(
    "--tolerance", callback=_percent, help="Percent that may be missing; else as master data of products say."
)
@when_options
@json_option
@click.pass_context
@asked
def balance(
    context: click.Context,
    lot: str,
    gtin: str,
    *,
    order: str,
    production: bool,
    tolerance: Decimal | None,
    as_json: bool,
    **when: datetime | None,
) -> None:
    """What became of everything that was made of LOT: on hand, in transit, shipped, consumed, destroyed, adjusted;
    and what nobody explained, place by place. Items and each unit of measure apart.

    Of production (--order, --production): in, rework, out, waste, adjustment, unexplained, packaging among the inputs.
    Ends with 1 where something is outside the tolerance.
    """
    if bool(lot) == bool(order):
        raise click.UsageError("Expected LOT or --order ORDER, one of them.")
    history = history_of(context, **when)
    answer: Balance | MassBalance
    if order:
        answer = mass_of_order(history, order, tolerance=tolerance)
    elif production:
        answer = mass_of_lot(history, lot, gtin=gtin, tolerance=tolerance)
    else:
        answer = ask_balance(history, lot, gtin=gtin, tolerance=tolerance)
    print_answer(answer, as_json)
    lines = answer.judged if isinstance(answer, Balance) else answer.lines
    if any(line.verdict == "outside" for line in lines):
        context.exit(EXIT_NO)


@tables.show.register
def _show(answer: Balance, out: Console) -> None:
    tables.when_line(out, answer)
    tables.lot_line(out, answer.lot)
    tables.show_accounted(answer, out)
    for line in answer.judged:
        if line.verdict:
            missing = f"{tables.amount(line.unexplained, line.uom)} of {tables.amount(line.of, line.uom)}"
            out.print(f"  {line.verdict} {answer.tolerance:f} %: {missing} unexplained", markup=False)


@tables.show.register
def _show_mass(answer: MassBalance, out: Console) -> None:
    tables.when_line(out, answer)
    out.print(f"Production {', '.join(answer.orders or answer.processes) or 'that nobody told of'}", markup=False)
    columns = ("role", "lot", "product", "amount", "%", "at")
    rows = tables.table("What went in and came out", *columns, right=("amount", "%"))
    for one in answer.entries:
        much = f"{one.amount.normalize():f} items" if one.uom == "items" else tables.amount(one.amount, one.uom)
        share = "" if one.percent is None else f"{one.percent:f}"
        rows.add_row(one.role, short_name(one.lot), one.description, much, share, tables.instant(one.at))
    out.print(rows)
    terms = ("taken", "rework", "out", "waste", "adjusted", "unexplained", "percent")
    sums = tables.table("Balance", "of", "in", *terms[1:-1], "%", "verdict", right=("in", *terms[1:-1], "%"))
    for line in answer.lines:
        values = (getattr(line, term) for term in terms)
        sums.add_row(line.uom, *("" if value is None else f"{value.normalize():f}" for value in values), line.verdict)
    out.print(sums)
    allowed = "no tolerance is known" if answer.tolerance is None else f"tolerance {answer.tolerance:f} %"
    out.print(f"{allowed.capitalize()}. Answered in {answer.milliseconds:.1f} ms.")
