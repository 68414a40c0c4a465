"""Document lines and quantity facts of an event or a scan. Pure."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal

from lotstream.schemas.base import LATEST_US, Evidence
from lotstream.schemas.documents import DocumentLine, DocumentsMessage, Effect, QuantityFact
from lotstream.schemas.events import EventType, QuantityScan, TraceEvent
from lotstream.schemas.units import is_counted
from lotstream.streams.register.lots import Amounts, amounts_of
from lotstream.streams.register.place import Placement, Way, packing_way, quantity_way, scan_way

LONGEST = 200  # characters of an identity; a longer one is its hash


def event_documents(event: TraceEvent, place: Placement) -> list[DocumentsMessage]:
    """Quantity facts of the lots that the event names, and one line for each document and lot. Raises Rejected."""
    if event.event_type is EventType.TRANSFORMATION:
        made = amounts_of(event, event.output_quantities)
        used = amounts_of(event, event.input_quantities)
        consumed = Way(place.source or place.location, "", Effect.CONSUMED)
        return [
            *_facts(event, place, amounts=made, way=Way("", place.location, Effect.MADE)),
            *_facts(event, place, amounts=used, way=consumed, mark="|used"),
            *_lines(event, place, amounts=made | used),
        ]
    if event.event_type is EventType.AGGREGATION:
        amounts = amounts_of(event, event.child_quantities)
        return [
            *_facts(event, place, amounts=amounts, way=packing_way(event, place)),
            *_lines(event, place, amounts={}),
        ]
    if event.event_type is EventType.ASSOCIATION:
        return list(_lines(event, place, amounts={}))
    amounts = amounts_of(event, event.quantities)
    return [
        *_facts(event, place, amounts=amounts, way=quantity_way(event, place)),
        *_lines(event, place, amounts=amounts),
    ]


def document_of(event: TraceEvent) -> str:
    """'type:number' of the first document that the event names, '' when none."""
    return f"{event.documents[0].type}:{event.documents[0].id}" if event.documents else ""


def scan_quantity(scan: QuantityScan) -> QuantityFact:
    """A scanned label moves what is on it; two scans are two facts, one scan sent twice is one."""
    way = scan_way(scan.biz_step, source=scan.source, location=scan.location)
    identity, revision = scan_identity(scan), scan.stamp.received_us
    if scan.unit:
        # a label says what was put into the unit, however often it is scanned: its first scan is the one that counts
        way = Way(scan.source, scan.unit, Effect.MOVED) if scan.source else Way("", scan.unit, Effect.COUNTED)
        identity, revision = label_identity(scan), LATEST_US - scan.time_us
    return QuantityFact(
        lot=scan.lot,
        identity=identity,
        revision=revision,
        source=way.source,
        source_disposition=way.before,
        location=way.location,
        disposition=way.after,
        amount=scan.amount,
        uom=scan.uom,
        cases=scan.cases,
        effect=way.effect,
        biz_step=scan.biz_step,
        evidence=Evidence.CONFIRMED,
        document=scan.document,
        line=scan.line,
        party=scan.party,
        read_point=scan.read_point,
        at_us=scan.time_us,
        recorded_us=scan.stamp.received_us,
    )


def scan_identity(scan: QuantityScan) -> str:
    """(scanner, boot, sequence); without boot or sequence: scanner, sequence if any, device time, raw bytes."""
    if scan.boot and scan.sequence is not None:
        identity = f"{scan.scanner}|{scan.boot}|{scan.sequence}"
    else:
        identity = f"{scan.scanner}|{scan.sequence}|{scan.device_time_us}|{scan.raw}"
        return _short(identity, scan.scanner)
    return identity if len(identity) <= LONGEST else _short(identity, scan.scanner)


def label_identity(scan: QuantityScan) -> str:
    """A unit's label by what it says: another label of the unit is another fact."""
    said = f"{scan.unit}|{scan.lot}|{scan.amount}|{scan.uom}|{scan.cases}"
    return f"label|{scan.unit[:100]}|{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def _short(identity: str, scanner: str) -> str:
    return f"{scanner[:100]}|{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _facts(
    event: TraceEvent, place: Placement, *, amounts: Amounts, way: Way, mark: str = ""
) -> Iterator[QuantityFact]:
    """``mark`` tells apart what an event takes from what it makes of one lot."""
    if way.effect in (Effect.MOVED, Effect.COUNTED, Effect.ADJUSTED) and not (way.source or way.location):
        return  # it says of no place anything; what came into being or went out of it did so wherever that was
    document = document_of(event)
    # what is shipped on a line and what is received on it are two facts; a corrected shipment of the line is one.
    # What is numbered as a correction is another: what it corrects was declared wrong, and that holds for ever.
    on_line = document and event.document_line
    line = f"{document}|{event.document_line}|{event.biz_step}" if on_line else event.event_hash
    line += (f"|r{event.line_revision}" if on_line and event.line_revision else "") + mark
    seen: set[str] = set()
    for lot, uom, amount, cases in caught(amounts):
        # an event may give one lot in two units of measure; the first keeps the plain identity
        identity = f"{line}|{uom}" if lot in seen else line
        seen.add(lot)
        if len(identity) > LONGEST:
            identity = _short(identity, "")
        yield _fact(event, place, way=way, identity=identity, lot=lot, uom=uom, amount=amount, cases=cases)


