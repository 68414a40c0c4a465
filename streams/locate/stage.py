"""Locate as a stage of the engine."""

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
from lotstream.streams.engine.core import Acknowledge, Stage
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
