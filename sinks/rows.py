"""What a message becomes in ClickHouse: rows per table. Pure; raises Rejected for what is not understood.

Each row ends with the partition and offset it came from: every number can be traced to its message.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lotstream.runtime.errors import Reason
from lotstream.schemas.alerts import ALERT
from lotstream.schemas.base import Stamp, decode, first_error
from lotstream.schemas.documents import DOCUMENTS, DocumentLine, DocumentRecord, Transformation
from lotstream.schemas.events import EVENTS, Decision, HoldDecision, LotClaim, QuantityScan, SiteMapping, TraceEvent
from lotstream.schemas.identity import decode_bindings
from lotstream.schemas.lots import LOTS_MESSAGE, HoldRecord, LotNumber
from lotstream.schemas.operations import BLIND_WINDOW, OPERATION, Headers, parse_dead_letter
from lotstream.schemas.reads import ReaderEvent, decode_reads
from lotstream.schemas.sightings import LotSightingBatch, Sighting, decode_lot_message, decode_sightings
from lotstream.schemas.unit_lots import UnitLotsBatch

Row = Sequence[Any]
Rows = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Message:
    """What a sink needs of a Kafka message."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: Headers = ()
    timestamp_us: int = 0
    key: bytes | None = None

    @property
    def where(self) -> str:
        """topic:partition:offset, as dead letters and parking name it."""
        return f"{self.topic}:{self.partition}:{self.offset}"


_SIGHTING = """tag read_point slot lane origin path version reader policy mapping location first_at last_at reads
    state direction marks evidence recorded_at event biz_step disposition document line party"""

_TABLES = {
    "sightings": f"{_SIGHTING} runs",
    "lot_sightings": f"lot binding relabelled {_SIGHTING}",
    "unit_lots": "lot subject first_serial last_serial binding horizon_us lives",
    "bindings": "relation subject first_serial last_serial object action at event retracted recorded_at",
    "lots": """lot gtin code supplier_code event at description location produced_at expires best_before units amount
        uom status retracted recorded_at site line planned planned_uom by reason""",
    "holds": """lot hold action purpose first_serials last_serials units amount uom site by reason at decision
        recorded_at""",
    "decisions": "kind subject name text source recorded_at",
    "lot_numbers": "gtin claim lot detail by recorded_at",
    "documents": "document event at from_party to_party references cancelled recorded_at",
    "document_lines": """document line event biz_step at lot units amount uom from_party to_party from_location
        to_location retracted recorded_at""",
    "quantities": """lot identity revision source source_disposition location disposition amount uom cases effect
        biz_step evidence document line party read_point event at retracted recorded_at""",
    "transformations": """process event side lot units part items amount uom location biz_step document at retracted
        recorded_at""",
    "conversions": "gtin uom factor to_uom event at error recorded_at",
    "events": """event event_type event_id at action biz_step disposition read_point biz_location error text source
        recorded_at""",
    "reader_events": "reader at type vendor_type read_point port state lost text recorded_at",
    "dead_letters": "source received_at stage reason detail field origin bytes",
    "alerts": """lot alert version state ending cause hold reason tag read_point slot location disposition party
        evidence units inside first_at last_at recorded_at""",
    "blind_windows": "subject cause from_at until_at lost detail recorded_at",
    "operations": "action subject digest by why result at",
    "locations": "id name site time_zone gln kind mapping recorded_at",
    "read_points": "id door inside outside mapping recorded_at",
}
COLUMNS = {table: (*names.split(), "source_partition", "source_offset") for table, names in _TABLES.items()}


def sighting_rows(message: Message) -> Rows:
    """sightings.v1 -> sightings."""
    end = (message.partition, message.offset)
    return {"sightings": [(*_sighting(s), s.runs, *end) for s in decode_sightings(message.value)]}


def lot_sighting_rows(message: Message) -> Rows:
    """lot-sightings.v1 -> lot_sightings, unit_lots."""
    end = (message.partition, message.offset)
    batch = decode_lot_message(message.value)
    if isinstance(batch, UnitLotsBatch):
        return {"unit_lots": [(*told, *end) for told in batch.rows()]}
    rows = batch.lot_rows() if isinstance(batch, LotSightingBatch) else []
    return {
        "lot_sightings": [
            (lot, binding, relabelled, *_sighting(sighting), *end) for lot, binding, relabelled, sighting in rows
        ]
    }


def _sighting(s: Sighting) -> Row:
    tag, form, edition, slot, first_us, last_us, reads, _ = s
    context, location, declaration, lane, origin, path, *certainty = form
    point, *rules = context
    return (
        tag, point, slot, lane, origin, path, edition.version, *rules, location, first_us, last_us, reads, *certainty,
        edition.recorded_us, *declaration,
    )  # fmt: skip


