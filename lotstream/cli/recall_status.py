"""`lotstream recall status` and `list`: where cases are in their lives."""

from datetime import UTC, datetime

import click

import lotstream.cli.recall_tables  # noqa: F401 - teaches `print_answer` what a case looks like
from lotstream.cli.ask import asked, history_of, print_answer, when_options
from lotstream.cli.context import json_option
from lotstream.recall.case_ask import case_list
from lotstream.recall.case_scope import case_status


@click.command()
@click.argument("case")
@when_options
@json_option
@click.pass_context
@asked
def status(context: click.Context, case: str, *, as_json: bool, **when: datetime | None) -> None:
    """Where CASE is in its life: its clock, its scope, its holds, and who decided what, when and why."""
    with history_of(context, **when) as history:
        print_answer(case_status(history, case, now=datetime.now(UTC)), as_json)


@click.command("list")
@when_options
@json_option
@click.pass_context
@asked
def list_cases(context: click.Context, *, as_json: bool, **when: datetime | None) -> None:
    """Every case, the newest first."""
    with history_of(context, **when) as history:
        print_answer(case_list(history, now=datetime.now(UTC)), as_json)
