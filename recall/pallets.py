"""Who received class-level goods inside logistic units: what was in a unit when it was shipped. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from lotstream.recall.answers import Recipient
from lotstream.recall.conservation import Counted, counted_places
from lotstream.recall.together import entries

Row = dict[str, Any]


def pallet_recipients(*, carried_sent: Iterable[Row] = (), quantity_facts: Sequence[Row] = ()) -> tuple[Recipient, ...]:
    """A line for each receiver, document line and unit of measure; what was empty by then was not received."""
    sums: dict[tuple[str, str, str, str], tuple[Decimal, int, datetime]] = {}
    for row in carried_sent:
        for uom, held in held_in(row["unit"], quantity_facts, at=row["sent_at"]).items():
            key = row["receiver"], row["document"], row["line"], uom
            amount, cases, first = sums.get(key, (Decimal(0), 0, row["sent_at"]))
            sums[key] = amount + held.amount, cases + held.cases, min(first, row["sent_at"])
    return tuple(
        Recipient(
            party=party, document=document, line=line, items=0, amount=amount, uom=uom, cases=cases, first_at=first
        )
        for (party, document, line, uom), (amount, cases, first) in sorted(sums.items())
        if amount > 0
    )


def held_in(unit: str, facts: Iterable[Row], *, at: datetime) -> dict[str, Counted]:
    """What the books had in a unit at an instant, by unit of measure."""
    there = (entry for fact in facts if fact["at"] <= at for entry in entries(fact) if entry["place"] == unit)
    return {uom: held for (_, _, uom), held in counted_places(there).items()}
