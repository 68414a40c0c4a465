"""Files of an archive or a backup into an empty database, held against what the manifest says."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lotstream.runtime.settings import Settings
from lotstream.sinks.dump import ALL_ROWS, TOPIC_OF, WITHOUT_OFFSETS, checksum, columns_of, window
from lotstream.sinks.manifest import Kind, Manifest, ManifestInvalid, check_parts, owned, read_manifest
from lotstream.sinks.migrate import migrate, migrations
from lotstream.sinks.parquet import ParquetStore
from lotstream.sinks.retention import FOR_EVER


class NotEmpty(LookupError):
    """There is a history already: nothing is written over it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A table after its files were loaded."""

    table: str
    rows: int
    found: str  # 'rows checksum', as now in the table
    expected: str  # as in the manifest; '' of an archive, which may hold a row twice

    @property
    def good(self) -> bool:
        """Whether the table is what was written."""
        return not self.expected or self.found == self.expected


def load(settings: Settings, directory: Path, *, kind: Kind) -> tuple[Manifest, list[Loaded]]:
    """Make the tables and fill them; the manifest, and what each table holds below its vector.

    1 the files are what the manifest says -> 2 the database is empty -> 3 tables -> 4 rows -> 5 checksums.
    Raises ManifestInvalid, NotEmpty, Transient.
    """
    with owned(directory), ParquetStore(settings.clickhouse) as store:
        # 1 the files
        manifest = read_manifest(directory)
        if manifest is None or manifest.kind is not kind:
            raise ManifestInvalid(
                f"Expected a manifest of kind {kind} in {directory}, got {manifest and manifest.kind}."
            )
        _require_known(manifest)
        check_parts(directory, manifest)
        # 2 the database
        _require_empty(store)
        # 3 tables, which forget nothing before the legal holds are there
        migrate(settings.clickhouse.model_copy(update=FOR_EVER))
        # 4 rows
        for part in manifest.parts:
            store.insert(part.table, directory / part.file, columns=list(manifest.columns[part.table]))
        # 5 checksums
        loaded = [_loaded(store, manifest, table) for table in manifest.columns]
        migrate(settings.clickhouse)
        return manifest, loaded


def _loaded(store: ParquetStore, manifest: Manifest, table: str) -> Loaded:
    of = ALL_ROWS if table in WITHOUT_OFFSETS else window(TOPIC_OF[table], {}, manifest.passed)
    found = checksum(store, table, manifest.columns[table], of=of)
    return Loaded(table, int(found.split()[0]), found, manifest.checks.get(table, ""))


def _require_known(manifest: Manifest) -> None:
    unknown = set(manifest.migrations) - {migration.name for migration in migrations()}
    if unknown:
        raise ManifestInvalid(
            f"Expected tables of lotstream as it is here, got those of {manifest.product} with {min(unknown)}."
            " Restore with that version or a newer one."
        )


def _require_empty(store: ParquetStore) -> None:
    for table in _tables(store, TOPIC_OF):
        ((rows,),) = store.query(f"SELECT count() FROM {store.database}.{table}")  # noqa: S608 - our own names
        if rows:
            raise NotEmpty(
                f"Expected an empty database {store.database!r}, got {rows} rows in {table}. Name another one in the"
                f" settings (clickhouse.database), or drop it: DROP DATABASE {store.database}."
            )


def _tables(store: ParquetStore, names: Iterable[str]) -> list[str]:
    return [table for table in names if columns_of(store, table)]
