"""Locate as a stage of the engine."""

from dataclasses import replace
from weakref import WeakSet

from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings
from lotstream.schemas.topics import (
    ALERTS,
    DEAD_LETTERS,
    DOCUMENTS,
    LOCATE_CHANGELOG,
    LOT_LOCATIONS,
    LOT_SIGHTINGS,
    LOTS,
    LOTS_LATEST,
    MOVEMENTS,
)
from lotstream.streams.engine.core import Acknowledge, Core, Stage
from lotstream.streams.locate.core import LocateCore, LocateTopics, merge, restate


def topics_of(settings: Settings) -> LocateTopics:
    """The topics of locate, as they are called here."""
    name = settings.topics.name
    return LocateTopics(
        lot_sightings=name(LOT_SIGHTINGS),
        lots=name(LOTS),
        documents=name(DOCUMENTS),
        movements=name(MOVEMENTS),
        lot_locations=name(LOT_LOCATIONS),
        lots_latest=name(LOTS_LATEST),
        alerts=name(ALERTS),
        dead_letters=name(DEAD_LETTERS),
        partitions=settings.topics.partitions,
    )


def build_stage(settings: Settings) -> Stage:
    """lot-sightings.v1, lots.v1, documents.v1 -> movements.v1, lot-locations.v1, lots-latest.v1, alerts.v1."""
    name = settings.topics.name
    topics = topics_of(settings)
    return Stage(
        name="locate",
        sources=(name(LOTS), name(DOCUMENTS), name(LOT_SIGHTINGS)),
        partitions=settings.topics.partitions,
        build=lambda partition: LocateCore(topics, partition),
        changelog=name(LOCATE_CHANGELOG),
        acknowledge=Acknowledge.MESSAGE,
        merge=merge,
        exclusive=(topics.lot_locations, topics.lots_latest),
        restate=restate,
    )


def watched(stage: Stage, metrics: Metrics) -> Stage:
    """The stage; whoever reads the metrics learns from its cores how many alerts stand."""
    cores: WeakSet[LocateCore] = WeakSet()

    def build(number: int) -> Core:
        core = stage.build(number)
        assert isinstance(core, LocateCore)
        cores.add(core)
        return core

    standing = metrics.gauge("lotstream_locate_standing_alerts")
    standing.set_function(lambda: sum(core.standing_alerts for core in list(cores)))
    return replace(stage, build=build)
