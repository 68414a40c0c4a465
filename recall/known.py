"""What was known at an instant: of every table, only what the sinks had passed by then."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from lotstream.schemas.topics import BLIND_WINDOWS, DOCUMENTS, EVENTS, IDENTITY, LOT_SIGHTINGS, LOTS, SIGHTINGS

TOPIC_OF: Mapping[str, str] = {
    "sightings": SIGHTINGS,
    "lot_sightings": LOT_SIGHTINGS,
    "unit_lots": LOT_SIGHTINGS,
    "bindings": IDENTITY,
    "lots": LOTS,
    "holds": LOTS,
    "lot_numbers": LOTS,
    "documents": DOCUMENTS,
    "document_lines": DOCUMENTS,
    "quantities": DOCUMENTS,
    "transformations": DOCUMENTS,
    "process_sides": DOCUMENTS,
    "blind_windows": BLIND_WINDOWS,
    "events": EVENTS,
    "decisions": EVENTS,
    "masters": EVENTS,
    "conversions": EVENTS,
    "locations": EVENTS,
}


def table_filters(database: str, passed: Iterable[Mapping[str, Any]]) -> str:
    """ClickHouse's setting `additional_table_filters`, which reaches the tables below every view.

    ``passed`` has a row for each topic and partition: `next`, the offset below which everything was in the tables.
    What has no row was not known at all.
    """
    offsets: dict[str, dict[int, int]] = defaultdict(dict)
    for row in passed:
        offsets[row["topic"]][row["partition"]] = row["next"]
    filters = (f"'{database}.{table}': '{_below(offsets[topic])}'" for table, topic in TOPIC_OF.items())
    return f"{{{', '.join(filters)}}}"


def _below(offsets: Mapping[int, int]) -> str:
    known = [
        f"source_partition = {partition} AND source_offset < {following}" for partition, following in offsets.items()
    ]
    return " OR ".join(known) or "0"
