"""Resolve as a stage of the engine."""

from dataclasses import replace
from weakref import WeakSet

from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings
from lotstream.schemas.topics import DEAD_LETTERS, IDENTITY, LOT_SIGHTINGS, RESOLVE_CHANGELOG, SIGHTINGS
from lotstream.streams.engine.core import Acknowledge, Core, Stage
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
    limits = ResolveLimits(
        waiting_tags=settings.stream.unknown_tags, waiting_age_us=int(settings.stream.unknown_age_s * 1e6)
    )
    return Stage(
        name="resolve",
        sources=(name(IDENTITY), name(SIGHTINGS)),
        partitions=settings.topics.partitions,
        build=lambda _: ResolveCore(topics, limits),
        changelog=name(RESOLVE_CHANGELOG),
        acknowledge=Acknowledge.MESSAGE,
        merge=merge,
    )


def watched(stage: Stage, metrics: Metrics) -> Stage:
    """The stage; whoever reads the metrics learns from its cores what waits, and up to when something was forgotten."""
    cores: WeakSet[ResolveCore] = WeakSet()

    def build(number: int) -> Core:
        core = stage.build(number)
        assert isinstance(core, ResolveCore)
        cores.add(core)
        return core

    waiting = metrics.gauge("lotstream_resolve_waiting_tags")
    waiting.set_function(lambda: sum(core.waiting for core in list(cores)))
    forgotten = metrics.gauge("lotstream_resolve_forgotten_timestamp_seconds")
    forgotten.set_function(lambda: max([0, *(core.forgotten_us for core in list(cores))]) / 1e6)
    return replace(stage, build=build)
