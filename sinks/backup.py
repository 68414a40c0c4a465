"""The backup: every table as it was at one vector of offsets, each row once, with a checksum to restore against."""

from datetime import datetime
from pathlib import Path

from lotstream.runtime.crash import crash_point
from lotstream.runtime.settings import Settings
from lotstream.sinks.dump import (
    ALL_ROWS,
    TOPIC_OF,
    WITHOUT_OFFSETS,
    applied_names,
    checksum,
    columns_of,
    passed,
    require_there,
    window,
    write_table,
)
from lotstream.sinks.manifest import Kind, Manifest, ManifestInvalid, Part, owned, read_manifest, write_manifest
from lotstream.sinks.parquet import ParquetStore


def backup(settings: Settings, directory: Path, *, product: str, now: datetime) -> Manifest:
    """Write every table anew; the manifest that is then in force. A former backup there stays whole until then.

    1 the vector -> 2 files of the rows below it -> 3 the manifest that names them -> 4 files of before go.
    Raises ManifestInvalid, Transient.
    """
    with owned(directory), ParquetStore(settings.clickhouse) as store:
        known = read_manifest(directory)
        if known and known.kind != Kind.BACKUP:
            raise ManifestInvalid(f"Expected a backup or nothing in {directory}, got an {known.kind}.")
        if known:
            require_there(store, known)
        run = known.run + 1 if known else 1
        # 1 the vector
        until = passed(store)
        # 2 files
        columns = {table: columns_of(store, table) for table in TOPIC_OF}
        parts: list[Part] = []
        checks: dict[str, str] = {}
        for table, names in columns.items():
            of = window(TOPIC_OF[table], {}, until)
            checks[table] = checksum(store, table, names, of=of)
            source = f"{store.database}.{table} FINAL"
            parts += write_table(store, directory, run=run, table=table, source=source, columns=names, of=of)
        for table in WITHOUT_OFFSETS:
            columns[table] = columns_of(store, table)
            source = f"{store.database}.{table} FINAL"
            parts += write_table(
                store, directory, run=run, table=table, source=source, columns=columns[table], of=ALL_ROWS
            )
        crash_point("backup", "files written")
        # 3 the manifest
        manifest = Manifest(
            kind=Kind.BACKUP,
            product=product,
            run=run,
            database=settings.clickhouse.database,
            prefix=settings.topics.prefix,
            written_at=now.isoformat(timespec="seconds"),
            migrations=applied_names(store),
            columns=columns,
            passed=until,
            checks=checks,
            parts=tuple(parts),
        )
        write_manifest(directory, manifest)
        # 4 files of before
        for part in known.parts if known else ():
            (directory / part.file).unlink(missing_ok=True)
        return manifest
