"""What smooth says besides sightings: what was not understood."""

from dataclasses import dataclass

from lotstream.runtime.errors import Rejected
from lotstream.schemas.operations import DeadLetter
from lotstream.schemas.partitions import partition_of
from lotstream.streams.engine.core import Output, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Makes outputs for dead-letters.v1; the topic's name is complete."""

    dead_letters: str
    partitions: int

    def dead_letter(
        self, record: Record, rejected: Rejected, *, source: str | None = None, field: str | None = None
    ) -> Output:
        """The untouched bytes of a record, with the reason as headers. Without a known source, its key stands in."""
        if source is None:
            source = (record.key or b"").decode("utf-8", "replace")[:200] or "unknown"
        letter = DeadLetter(
            reason=rejected.reason,
            detail=rejected.detail,
            field=field or rejected.field or "",
            source=source,
            stage="smooth",
            origin=f"{record.topic}:{record.partition}:{record.offset}",
            received_us=record.timestamp_us,
        )
        return Output(
            self.dead_letters,
            partition_of(source, self.partitions),
            record.value or b"",
            key=source.encode(),
            headers=letter.headers(),
        )
