"""Facts of a world as the messages that the gateway and smooth would write."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from lotstream.schemas.base import Origin, Stamp, slot_of
from lotstream.schemas.events import (
    Action,
    ErrorDeclaration,
    EventType,
    HoldDecision,
    Ilmd,
    LotClaim,
    Quantity,
    QuantityScan,
    SerialRange,
    TraceEvent,
    Typed,
)
from lotstream.schemas.lots import HoldAction, HoldPurpose
from lotstream.schemas.partitions import partition_of, tag_partition
from lotstream.schemas.reads import ReadBatch
from lotstream.schemas.sightings import Context, Mark, SightingRows, sighting_of
from lotstream.schemas.topics import EVENTS, READS, SIGHTINGS
from tests.worlds.passages import DOORS, READER, Batch
from tests.worlds.world import GTIN, SECOND, START, Claim, Event, Fact, Hold, Kind, Label, Read, lot

STAMP = Stamp(received_us=START, origin=Origin.LIVE, source="erp", request="r")
SCANNER = "gun"
TEMPLATE = "L-{seq:01}"
_SEEN = {"event_type": EventType.OBJECT, "action": Action.OBSERVE, "biz_step": "storing"}
_PACKED = {"event_type": EventType.AGGREGATION, "action": Action.ADD, "biz_step": "packing"}
_WORDS: dict[Kind, dict[str, Any]] = {
    Kind.MAKE: {"event_type": EventType.OBJECT, "action": Action.ADD, "biz_step": "commissioning"},
    Kind.END: {"event_type": EventType.OBJECT, "action": Action.DELETE, "biz_step": "decommissioning"},
    Kind.PACK: _PACKED,
    Kind.UNPACK: _PACKED | {"action": Action.DELETE, "biz_step": "unpacking"},
    Kind.SEE: _SEEN,
    Kind.SHIP: _SEEN | {"biz_step": "shipping", "read_point": "gate"},
    Kind.RECEIVE: _SEEN | {"biz_step": "receiving"},
    Kind.RETURN: _SEEN | {"biz_step": "receiving", "disposition": "returned"},
    Kind.TRANSFORM: {"event_type": EventType.TRANSFORMATION, "biz_step": "commissioning"},
    Kind.COUNT: _SEEN | {"biz_step": "stock_taking"},
}


class Message(NamedTuple):
    """A record to append. Sightings of one partition may share a message."""

    topic: str
    partition: int
    facts: tuple[Fact, ...]

    def encode(self) -> bytes:
        (first, *_) = self.facts
        if isinstance(first, Event):
            return _event(first)
        if isinstance(first, Hold):
            return _decision(first)
        if isinstance(first, Label):
            return _scan(first)
        if isinstance(first, Batch):
            return _batch(first)
        if isinstance(first, Claim):
            return _claim(first)
        return SightingRows(_sighting(read) for read in self.facts if isinstance(read, Read)).encode()


def message(fact: Fact, *, partitions: int) -> Message:
    """Where a fact is written."""
    if isinstance(fact, Event):
        return Message(EVENTS, partition_of(fact.name, partitions), (fact,))
    if isinstance(fact, Batch):
        return Message(READS, partition_of(fact.point, partitions), (fact,))
    if isinstance(fact, Label):
        return Message(EVENTS, partition_of(SCANNER, partitions), (fact,))
    if isinstance(fact, Hold | Claim):
        return Message(EVENTS, partition_of(GTIN, partitions), (fact,))
    return Message(SIGHTINGS, tag_partition(fact.tag, partitions), (fact,))


def _event(event: Event) -> bytes:
    """The event's name is its hash."""
    fields = dict(_WORDS[event.kind])
    if event.kind is Kind.SHIP:
        fields["destinations"] = (*_typed("location", event.location), *_typed("owning_party", event.party))
    elif event.location:
        fields["biz_location"] = event.location
    if event.kind in (Kind.PACK, Kind.UNPACK):
        fields |= {"parent": event.parent, "children": event.tags, "child_quantities": _quantities(event.amounts)}
    elif event.kind is Kind.TRANSFORM:
        fields |= {"inputs": event.used, "input_quantities": _quantities(event.used_amounts)}
        fields |= {"outputs": event.tags, "output_quantities": _quantities(event.amounts)}
    else:
        fields |= {"epcs": event.tags, "quantities": _quantities(event.amounts)}
    if event.last:
        fields["ranges"] = (SerialRange(gtin=GTIN, first=event.first, last=event.last),)
    if event.lot or event.supplier:
        fields["ilmd"] = Ilmd(lot=event.lot, supplier_lot=event.supplier)
    said = TraceEvent(
        event_hash=event.name,
        event_time_us=START + event.at * SECOND,
        text="{}",
        subject=event.name,
        stamp=STAMP.model_copy(update={"received_us": START + event.told * SECOND}),
        sources=_typed("location", event.source),
        documents=_typed("desadv", event.document),
        document_line=event.line,
        line_revision=event.revision,
        transformation_id=event.process,
        error=ErrorDeclaration(declared_us=START) if event.wrong else None,
        **fields,
    )
    return said.encode()


