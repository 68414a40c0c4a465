"""Dead letters of the stages: the untouched bytes of a record, and why it was refused."""

from lotstream.runtime.errors import Rejected
from lotstream.schemas.operations import DeadLetter
from lotstream.schemas.partitions import partition_of
from lotstream.streams.engine.core import Output, Record


def dead_letter(record: Record, rejected: Rejected, *, stage: str, topic: str, partitions: int) -> Output:
    """The output for a record, or for something in it, that a stage cannot understand."""
    letter = DeadLetter(
        reason=rejected.reason,
        detail=rejected.detail,
        field=rejected.field or "",
        source=record.topic,
        stage=stage,
        origin=f"{record.topic}:{record.partition}:{record.offset}",
        received_us=max(0, record.timestamp_us),
    )
    return Output(topic, partition_of(record.topic, partitions), record.value or b"", headers=letter.headers())
