"""recall: a case from its opening to its close. What is decided goes in at the gateway, and is kept."""

import importlib
import importlib.util
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

import lotstream.cli.recall_tables  # noqa: F401 - teaches `print_answer` what a case looks like
from lotstream.cli.ask import asked, history_of, print_answer, when_options
from lotstream.cli.context import console, json_option
from lotstream.cli.exits import Refused
from lotstream.cli.lot import send
from lotstream.cli.lot_options import made, sending
from lotstream.recall.case import Case, refusal
from lotstream.recall.case_ask import case_list, case_status, find_case, wait_for
from lotstream.runtime.clock import SystemClock
from lotstream.schemas.decisions import decision_hash
from lotstream.schemas.recalls import CaseKind, Closed, Deed, Opened, RecallContent

LATER: Mapping[str, tuple[str, str]] = {"report": ("recall_report", "report")}


class _Group(click.Group):
    """Imports a command of a module of its own when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those of this module, then the others."""
        there = [name for name, (module, _) in LATER.items() if importlib.util.find_spec(f"lotstream.cli.{module}")]
        return [*self.commands, *there]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in self.list_commands(ctx) or cmd_name in self.commands:
            return self.commands.get(cmd_name)
        module, attribute = LATER[cmd_name]
        command = getattr(importlib.import_module(f"lotstream.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Group)
def recall() -> None:
    """A recall case: opened, its scope said, initiated, closed; or a mock one, against the clock."""


case_argument = click.argument("case")
why = click.option("--reason", required=True, help="Why, for those who ask later.")


@recall.command("open")
@click.option("--case", "name", default="", help="Its name; without it one is made.")
@click.option("--kind", type=click.Choice([str(kind) for kind in CaseKind]), default="recall", show_default=True)
@click.option("--mock", is_flag=True, help="An exercise: nothing is held, and the clock runs.")
@click.option("--title", default="", help="What it is about.")
@click.option("--team", multiple=True, help="Who works on it; may be given again.")
@why
@sending
@click.pass_context
def open_case(
    context: click.Context, /, name: str, *, kind: str, mock: bool, title: str, team: tuple[str, ...], **given: Any
) -> None:
    """Open a case, as a draft, and print its name."""
    name = name or f"{'mock' if mock else 'R'}-{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(2)}"
    deed = made(Opened, kind=CaseKind(kind), mock=mock, title=title, team=team)
    content = _content(name, deed, given)
    with history_of(context) as history:
        known = [one for one in case_list(history, now=datetime.now(UTC)).cases if one.case == name]
        if known:
            raise Refused(refusal(Case(name, opened=deed), deed))
        send(context, [content], given)
        wait_for(history, name, decision_hash(content))
    console().print(name, markup=False)


@recall.command()
@case_argument
@when_options
@json_option
@click.pass_context
@asked
def status(context: click.Context, case: str, *, as_json: bool, **when: datetime | None) -> None:
    """Where CASE is in its life: its clock, its scope, its holds, and who decided what, when and why."""
    with history_of(context, **when) as history:
        print_answer(case_status(history, case, now=datetime.now(UTC)), as_json)


@recall.command("list")
@when_options
@json_option
@click.pass_context
@asked
def list_cases(context: click.Context, *, as_json: bool, **when: datetime | None) -> None:
    """Every case, the newest first."""
    with history_of(context, **when) as history:
        print_answer(case_list(history, now=datetime.now(UTC)), as_json)


@recall.command()
@case_argument
@why
@sending
@click.pass_context
def close(context: click.Context, /, case: str, **given: Any) -> None:
    """End CASE."""
    _decide(context, case, Closed(), given)
    console().print(f"Closed: {case}", markup=False)


def _decide(context: click.Context, name: str, deed: Deed, given: Mapping[str, Any]) -> None:
    """Sends a deed that fits the case as it is known, and waits until the history has it."""
    content = _content(name, deed, given)
    with history_of(context) as history:
        refused = refusal(find_case(history, name), deed)
        if refused:
            raise Refused(refused)
        send(context, [content], given)
        wait_for(history, name, decision_hash(content))


def _content(name: str, deed: Deed, given: Mapping[str, Any]) -> RecallContent:
    return made(
        RecallContent, case=name, deed=deed, by=given["by"], reason=given["reason"], at_us=SystemClock().now_us()
    )
