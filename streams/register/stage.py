"""The register as a stage of the engine."""

from lotstream.runtime.settings import Settings
from lotstream.schemas.topics import DEAD_LETTERS, DOCUMENTS, EVENTS, IDENTITY, LOTS, REGISTER_CHANGELOG, SIGHTINGS
from lotstream.streams.engine.core import Acknowledge, Stage
from lotstream.streams.register.core import RegisterCore, RegisterTopics


def build_stage(settings: Settings) -> Stage:
    """events.v1 -> identity.v1, sightings.v1, lots.v1, documents.v1."""
    name = settings.topics.name
    topics = RegisterTopics(
        sightings=name(SIGHTINGS),
        identity=name(IDENTITY),
        lots=name(LOTS),
        documents=name(DOCUMENTS),
        dead_letters=name(DEAD_LETTERS),
        partitions=settings.topics.partitions,
    )
    return Stage(
        name="register",
        sources=(name(EVENTS),),
        partitions=settings.topics.partitions,
        build=lambda _: RegisterCore(topics),
        changelog=name(REGISTER_CHANGELOG),
        acknowledge=Acknowledge.MESSAGE,
    )
