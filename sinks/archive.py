"""The archive: facts that are kept long, as Parquet files that any tool reads; each run adds what came since."""

from datetime import datetime
from pathlib import Path

from lotstream.runtime.crash import crash_point
from lotstream.runtime.settings import Settings
from lotstream.sinks.dump import (
    ALL_ROWS,
    ARCHIVED,
    TOPIC_OF,
    applied_names,
    columns_of,
    passed,
    require_there,
    window,
    write_table,
)
from lotstream.sinks.manifest import Kind, Manifest, ManifestInvalid, Vector, owned, read_manifest, write_manifest
from lotstream.sinks.parquet import ParquetStore

HOLDS = "legal_holds"
_TOPICS = frozenset(TOPIC_OF[table] for table in ARCHIVED)


def archive(settings: Settings, directory: Path, *, product: str, now: datetime) -> Manifest:
    """Add to the archive what the sinks have passed since its last run; the manifest that is then in force.

    1 the vector -> 2 files of the rows below it -> 3 the manifest that names them. A run that is stopped before 3 has
    added nothing, and the next one writes its files again. Raises ManifestInvalid, Transient.
    """
    with owned(directory), ParquetStore(settings.clickhouse) as store:
        known = read_manifest(directory)
        since: Vector = _continued(known, settings, directory) if known else {}
        # 1 the vector
        until = {topic: at for topic, at in passed(store).items() if topic in _TOPICS}
        _require_onward(since, until)
        if known:
            require_there(store, known)
        # 2 files
        run = known.run + 1 if known else 1
        columns = {table: columns_of(store, table) for table in ARCHIVED}
        parts = list(known.parts) if known else []
        for table, names in columns.items():
            of = window(TOPIC_OF[table], since, until)
            source = f"{store.database}.{table}"
            parts += write_table(store, directory, run=run, table=table, source=source, columns=names, of=of)
        # holds are few and change: each run has all of them
        columns[HOLDS] = columns_of(store, HOLDS)
        source = f"{store.database}.{HOLDS}"
        parts += write_table(store, directory, run=run, table=HOLDS, source=source, columns=columns[HOLDS], of=ALL_ROWS)
        crash_point("archive", "files written")
        # 3 the manifest
        manifest = Manifest(
            kind=Kind.ARCHIVE,
            product=product,
            run=run,
            database=settings.clickhouse.database,
            prefix=settings.topics.prefix,
            written_at=now.isoformat(timespec="seconds"),
            migrations=applied_names(store),
            columns=columns,
            passed={**since, **until},
            checks={},
            parts=tuple(parts),
        )
        write_manifest(directory, manifest)
        return manifest


def _continued(known: Manifest, settings: Settings, directory: Path) -> Vector:
    """Where the archive ends. Raises ManifestInvalid when it is none, or another installation's."""
    own = (Kind.ARCHIVE, settings.clickhouse.database, settings.topics.prefix)
    theirs = (known.kind, known.database, known.prefix)
    if own != theirs:
        wanted = f"an archive of database {own[1]!r} and topic prefix {own[2]!r} in {directory}"
        raise ManifestInvalid(f"Expected {wanted}, got {theirs[0]} of {theirs[1]!r} and {theirs[2]!r}.")
    return known.passed


def _require_onward(since: Vector, until: Vector) -> None:
    """A history that has passed less than the archive is not the one that was archived."""
    for topic, offsets in since.items():
        for partition, offset in offsets.items():
            there = until.get(topic, {}).get(partition, 0)
            if there < offset:
                hint = "Is the history whole, and are these the same topics? Else archive to another directory."
                raise ManifestInvalid(
                    f"Expected {topic}:{partition} to have passed offset {offset} as archived, got {there}. {hint}"
                )
