"""What the commands of `lot` ask: who decides, what a lot is, what of it is held."""

import getpass
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import Wire, first_error
from lotstream.schemas.identifiers import tag_key
from lotstream.schemas.lots import HoldScope

PIECE = "H87"  # UN/CEFACT Rec 20
_DAY = click.DateTime(["%Y-%m-%d"])
_RANGE = re.compile(r"([0-9]{1,18})(?:\.\.([0-9]{1,18}))?")

Command = Callable[..., None]
Planned = tuple[Decimal, str]
Content = TypeVar("Content", bound=Wire)


def _amount(_context: click.Context, _option: click.Parameter, text: str | None) -> Planned | None:
    if text is None:
        return None
    number, _, uom = text.strip().partition(" ")
    try:
        amount = Decimal(number)
    except InvalidOperation:
        amount = Decimal(0)
    if not (amount.is_finite() and amount > 0 and len(uom) <= 3):
        raise click.BadParameter(f"Expected an amount above 0 and a unit, like '500 KGM', got {text!r}.")
    return amount, uom or PIECE


def _serials(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    return parse_serials(texts)


def parse_serials(texts: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """Ranges first..last. Raises BadParameter."""
    found = []
    for text in texts:
        match = _RANGE.fullmatch(text)
        if match is None:
            raise click.BadParameter(f"Expected serials like 1..200 or 7, got {text!r}.")
        found.append((int(match[1]), int(match[2] or match[1])))
    return tuple(found)


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def give(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return give


sending = _together(
    click.option("--by", default=getpass.getuser, show_default="you", help="Who decided."),
    click.option("--url", default="", help="Gateway; without it the one of this machine, else that of the settings."),
    click.option("--token-file", type=click.Path(path_type=Path, exists=True), help="File with a token."),
)
master = _together(
    click.option("--description", default="", help="Name of the product."),
    click.option("--production-date", type=_DAY, help="Day of production; of a new lot today in UTC, if not given."),
    click.option("--expiry", type=_DAY, help="Last day of use, AI (17)."),
    click.option("--best-before", type=_DAY, help="Best before, AI (15)."),
    click.option("--supplier-lot", default="", help="The supplier's own lot code; the lot is found by it too."),
    click.option("--site", default="", help="Where it is made."),
    click.option("--line", default="", help="Production line."),
    click.option("--quantity", callback=_amount, help="What is planned, like '500 KGM'; without a unit, pieces."),
)
scope = _together(
    click.option("--serials", multiple=True, callback=_serials, help="Only these serials: 1..200, or one."),
    click.option("--unit", "units", multiple=True, help="Only this unit, or this SSCC with what is in it."),
    click.option("--quantity", callback=_amount, help="Only so much of it, like '500 KGM'."),
    click.option("--site", default="", help="Only what is at this site or location."),
)


def master_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Master data as decisions have them."""
    planned: Planned | None = given["quantity"]
    return {
        "description": given["description"],
        "production_date": day_of(given["production_date"]),
        "expires": day_of(given["expiry"]),
        "best_before": day_of(given["best_before"]),
        "supplier_code": given["supplier_lot"],
        "site": given["site"],
        "line": given["line"],
        "planned": planned[0] if planned else None,
        "planned_uom": planned[1] if planned else "",
        "by": given["by"],
    }


def scope_of(given: Mapping[str, Any]) -> HoldScope:
    """What is held. Raises IdentifierInvalid for a unit that is none, BadParameter for more than one kind."""
    amount: Planned | None = given["quantity"]
    kinds = [name for name in ("serials", "units", "quantity", "site") if given[name]]
    if len(kinds) > 1:
        raise click.UsageError(f"Expected one kind of scope, got {', '.join(kinds)}: place a hold for each.")
    return made(
        HoldScope,
        serials=given["serials"],
        units=tuple(map(tag_key, given["units"])),
        amount=amount[0] if amount else None,
        uom=amount[1] if amount else "",
        site=given["site"],
    )


def made(kind: type[Content], /, **given: Any) -> Content:
    """A value of the contracts. Raises Rejected, with what was expected."""
    try:
        return kind(**given)
    except ValidationError as error:
        field, detail = first_error(error)
        raise Rejected(Reason.SCHEMA_INVALID, detail, field=field) from None


def day_of(given: datetime | None) -> date | None:
    """The day of an option."""
    return None if given is None else given.date()
