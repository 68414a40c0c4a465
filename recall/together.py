"""The balance of a lot in one unit of measure, where conversions lead every unit there. Pure.

A conversion holds for what happened since it came into force, until a newer one of that unit.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from lotstream.recall.answers import Accounted
from lotstream.recall.conservation import Kinds, accounted, counted_places
from lotstream.recall.tally import quantities_of
from lotstream.schemas.units import BASE, UnitsDiffer, convert, kind_of

Row = dict[str, Any]
LONGEST = 8  # conversions one after the other


def together(facts: Sequence[Row], rates: Sequence[Row], *, carried: Iterable[Row], kinds: Kinds) -> Accounted | None:
    """The line of all facts in one unit; None where there is one unit only, or some do not convert to the same.

    ``rates`` in order of their coming into force.
    """
    if len({row["uom"] for row in facts}) < 2:
        return None
    converted = [row | in_base(row, rates) for row in facts]
    if len({row["uom"] for row in converted}) != 1:
        return None
    counted = counted_places(entries_of(converted))
    held = quantities_of(converted, {}, counted=counted, carried=carried)
    (line,) = accounted(0, [], converted, quantities=held, counted=counted, kinds=kinds)
    return line


def entries_of(facts: Iterable[Row]) -> list[Row]:
    """The ends of facts at places that were counted, as view quantity_entries has them."""
    found = [entry for fact in facts for entry in entries(fact)]
    counted = {_account(entry) for entry in found if entry["counted"]}
    return [entry for entry in found if _account(entry) in counted]


def _account(entry: Row) -> tuple[str, str, str]:
    return entry["place"], entry["disposition"], entry["uom"]


def entries(fact: Row) -> Iterator[Row]:
    """What a fact adds to its places and takes from them."""
    came, left = (fact["location"], fact["disposition"]), (fact["source"], fact["source_disposition"])
    common = {name: fact[name] for name in ("uom", "at", "recorded_at", "identity", "document")}
    counted = fact["effect"] == "counted"
    for (place, disposition), sign in ((came, 1), (left, -1)):
        if place and came != left:
            ends = {"place": place, "disposition": disposition, "counted": counted}
            yield common | ends | {"change": sign * fact["amount"], "labels": sign * fact["cases"]}


def in_base(fact: Row, rates: Iterable[Row]) -> Row:
    """Amount and unit as far as conversions lead: those of the product, then the one of the unit's kind."""
    amount, uom = fact["amount"], fact["uom"]
    known = _rates_at(fact["at"], rates)
    for _ in range(LONGEST):
        if uom not in known:
            break
        factor, uom = known[uom]
        amount *= factor
    base = BASE.get(kind_of(uom), str(uom))
    try:
        return {"amount": convert(amount, uom, base), "uom": base}
    except UnitsDiffer:
        return {"amount": amount, "uom": uom}


def _rates_at(at: datetime, rates: Iterable[Row]) -> dict[str, tuple[Decimal, str]]:
    return {row["uom"]: (row["factor"], row["to_uom"]) for row in rates if row["at"] <= at}
