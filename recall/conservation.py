"""Conservation of a lot: made = on hand + in transit + shipped + consumed + destroyed + adjusted + unexplained. Pure.

Items and each unit of measure apart; nothing is hidden: what the facts do not explain is listed where it is missing.
docs/quantities.md says which event enters where.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lotstream.recall.answers import Accounted, Adjustment, Missing, QuantityPlace

Row = dict[str, Any]
Kinds = Mapping[str, str]  # location of the mapping: its kind
Account = tuple[str, str, str]  # location, disposition, unit of measure

ITEMS = "items"
IN_TRANSIT = "in_transit"
CUSTOMER = "customer"
# CBV 2.0 dispositions after which a unit is not to be fetched back; consumed: it went into a transformation
ENDS = {
    "retail_sold": "shipped",
    "dispensed": "shipped",
    "destroyed": "destroyed",
    "disposed": "destroyed",
    "inactive": "destroyed",
    "consumed": "consumed",
}
_NONE = Decimal(0)
_CENT = Decimal("0.01")
_TERMS = ("on_hand", "in_transit", "shipped", "consumed", "destroyed", "adjusted")


@dataclass(frozen=True, slots=True)
class Counted:
    """A place that was counted: what is there by its newest count and what moved later, and each count's difference."""

    amount: Decimal
    cases: int
    adjustments: tuple[Adjustment, ...]


@dataclass(slots=True)
class Sums:
    """The terms of one unit of measure, as they are found: in all, and by term, location and disposition."""

    uom: str
    made: Decimal = _NONE
    received: Decimal = _NONE
    terms: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(_TERMS, _NONE))
    parts: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    missing: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def add(self, term: str, amount: Decimal, location: str = "", disposition: str = "") -> None:
        self.terms[term] += amount
        self.parts[term, location, disposition] = self.parts.get((term, location, disposition), _NONE) + amount

    def miss(self, amount: Decimal, location: str = "", disposition: str = "") -> None:
        self.missing[location, disposition] = self.missing.get((location, disposition), _NONE) + amount

    def account(self) -> Accounted:
        """The line of the balance."""
        made, found = self.made + self.received, sum(self.terms.values(), _NONE)
        return Accounted(
            uom=self.uom,
            made=made,
            received=self.received,
            unexplained=made - found,
            percent=(found * 100 / made).quantize(_CENT) if made > 0 else None,
            missing=tuple(
                Missing(location=location, disposition=disposition, amount=amount)
                for (location, disposition), amount in sorted(self.missing.items())
                if amount
            ),
            **self.terms,
        )


def counted_places(entries: Iterable[Row]) -> dict[Account, Counted]:
    """The places that were counted, from all entries there: in order of time, what moved at the instant before it."""
    books: dict[Account, list[Row]] = {}
    for row in sorted(entries, key=lambda row: (row["at"], row["counted"], row["recorded_at"], row["identity"])):
        books.setdefault((row["place"], row["disposition"], row["uom"]), []).append(row)
    return {place: _walk(place, rows) for place, rows in books.items()}


def adjustments_of(counted: Mapping[Account, Counted]) -> tuple[Adjustment, ...]:
    """Every count, in order of time."""
    found = [one for place in counted.values() for one in place.adjustments]
    return tuple(sorted(found, key=lambda one: (one.at, one.location, one.disposition, one.uom)))


def _walk(place: Account, rows: Iterable[Row]) -> Counted:
    amount, cases, known = _NONE, 0, False
    found: list[Adjustment] = []
    for row in rows:
        if row["counted"]:
            found.append(_adjustment(place, row, booked=amount, opening=not known))
            amount, cases = row["change"], row["labels"]
        else:
            amount, cases = amount + row["change"], cases + row["labels"]
        known = True
    return Counted(amount, cases, tuple(found))


def _adjustment(place: Account, row: Row, *, booked: Decimal, opening: bool) -> Adjustment:
    location, disposition, uom = place
    return Adjustment(
        location=location,
        disposition=disposition,
        uom=uom,
        at=row["at"],
        booked=booked,
        counted=row["change"],
        difference=row["change"] - booked,
        opening=opening,
        document=row["document"],
    )


def accounted(
    made_units: int,
    groups: Iterable[Row],
    ways: Sequence[Row],
    *,
    quantities: Iterable[QuantityPlace],
    counted: Mapping[Account, Counted],
    kinds: Kinds,
) -> tuple[Accounted, ...]:
    """A line for the items, and one for each unit of measure."""
    found = sums_of(made_units, groups, ways, quantities=quantities, counted=counted, kinds=kinds)
    return tuple(sums.account() for sums in found)


