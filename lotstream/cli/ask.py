"""The questions: affected, where, history, stock, lots, locations, parse."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import click

from lotstream.cli import tables
from lotstream.cli.context import console, json_option, print_json, settings_of
from lotstream.cli.exits import exit_code
from lotstream.recall import ask
from lotstream.recall.answers import Answer
from lotstream.recall.problems import problem
from lotstream.recall.store import History
from lotstream.runtime.errors import Rejected, Transient

lot_argument = click.argument("lot")
known_option = click.option(
    "--known-at",
    callback=lambda _context, _option, text: _instant(text),
    help="As it was known at this instant (ISO 8601 with its zone).",
)
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


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise click.BadParameter(f"Expected an instant with its zone, like 2026-03-02T10:00:00Z, got {text!r}.")
    return at.astimezone(UTC)


def _history(context: click.Context, known_at: datetime | None) -> History:
    return History(settings_of(context).clickhouse, known_at=known_at)


def _answer(answer: Answer, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        tables.show(answer, console())


@click.command()
@lot_argument
@gtin_option
@known_option
@json_option
@click.pass_context
@asked
def affected(context: click.Context, lot: str, gtin: str, known_at: datetime | None, as_json: bool) -> None:
    """Where everything of LOT is now, who received some, how sure we are.

    LOT is a lot code, a lot key (01/<gtin>/10/<lot>), an LGTIN, a Digital Link or a scanned label.
    """
    _answer(ask.affected(_history(context, known_at), lot, gtin=gtin), as_json)


@click.command()
@lot_argument
@gtin_option
@click.option("--limit", default=1000, show_default=True, help="Units listed at most.")
@known_option
@json_option
@click.pass_context
@asked
def where(context: click.Context, lot: str, gtin: str, limit: int, known_at: datetime | None, as_json: bool) -> None:
    """Where each unit of LOT is now."""
    _answer(ask.where(_history(context, known_at), lot, gtin=gtin, limit=limit), as_json)


@click.command()
@click.argument("epc")
@click.option("--limit", default=1000, show_default=True, help="Sightings listed at most.")
@json_option
@click.pass_context
@asked
def history(context: click.Context, epc: str, limit: int, as_json: bool) -> None:
    """Everything known of where EPC was: EPC hex, EPC URI, Digital Link or key."""
    _answer(ask.history_of(History(settings_of(context).clickhouse), epc, limit=limit), as_json)


@click.command()
@click.option("--gtin", default="", help="Only this product (GTIN-14).")
@click.option("--location", default="", help="Only this location.")
@click.option("--expires-before", type=click.DateTime(["%Y-%m-%d"]), help="Only what expires before this date.")
@click.option("--limit", default=1000, show_default=True, help="Rows at most.")
@known_option
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
    known_at: datetime | None,
    as_json: bool,
) -> None:
    """Units and amounts on hand, by lot and location."""
    before = expires_before.date() if expires_before else None
    history = _history(context, known_at)
    answer = ask.stock(history, gtin=gtin, location=location, expires_before=before, limit=limit)
    _answer(answer, as_json)


@click.command()
@click.argument("text", default="")
@click.option("--gtin", default="", help="Only this product (GTIN-14).")
@click.option("--limit", default=100, show_default=True, help="Lots at most.")
@json_option
@click.pass_context
@asked
def lots(context: click.Context, text: str, gtin: str, limit: int, as_json: bool) -> None:
    """Lots, newest first; TEXT is looked for in code, supplier's code and description."""
    _answer(ask.lots(History(settings_of(context).clickhouse), gtin=gtin, text=text, limit=limit), as_json)


@click.command()
@json_option
@click.pass_context
@asked
def locations(context: click.Context, as_json: bool) -> None:
    """The locations of the mapping."""
    _answer(ask.locations(History(settings_of(context).clickhouse)), as_json)
