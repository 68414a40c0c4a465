"""The holds of a recall case: from its scope and the holds that there are, what is to be placed and released. Pure.

A hold is released for ever, so a name is never used twice: `recall:CASE`, `recall:CASE/2`, ... of each lot. Placed
again under its name a hold is another version of it; what is held as it should be is left alone. So the plan of a scope
that was carried out is empty, and whoever repeats it does nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotstream.recall.scope import ScopedLot
from lotstream.schemas.lots import HoldAction, HoldScope

Row = Mapping[str, Any]
MOST = 1000  # ranges, or units, of one hold
WHOLE = HoldScope()


@dataclass(frozen=True, slots=True)
class HoldDeed:
    """A hold of a lot to be placed, or released."""

    lot: str
    hold: str
    action: HoldAction
    scope: HoldScope = WHOLE


def first_name(case: str) -> str:
    """The first hold of a case on any lot; the others are called after it."""
    return f"recall:{case}"


def in_force(decided: Iterable[Row]) -> dict[str, dict[str, HoldScope]]:
    """By lot and name the holds that were placed and not released, with what they hold."""
    rows = list(decided)
    ended = {(row["lot"], row["hold"]) for row in rows if row["action"] == "release"}
    found: dict[str, dict[str, HoldScope]] = {}
    for row in rows:
        if (row["lot"], row["hold"]) not in ended:
            found.setdefault(row["lot"], {})[row["hold"]] = _scope(row)
    return found


def plan(case: str, lots: Iterable[ScopedLot], decided: Sequence[Row]) -> list[HoldDeed]:
    """What makes the holds of a case those that its scope asks for, lot by lot."""
    held = in_force(decided)
    used: dict[str, set[str]] = {}
    for row in decided:
        used.setdefault(row["lot"], set()).add(row["hold"])
    wanted = {lot.lot: _parts(lot) for lot in lots}
    deeds: list[HoldDeed] = []
    for lot in sorted(wanted.keys() | held.keys()):
        names = _names(case, used.get(lot, set()))
        deeds += _of_lot(lot, wanted.get(lot, []), held.get(lot, {}), names)
    return deeds


def releases(decided: Sequence[Row], lots: Iterable[str] | None) -> list[HoldDeed]:
    """The end of every hold of a case that is in force, or of those of some lots."""
    held = in_force(decided)
    some = sorted(held) if lots is None else sorted(held.keys() & set(lots))
    return [HoldDeed(lot, hold, HoldAction.RELEASE) for lot in some for hold in sorted(held[lot])]


def _of_lot(
    lot: str, wanted: list[HoldScope], held: Mapping[str, HoldScope], names: Iterator[str]
) -> Iterator[HoldDeed]:
    right = {hold for hold, scope in held.items() if scope in wanted}
    missing = [scope for scope in wanted if scope not in held.values()]
    free = sorted(held.keys() - right)
    for scope in missing:
        yield HoldDeed(lot, free.pop(0) if free else next(names), HoldAction.PLACE, scope)
    for hold in free:
        yield HoldDeed(lot, hold, HoldAction.RELEASE)


def _names(case: str, used: set[str]) -> Iterator[str]:
    number = 1
    while True:
        name = first_name(case) if number == 1 else f"{first_name(case)}/{number}"
        if name not in used:
            yield name
        number += 1


def _parts(lot: ScopedLot) -> list[HoldScope]:
    """What is held of a lot. No hold can name goods without tags: where they are a part of it, all of it is held."""
    tags = lot.tags
    if tags is None or tags.loose:
        return [WHOLE]
    serials = [HoldScope(serials=tags.serials[at : at + MOST]) for at in range(0, len(tags.serials), MOST)]
    return serials + [HoldScope(units=tags.units[at : at + MOST]) for at in range(0, len(tags.units), MOST)]


def _scope(row: Row) -> HoldScope:
    return HoldScope(
        serials=tuple(zip(row["first_serials"], row["last_serials"], strict=True)),
        units=tuple(row["units"]),
        amount=row["amount"],
        uom=row["uom"],
        site=row["site"],
    )
