"""Where everything of many lots is now: a few questions for all of them together."""

from collections.abc import Collection, Iterable

from lotstream.recall.store import History, Row
from lotstream.recall.tally import quantities_of
from lotstream.recall.trace_answer import TracePlace
from lotstream.recall.trace_facts import asked, asked_all


def places_of_lots(history: History, lots: Collection[str]) -> tuple[TracePlace, ...]:
    """Units and amounts by lot and place; what is in a pallet is where that is. Raises ClickhouseAway."""
    told = asked_all(history, ("lots_amounts", "report_carried"), "lots", lots)
    amounts, carried = _by_lot(told["lots_amounts"]), _by_lot(told["report_carried"])
    found = [
        TracePlace(lot=lot, location=location, disposition=disposition, items=items)
        for (lot, location, disposition), items in _units(history, lots).items()
    ]
    for lot, rows in amounts.items():
        found += [
            TracePlace(lot=lot, location=at.location, disposition=at.disposition, items=0, amount=at.amount, uom=at.uom)
            for at in quantities_of(rows, {}, carried=carried.get(lot, ()))
        ]
    return tuple(sorted(found, key=lambda at: (at.lot, -at.items, at.uom, -(at.amount or 0), at.location)))


def _units(history: History, lots: Collection[str]) -> dict[tuple[str, str, str], int]:
    """Units by lot, location and disposition. Today's mostly follow from one fact each, which is quick."""
    rows: list[Row] = []
    if history.as_of is None:
        rows = asked(history, "lots_places", "lots", lots)
        lots = {row["lot"] for row in rows if not row["placed"]}
    rest = history.as_of is None
    rows = [row for row in rows if row["placed"]] + asked(history, "lots_places_weighed", "lots", lots, rest=rest)
    sums: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = row["lot"], row["location"], row["disposition"]
        sums[key] = sums.get(key, 0) + row["items"]
    return sums


def _by_lot(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["lot"], []).append(row)
    return found
