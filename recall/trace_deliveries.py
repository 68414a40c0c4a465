"""Shipments and receipts of lots: who sent, who received, on which line of which document, by which event."""

from collections.abc import Collection, Iterable

from lotstream.recall.store import History, Row
from lotstream.recall.trace_answer import Delivery
from lotstream.recall.trace_facts import asked

SHIPPED = ("shipping", "departing", "retail_selling")
RECEIVED = ("receiving", "arriving", "accepting")


def deliveries_of(history: History, lots: Collection[str], steps: Iterable[str]) -> tuple[Delivery, ...]:
    """Each fact once, in order of time. Raises ClickhouseAway."""
    rows = asked(history, "trace_deliveries", "lots", lots, steps=list(steps))
    said = asked(history, "trace_senders", "documents", {row["document"] for row in rows} - {""})
    sent = {(row["document"], row["line"], row["event"]): row for row in said}
    found = (_delivery(row, sent.get((row["document"], row["line"], row["event"]))) for row in rows)
    return tuple(sorted(found, key=_order))


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
