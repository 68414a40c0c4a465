"""The topics table: the one truth about every topic (ARCHITECTURE section 9).

Creation, changelogs, documentation and deploy/ come from it. Names here are without the prefix of the settings.
"""

from dataclasses import dataclass

from lotstream.runtime.settings import Retention

READS = "reads.v1"
EVENTS = "events.v1"
SIGHTINGS = "sightings.v1"
IDENTITY = "identity.v1"
LOT_SIGHTINGS = "lot-sightings.v1"
LOTS = "lots.v1"
LOTS_LATEST = "lots-latest.v1"
DOCUMENTS = "documents.v1"
MOVEMENTS = "movements.v1"
LOT_LOCATIONS = "lot-locations.v1"
BLIND_WINDOWS = "blind-windows.v1"
ALERTS = "alerts.v1"
DEAD_LETTERS = "dead-letters.v1"
OPERATIONS = "operations.v1"
REGISTER_CHANGELOG = "register-changelog.v1"
SMOOTH_CHANGELOG = "smooth-changelog.v1"
RESOLVE_CHANGELOG = "resolve-changelog.v1"
LOCATE_CHANGELOG = "locate-changelog.v1"

DAY_MS = 24 * 3600 * 1000
QUARTER_HOUR_MS = 15 * 60 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic: what decides the partition, what is in it, how long it is kept, who writes and who reads it.

    A compacted one keeps every record for `uncompacted_ms`: the owner must see a stale owner's record, and write its
    key again, while the record that it outdates is still there. The engine looks twice a minute.
    """

    name: str
    key: str
    value: str
    kept: Retention | None  # None: compacted
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    append_time: bool = False
    uncompacted_ms: int = DAY_MS


TOPICS: tuple[Topic, ...] = (
    Topic(
        name=READS,
        key="door",
        value="ReadBatch | ReaderEvent | Tick | SourceEnd",
        kept=Retention.READS,
        writers=("gateway", "smooth"),
        readers=("smooth", "sinks"),
        append_time=True,
    ),
    Topic(
        name=EVENTS,
        key="subject",
        value="TraceEvent | QuantityScan | SiteMapping | LotClaim | LotChange | HoldDecision | DocumentSaid | "
        "RecallDecision",
        kept=Retention.FACTS,
        writers=("gateway",),
        readers=("register", "sinks"),
    ),
    Topic(
        name=SIGHTINGS,
        key="tag",
        value="SightingBatch | UnitParentsBatch",
        kept=Retention.SIGHTINGS,
        writers=("smooth", "register", "resolve"),
        readers=("resolve", "sinks"),
    ),
    Topic(
        name=IDENTITY,
        key="tag",
        value="BindingBatch",
        kept=Retention.FACTS,
        writers=("register",),
        readers=("resolve", "sinks"),
    ),
    Topic(
        name=LOT_SIGHTINGS,
        key="lot",
        value="LotSightingBatch | UnitLotsBatch | UnitParentsBatch",
        kept=Retention.SIGHTINGS,
        writers=("resolve", "locate"),
        readers=("locate", "sinks"),
    ),
    Topic(
        name=LOTS,
        key="lot",
        value="LotRecord | HoldRecord | LotNumber",
        kept=Retention.FACTS,
        writers=("register",),
        readers=("locate", "sinks", "operator"),
    ),
    Topic(
        name=LOTS_LATEST,
        key="lot",
        value="LotRecord",
        kept=None,
        writers=("locate",),
        readers=("anyone",),
    ),
    Topic(
        name=DOCUMENTS,
        key="lot",
        value="DocumentLine | DocumentRecord | QuantityFact | Transformation",
        kept=Retention.FACTS,
        writers=("register",),
        readers=("locate", "sinks"),
    ),
    Topic(
        name=MOVEMENTS,
        key="lot",
        value="MovementBatch",
        kept=Retention.MOVEMENTS,
        writers=("locate",),
        readers=("anyone",),
    ),
    Topic(
        name=LOT_LOCATIONS,
        key="lot",
        value="LotLocations",
        kept=None,
        writers=("locate",),
        readers=("anyone",),
    ),
    Topic(
        name=BLIND_WINDOWS,
        key="read point or feed",
        value="BlindWindow",
        kept=Retention.SIGNALS,
        writers=("gateway", "register", "smooth", "resolve", "locate"),
        readers=("sinks",),
    ),
    Topic(
        name=ALERTS,
        key="read point",
        value="Alert",
        kept=Retention.SIGNALS,
        writers=("locate",),
        readers=("sinks", "anyone"),
    ),
    Topic(
        name=DEAD_LETTERS,
        key="source",
        value="the untouched bytes, with DeadLetter headers",
        kept=Retention.SIGNALS,
        writers=("gateway", "register", "smooth", "resolve", "locate", "sinks"),
        readers=("operator", "sinks"),
    ),
    Topic(
        name=OPERATIONS,
        key="letter or record that it is about",
        value="Operation",
        kept=Retention.FACTS,
        writers=("operator",),
        readers=("operator", "workers", "sinks"),
    ),
    *(
        Topic(
            name=name,
            key="partition of the stage",
            value="the stage's own state",
            kept=None,
            writers=(stage,),
            readers=(stage,),
            # snapshots replace each other within a minute or two, and a whole day of them would have to be loaded
            uncompacted_ms=QUARTER_HOUR_MS if name == SMOOTH_CHANGELOG else DAY_MS,
        )
        for name, stage in (
            (REGISTER_CHANGELOG, "register"),
            (SMOOTH_CHANGELOG, "smooth"),
            (RESOLVE_CHANGELOG, "resolve"),
            (LOCATE_CHANGELOG, "locate"),
        )
    ),
)

BY_NAME = {topic.name: topic for topic in TOPICS}


def topic_config(topic: Topic, *, retention_ms: int) -> dict[str, str]:
    """Kafka's settings of a topic; ``retention_ms`` is that of its group, -1 for ever (ignored when compacted)."""
    config = {"message.timestamp.type": "LogAppendTime" if topic.append_time else "CreateTime"}
    if topic.kept is None:
        lag_ms = str(topic.uncompacted_ms)
        # only closed segments are compacted
        return config | {"cleanup.policy": "compact", "min.compaction.lag.ms": lag_ms, "segment.ms": lag_ms}
    return config | {"cleanup.policy": "delete", "retention.ms": str(retention_ms)}
