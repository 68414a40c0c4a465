"""The questions of an analyst: each asks the history and says how long that took."""

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from lotstream.recall.answers import (
    Affected,
    BlindWindow,
    HistoryAnswer,
    Location,
    Locations,
    Lot,
    Lots,
    SightingRow,
    Stock,
    StockRow,
    UnitPlace,
    Where,
)
from lotstream.recall.conservation import Account, Counted, accounted, adjustments_of, counted_places
from lotstream.recall.find import (
    Found,
    LocationMissing,
    UnitMissing,
    find_locations,
    find_lot,
    lots_by_then,
    near_locations,
    unit_named,
    unit_parameters,
)
from lotstream.recall.holds import status_of
from lotstream.recall.links import QUERIES, papers_of, with_links
from lotstream.recall.pallets import pallet_recipients
from lotstream.recall.store import History, Row
from lotstream.recall.tally import lot_of, places_of, quantities_of, recipients_of, span_start, strongest
from lotstream.schemas.identifiers import gtin14, parse_key, tag_key
from lotstream.schemas.portions import is_portion, is_unit


def affected(history: History, text: str, *, gtin: str = "", now: datetime | None = None) -> Affected:
    """Where everything of a lot is and who received some; blind windows count up to ``now`` (aware).

    Raises LotMissing, LotAmbiguous, IdentifierInvalid, ClickhouseAway.
    """
    started = start(history)
    now = now or _now(history)
    found = find_lot(history, text, gtin=gtin)
    told = told_of(history, found, "unit_groups")
    groups, ways = told["unit_groups"], told["amounts"]
    lot = lot_of(found.lot, told["lot"], decided=told["holds"], day=now.date())
    names = _names(history)
    counted = counted_of(history, found.lot, ways)
    places = places_of(groups, names)
    carried = carried_of(history, found, ways)
    quantities = quantities_of(ways, names, counted=counted, carried=carried)
    since = span_start(groups, ways, otherwise=now)
    since = min(since, lot.produced_at or since)
    within = {"lot": found.lot, "placed": found.placed}
    inside = history.ask_all("carried_sent", "quantity_facts", **within) if carried else {}
    recipients = (*recipients_of(groups, ways), *pallet_recipients(**inside))
    papers = papers_of(recipients)
    linking = QUERIES if papers else ()
    more = history.ask_all("blind_windows", *linking, since=since, until=now, documents=papers)
    return Affected(
        lot=lot,
        places=places,
        quantities=quantities,
        recipients=with_links(history, recipients, first=more),
        accounted=accounted(
            lot.units or 0, groups, ways, quantities=quantities, counted=counted, kinds=kinds_of(history)
        ),
        adjustments=adjustments_of(counted),
        when_asked=sum(not is_portion(row["tag"]) for row in told["units_told"]),
        evidence=strongest(kind for kinds in (places, quantities) for place in kinds for kind in place.evidence),
        blind_windows=tuple(BlindWindow.model_validate(row) for row in more["blind_windows"]),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def where(history: History, text: str, *, gtin: str = "", limit: int = 1000) -> Where:
    """Where each unit of a lot is. Raises LotMissing, LotAmbiguous, IdentifierInvalid, ClickhouseAway."""
    started = start(history)
    found = find_lot(history, text, gtin=gtin)
    told = told_of(history, found, "units", limit=limit + 1)
    units, when_asked = told["units"], {row["tag"] for row in told["units_told"]}
    return Where(
        lot=lot_of(found.lot, told["lot"], decided=told["holds"], day=today(history)),
        units=tuple(UnitPlace.model_validate(row | {"when_asked": row["tag"] in when_asked}) for row in units[:limit]),
        quantities=quantities_of(
            told["amounts"],
            _names(history),
            counted=counted_of(history, found.lot, told["amounts"]),
            carried=carried_of(history, found, told["amounts"]),
        ),
        truncated=len(units) > limit,
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def history_of(history: History, text: str, *, limit: int = 1000) -> HistoryAnswer:
    """Everything known of where a unit was: EPC hex, EPC URI, Digital Link, scanned label or key.

    Raises UnitMissing, IdentifierInvalid, ClickhouseAway.
    """
    started = start(history)
    text = text.strip()
    unit = unit_named(text)
    if unit is None:
        key = tag_key(text)
        hint = "That is a lot: lotstream affected." if parse_key(key).lot else "That is a class of goods, not one unit."
        raise UnitMissing(text=text, what="unit", near=[key], hint=hint)
    told = history.ask_all("lots_of_unit", "history", **unit_parameters(unit), limit=limit + 1)
    lots, rows = lots_by_then(history, told["lots_of_unit"]), told["history"]
    if not (lots or rows):
        raise UnitMissing(text=text, what="unit", near=[], hint=f"Nothing was ever said of {unit}.")
    return HistoryAnswer(
        tag=unit,
        lots=tuple(lots),
        sightings=tuple(SightingRow.model_validate(row) for row in reversed(rows[:limit])),
        truncated=len(rows) > limit,
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def stock(
    history: History, *, gtin: str = "", location: str = "", expires_before: date | None = None, limit: int = 1000
) -> Stock:
    """Units and amounts by lot and location; a location by id, name or GLN, a GTIN in any length.

    Raises LocationMissing, IdentifierInvalid, ClickhouseAway.
    """
    started = start(history)
    before = expires_before.isoformat() if expires_before else ""
    of = gtin14(gtin) if gtin else ""
    wanted = find_locations(history, location) if location else []
    rows = history.ask(
        "stock",
        placed=history.all_told(of),
        gtin=of,
        locations=wanted or [location] if location else [],
        expires_before=before,
        limit=limit,
    )
    if location and not (wanted or rows):
        raise LocationMissing(
            text=location, what="location", near=near_locations(history, location), hint="All: lotstream locations."
        )
    return Stock(
        rows=tuple(StockRow.model_validate(row) for row in rows),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def lots(history: History, *, gtin: str = "", text: str = "", limit: int = 100) -> Lots:
    """Lots, newest first; a GTIN in any length. Raises IdentifierInvalid, ClickhouseAway."""
    started = start(history)
    rows = history.ask("lots", gtin=gtin14(gtin) if gtin else "", text=text.strip(), limit=limit)
    day = today(history)
    known = tuple(
        Lot.model_validate(row | {"status": status_of([row["status"]], expires=row["expires"], day=day)})
        for row in rows
    )
    return Lots(lots=known, milliseconds=took_ms(started))


def locations(history: History) -> Locations:
    """The locations of the newest mapping. Raises ClickhouseAway."""
    started = start(history)
    found = tuple(Location.model_validate(row) for row in history.places())
    return Locations(locations=found, milliseconds=took_ms(started))


def today(history: History) -> date:
    """The day of the question, in UTC: a lot has expired when its last day is over."""
    return _now(history).date()


def _now(history: History) -> datetime:
    return history.as_of or history.known_at or datetime.now(UTC)


def told_of(history: History, found: Found, units: str, *more: str, **parameters: Any) -> dict[str, list[Row]]:
    """What was said of a lot, its goods by ``units`` and by amounts. Raises ClickhouseAway.

    A question that nothing can answer costs as much as any other: it is not asked.
    """
    of_units, of_amounts = [units] if found.units else [], ["amounts"] if found.quantities else []
    asked = ["lot", "holds", *of_units, *found.more, *of_amounts, *more]
    return defaultdict(list, history.ask_all(*asked, lot=found.lot, placed=found.placed, **parameters))


def counted_of(history: History, lot: str, ways: Iterable[Row]) -> dict[Account, Counted]:
    """The places of a lot that were counted. Raises ClickhouseAway."""
    return counted_places(history.ask("counted", lot=lot)) if any(row["effect"] == "counted" for row in ways) else {}


def carried_of(history: History, found: Found, ways: Iterable[Row]) -> list[Row]:
    """Where the logistic units are that goods of a lot were put into. Raises ClickhouseAway."""
    inside = any(is_unit(row["location"]) for row in ways)
    return history.ask("carried", lot=found.lot, placed=found.placed) if inside else []


def kinds_of(history: History) -> dict[str, str]:
    """Each location of the newest mapping with its kind. Raises ClickhouseAway."""
    return {row["id"]: row["kind"] for row in history.places()}


def _names(history: History) -> dict[str, str]:
    return {row["id"]: row["name"] for row in history.places()}


def start(history: History) -> float:
    """The clock of a question; connecting, once in the life of a client, is no part of it."""
    history.connect()
    return time.perf_counter()


def took_ms(started: float) -> float:
    """Milliseconds since `start`."""
    return round((time.perf_counter() - started) * 1000, 3)