def _decision(hold: Hold) -> bytes:
    return HoldDecision(
        hold=hold.hold,
        lot=lot(hold.lot),
        action=HoldAction.RELEASE if hold.released else HoldAction.PLACE,
        purpose=HoldPurpose.RECALL if hold.recall else HoldPurpose.QUARANTINE,
        by="ann",
        reason="a reason",
        at_us=START + hold.at * SECOND,
        decision=hold.name,
        subject=GTIN,
        stamp=STAMP.model_copy(update={"received_us": START + hold.told * SECOND}),
    ).encode()


def _scan(label: Label) -> bytes:
    at = START + label.at * SECOND
    return QuantityScan(
        scanner=SCANNER,
        boot="b",
        sequence=label.scanned,
        lot=lot(label.lot),
        unit=label.unit,
        amount=Decimal(label.amount),
        cases=0,
        uom="KGM",
        raw="]C100",
        biz_step="packing",
        read_point="dock",
        location="hall",
        source=label.source,
        time_us=at,
        device_time_us=at,
        subject=SCANNER,
        stamp=STAMP.model_copy(update={"received_us": START + label.scanned * SECOND}),
    ).encode()


def _claim(claim: Claim) -> bytes:
    return LotClaim(
        claim=claim.claim,
        gtin=GTIN,
        template="" if claim.code else TEMPLATE,
        code=claim.code,
        by=claim.by,
        subject=GTIN,
        stamp=STAMP,
    ).encode()


def _batch(batch: Batch) -> bytes:
    tags = list(dict.fromkeys(tag for tag, _, _ in batch.reads))
    return ReadBatch(
        reader=READER,
        read_point=batch.point,
        door=batch.point,
        inside=f"at {batch.point}",
        outside=DOORS[batch.point],
        inner=[1],
        outer=[2],
        mapping=1,
        stamp=STAMP.model_copy(
            update={
                "received_us": START + batch.number * SECOND,
                "origin": Origin.BUFFERED if batch.buffered else Origin.LIVE,
                "source": READER,
            }
        ),
        sequence=batch.number,
        clock_offset_us=0,
        t0_us=START,
        tags=[epc(tag) for tag in tags],
        tag=[tags.index(tag) for tag, _, _ in batch.reads],
        antenna=[antenna for _, antenna, _ in batch.reads],
        last=[time * 1_000 for _, _, time in batch.reads],
    ).encode()


def epc(tag: str) -> str:
    """A tag as it is read: the hexadecimal EPC of a unit or pallet of the company 9521234; of a label its key."""
    kind, number = tag.split("/", 1)
    if kind == "00":
        head, partition, reference = 0x31, 5, int(number[0] + number[8:17])
        return f"{head << 88 | 2 << 85 | partition << 82 | int(number[1:8]) << 58 | reference << 24:024X}"
    serial = number.rsplit("/", 1)[1]
    if not serial.isdigit():
        return tag
    head, partition, item = 0x30, 5, int(number[0] + number[8:13])
    return f"{head << 88 | 1 << 85 | partition << 82 | int(number[1:8]) << 58 | item << 38 | int(serial):024X}"


def _typed(kind: str, name: str) -> tuple[Typed, ...]:
    return (Typed(type=kind, id=name),) if name else ()


def _quantities(amounts: Iterable[tuple[str, int]]) -> tuple[Quantity, ...]:
    return tuple(Quantity(epc_class=lot(code), quantity=Decimal(much), uom="KGM") for code, much in amounts)


def _sighting(read: Read) -> Any:
    at = START + read.at * SECOND
    return sighting_of(
        read.tag,
        context=Context(read.point, "reader", 1, 1),
        location=read.location,
        slot=slot_of(at),
        version=(0, read.version),
        first_us=at,
        last_us=at,
        recorded_us=at,
        reads=3,
        state=int(read.state),
        marks=int((Mark.FINAL if read.final else 0) | (Mark.RETRACTED if read.retracted else 0)),
        runs=[[at, at, 3, 1, 3, -5_000]],
    )


def batches(messages: Sequence[Message], *, sizes: Sequence[int]) -> list[Message]:
    """Neighbouring sightings of one partition in one message, up to the sizes given."""
    joined: list[Message] = []
    for one, size in zip(messages, sizes, strict=True):
        last = joined[-1] if joined else None
        if last and one.topic == SIGHTINGS and last[:2] == one[:2] and len(last.facts) < size:
            joined[-1] = last._replace(facts=last.facts + one.facts)
        else:
            joined.append(one)
    return joined
