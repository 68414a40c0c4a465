"""What smooth says besides sightings: where a reader could not see, and what was not understood."""

from dataclasses import dataclass

from lotstream.runtime.errors import Rejected
from lotstream.schemas.operations import BlindWindow, DeadLetter
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.reads import ReaderEvent, ReaderEventType
from lotstream.streams.engine.core import Output, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Makes outputs for blind-windows.v1 and dead-letters.v1; topic names are complete."""

    blind_windows: str
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

    def blind_window(self, event: ReaderEvent, *, last_seen_us: int) -> Output:
        """Reads were lost between the last one seen of that reader (-1: none remembered) and its word of it."""
        subject = event.read_point or event.reader
        window = BlindWindow(
            subject=subject,
            cause="overflow" if event.type is ReaderEventType.OVERFLOW else "discarded",
            from_us=last_seen_us if 0 <= last_seen_us <= event.time_us else event.time_us,
            until_us=event.time_us,
            lost=event.lost,
            detail=event.vendor_type,
            recorded_us=event.stamp.received_us,
        )
        return Output(self.blind_windows, partition_of(subject, self.partitions), window.encode(), key=subject.encode())