def sums_of(
    made_units: int,
    groups: Iterable[Row],
    ways: Sequence[Row],
    *,
    quantities: Iterable[QuantityPlace],
    counted: Mapping[Account, Counted],
    kinds: Kinds,
) -> tuple[Sums, ...]:
    """The terms of the items, and of each unit of measure, place by place."""
    held = list(quantities)
    lines = [_items(made_units, [row for row in groups if row["placed"]], kinds)]
    for uom in sorted({row["uom"] for row in ways}):
        differences = [one for place in counted.values() for one in place.adjustments if one.uom == uom]
        lines.append(
            _amounts(
                Sums(uom),
                [row for row in ways if row["uom"] == uom],
                held=[place for place in held if place.uom == uom],
                differences=differences,
                kinds=kinds,
            )
        )
    return tuple(line for line in lines if line is not None)


def _items(made: int, groups: Sequence[Row], kinds: Kinds) -> Sums | None:
    if not (made or groups):
        return None
    sums = Sums(ITEMS, made=Decimal(made))
    for row in groups:
        term = ENDS.get(row["disposition"]) or whereabouts(row["location"], row["disposition"], kinds)
        sums.add(term, Decimal(row["items"]), row["location"], row["disposition"])
    sums.miss(made - sum(sums.terms.values(), _NONE))
    return sums


def _amounts(
    sums: Sums,
    ways: Iterable[Row],
    *,
    held: Iterable[QuantityPlace],
    differences: Sequence[Adjustment],
    kinds: Kinds,
) -> Sums:
    for row in ways:
        _enter(sums, row)
    ours = sums.made > 0
    for one in differences:
        if one.opening and not ours:
            sums.received += one.difference
        else:
            sums.add("adjusted", -one.difference, one.location, one.disposition)
    held = list(held)
    for place in held:
        if place.disposition in ENDS:  # in a logistic unit that was sold or destroyed whole
            sums.add(ENDS[place.disposition], place.amount, place.location, place.disposition)
    for location, disposition, amount in _netted(place for place in held if place.disposition not in ENDS):
        if amount > 0:
            sums.add(whereabouts(location, disposition, kinds), amount, location, disposition)
        elif not ours and (disposition == IN_TRANSIT or _foreign(location, kinds)):
            sums.received -= amount  # it came from outside, where nobody kept our books
        else:
            sums.miss(amount, location, disposition)
    return sums


def _enter(sums: Sums, row: Row) -> None:
    """What a way brings into the lot or takes out of it; without a place it is on no place's books."""
    effect, amount = row["effect"], row["amount"]
    if effect == "made" or (effect == "moved" and row["location"] and not row["source"]):
        sums.made += amount
        if not row["location"]:
            sums.miss(amount)
    elif effect == "adjusted":
        sums.add("adjusted", amount if row["source"] else -amount, row["source"] or row["location"])
    elif not row["location"]:
        sums.add("shipped" if effect == "moved" else effect, amount, row["source"])
        if not row["source"]:
            sums.miss(-amount)


def _netted(held: Iterable[QuantityPlace]) -> Iterator[tuple[str, str, Decimal]]:
    """(location, disposition, amount): what a place lacks at rest is taken from what was under way to it."""
    places: dict[str, dict[str, Decimal]] = {}
    for place in held:
        there = places.setdefault(place.location, {"": _NONE, IN_TRANSIT: _NONE})
        there[IN_TRANSIT if place.disposition == IN_TRANSIT else ""] += place.amount
    for location, there in sorted(places.items()):
        on = min(-there[""], there[IN_TRANSIT])
        if on > 0:
            there[""], there[IN_TRANSIT] = there[""] + on, there[IN_TRANSIT] - on
        yield from ((location, disposition, amount) for disposition, amount in there.items() if amount)


def whereabouts(location: str, disposition: str, kinds: Kinds) -> str:
    """The term of goods at a place: with a customer, or on the way to where the mapping knows nothing, is shipped."""
    kind = kinds.get(location)
    if kind == CUSTOMER or (kind is None and disposition == IN_TRANSIT):
        return "shipped"
    return "in_transit" if disposition == IN_TRANSIT else "on_hand"


def _foreign(location: str, kinds: Kinds) -> bool:
    return bool(kinds) and kinds.get(location, CUSTOMER) == CUSTOMER
