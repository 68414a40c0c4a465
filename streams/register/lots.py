"""Lot records of an event or a scan: what is known of a lot besides where it is. Pure."""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.events import Action, EventType, Quantity, QuantityScan, TraceEvent
from lotstream.schemas.identifiers import IdentifierInvalid, lot_key
from lotstream.schemas.identifiers.measures import PIECE  # EPCIS 2.0 section 7.3.3.3: no unit counts instances
from lotstream.schemas.lots import LotRecord
from lotstream.schemas.units import is_unit_code
from lotstream.streams.register.place import COUNTING, Placement
from lotstream.streams.register.serials import Run
from lotstream.streams.serials import is_sgtin

Amounts = dict[tuple[str, str], Decimal]  # (lot key, uom) -> amount


def event_lots(event: TraceEvent, place: Placement, *, runs: list[Run], others: list[str]) -> list[LotRecord]:
    """One record for each lot that the event begins, units and class-level amounts together. Raises Rejected."""
    made: dict[str, dict[str, Any]] = {}
    if not begins(event):
        return []
    if event.ilmd and event.ilmd.lot:
        for run in runs:
            _count(made.setdefault(lot_of(event, run.gtin), {}), run.width)
        for tag in others:
            if is_sgtin(tag):
                _count(made.setdefault(lot_of(event, tag[3:17]), {}), 1)
    for (lot, uom), amount in amounts_of(event, made_quantities(event)).items():
        made.setdefault(lot, {}).setdefault("amount", amount)
        made[lot].setdefault("uom", uom)
    return [_record(event, place, lot=lot, made=values) for lot, values in made.items()]


def lot_of(event: TraceEvent, gtin: str) -> str:
    """The key of the lot that the event's master data name. Raises Rejected."""
    try:
        return lot_key(gtin, event.ilmd.lot if event.ilmd else "")
    except IdentifierInvalid as invalid:
        raise Rejected(Reason.IDENTIFIER_INVALID, str(invalid), field="ilmd.lot") from None


def amounts_of(event: TraceEvent, quantities: tuple[Quantity, ...]) -> Amounts:
    """Amounts by lot and unit of measure, sorted: one fact a lot, however many elements name it. Raises Rejected."""
    named = bool(event.ilmd and event.ilmd.lot) and begins(event) and quantities is made_quantities(event)
    amounts: Amounts = {}
    for quantity in quantities:
        lot = quantity.epc_class
        if named and is_class(lot):
            lot = lot_of(event, lot[3:17])
        if is_lot(lot) and quantity.quantity is not None:
            key = lot, _checked(quantity, quantity.quantity)
            amounts[key] = amounts.get(key, Decimal(0)) + quantity.quantity
    return dict(sorted(amounts.items()))


def _checked(quantity: Quantity, amount: Decimal) -> str:
    """The unit of measure of an amount that can be one. Raises Rejected."""
    if amount < 0:
        expected = "Expected a quantity of 0 or more; what goes back is an event of its own"
        raise Rejected(Reason.VALUE_OUT_OF_RANGE, f"{expected}, got {amount}.", field="quantity")
    uom = quantity.uom or PIECE
    if not is_unit_code(uom):
        expected = "Expected a UN/CEFACT Rec 20 unit: two or three of A-Z and 0-9"
        raise Rejected(Reason.UNIT_UNKNOWN, f"{expected}, got {uom!r}.", field="uom")
    return uom


def begins(event: TraceEvent) -> bool:
    """Whether the event brings goods into being."""
    if event.event_type is EventType.TRANSFORMATION:
        return True
    return event.event_type is EventType.OBJECT and event.action is Action.ADD and event.biz_step not in COUNTING


def made_quantities(event: TraceEvent) -> tuple[Quantity, ...]:
    """The class-level goods that the event brings into being, when it does."""
    return event.output_quantities if event.event_type is EventType.TRANSFORMATION else event.quantities


def is_lot(key: str) -> bool:
    """Whether a key is a lot's: 01/{gtin14}/10/{lot}."""
    return key[:3] == "01/" and key[17:21] == "/10/" and len(key) > 21


def is_class(key: str) -> bool:
    """Whether a key is a GTIN's, without lot or serial."""
    return key[:3] == "01/" and len(key) == 17


def scan_lots(scan: QuantityScan) -> list[LotRecord]:
    """The dates on a label, as a statement about its lot; labels that say the same make one statement."""
    if not is_lot(scan.lot) or not (scan.expires or scan.best_before or scan.produced):
        return []
    said = f"{scan.lot}|{scan.expires}|{scan.best_before}|{scan.produced}"
    produced = None if scan.produced is None else midnight_us(scan.produced)
    return [
        LotRecord(
            lot=scan.lot,
            gtin=scan.lot[3:17],
            code=code_of(scan.lot),
            event=f"label:{hashlib.sha256(said.encode()).hexdigest()[:32]}",
            at_us=scan.time_us,
            produced_us=produced,
            expires=scan.expires,
            best_before=scan.best_before,
            recorded_us=scan.stamp.received_us,
        )
    ]


def _count(entry: dict[str, Any], units: int) -> None:
    entry["units"] = entry.get("units", 0) + units


def _record(event: TraceEvent, place: Placement, *, lot: str, made: dict[str, Any]) -> LotRecord:
    ilmd = event.ilmd
    known: dict[str, Any] = {}
    if ilmd is not None:
        known = {
            "description": ilmd.description,
            "produced_us": ilmd.produced_us,
            "expires": ilmd.expires,
            "best_before": ilmd.best_before,
            "supplier_code": ilmd.supplier_lot,
        }
    return LotRecord(
        lot=lot,
        gtin=lot[3:17],
        code=code_of(lot),
        event=event.event_hash,
        at_us=event.event_time_us,
        location=place.location,
        retracted=event.error is not None,
        recorded_us=event.stamp.received_us,
        **known,
        **made,
    )


def code_of(lot: str) -> str:
    """The lot code of a lot key."""
    return unquote(lot[21:])


def midnight_us(day: date) -> int:
    """The beginning of a day in UTC; 1970 for what was before."""
    return max(0, (day - date(1970, 1, 1)).days * 86_400_000_000)
