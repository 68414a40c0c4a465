"""Resolve as a stage of the engine."""

from lotstream.runtime.settings import Settings
from lotstream.schemas.topics import DEAD_LETTERS, IDENTITY, LOT_SIGHTINGS, RESOLVE_CHANGELOG, SIGHTINGS
from lotstream.streams.engine.core import Acknowledge, Stage
from lotstream.streams.resolve.core import ResolveCore, ResolveLimits, ResolveTopics, merge


def topics_of(settings: Settings) -> ResolveTopics:
    """The topics of resolve, as they are called here."""
    name = settings.topics.name
    return ResolveTopics(
        identity=name(IDENTITY),
        sightings=name(SIGHTINGS),
        lot_sightings=name(LOT_SIGHTINGS),
        dead_letters=name(DEAD_LETTERS),
        partitions=settings.topics.partitions,
    )


def build_stage(settings: Settings) -> Stage:
    """identity.v1, sightings.v1 -> lot-sightings.v1, and sightings.v1 of what is inside."""
    name = settings.topics.name
    topics = topics_of(settings)
    limits = ResolveLimits()
    return Stage(
        name="resolve",
        sources=(name(IDENTITY), name(SIGHTINGS)),
        partitions=settings.topics.partitions,
        build=lambda _: ResolveCore(topics, limits),
        changelog=name(RESOLVE_CHANGELOG),
        acknowledge=Acknowledge.MESSAGE,
        merge=merge,
    )
