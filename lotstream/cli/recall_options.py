"""The options of `recall scope`: clauses that are added, taken out, dropped again."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import click

from lotstream.cli.ask import instant
from lotstream.cli.lot_options import made, parse_serials
from lotstream.recall.case import Scope
from lotstream.recall.case_told import numbered
from lotstream.recall.find import UnitMissing, find_lot, unit_named
from lotstream.recall.store import History
from lotstream.schemas.identifiers import gtin14
from lotstream.schemas.recalls import (
    Clause,
    ExposedClause,
    IngredientClause,
    LotClause,
    ProducedClause,
    ScopeSaid,
    SerialsClause,
    SupplierClause,
    UnitClause,
    Window,
)

Command = Callable[..., None]
Given = Mapping[str, Any]

_KINDS = {
    "lot": "LOT, or with --serials this part of it.",
    "serials": "GTIN:1..200, serials of a product in whatever lots they are.",
    "unit": "UNIT; of an SSCC all that was inside it, with --from and --to in that time.",
    "produced": "SITE or location: the lots that were made there from --from to --to, with --line on that line.",
    "supplier-lot": "CODE: the lots that bear this code of a supplier.",
    "ingredient": "LOT, goods or packaging, with everything made from it.",
    "exposed": "LOCATION or site: everything that was there at any time from --from to --to.",
}

# options that say more of a clause, and of which kinds of clauses
_WINDOWED = ("unit", "produced", "exposed")
_MORE = {
    "serials": ("lot",), "of_lot": ("exposed",), "line": ("produced",), "depth": ("ingredient",),
    "since": _WINDOWED, "until": _WINDOWED,
}  # fmt: skip
_NAMES = {"of_lot": "--of", "since": "--from", "until": "--to"}


def _begin(context: click.Context, option: click.Parameter, text: str | None) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text or ""), time.min, tzinfo=UTC)
    except ValueError:
        return instant(context, option, text)


def clause_options(command: Command) -> Command:
    """What is said of a scope."""
    given = [
        click.option(f"--{way}-{kind}", f"{way}_{kind.replace('-', '_')}", multiple=True, help=f"{verb} {words}")
        for way, verb in (("add", "Add"), ("exclude", "Take out"))
        for kind, words in _KINDS.items()
    ]
    given += [
        click.option("--drop", multiple=True, type=int, help="Drop the clause of this number: recall status has it."),
        click.option("--serials", multiple=True, help="Of the lot only these: 1..200, or one."),
        click.option("--of", "of_lot", default="", help="Of what was exposed only this lot."),
        click.option("--line", default="", help="Production line."),
        click.option("--depth", type=click.IntRange(1, 100), help="Of an ingredient so many steps of process."),
        click.option("--from", "since", callback=_begin, help="Begin of the window: ISO 8601, or a date in UTC."),
        click.option("--to", "until", callback=instant, help="End of the window; a date is its end in UTC."),
    ]
    for option in reversed(given):
        command = option(command)
    return command


def said_of(history: History, scope: Scope, given: Given) -> ScopeSaid | None:
    """What is said of a scope, with every name looked up; None when nothing is.

    Raises UsageError, NotFound, LotAmbiguous, IdentifierInvalid, ClickhouseAway.
    """
    _needed(given)
    include, exclude = tuple(_clauses(history, given, "add")), tuple(_clauses(history, given, "exclude"))
    drop = tuple(_numbered(scope, number) for number in given["drop"])
    if not (include or exclude or drop):
        return None
    return made(ScopeSaid, include=include, exclude=exclude, drop=drop)


def _needed(given: Given) -> None:
    """Nothing is accepted and ignored, nor meant for two."""
    for name, kinds in _MORE.items():
        if given[name] and not any(given[f"{way}_{kind}"] for way in ("add", "exclude") for kind in kinds):
            wanted = " or ".join(kind.replace("_", "-") for kind in kinds)
            raise click.UsageError(f"Expected an option for {wanted} with {_NAMES.get(name, f'--{name}')}, got none.")
    if given["serials"] and len([*given["add_lot"], *given["exclude_lot"]]) > 1:
        raise click.UsageError("Expected one lot with --serials, got more: say them one by one.")


def _numbered(scope: Scope, number: int) -> Clause:
    clauses = numbered(scope)
    if not 0 < number <= len(clauses):
        raise click.UsageError(f"Expected the number of a clause, 1 to {len(clauses)}, got {number}.")
    return clauses[number - 1]


def _clauses(history: History, given: Given, way: str) -> Iterator[Clause]:
    for text in given[f"{way}_lot"]:
        yield made(LotClause, lot=find_lot(history, text).lot, serials=parse_serials(given["serials"]))
    for text in given[f"{way}_serials"]:
        gtin, _, serials = text.partition(":")
        yield made(SerialsClause, gtin=gtin14(gtin), serials=parse_serials(serials.split(",")))
    for text in given[f"{way}_unit"]:
        yield made(UnitClause, unit=_unit(text), window=_window(given) if given["since"] or given["until"] else None)
    for text in given[f"{way}_produced"]:
        yield made(ProducedClause, site=text, line=given["line"], window=_window(given))
    for text in given[f"{way}_supplier_lot"]:
        yield made(SupplierClause, code=text)
    for text in given[f"{way}_ingredient"]:
        yield made(IngredientClause, lot=find_lot(history, text).lot, depth=given["depth"])
    for text in given[f"{way}_exposed"]:
        lot = find_lot(history, given["of_lot"]).lot if given["of_lot"] else ""
        yield made(ExposedClause, location=text, lot=lot, window=_window(given))


def _unit(text: str) -> str:
    unit = unit_named(text.strip())
    if unit is None:
        raise UnitMissing(text=text, what="unit", near=[], hint="A lot is added with --add-lot.")
    return unit


def _window(given: Given) -> Window:
    since: datetime | None = given["since"]
    until: datetime | None = given["until"]
    if since is None or until is None:
        raise click.UsageError("Expected a window, --from and --to, got none, or half of one.")
    return made(Window, from_us=_micros(since), until_us=_micros(until))


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
