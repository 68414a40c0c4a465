"""dlq: what was not understood, and what is to be done about it."""

import sys
from collections.abc import Callable

import click
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from lotstream.cli import dlq_tables
from lotstream.cli.context import console, json_option, print_json, settings_of
from lotstream.cli.dlq_answers import Tally, shown_of
from lotstream.cli.dlq_mark import drop, park
from lotstream.cli.dlq_options import filters
from lotstream.cli.dlq_replay import replay
from lotstream.readers.letters import Filter, Letterbox
from lotstream.runtime.settings import Settings


@click.group()
def dlq() -> None:
    """Dead letters: list and show them, replay or drop them, park a record at which a process stops."""


@dlq.command("list")
@filters
@click.option("--limit", default=20, show_default=True, type=click.IntRange(0), help="Single letters listed at most.")
@click.option("--all", "closed", is_flag=True, help="Also those that were replayed or dropped.")
@json_option
@click.pass_context
def list_command(
    context: click.Context, *, wanted: Callable[[Settings], Filter], limit: int, closed: bool, as_json: bool
) -> None:
    """Open letters by reason and source, and the newest of them one by one."""
    settings = settings_of(context)
    box = Letterbox(settings)
    tally = Tally(box.deeds(), limit=limit, closed=closed)
    errors = Console(stderr=True, highlight=False)
    bar = Progress(
        TextColumn("{task.fields[count]:,} letters read"),
        TimeElapsedColumn(),
        console=errors,
        disable=not errors.is_terminal,
        transient=True,
    )
    task = bar.add_task("", count=0)
    with bar:
        for letter in box.letters(wanted(settings), report=lambda count: bar.update(task, count=count)):
            tally.add(letter)
    answer = tally.answer()
    if as_json:
        print_json(answer)
    else:
        dlq_tables.show_list(answer, console())


@dlq.command()
@click.argument("letter")
@click.option("--raw", is_flag=True, help="The untouched bytes alone, to be saved: > FILE.")
@click.option("--hex", "as_hex", is_flag=True, help="The bytes as a hexdump.")
@json_option
@click.pass_context
def show(context: click.Context, letter: str, *, raw: bool, as_hex: bool, as_json: bool) -> None:
    """LETTER (topic:partition:offset, or partition:offset) in full."""
    box = Letterbox(settings_of(context))
    found = box.letter(letter)
    if raw:
        sys.stdout.buffer.write(found.value)
        return
    answer = shown_of(found, box.deeds())
    if as_json:
        print_json(answer)
    else:
        dlq_tables.show_letter(answer, console(), as_hex=as_hex)


for command in (replay, park, drop):
    dlq.add_command(command)
