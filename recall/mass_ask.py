"""The question of a mass balance: of a production order, or of the production of a lot."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from decimal import Decimal, InvalidOperation

from lotstream.recall.ask import start, took_ms
from lotstream.recall.edges import Link
from lotstream.recall.find import DocumentMissing, find_lot
from lotstream.recall.mass import entries, flows, lines, product_of
from lotstream.recall.mass_answer import MassBalance
from lotstream.recall.store import History, Row
from lotstream.recall.trace_facts import HistoryFacts, asked, is_lot


def mass_of_order(history: History, number: str, *, tolerance: Decimal | None = None) -> MassBalance:
    """What went into a production order and what came of it; the order in full (type:number) or not.

    Raises DocumentMissing, ClickhouseAway.
    """
    started = start(history)
    named = [row["document"] for row in history.ask("documents_named", number=number.strip())] if number.strip() else []
    rows = history.ask("mass_processes", documents=named) if named else []
    links = HistoryFacts(history).links_of([row["process"] for row in rows])
    on_it = [link for link in links if link.document in named]
    if not on_it:
        hint = "No process is on it." if named else ""
        raise DocumentMissing(text=number, what="production order", near=named[:5], hint=hint)
    told = _balance(history, links, of=on_it, tolerance=tolerance)
    return told.model_copy(update={"milliseconds": took_ms(started)})


def mass_of_lot(history: History, text: str, *, gtin: str = "", tolerance: Decimal | None = None) -> MassBalance:
    """What went into the processes that made a lot, and what came of them.

    Raises LotMissing, LotAmbiguous, IdentifierInvalid, ClickhouseAway.
    """
    started = start(history)
    lot = find_lot(history, text, gtin=gtin).lot
    facts = HistoryFacts(history)
    links = facts.links(facts.touching([lot], output=True))
    made = [link for link in links if link.output and link.node == lot]
    told = _balance(history, links, of=made, tolerance=tolerance)
    return told.model_copy(update={"lot": lot, "milliseconds": took_ms(started)})


def _balance(history: History, links: Iterable[Link], *, of: Iterable[Link], tolerance: Decimal | None) -> MassBalance:
    """Of the processes and the orders of some of these links."""
    of = list(of)
    processes = sorted({link.process for link in of})
    orders = sorted({link.document for link in of} - {""})
    links = [link for link in links if link.process in processes]
    known = {link.node for link in links if is_lot(link.node)}
    losses = history.ask("mass_losses", documents=orders) if orders else []
    losses += asked(history, "mass_destroyed", "lots", known if orders else (), documents=orders)
    lots = sorted(known | {row["lot"] for row in losses})
    rates: dict[str, list[Row]] = defaultdict(list)
    for row in asked(history, "mass_conversions", "gtins", {product_of(lot)[3:] for lot in lots}):
        rates[row["gtin"]].append(row)
    found = flows(links, losses, rates=rates)
    products = {product_of(flow.lot) for flow in found if flow.role == "output"}
    allowed = tolerance if tolerance is not None else tolerance_of(history, products)
    names = {row["lot"]: row["description"] for row in asked(history, "trace_names", "lots", lots)}
    return MassBalance(
        orders=tuple(orders),
        processes=tuple(processes),
        tolerance=allowed,
        lines=lines(found, tolerance=allowed),
        entries=entries(found, names),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=0.0,
    )


def tolerance_of(history: History, products: Collection[str]) -> Decimal | None:
    """The smallest percentage that master data allow for any of these products. Raises ClickhouseAway."""
    said = [_percent(row["percent"]) for row in asked(history, "mass_tolerances", "subjects", products)]
    return min((one for one in said if one is not None), default=None)


def _percent(text: str) -> Decimal | None:
    try:
        percent = Decimal(text)
    except InvalidOperation:
        return None
    return percent if percent.is_finite() and percent >= 0 else None
