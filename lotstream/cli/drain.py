"""Waits until everything that was sent has become an answer: each stage in its turn, then the sinks."""

from lotstream.runtime.passage import Passage, Vector
from lotstream.runtime.settings import Settings
from lotstream.schemas import topics
from lotstream.schemas.base import MAX_DEPTH
from lotstream.sinks.rows import SINKS


def drain(settings: Settings, *, within_s: float = 120.0) -> None:
    """Return when all that is in the topics now has passed stages and sinks. Raises Transient when time is up."""
    passage = Passage(settings.kafka)

    def ends(*names: str) -> Vector:
        return passage.ends([settings.topics.name(name) for name in names], partitions=settings.topics.partitions)

    def passed(stage: str, *names: str) -> None:
        passage.await_passed(settings.group(stage), ends(*names), within_s=within_s)

    passed("register", topics.EVENTS)
    passed("smooth", topics.READS)
    # resolve feeds itself, one hop of containment a round
    before: Vector = {}
    for _ in range(MAX_DEPTH + 1):
        passed("resolve", topics.IDENTITY, topics.SIGHTINGS)
        now = ends(topics.SIGHTINGS)
        if now == before:
            break
        before = now
    passed("locate", topics.LOT_SIGHTINGS, topics.LOTS, topics.DOCUMENTS)
    for sink in SINKS:
        passed(f"sink-{sink.name}", sink.topic)