def binding_rows(message: Message) -> Rows:
    """identity.v1 -> bindings."""
    end = (message.partition, message.offset)
    return {"bindings": [(*binding, *end) for binding in decode_bindings(message.value)]}


def lot_rows(message: Message) -> Rows:
    """lots.v1 -> lots, holds, lot_numbers."""
    r = decode(LOTS_MESSAGE, message.value)
    end = (message.partition, message.offset)
    if isinstance(r, LotNumber):
        return {"lot_numbers": [(r.gtin, r.claim, r.lot, r.detail, r.by, r.recorded_us, *end)]}
    if isinstance(r, HoldRecord):
        return {"holds": [(*_hold(r), *end)]}
    row = (
        r.lot, r.gtin, r.code, r.supplier_code, r.event, r.at_us, r.description, r.location, r.produced_us, r.expires,
        r.best_before, r.units, r.amount, r.uom, r.status, r.retracted, r.recorded_us, r.site, r.line, r.planned,
        r.planned_uom, r.by, r.reason, *end,
    )  # fmt: skip
    return {"lots": [row]}


def _hold(h: HoldRecord) -> Row:
    scope = h.scope
    serials = [first for first, _ in scope.serials], [last for _, last in scope.serials]
    return (
        h.lot, h.hold, str(h.action), str(h.purpose), *serials, scope.units, scope.amount, scope.uom, scope.site, h.by,
        h.reason, h.at_us, h.decision, h.recorded_us,
    )  # fmt: skip


_EVIDENCE = {"confirmed": 0, "inferred": 1, "declared": 2, "probabilistic": 3}


def document_rows(message: Message) -> Rows:
    """documents.v1 -> documents, document_lines, quantities, transformations."""
    d = decode(DOCUMENTS, message.value)
    end = (message.partition, message.offset)
    if isinstance(d, DocumentLine):
        line = (
            d.document, d.line, d.event, d.biz_step, d.at_us, d.lot, d.units, d.amount, d.uom, d.from_party,
            d.to_party, d.from_location, d.to_location, d.retracted, d.recorded_us, *end,
        )  # fmt: skip
        return {"document_lines": [line]}
    if isinstance(d, DocumentRecord):
        head = (
            d.document, d.event, d.at_us, d.from_party, d.to_party, d.references, d.cancelled, d.recorded_us, *end,
        )  # fmt: skip
        return {"documents": [head]}
    if isinstance(d, Transformation):
        return {"transformations": [(*_transformation(d), *end)]}
    quantity = (
        d.lot, d.identity, d.revision, d.source, d.source_disposition, d.location, d.disposition, d.amount, d.uom,
        d.cases, str(d.effect), d.biz_step, _EVIDENCE[d.evidence], d.document, d.line, d.party, d.read_point, d.event,
        d.at_us, d.retracted, d.recorded_us, *end,
    )  # fmt: skip
    return {"quantities": [quantity]}


def _transformation(t: Transformation) -> Row:
    return (
        t.process, t.event, _SIDES[t.side], t.lot, t.units, t.part, t.items, t.amount, t.uom, t.location, t.biz_step,
        t.document, t.at_us, t.retracted, t.recorded_us,
    )  # fmt: skip


_SIDES = {"input": 0, "output": 1}


def event_rows(message: Message) -> Rows:
    """events.v1 -> events, conversions, decisions, locations, read_points. Scans: by way of the register."""
    e = decode(EVENTS, message.value)
    end = (message.partition, message.offset)
    if isinstance(e, SiteMapping):
        return _mapping_rows(e, end)
    if isinstance(e, QuantityScan):
        return {}
    if not isinstance(e, TraceEvent):
        return {"decisions": [(*_decision(e), *end)]}
    rows: Rows = {"events": [(*_event(e, e.stamp), *end)]}
    conversions: list[Row] = [(*row, *end) for row in _conversions(e)]
    return rows | ({"conversions": conversions} if conversions else {})


def _conversions(e: TraceEvent) -> list[Row]:
    """What an event says of the units of measure of the products that it names by class."""
    said = e.ilmd.conversions if e.ilmd else ()
    gtins = dict.fromkeys(q.epc_class[3:17] for q in e.quantities if q.epc_class.startswith("01/"))
    wrong, at = e.error is not None, e.event_time_us
    return [(g, c.uom, c.factor, c.to, e.event_hash, at, wrong, e.stamp.received_us) for g in gtins for c in said]


def _event(e: TraceEvent, stamp: Stamp) -> Row:
    return (
        e.event_hash, str(e.event_type), e.event_id, e.event_time_us, str(e.action or ""), e.biz_step, e.disposition,
        e.read_point, e.biz_location, e.error is not None, e.text, stamp.source, stamp.received_us,
    )  # fmt: skip


