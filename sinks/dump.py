"""What archives and backups have in common: rows of tables by the offsets they came from, as files.

Each row tells the partition and offset of its message, and the sinks record the offsets below which everything is in
the tables: rows below such a vector are a consistent whole, whatever is inserted meanwhile.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lotstream.schemas.topics import (
    ALERTS,
    BLIND_WINDOWS,
    DEAD_LETTERS,
    DOCUMENTS,
    EVENTS,
    IDENTITY,
    LOT_SIGHTINGS,
    LOTS,
    OPERATIONS,
    READS,
    SIGHTINGS,
)
from lotstream.sinks.manifest import Manifest, ManifestInvalid, Part, Vector, sha256_of, sync_directory
from lotstream.sinks.parquet import ParquetStore

ROWS_PER_FILE = 1_000_000
"""A reader of Parquet holds a file whole: so much fits everywhere."""

TOPIC_OF: Mapping[str, str] = {
    "events": EVENTS,
    "decisions": EVENTS,
    "locations": EVENTS,
    "conversions": EVENTS,
    "read_points": EVENTS,
    "bindings": IDENTITY,
    "lots": LOTS,
    "holds": LOTS,
    "lot_numbers": LOTS,
    "documents": DOCUMENTS,
    "document_lines": DOCUMENTS,
    "quantities": DOCUMENTS,
    "transformations": DOCUMENTS,
    "sightings": SIGHTINGS,
    "blind_windows": BLIND_WINDOWS,
    "alerts": ALERTS,
    "operations": OPERATIONS,
    "lot_sightings": LOT_SIGHTINGS,
    "unit_lots": LOT_SIGHTINGS,
    "reader_events": READS,
    "dead_letters": DEAD_LETTERS,
}
WITHOUT_OFFSETS = ("legal_holds", "sink_offsets")
DERIVED = frozenset({"lot_sightings", "unit_lots"})
SIGNALS = frozenset({"reader_events", "dead_letters"})
ARCHIVED = tuple(table for table in TOPIC_OF if table not in DERIVED | SIGNALS)


def columns_of(store: ParquetStore, table: str) -> dict[str, str]:
    """{column: type} of what is stored as it came; what follows from other columns is computed again."""
    rows = store.query(
        "SELECT name, type FROM system.columns WHERE default_kind = ''"  # noqa: S608 - checked names
        f" AND database = '{store.database}' AND table = '{table}' ORDER BY position"
    )
    return dict(rows)


def passed(store: ParquetStore) -> dict[str, dict[int, int]]:
    """{topic: {partition: offset}}: everything below these offsets is in the tables."""
    rows = store.query(
        f"SELECT topic, partition, argMax(next, at) FROM {store.database}.sink_offsets GROUP BY ALL ORDER BY ALL"  # noqa: S608 - a checked name
    )
    found: dict[str, dict[int, int]] = {}
    for topic, partition, following in rows:
        found.setdefault(topic, {})[partition] = following
    return found


def applied_names(store: ParquetStore) -> tuple[str, ...]:
    """Names of the migrations that made the tables as they are."""
    rows = store.query(f"SELECT DISTINCT name FROM {store.database}.schema_migrations ORDER BY name")  # noqa: S608 - a checked name
    return tuple(name for (name,) in rows)


@dataclass(frozen=True, slots=True)
class Window:
    """Offsets [start, stop) by partition; or all rows, of a table without offsets."""

    start: dict[int, int]
    stop: dict[int, int]
    all_rows: bool = False

    @property
    def order(self) -> str:
        """As SQL."""
        return "ALL" if self.all_rows else "source_partition, source_offset"

    @property
    def where(self) -> str:
        """As SQL. Before FINAL chooses among copies: the one that it would keep may lie above the window."""
        if self.all_rows:
            return ""
        return f"PREWHERE source_offset >= {_bound(self.start)} AND source_offset < {_bound(self.stop)}"

    def only(self, partition: int, start: int, stop: int) -> "Window":
        """Some of one partition."""
        return Window({partition: start}, {partition: stop})


ALL_ROWS = Window({}, {}, all_rows=True)


def window(topic: str, since: Vector, until: Vector) -> Window:
    """What of a topic lies between two vectors."""
    stop = dict(until.get(topic, {}))
    return Window({number: since.get(topic, {}).get(number, 0) for number in stop}, stop)


def _bound(offsets: Mapping[int, int]) -> str:
    if not offsets:
        return "0"
    partitions, values = ",".join(map(str, offsets)), ",".join(map(str, offsets.values()))
    return f"transform(source_partition, [{partitions}], [{values}], 0)"


def require_there(store: ParquetStore, known: Manifest) -> None:
    """Sinks go on from where they had committed also into an empty database: then what they passed is not there.

    Raises ManifestInvalid when the history has nothing of what the manifest names.
    """
    wanted = {table: window(TOPIC_OF[table], {}, known.passed) for table in TOPIC_OF if known.rows.get(table)}
    if wanted and not any(_holds_some(store, table, of) for table, of in wanted.items()):
        raise ManifestInvalid(
            f"Expected the history of the {known.kind} of before in database {store.database!r}, got nothing of it."
            f" Make it again first: lotstream rebuild --from {known.kind}."
        )


def _holds_some(store: ParquetStore, table: str, of: Window) -> bool:
    return bool(store.query(f"SELECT 1 FROM {store.database}.{table} {of.where} LIMIT 1"))  # noqa: S608 - our own names and numbers


def cut(store: ParquetStore, source: str, whole: Window) -> Iterator[Window]:
    """A window in windows of about ROWS_PER_FILE rows at most; none for none. ``source`` is what FROM names."""
    if whole.all_rows:
        yield whole
        return
    counts = dict(
        store.query(f"SELECT source_partition, count() FROM {source} {whole.where} GROUP BY ALL ORDER BY 1")  # noqa: S608 - our own names and numbers
    )
    small = {number: rows for number, rows in counts.items() if rows <= ROWS_PER_FILE}
    while small:
        taken, total = [], 0
        for number, rows in small.items():
            if total + rows <= ROWS_PER_FILE:
                taken.append(number)
                total += rows
        small = {number: rows for number, rows in small.items() if number not in taken}
        yield Window({n: whole.start[n] for n in taken}, {n: whole.stop[n] for n in taken})
    for number, rows in counts.items():
        if rows > ROWS_PER_FILE:
            yield from _cut_partition(store, source, whole, number=number, pieces=-(-rows // ROWS_PER_FILE))


def _cut_partition(store: ParquetStore, source: str, whole: Window, *, number: int, pieces: int) -> Iterator[Window]:
    one = whole.only(number, whole.start[number], whole.stop[number])
    levels = ",".join(str(piece / pieces) for piece in range(1, pieces))
    ((edges,),) = store.query(
        f"SELECT quantilesExact({levels})(source_offset) FROM {source} {one.where}"  # noqa: S608 - our own names and numbers
    )
    bounds = sorted({whole.start[number], *edges, whole.stop[number]})
    for start, stop in pairwise(bounds):
        yield whole.only(number, start, stop)


def write_table(
    store: ParquetStore, directory: Path, *, run: int, table: str, source: str, columns: Mapping[str, str], of: Window
) -> Iterator[Part]:
    """The rows of a window as files, each whole and on disk when it is told of. ``source`` is what FROM names."""
    for number, piece in enumerate(cut(store, source, of)):
        name = f"{table}/{run:06}-{number:03}.parquet"
        yield _write_part(store, directory, name=name, source=source, columns=columns, of=piece)


def checksum(store: ParquetStore, table: str, columns: Mapping[str, str], *, of: Window) -> str:
    """'rows sum-of-hashes' of the facts of a window, whatever their order and however often they came."""
    ((rows, total),) = store.query(
        f"SELECT count(), sum(sipHash64(tuple({', '.join(columns)}))) FROM {store.database}.{table} FINAL"  # noqa: S608 - our own names and numbers
        f" {of.where}"
    )
    return f"{rows} {total:016x}"


def _write_part(
    store: ParquetStore, directory: Path, *, name: str, source: str, columns: Mapping[str, str], of: Window
) -> Part:
    file = directory / name
    file.parent.mkdir(exist_ok=True)
    scratch = file.with_suffix(".new")
    # words are written as words: an enumeration's numbers mean nothing to others
    wanted = ", ".join(f"toString({n}) AS {n}" if kind.startswith("Enum") else n for n, kind in columns.items())
    statement = f"SELECT {wanted} FROM {source} {of.where} ORDER BY {of.order}"  # noqa: S608 - our own names and numbers
    store.write(statement, scratch)
    ((rows,),) = store.query(f"SELECT count() FROM {source} {of.where}")  # noqa: S608 - as above
    with scratch.open("rb") as written:
        os.fsync(written.fileno())
    scratch.replace(file)
    sync_directory(file.parent)
    return Part(
        file=name,
        table=name.split("/")[0],
        rows=rows,
        bytes=file.stat().st_size,
        sha256=sha256_of(file),
        start=of.start,
        stop=of.stop,
    )
