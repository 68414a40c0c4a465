"""The balance of a lot as an answer: what became of everything that was made of it."""

from decimal import Decimal

from lotstream.recall.answers import Accounted, Balance, Judged
from lotstream.recall.ask import carried_of, counted_of, kinds_of, start, today, told_of, took_ms
from lotstream.recall.conservation import accounted, adjustments_of
from lotstream.recall.find import find_lot
from lotstream.recall.mass import product_of, verdict_of
from lotstream.recall.mass_ask import tolerance_of
from lotstream.recall.store import History
from lotstream.recall.tally import lot_of, quantities_of
from lotstream.recall.together import together


def balance(history: History, text: str, *, gtin: str = "", tolerance: Decimal | None = None) -> Balance:
    """What became of everything that was made of a lot, and whether what nobody explained is within a percentage of
    it: ``tolerance``, or what master data of its product say.

    Raises LotMissing, LotAmbiguous, IdentifierInvalid, ClickhouseAway.
    """
    started = start(history)
    found = find_lot(history, text, gtin=gtin)
    told = told_of(history, found, "unit_groups", "conversions")
    lot = lot_of(found.lot, told["lot"], decided=told["holds"], day=today(history))
    counted, kinds = counted_of(history, found.lot, told["amounts"]), kinds_of(history)
    carried = carried_of(history, found, told["amounts"])
    # facts one by one are asked for only where there is something to convert
    several = len({row["uom"] for row in told["amounts"]}) > 1
    facts = history.ask("quantity_facts", lot=found.lot) if several else []
    lines = accounted(
        lot.units or 0,
        told["unit_groups"],
        told["amounts"],
        quantities=quantities_of(told["amounts"], {}, counted=counted, carried=carried),
        counted=counted,
        kinds=kinds,
    )
    allowed = tolerance if tolerance is not None else tolerance_of(history, [product_of(found.lot)])
    return Balance(
        lot=lot,
        accounted=lines,
        together=together(facts, told["conversions"], carried=carried, kinds=kinds),
        adjustments=adjustments_of(counted),
        tolerance=allowed,
        judged=tuple(_judged(line, allowed) for line in lines),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def _judged(line: Accounted, tolerance: Decimal | None) -> Judged:
    verdict = verdict_of(line.unexplained if line.made > 0 else None, line.made, tolerance)
    return Judged(uom=line.uom, unexplained=line.unexplained, of=line.made, verdict=verdict)