def _decision(d: Decision) -> Row:
    name = d.claim if isinstance(d, LotClaim) else d.hold if isinstance(d, HoldDecision) else d.decision
    sent = d.model_dump_json(exclude={"v", "decision", "subject", "stamp"}, exclude_none=True)
    return d.kind, d.subject, name, sent, d.stamp.source, d.stamp.received_us


def _mapping_rows(m: SiteMapping, end: tuple[int, int]) -> Rows:
    at = m.stamp.received_us
    return {
        "locations": [(p.id, p.name, p.site, p.time_zone, p.gln, p.kind, m.version, at, *end) for p in m.locations],
        "read_points": [(p.id, p.door, p.inside, p.outside, m.version, at, *end) for p in m.read_points],
    }


def reader_event_rows(message: Message) -> Rows:
    """reads.v1 -> reader_events. Reads themselves stay in Kafka; the history keeps their sightings."""
    if message.value is not None and message.value.startswith(_NO_READER_EVENT):
        return {}
    r = decode_reads(message.value)
    if not isinstance(r, ReaderEvent):
        return {}
    row = (
        r.reader, r.time_us, str(r.type), r.vendor_type, r.read_point, r.port, r.state, r.lost, r.text,
        r.stamp.received_us, message.partition, message.offset,
    )  # fmt: skip
    return {"reader_events": [row]}


# our own producers write "kind" first: batches and ticks are passed over without decoding them
_NO_READER_EVENT = (b'{"kind":"reads"', b'{"kind":"tick"', b'{"kind":"end"')


def dead_letter_rows(message: Message) -> Rows:
    """dead-letters.v1 -> dead_letters. One whose headers are not understood is kept with what can be said of it."""
    end = (message.value or b"", message.partition, message.offset)
    try:
        d = parse_dead_letter(message.headers)
    except ValidationError as error:
        field, detail = first_error(error)
        reason = str(Reason.SCHEMA_INVALID)
        return {
            "dead_letters": [("unknown", message.timestamp_us, "unknown", reason, detail, field, message.where, *end)]
        }
    row = (d.source, d.received_us, d.stage, str(d.reason), d.detail, d.field, d.origin, *end)
    return {"dead_letters": [row]}


def blind_window_rows(message: Message) -> Rows:
    """blind-windows.v1 -> blind_windows."""
    b = decode(BLIND_WINDOW, message.value)
    row = (
        b.subject,
        b.cause,
        b.from_us,
        b.until_us,
        b.lost,
        b.detail,
        b.recorded_us,
        message.partition,
        message.offset,
    )
    return {"blind_windows": [row]}


def alert_rows(message: Message) -> Rows:
    """alerts.v1 -> alerts."""
    a = decode(ALERT, message.value)
    row = (
        a.lot, a.key, a.version, str(a.state), str(a.end or ""), str(a.cause), a.hold, a.reason, a.tag, a.read_point,
        a.slot, a.location, a.disposition, a.party, str(a.evidence), a.units, list(a.inside), a.first_us, a.last_us,
        a.recorded_us, message.partition, message.offset,
    )  # fmt: skip
    return {"alerts": [row]}


def operation_rows(message: Message) -> Rows:
    """operations.v1 -> operations."""
    o = decode(OPERATION, message.value)
    row = (str(o.action), o.subject, o.digest, o.by, o.why, o.result, o.at_us, message.partition, message.offset)
    return {"operations": [row]}


@dataclass(frozen=True, slots=True)
class Sink:
    """One topic's way into the history."""

    name: str
    topic: str
    rows: Callable[[Message], Rows]


SINKS: tuple[Sink, ...] = (
    Sink("sightings", "sightings.v1", sighting_rows),
    Sink("lot-sightings", "lot-sightings.v1", lot_sighting_rows),
    Sink("identity", "identity.v1", binding_rows),
    Sink("lots", "lots.v1", lot_rows),
    Sink("documents", "documents.v1", document_rows),
    Sink("events", "events.v1", event_rows),
    Sink("reader-events", "reads.v1", reader_event_rows),
    Sink("dead-letters", "dead-letters.v1", dead_letter_rows),
    Sink("blind-windows", "blind-windows.v1", blind_window_rows),
    Sink("alerts", "alerts.v1", alert_rows),
    Sink("operations", "operations.v1", operation_rows),
)


def columns_of(rows: Iterable[Row]) -> list[Sequence[Any]]:
    """Rows turned into columns, as ClickHouse takes them fastest."""
    return [list(column) for column in zip(*rows, strict=True)]
