"""The balance of a lot as an answer: what became of everything that was made of it."""

from lotstream.recall.answers import Balance
from lotstream.recall.ask import carried_of, kinds_of, start, today, took_ms
from lotstream.recall.conservation import accounted, adjustments_of, counted_places
from lotstream.recall.find import find_lot
from lotstream.recall.store import History
from lotstream.recall.tally import lot_of, quantities_of
from lotstream.recall.together import together


def balance(history: History, text: str, *, gtin: str = "") -> Balance:
    """What became of everything that was made of a lot.

    Raises LotMissing, LotAmbiguous, IdentifierInvalid, ClickhouseAway.
    """
    started = start(history)
    found = find_lot(history, text, gtin=gtin)
    told = history.ask_all(
        "lot", "holds", "unit_groups", "amounts", "counted", "conversions", lot=found.lot, placed=found.placed
    )
    lot = lot_of(found.lot, told["lot"], decided=told["holds"], day=today(history))
    counted, kinds = counted_places(told["counted"]), kinds_of(history)
    carried = carried_of(history, found.lot, told["amounts"])
    # facts one by one are asked for only where there is something to convert
    several = len({row["uom"] for row in told["amounts"]}) > 1
    facts = history.ask("quantity_facts", lot=found.lot) if several else []
    return Balance(
        lot=lot,
        accounted=accounted(
            lot.units or 0,
            told["unit_groups"],
            told["amounts"],
            quantities=quantities_of(told["amounts"], {}, counted=counted, carried=carried),
            counted=counted,
            kinds=kinds,
        ),
        together=together(facts, told["conversions"], carried=carried, kinds=kinds),
        adjustments=adjustments_of(counted),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )
