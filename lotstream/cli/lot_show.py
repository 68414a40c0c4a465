"""`lotstream lot show`: what is known of a lot."""

from datetime import datetime

import click

import lotstream.cli.lot_tables  # noqa: F401 - teaches `print_answer` what a lot looks like
from lotstream.cli.ask import asked, gtin_option, history_of, lot_argument, print_answer, when_options
from lotstream.cli.context import json_option
from lotstream.recall.lot import lot_shown


@click.command()
@lot_argument
@gtin_option
@click.option("--history", "entries", is_flag=True, help="Who said and decided what of it, when and why.")
@when_options
@json_option
@click.pass_context
@asked
def show(context: click.Context, lot: str, *, gtin: str, entries: bool, as_json: bool, **when: datetime | None) -> None:
    """What is known of LOT: master data, status, holds."""
    print_answer(lot_shown(history_of(context, **when), lot, gtin=gtin, entries=entries), as_json)
