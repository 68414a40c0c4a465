"""What an event becomes: bindings, declared sightings, lot records, document lines, quantities."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lotstream.schemas.documents import DocumentsMessage
from lotstream.schemas.identity import Binding
from lotstream.schemas.lots import LotsMessage
from lotstream.schemas.sightings import Sighting


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of one message; ranges of ``bindings`` are not yet split by partition."""

    bindings: list[Binding] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    lots: Sequence[LotsMessage] = field(default_factory=list)
    documents: list[DocumentsMessage] = field(default_factory=list)
