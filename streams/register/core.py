"""The register: events become facts. A fact's key and version follow from the event and its offset; what is kept are
the numbers that were given to lots.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import decode, first_error
from lotstream.schemas.documents import DocumentsMessage
from lotstream.schemas.events import (
    EVENTS,
    DocumentSaid,
    EventsMessage,
    HoldDecision,
    LotChange,
    LotClaim,
    QuantityScan,
    TraceEvent,
)
from lotstream.schemas.identity import Binding, BindingRows, Relation
from lotstream.schemas.lots import LotsMessage
from lotstream.schemas.partitions import partition_of, range_partitions, tag_partition
from lotstream.schemas.sightings import Sighting, SightingRows
from lotstream.streams.engine.core import Output, Record
from lotstream.streams.letters import dead_letter
from lotstream.streams.parts import parts_of
from lotstream.streams.register.decide import decide_event, decide_scan
from lotstream.streams.register.facts import Facts
from lotstream.streams.register.holds import changed, claimed, hold_of
from lotstream.streams.register.numbering import Numbering
from lotstream.streams.register.written import written


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTopics:
    """Complete names of the topics that the register writes, and their partition count."""

    sightings: str
    identity: str
    lots: str
    documents: str
    dead_letters: str
    partitions: int


class RegisterCore:
    """One partition of events.v1."""

    def __init__(self, topics: RegisterTopics) -> None:
        self._topics = topics
        self._numbering = Numbering()

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """The numbers that were given."""
        self._numbering.load(items)

    def changes(self) -> Mapping[bytes, bytes | None]:
        """The numbers given since last asked."""
        return self._numbering.changes()

    def apply(self, record: Record) -> Iterable[Output]:
        """Facts of one event, or its dead letter."""
        source = ""
        try:
            message = decode(EVENTS, record.value)
            source = message.stamp.source
            facts = self._decided(message, record.offset)
        except Rejected as rejected:
            topics = self._topics
            return [
                dead_letter(
                    record,
                    rejected,
                    stage="register",
                    topic=topics.dead_letters,
                    partitions=topics.partitions,
                    source=source,
                )
            ]
        return list(self._outputs(facts))

    def _decided(self, message: EventsMessage, offset: int) -> Facts:
        if not isinstance(message, LotClaim):
            facts = _decide(message, offset)
            for said in facts.lots:
                if said.lot[3:17] == message.subject:  # claims of that GTIN are in this partition, and in no other
                    self._numbering.take(said.lot)
            return facts
        number = self._numbering.decide(message)
        return Facts(lots=[number, claimed(message, number.lot)] if number.lot else [number])

    def _outputs(self, facts: Facts) -> Iterator[Output]:
        topics, count = self._topics, self._topics.partitions
        for partition, bindings in _placed_bindings(facts.bindings, count).items():
            for part in parts_of(bindings):
                yield Output(topics.identity, partition, BindingRows(part))
        for said in facts.lots:
            key = _lot_key(said)
            yield Output(topics.lots, partition_of(key, count), said.encode(), key=key.encode())
        for document in facts.documents:
            key = _document_key(document)
            yield Output(topics.documents, partition_of(key, count), document.encode(), key=key.encode())
        placed: dict[int, list[Sighting]] = {}
        for sighting in facts.sightings:
            placed.setdefault(tag_partition(sighting.tag, count), []).append(sighting)
        for partition, rows in placed.items():
            for some in parts_of(rows):
                yield Output(topics.sightings, partition, SightingRows(some))


def _decide(message: EventsMessage, offset: int) -> Facts:
    try:
        if isinstance(message, TraceEvent):
            return decide_event(message, offset=offset)
        if isinstance(message, QuantityScan):
            return decide_scan(message)
        if isinstance(message, HoldDecision):
            return Facts(lots=[hold_of(message)])
        if isinstance(message, LotChange):
            return Facts(lots=[changed(message)])
        if isinstance(message, DocumentSaid):
            return Facts(documents=written(message))
    except ValidationError as error:
        field, detail = first_error(error)
        raise Rejected(Reason.SCHEMA_INVALID, detail, field=field) from None
    return Facts()  # the mapping concerns readers and sinks only


def _lot_key(said: LotsMessage) -> str:
    """What decides the partition: of the answer to a claim its GTIN, so that who waits knows where."""
    return f"01/{said.gtin}" if said.kind == "lot_number" else said.lot


def _document_key(document: DocumentsMessage) -> str:
    if document.kind == "document" or (document.kind == "document_line" and not document.lot):
        return document.document
    return document.process if document.kind == "transformation" and not document.lot else document.lot


def _placed_bindings(bindings: Sequence[Binding], count: int) -> dict[int, list[Binding]]:
    placed: dict[int, list[Binding]] = {}
    for row in bindings:
        if row.relation != Relation.LOT or row.first < 0:
            placed.setdefault(tag_partition(row.subject, count), []).append(row)
            continue
        for partition, pieces in range_partitions(row.subject[3:], row.first, row.last, count=count).items():
            rows = placed.setdefault(partition, [])
            rows += [row._replace(first=first, last=last) for first, last in pieces]
    return placed
