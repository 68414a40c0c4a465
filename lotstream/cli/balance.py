"""`lotstream balance LOT`: what became of everything that was made of it."""

from datetime import datetime

import click
from rich.console import Console

from lotstream.cli import tables
from lotstream.cli.ask import asked, gtin_option, history_of, lot_argument, print_answer, when_options
from lotstream.cli.context import json_option
from lotstream.recall.answers import Balance
from lotstream.recall.balance import balance as ask_balance


@click.command()
@lot_argument
@gtin_option
@when_options
@json_option
@click.pass_context
@asked
def balance(context: click.Context, lot: str, gtin: str, *, as_json: bool, **when: datetime | None) -> None:
    """What became of everything that was made of LOT: on hand, in transit, shipped, consumed, destroyed, adjusted;
    and what nobody explained, place by place. Items and each unit of measure apart.
    """
    print_answer(ask_balance(history_of(context, **when), lot, gtin=gtin), as_json)


@tables.show.register
def _show(answer: Balance, out: Console) -> None:
    tables.when_line(out, answer)
    tables.lot_line(out, answer.lot)
    tables.show_accounted(answer, out)
