"""legal-hold: while one is in force, nothing of the history is deleted."""

import getpass
from datetime import UTC, datetime

import click

from lotstream.cli.context import console, settings_of
from lotstream.cli.exits import Refused
from lotstream.recall.find import find_lot
from lotstream.recall.store import History
from lotstream.runtime.settings import Settings
from lotstream.sinks.retention import ALL, LegalHold, holds, say_hold

why_option = click.option("--why", required=True, help="The case, for those who ask later.")
subject_argument = click.argument("subject", metavar="LOT|all")


@click.group("legal-hold")
def legal_hold() -> None:
    """Stop the deletion of old rows, for a lot under investigation or for all."""


@legal_hold.command()
@subject_argument
@why_option
@click.pass_context
def place(context: click.Context, subject: str, why: str) -> None:
    """Keep everything from now on: deletion stops in every table, since facts of other lots decide on this one too."""
    _say(settings_of(context), subject, why, placed=True)


@legal_hold.command()
@subject_argument
@why_option
@click.pass_context
def release(context: click.Context, subject: str, why: str) -> None:
    """End a hold; with the last one deletion goes on as the settings say."""
    settings = settings_of(context)
    if _named(settings, subject) not in {hold.subject for hold in holds(settings.clickhouse)}:
        raise Refused(f"Expected a legal hold on {subject}, got none. All: lotstream legal-hold list.")
    _say(settings, subject, why, placed=False)


@legal_hold.command("list")
@click.pass_context
def list_command(context: click.Context) -> None:
    """The holds in force."""
    found = holds(settings_of(context).clickhouse)
    for hold in found:
        console().print(
            f"{hold.subject}  since {hold.at:%Y-%m-%d %H:%M}Z by {hold.by}: {hold.why}", markup=False, soft_wrap=True
        )
    if not found:
        console().print("None.")


def _say(settings: Settings, subject: str, why: str, *, placed: bool) -> None:
    hold = LegalHold(_named(settings, subject), datetime.now(UTC), getpass.getuser(), why)
    for line in say_hold(settings.clickhouse, hold, placed=placed):
        console().print(line)
    console().print(f"{'Held' if placed else 'Released'}: {hold.subject}", markup=False, soft_wrap=True)


def _named(settings: Settings, subject: str) -> str:
    return ALL if subject == ALL else find_lot(History(settings.clickhouse), subject).lot
