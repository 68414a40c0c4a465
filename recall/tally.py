"""Sums over what is known of one lot: what it is, where it is, who received some. Pure.

Amounts are Decimal throughout. Nothing is counted twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from lotstream.recall.answers import Lot, Place, QuantityPlace, Recipient
from lotstream.recall.conservation import IN_TRANSIT, Account, Counted
from lotstream.recall.holds import holds_of, status_of
from lotstream.schemas.identifiers import split_lot_key

Row = dict[str, Any]
Names = dict[str, str]

OUTGOING = frozenset({"shipping", "departing", "retail_selling"})
_NOT_COUNTED: Mapping[Account, Counted] = MappingProxyType({})
_STRENGTH = ("confirmed", "inferred", "declared", "probabilistic")
_WORDS = (
    "supplier_code", "description", "location", "produced_at", "expires", "best_before", "site", "line", "planned",
    "planned_uom",
)  # fmt: skip


@dataclass(slots=True)
class _Sum:
    """What adds up at one place or on one line."""

    amount: Decimal = Decimal(0)
    items: int = 0
    cases: int = 0
    provisional: int = 0
    carriers: set[str] = field(default_factory=set)
    evidence: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None

    def seen(self, first: datetime, last: datetime) -> None:
        """Widen the span."""
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)


def lot_of(key: str, statements: Sequence[Row], *, decided: Sequence[Row], day: date) -> Lot:
    """A lot from the valid statements about it, in order of time, and what was decided about its holds.

    The newest word of each kind, counts summed, amounts summed of the unit of measure named first, the gravest
    status: as view lot_master has it for many lots, quicker for one. ``day`` tells whether it has expired.
    """
    gtin, code = split_lot_key(key)
    words = {name: _newest(row[name] for row in statements) for name in _WORDS}
    units = [row["units"] for row in statements if row["units"] is not None]
    amounts = [(row["uom"], row["amount"]) for row in statements if row["amount"] is not None]
    uom = amounts[0][0] if amounts else ""
    holds = holds_of(decided)
    return Lot(
        lot=key,
        gtin=gtin,
        code=code,
        units=sum(units) if units else None,
        amount=sum((amount for unit, amount in amounts if unit == uom), Decimal(0)) if amounts else None,
        uom=uom,
        status=status_of((row["status"] for row in statements), holds=holds, expires=words["expires"], day=day),
        holds=holds,
        **{name: word for name, word in words.items() if word is not None},
    )


def _newest(words: Iterable[Any]) -> Any:
    said = [word for word in words if word not in ("", None)]
    return said[-1] if said else None


def places_of(groups: Iterable[Row], names: Names) -> tuple[Place, ...]:
    """Units by location and disposition, most first."""
    sums: dict[tuple[str, str], _Sum] = {}
    for row in groups:
        if row["placed"]:
            at = sums.setdefault((row["location"], row["disposition"]), _Sum())
            at.items += row["items"]
            at.provisional += 0 if row["final"] else row["items"]
            at.carriers.update(row["carriers"])
            at.evidence.add(row["evidence"])
            at.seen(row["since"], row["newest"])
    return tuple(
        Place(
            location=location,
            name=names.get(location, ""),
            disposition=disposition,
            items=at.items,
            provisional=at.provisional,
            logistic=len(at.carriers),
            evidence=strongest(at.evidence),
            newest=_instant(at.last),
        )
        for (location, disposition), at in sorted(sums.items(), key=lambda entry: (-entry[1].items, entry[0]))
    )


def quantities_of(
    ways: Iterable[Row],
    names: Names,
    *,
    counted: Mapping[Account, Counted] = _NOT_COUNTED,
    carried: Iterable[Row] = (),
) -> tuple[QuantityPlace, ...]:
    """Class-level goods by place: what arrived less what left, or was counted; where that is not 0; most first.

    What is in a logistic unit is where ``carried`` says that this is.
    """
    sums: dict[tuple[str, str, str], _Sum] = {}
    for row in ways:
        came, left = (row["location"], row["disposition"]), (row["source"], row["source_disposition"])
        if came == left:
            continue
        for (location, disposition), sign in ((came, 1), (left, -1)):
            if location:
                at = sums.setdefault((location, disposition, row["uom"]), _Sum())
                at.amount += sign * row["amount"]
                at.cases += sign * row["cases"]
                at.evidence.add(row["evidence"])
                at.seen(row["since"], row["newest"])
    for place in sums.keys() & counted.keys():
        sums[place].amount, sums[place].cases = counted[place].amount, counted[place].cases
    sums = _carried(sums, {row["unit"]: row for row in carried})
    _net(sums)
    return tuple(
        QuantityPlace(
            location=location,
            name=names.get(location, ""),
            disposition=disposition,
            amount=at.amount,
            uom=uom,
            cases=at.cases,
            evidence=strongest(at.evidence),
            newest=_instant(at.last),
        )
        for (location, disposition, uom), at in sorted(sums.items(), key=lambda entry: (-entry[1].amount, entry[0]))
        if at.amount or at.cases
    )


def _net(sums: Mapping[Account, _Sum]) -> None:
    """What a place lacks at rest is taken from what was under way to it: it left there, so it had arrived."""
    for (location, disposition, uom), rest in sums.items():
        way = sums.get((location, IN_TRANSIT, uom))
        if disposition == IN_TRANSIT or way is None:
            continue
        amount = max(Decimal(0), min(-rest.amount, way.amount))
        cases = max(0, min(-rest.cases, way.cases))
        rest.amount, way.amount = rest.amount + amount, way.amount - amount
        rest.cases, way.cases = rest.cases + cases, way.cases - cases


def _carried(sums: dict[Account, _Sum], units: Mapping[str, Row]) -> dict[Account, _Sum]:
    found: dict[Account, _Sum] = {}
    for (location, disposition, uom), here in sums.items():
        unit = units.get(location)
        place = (unit["location"], unit["disposition"], uom) if unit else (location, disposition, uom)
        at = found.setdefault(place, _Sum())
        at.amount += here.amount
        at.cases += here.cases
        at.evidence |= here.evidence | ({unit["evidence"]} if unit else set())
        at.seen(_instant(here.first), max(_instant(here.last), unit["last_at"]) if unit else _instant(here.last))
    return found


def recipients_of(groups: Iterable[Row], ways: Iterable[Row]) -> tuple[Recipient, ...]:
    """Who received some, by document line; units, and amounts of each unit of measure, apart."""
    sums: dict[tuple[str, str, str, str], _Sum] = {}
    for row in groups:
        first: dict[tuple[str, str, str], datetime] = {}
        for party, document, line, at in row["sent"]:
            first[party, document, line] = min(at, first.get((party, document, line), at))
        for (party, document, line), at in first.items():
            sent = sums.setdefault((party, document, line, ""), _Sum())
            sent.items += row["items"]
            sent.seen(at, at)
    for row in ways:
        if row["biz_step"] in OUTGOING and (row["document"] or row["named"]):
            sent = sums.setdefault((row["receiver"], row["document"], row["line"], row["uom"]), _Sum())
            sent.amount += row["amount"]
            sent.cases += row["cases"]
            sent.seen(row["since"], row["newest"])
    return tuple(
        Recipient(
            party=party,
            document=document,
            line=line,
            items=sent.items,
            amount=sent.amount,
            uom=uom,
            cases=sent.cases,
            first_at=_instant(sent.first),
        )
        for (party, document, line, uom), sent in sorted(sums.items())
    )


def span_start(groups: Iterable[Row], ways: Iterable[Row], *, otherwise: datetime) -> datetime:
    """The earliest instant that anything is known of."""
    return min((row["since"] for row in (*groups, *ways)), default=otherwise)


def strongest(kinds: Iterable[str]) -> tuple[str, ...]:
    """Kinds of evidence, strongest first."""
    found = set(kinds)
    return tuple(kind for kind in _STRENGTH if kind in found)


def _instant(at: datetime | None) -> datetime:
    assert at is not None  # a sum has at least one row
    return at