def caught(amounts: Amounts) -> Iterator[tuple[str, str, Decimal, int]]:
    """(lot, unit of measure, amount, cases): a count beside one measure of the lot is catch weight, one amount."""
    lots: dict[str, list[tuple[str, Decimal]]] = {}
    for (lot, uom), amount in amounts.items():
        lots.setdefault(lot, []).append((uom, amount))
    for lot, given in lots.items():
        counts = [(uom, amount) for uom, amount in given if is_counted(uom)]
        if len(counts) == 1 and len(given) == 2 and counts[0][1] == int(counts[0][1]):
            (measure,) = (each for each in given if each != counts[0])
            yield lot, *measure, int(counts[0][1])
        else:
            yield from ((lot, uom, amount, 0) for uom, amount in given)


def _fact(
    event: TraceEvent,
    place: Placement,
    *,
    way: Way,
    identity: str,
    lot: str,
    uom: str,
    amount: Decimal,
    cases: int,
) -> QuantityFact:
    return QuantityFact(
        lot=lot,
        identity=identity,
        revision=event.stamp.received_us,
        source=way.source,
        source_disposition=way.before,
        location=way.location,
        disposition=way.after,
        amount=amount,
        uom=uom,
        cases=cases,
        effect=way.effect,
        biz_step=event.biz_step,
        evidence=Evidence.DECLARED,
        document=document_of(event),
        line=event.document_line,
        party=place.to_party,
        read_point=event.read_point,
        event=event.event_hash,
        at_us=event.event_time_us,
        retracted=event.error is not None,
        recorded_us=event.stamp.received_us,
    )


def _lines(event: TraceEvent, place: Placement, *, amounts: Amounts) -> Iterator[DocumentLine]:
    units = tuple(dict.fromkeys((*event.epcs, *((event.parent,) if event.parent else ()))))
    for document in event.documents:
        name = f"{document.type}:{document.id}"
        for (lot, uom), amount in amounts.items():
            yield _line(event, place, document=name, lot=lot, uom=uom, amount=amount)
        if units or not amounts:
            yield _line(event, place, document=name, units=units)


def _line(
    event: TraceEvent,
    place: Placement,
    *,
    document: str,
    lot: str = "",
    uom: str = "",
    amount: Decimal | None = None,
    units: tuple[str, ...] = (),
) -> DocumentLine:
    return DocumentLine(
        document=document,
        line=event.document_line,
        biz_step=event.biz_step,
        event=event.event_hash,
        at_us=event.event_time_us,
        lot=lot,
        units=units,
        amount=amount,
        uom=uom,
        from_party=place.from_party,
        to_party=place.to_party,
        from_location=place.source or event.biz_location or event.read_point,
        to_location=place.location,
        retracted=event.error is not None,
        recorded_us=event.stamp.received_us,
    )
