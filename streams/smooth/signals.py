"""What smooth says besides sightings: what was not understood."""

from dataclasses import dataclass

from lotstream.runtime.errors import Rejected
from lotstream.streams.engine.core import Output, Record
from lotstream.streams.letters import dead_letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Makes outputs for dead-letters.v1; the topic's name is complete."""

    dead_letters: str
    partitions: int

    def dead_letter(self, record: Record, rejected: Rejected, *, source: str | None = None, field: str = "") -> Output:
        """The untouched bytes of a record, with the reason as headers. Without a known source, its key stands in."""
        if source is None:
            source = (record.key or b"").decode("utf-8", "replace")[:200] or "unknown"
        return dead_letter(
            record,
            rejected,
            stage="smooth",
            topic=self.dead_letters,
            partitions=self.partitions,
            source=source,
            field=field,
        )
