"""What the clauses of a scope mean in the history: each a question, with its answer as sets."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import singledispatch
from typing import Any

from lotstream.recall.case import Scope
from lotstream.recall.clauses import words
from lotstream.recall.edges import Stay, Units
from lotstream.recall.find import LocationMissing, LotMissing, UnitMissing, find_locations, near_locations, near_lots
from lotstream.recall.scope import Found, Scoped, Tags, merged, scoped
from lotstream.recall.store import ALWAYS, History, Row
from lotstream.recall.trace import Capped, trace
from lotstream.recall.trace_facts import HistoryFacts, asked, bundle_of, is_lot, unit_of, units_around
from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.identifiers import parse_key
from lotstream.schemas.portions import unit_of as unit_of_portion
from lotstream.schemas.recalls import (
    Clause,
    ExposedClause,
    IngredientClause,
    LotClause,
    ProducedClause,
    SerialsClause,
    SupplierClause,
    UnitClause,
    Window,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


Meanings = dict[Clause, Sequence[Found]]


def scope_now(history: History, scope: Scope, meanings: Meanings | None = None) -> Scoped:
    """What a scope is, by what the history has; clauses are asked once where they share ``meanings``.

    Raises NotFound where a name in it is not known, Rejected where a trace has no end, ClickhouseAway.
    """
    asked_before = {} if meanings is None else meanings
    for clause in (*scope.include, *scope.exclude):
        if clause not in asked_before:
            asked_before[clause] = found_by(clause, history)
    include = [found for clause in scope.include for found in asked_before[clause]]
    exclude = [found for clause in scope.exclude for found in asked_before[clause]]
    parted = {lot for found in exclude for lot, part in found.lots.items() if part is not None}
    wanted = parted & {lot for found in include for lot in found.lots}
    return scoped(include, exclude, known=all_of(history, wanted))


def all_of(history: History, lots: Collection[str]) -> dict[str, Tags]:
    """All that there is of lots: their units, and whether they have goods without tags. Raises ClickhouseAway."""
    made = amounts_of(history, lots)
    rows = {row["lot"]: row for row in asked(history, "scope_units", "lots", lots)}
    found = {}
    for lot in lots:
        row = rows.get(lot, {"units": (), "serials": (), "carried": 0})
        found[lot] = tags_of(row["units"]) | Tags(merged(row["serials"]), loose=lot in made or bool(row["carried"]))
    return found


def amounts_of(history: History, lots: Collection[str]) -> dict[str, dict[str, Any]]:
    """How much of each lot was made, by unit of measure, where there are class-level goods. Raises ClickhouseAway."""
    made: dict[str, dict[str, Any]] = {}
    for row in asked(history, "scope_amounts", "lots", lots):
        made.setdefault(row["lot"], {})[row["uom"]] = row["amount"]
    return made


def tags_of(units: Iterable[str]) -> Tags:
    """Units as a part of their lot."""
    serials, others = [], []
    for unit in units:
        serial = parse_key(unit).numeric_serial if unit.startswith("01/") else None
        if serial is None:
            others.append(unit)
        else:
            serials.append((serial, serial))
    return Tags(merged(serials), tuple(sorted(set(others))))


@singledispatch
def found_by(clause: Clause, history: History) -> Sequence[Found]:
    """What a clause means. Raises ClickhouseAway, and NotFound where a name in it is not known."""
    raise TypeError(f"Expected a clause, got {type(clause).__name__}.")


@found_by.register
def _(clause: LotClause, history: History) -> Sequence[Found]:
    part = Tags(merged(clause.serials)) if clause.serials else None
    return [Found(words(clause), {clause.lot: part})]


@found_by.register
def _(clause: SerialsClause, history: History) -> Sequence[Found]:
    parts: dict[str, Tags | None] = {}
    for first, last in clause.serials:
        for row in history.ask("scope_serials", gtin=clause.gtin, first=first, last=last):
            _add(parts, row["lot"], Tags(((row["first_serial"], row["last_serial"]),)))
    return [Found(words(clause), parts)]


@found_by.register
def _(clause: UnitClause, history: History) -> Sequence[Found]:
    units = units_around(history, [clause.unit])
    stays = bundle_of(units, clause.unit).units
    parts: dict[str, Tags | None] = {}
    for lot, part in _held(units, stays, clause.window):
        _add(parts, lot, part)
    inside = {unit for unit, held in stays.items() if any(_within(stay, clause.window) for stay in held)}
    logistic = sorted(unit for unit in inside if not unit_of_portion(unit) and parse_key(unit).is_logistic)
    if len(stays) == 1 and not parts and not history.ask("history", tag=clause.unit, limit=1):
        hint = f"Nothing was ever said of {clause.unit}."
        raise UnitMissing(text=clause.unit, what="unit", near=[], hint=hint)
    return [Found(words(clause), parts, tuple(logistic))]


@found_by.register
def _(clause: ProducedClause, history: History) -> Sequence[Found]:
    locations = _locations(history, clause.site)
    since, until = _instants(clause.window)
    asked_of: Row = {"site": clause.site, "line": clause.line, "since": since, "until": until}
    rows = history.ask("scope_produced", locations=locations or [clause.site], **asked_of)
    if not (locations or rows):
        raise _no_location(history, clause.site)
    sure = {row["lot"]: None for row in rows if row["sure"]}
    unsure = {row["lot"]: None for row in rows if not row["sure"]}
    found = [Found(words(clause), sure)]
    return [*found, Found(f"{words(clause)}; of which line is not known", unsure)] if unsure else found


@found_by.register
def _(clause: SupplierClause, history: History) -> Sequence[Found]:
    rows = history.ask("scope_supplier", code=clause.code)
    if not rows:
        raise LotMissing(text=clause.code, what="supplier's lot", near=near_lots(history, clause.code))
    return [Found(words(clause), {row["lot"]: None for row in rows})]


@found_by.register
def _(clause: IngredientClause, history: History) -> Sequence[Found]:
    traced = trace(HistoryFacts(history), [clause.lot], back=False, depth=clause.depth)
    if traced.capped is Capped.SIZE:
        detail = f"Expected at most {len(traced.nodes):,} lots made from {clause.lot}, got more: say in how many steps."
        raise Rejected(Reason.DEPTH_EXCEEDED, detail)
    lots = {node: None for node in traced.nodes if is_lot(node)}
    return [Found(words(clause), lots, tuple(sorted({unit_of(node) for node in traced.nodes if not is_lot(node)})))]


@found_by.register
def _(clause: ExposedClause, history: History) -> Sequence[Found]:
    known = _locations(history, clause.location)
    since, until = _instants(clause.window)
    asked_of: Row = {"locations": known or [clause.location], "since": since, "until": until}
    opening = min(since, history.as_of or ALWAYS)
    placed = None if clause.lot else history.all_told()
    units = history.ask("scope_exposed", placed=placed, lot=clause.lot, **asked_of)
    loose = history.ask("scope_exposed_amounts", opening=opening, **asked_of)
    if not (known or units or loose):
        raise _no_location(history, clause.location)
    tags: dict[str, list[str]] = {}
    for row in units:
        tags.setdefault(row["lot"], []).append(row["tag"])
    parts: dict[str, Tags | None] = {lot: _there(some) for lot, some in tags.items()}
    parts |= {row["lot"]: None for row in loose if clause.lot in ("", row["lot"])}  # one piece is like another
    return [Found(words(clause), parts)]


def _there(tags: list[str]) -> Tags | None:
    """Units that were somewhere as a part of their lot; of what a logistic unit holds by class, all of the lot."""
    return None if any(map(unit_of_portion, tags)) else tags_of(tags)


def _held(units: Units, stays: dict[str, tuple[Stay, ...]] | Any, window: Window | None) -> Iterator[tuple[str, Tags]]:
    """The lots of units and of what these held, each with the unit; a portion is what its unit holds of the lot."""
    for unit, held in stays.items():
        carrier = unit_of_portion(unit)
        for lot, life in units.lives(unit):
            if any(both is not None and _within(both, window) for both in (stay.over(life) for stay in held)):
                yield lot, Tags(units=(carrier,)) if carrier else tags_of([unit])


def _within(stay: Stay, window: Window | None) -> bool:
    if window is None:
        return True
    since, until = _instants(window)
    return stay.since < until and stay.until > since


def _add(parts: dict[str, Tags | None], lot: str, part: Tags) -> None:
    known = parts.get(lot)
    parts[lot] = part if known is None else known | part


def _locations(history: History, text: str) -> list[str]:
    """The locations that a text names, or those of the site that it names."""
    named = find_locations(history, text)
    return named or [row["id"] for row in history.places() if row["site"].casefold() == text.strip().casefold()]


def _no_location(history: History, text: str) -> LocationMissing:
    near = near_locations(history, text)
    return LocationMissing(text=text, what="location", near=near, hint="All: lotstream locations.")


def _instants(window: Window) -> tuple[datetime, datetime]:
    return _EPOCH + timedelta(microseconds=window.from_us), _EPOCH + timedelta(microseconds=window.until_us)
