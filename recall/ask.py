"""The questions of an analyst: each asks the history and says how long that took."""

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from lotstream.recall.answers import (
    Accounted,
    Affected,
    BlindWindow,
    HistoryAnswer,
    Location,
    Locations,
    Lot,
    Lots,
    Place,
    QuantityPlace,
    Recipient,
    SightingRow,
    Stock,
    StockRow,
    UnitPlace,
    Where,
)
from lotstream.recall.find import find_lot
from lotstream.recall.store import History, Row
from lotstream.schemas.identifiers import parse_key, tag_key

IN_TRANSIT = "in_transit"
_STRENGTH = ("confirmed", "inferred", "declared", "probabilistic")


def affected(history: History, text: str, *, gtin: str = "") -> Affected:
    """Where everything of a lot is and who received some. Raises LotMissing, LotAmbiguous."""
    started = time.perf_counter()
    lot = find_lot(history, text, gtin=gtin)
    names = _names(history)
    places = tuple(Place(**_named(row, names)) for row in history.ask("places", lot=lot.lot))
    quantities = tuple(QuantityPlace(**_named(row, names)) for row in history.ask("quantities", lot=lot.lot))
    recipients = tuple(Recipient(**row) for row in history.ask("recipients", lot=lot.lot))
    made = history.ask("made", lot=lot.lot)
    newest = max((place.newest for place in (*places, *quantities)), default=datetime.now(UTC))
    since = lot.produced_at or min((r.first_at for r in recipients), default=newest)
    return Affected(
        lot=lot,
        places=places,
        quantities=quantities,
        recipients=recipients,
        accounted=tuple(accounted(lot, places, quantities, made)),
        evidence=_strongest(kind for place in (*places, *quantities) for kind in place.evidence),
        blind_windows=tuple(
            BlindWindow(**row) for row in history.ask("blind_windows", **{"from": since, "until": newest})
        ),
        milliseconds=_since(started),
    )


def accounted(
    lot: Lot, places: Iterable[Place], quantities: Iterable[QuantityPlace], made: Iterable[Row]
) -> Iterable[Accounted]:
    """Conservation per unit of measure: made = on hand + in transit + unexplained."""
    held = list(places)
    if held or lot.units:
        moving = sum(place.items for place in held if place.disposition == IN_TRANSIT)
        yield _balance("items", Decimal(lot.units or 0), Decimal(sum(p.items for p in held) - moving), Decimal(moving))
    amounts = list(quantities)
    whole = {row["uom"]: row["amount"] for row in made}
    for uom in sorted({*whole, *(quantity.uom for quantity in amounts)}):
        here = [quantity for quantity in amounts if quantity.uom == uom]
        moving_amount = sum((q.amount for q in here if q.disposition == IN_TRANSIT), Decimal(0))
        total = sum((q.amount for q in here), Decimal(0))
        yield _balance(uom, whole.get(uom, Decimal(0)), total - moving_amount, moving_amount)


def _balance(uom: str, made: Decimal, on_hand: Decimal, in_transit: Decimal) -> Accounted:
    found = on_hand + in_transit
    return Accounted(
        uom=uom,
        made=made,
        on_hand=on_hand,
        in_transit=in_transit,
        unexplained=made - found,
        percent=(found * 100 / made).quantize(Decimal("0.01")) if made else None,
    )


def where(history: History, text: str, *, gtin: str = "", limit: int = 1000) -> Where:
    """Where each unit of a lot is. Raises LotMissing, LotAmbiguous."""
    started = time.perf_counter()
    lot = find_lot(history, text, gtin=gtin)
    names = _names(history)
    units = history.ask("units", lot=lot.lot, limit=limit + 1)
    return Where(
        lot=lot,
        units=tuple(UnitPlace(**row) for row in units[:limit]),
        quantities=tuple(QuantityPlace(**_named(row, names)) for row in history.ask("quantities", lot=lot.lot)),
        truncated=len(units) > limit,
        milliseconds=_since(started),
    )


def history_of(history: History, text: str, *, limit: int = 1000) -> HistoryAnswer:
    """Everything known of where a unit was; EPC hex, EPC URI, Digital Link or key. Raises IdentifierInvalid."""
    started = time.perf_counter()
    tag = tag_key(text)
    key = parse_key(tag)
    serial = key.numeric_serial
    of_class = f"01/{key.gtin}" if serial is not None else ""
    lots = history.ask("lots_of_unit", tag=tag, serial=-1 if serial is None else serial, **{"class": of_class})
    return HistoryAnswer(
        tag=tag,
        lots=tuple(row["lot"] for row in lots),
        sightings=tuple(SightingRow(**row) for row in history.ask("history", tag=tag, limit=limit)),
        milliseconds=_since(started),
    )


def stock(
    history: History, *, gtin: str = "", location: str = "", expires_before: date | None = None, limit: int = 1000
) -> Stock:
    """Units and amounts by lot and location."""
    started = time.perf_counter()
    before = expires_before.isoformat() if expires_before else ""
    rows = history.ask("stock", gtin=gtin, location=location, expires_before=before, limit=limit)
    return Stock(rows=tuple(StockRow(**row) for row in rows), milliseconds=_since(started))


def lots(history: History, *, gtin: str = "", text: str = "", limit: int = 100) -> Lots:
    """Lots, newest first."""
    started = time.perf_counter()
    rows = history.ask("lots", gtin=gtin, text=text, limit=limit)
    return Lots(lots=tuple(Lot(**row) for row in rows), milliseconds=_since(started))


def locations(history: History) -> Locations:
    """The locations of the newest mapping."""
    started = time.perf_counter()
    rows = history.ask("locations")
    return Locations(locations=tuple(Location(**row) for row in rows), milliseconds=_since(started))


def _names(history: History) -> dict[str, str]:
    return {row["id"]: row["name"] for row in history.ask("locations")}


def _named(row: Row, names: dict[str, str]) -> dict[str, Any]:
    return row | {"name": names.get(row["location"], "")}


def _strongest(kinds: Iterable[str]) -> tuple[str, ...]:
    found = set(kinds)
    return tuple(kind for kind in _STRENGTH if kind in found)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
