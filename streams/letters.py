"""Dead letters of the stages: the untouched bytes of a record, and why it was refused."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from lotstream.runtime.errors import Rejected
from lotstream.schemas.operations import DeadLetter, carried
from lotstream.schemas.partitions import partition_of
from lotstream.streams.engine.core import Core, Output, Record, Stage


def dead_letter(
    record: Record,
    rejected: Rejected,
    *,
    stage: str,
    topic: str,
    partitions: int,
    source: str = "",
    field: str = "",
) -> Output:
    """The output for a record, or for something in it, that a stage cannot understand."""
    source = source or record.topic
    letter = DeadLetter(
        reason=rejected.reason,
        detail=rejected.detail,
        field=field or rejected.field or "",
        source=source,
        stage=stage,
        origin=where(record),
        received_us=max(0, record.timestamp_us),
    )
    headers = letter.headers() + carried(record.key, record.headers)
    return Output(topic, partition_of(source, partitions), record.value or b"", key=source.encode(), headers=headers)


def where(record: Record) -> str:
    """topic:partition:offset, as dead letters and parking name it."""
    return f"{record.topic}:{record.partition}:{record.offset}"


class Passing:
    """A core that never sees the records a person has parked: each becomes a dead letter, on every replay."""

    def __init__(self, core: Core, parks: Mapping[str, Rejected], *, stage: Stage, topic: str) -> None:
        self.core = core
        self._parks = parks
        self._stage = stage
        self._topic = topic
        self.load = core.load
        self.changes = core.changes

    def apply(self, record: Record) -> Iterable[Output]:
        """The core's outputs, or the dead letter."""
        why = self._parks.get(where(record))
        if why is None:
            return self.core.apply(record)
        stage = self._stage
        return [dead_letter(record, why, stage=stage.name, topic=self._topic, partitions=stage.partitions)]


def passing(stage: Stage, parks: Mapping[str, Rejected], *, topic: str) -> Stage:
    """The stage with the parked records of its sources passed over; the stage itself where there are none."""
    own = {place: why for place, why in parks.items() if place.rsplit(":", 2)[0] in stage.sources}
    if not own:
        return stage
    restate = stage.restate
    return replace(
        stage,
        build=lambda number: Passing(stage.build(number), own, stage=stage, topic=topic),
        restate=None if restate is None else lambda core: restate(core.core if isinstance(core, Passing) else core),
    )
