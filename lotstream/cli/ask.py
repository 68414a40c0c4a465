"""The questions: affected, where, history, stock, lots, locations, parse."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

import click

from lotstream.cli import tables
from lotstream.cli.context import console, json_option, print_json, settings_of
from lotstream.cli.exits import exit_code
from lotstream.recall import ask
from lotstream.recall.answers import Answer
from lotstream.recall.as_of import parse_instant
from lotstream.recall.problems import problem
from lotstream.recall.store import History
from lotstream.runtime.errors import Rejected, Transient

lot_argument = click.argument("lot")


def instant(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """An option's instant, as click calls for it."""
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_known_option = click.option(
    "--known-at",
    callback=instant,
    help="As it was known at this instant (ISO 8601 with its zone; a date is its end in UTC).",
)
_as_of_option = click.option(
    "--as-of",
    callback=instant,
    help="By what had happened by this instant (ISO 8601 with its zone; a date is its end in UTC).",
)


def when_options(command: Callable[..., None]) -> Callable[..., None]:
    """--as-of and --known-at: of when a question is asked."""
    return _as_of_option(_known_option(command))


gtin_option = click.option("--gtin", default="", help="GTIN of the lot, where its code alone is not unique.")


def asked(command: Callable[..., None]) -> Callable[..., None]:
    """A question whose failure is JSON too when its answer would have been."""

    @wraps(command)
    def run(context: click.Context, /, **given: Any) -> None:
        try:
            command(context, **given)
        except (LookupError, Rejected, Transient) as error:
            found = problem(error)
            if found is None or not given["as_json"]:
                raise
            print_json(found)
            context.exit(exit_code(error))

    return run


def history_of(context: click.Context, **when: datetime | None) -> History:
    """The history, of when `when_options` say."""
    return History(settings_of(context).clickhouse, **when)


def print_answer(answer: Answer, as_json: bool) -> None:
    """As JSON for programs, as tables for people."""
    if as_json:
        print_json(answer)
    else:
        tables.show(answer, console())


@click.command()
@lot_argument
@gtin_option
@when_options
@json_option
@click.pass_context
@asked
def affected(context: click.Context, lot: str, gtin: str, *, as_json: bool, **when: datetime | None) -> None:
    """Where everything of LOT is, who received some, how sure we are.

    LOT is a lot code, a lot key (01/<gtin>/10/<lot>), an LGTIN, a Digital Link or a scanned label.
    """
    print_answer(ask.affected(history_of(context, **when), lot, gtin=gtin), as_json)


@click.command()
@lot_argument
@gtin_option
@click.option("--limit", default=1000, show_default=True, help="Units listed at most.")
@when_options
@json_option
@click.pass_context
@asked
def where(context: click.Context, lot: str, gtin: str, *, limit: int, as_json: bool, **when: datetime | None) -> None:
    """Where each unit of LOT is now."""
    print_answer(ask.where(history_of(context, **when), lot, gtin=gtin, limit=limit), as_json)


@click.command()
@click.argument("epc")
@click.option("--limit", default=1000, show_default=True, help="Sightings listed at most.")
@when_options
@json_option
@click.pass_context
@asked
def history(context: click.Context, epc: str, *, limit: int, as_json: bool, **when: datetime | None) -> None:
    """Everything known of where EPC was: EPC hex, EPC URI, Digital Link or key."""
    print_answer(ask.history_of(history_of(context, **when), epc, limit=limit), as_json)


@click.command()
@click.option("--gtin", default="", help="Only this product (GTIN-14).")
@click.option("--location", default="", help="Only this location.")
@click.option("--expires-before", type=click.DateTime(["%Y-%m-%d"]), help="Only what expires before this date.")
@click.option("--limit", default=1000, show_default=True, help="Rows at most.")
@when_options
@json_option
@click.pass_context
@asked
def stock(
    context: click.Context,
    *,
    gtin: str,
    location: str,
    expires_before: datetime | None,
    limit: int,
    as_json: bool,
    **when: datetime | None,
) -> None:
    """Units and amounts on hand, by lot and location."""
    before = expires_before.date() if expires_before else None
    history = history_of(context, **when)
    answer = ask.stock(history, gtin=gtin, location=location, expires_before=before, limit=limit)
    print_answer(answer, as_json)


@click.command()
@click.argument("text", default="")
@click.option("--gtin", default="", help="Only this product (GTIN-14).")
@click.option("--limit", default=100, show_default=True, help="Lots at most.")
@json_option
@click.pass_context
@asked
def lots(context: click.Context, text: str, gtin: str, limit: int, as_json: bool) -> None:
    """Lots, newest first; TEXT is looked for in code, supplier's code and description."""
    print_answer(ask.lots(history_of(context), gtin=gtin, text=text, limit=limit), as_json)


@click.command()
@json_option
@click.pass_context
@asked
def locations(context: click.Context, as_json: bool) -> None:
    """The locations of the mapping."""
    print_answer(ask.locations(history_of(context)), as_json)
