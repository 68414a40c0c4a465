"""Shipments and receipts of lots: who sent, who received, on which line of which document, by which event."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from lotstream.recall.pallets import held_in
from lotstream.recall.store import History, Row
from lotstream.recall.trace_answer import Delivery
from lotstream.recall.trace_facts import asked, asked_all

SHIPPED = ("shipping", "departing", "retail_selling")
RECEIVED = ("receiving", "arriving", "accepting")
_SAID = ("lot", "biz_step", "document", "line", "party", "location", "event", "at")


def deliveries_of(history: History, lots: Collection[str], steps: Iterable[str]) -> tuple[Delivery, ...]:
    """Each fact once, in order of time. Raises ClickhouseAway."""
    given = {"steps": list(steps)}
    told = asked_all(history, ("trace_deliveries", "trace_amounts", "trace_carried"), "lots", lots, **given)
    counted = [row for row in told["trace_deliveries"] if not row["withdrawn"]]
    others = {row["lot"] for row in told["trace_deliveries"] if row["withdrawn"]}
    weighed = asked(history, "trace_deliveries_weighed", "lots", others, **given)
    rows = [*counted, *weighed, *told["trace_amounts"], *_carried(history, told["trace_carried"])]
    said = asked(history, "trace_senders", "documents", {row["document"] for row in rows} - {""})
    sent = {(row["document"], row["line"], row["event"]): row for row in said}
    found = (_delivery(row, sent.get((row["document"], row["line"], row["event"]))) for row in rows)
    return tuple(sorted(found, key=_order))


def _carried(history: History, rows: Sequence[Row]) -> Iterator[Row]:
    """What was in logistic units of class-level goods when they were sent or received, summed by event and line."""
    units = sorted({row["unit"] for row in rows})
    facts: dict[str, list[Row]] = {}
    for fact in asked(history, "trace_held", "lots", {row["lot"] for row in rows}, units=units):
        facts.setdefault(fact["lot"], []).append(fact)
    sums: dict[tuple[Any, ...], Decimal] = {}
    for row in rows:
        for uom, held in held_in(row["unit"], facts.get(row["lot"], ()), at=row["at"]).items():
            key = tuple(row[name] for name in _SAID), uom
            sums[key] = sums.get(key, Decimal(0)) + held.amount
    for (said, uom), amount in sums.items():
        if amount > 0:
            yield {**dict(zip(_SAID, said, strict=True)), "source": "", "items": 0, "amount": amount, "uom": uom}


def _delivery(row: Row, line: Row | None) -> Delivery:
    origin = (line["origin"] if line else "") or row["source"]
    if origin == row["location"]:  # a receipt that does not say from where names its own place
        origin = ""
    return Delivery(
        lot=row["lot"],
        biz_step=row["biz_step"],
        sender=(line["sender"] if line else "") or origin,
        origin=origin,
        receiver=row["party"] or (line["receiver"] if line else "") or row["location"],
        document=row["document"],
        line=row["line"],
        event=row["event"],
        at=row["at"],
        location=row["location"],
        items=row["items"],
        amount=row["amount"] if row["uom"] else None,
        uom=row["uom"],
    )


def _order(one: Delivery) -> tuple[object, ...]:
    return one.at, one.lot, one.event, one.document, one.line, one.receiver, one.location, one.uom
