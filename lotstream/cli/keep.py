"""archive, backup, restore, rebuild: the history outside of ClickHouse, and back."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from lotstream import __version__
from lotstream.cli.context import console, settings_of
from lotstream.cli.exits import EXIT_NO, Refused
from lotstream.runtime.clock import SystemClock
from lotstream.runtime.crash import arm
from lotstream.runtime.settings import Settings
from lotstream.schemas.identity import Binding
from lotstream.schemas.topics import LOT_SIGHTINGS
from lotstream.sinks.archive import archive
from lotstream.sinks.backup import backup
from lotstream.sinks.derive import Whose, derive_lot_sightings
from lotstream.sinks.manifest import Kind, Manifest
from lotstream.sinks.parquet import ParquetStore
from lotstream.sinks.restore import load
from lotstream.sinks.store import ClickhouseStore
from lotstream.sinks.tail import TailReader
from lotstream.streams.resolve.again import Lots

directory_argument = click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
tail_option = click.option(
    "--tail/--no-tail", default=True, help="Read what came since from the topics, or leave Kafka alone."
)


@click.command("archive")
@directory_argument
@click.pass_context
def archive_command(context: click.Context, directory: Path) -> None:
    """Add to the Parquet archive in DIRECTORY what the sinks have passed since its last run."""
    arm(os.environ)
    _tell(archive(settings_of(context), directory, product=__version__, now=datetime.now(UTC)))


@click.command("backup")
@directory_argument
@click.pass_context
def backup_command(context: click.Context, directory: Path) -> None:
    """Write every table of the history to DIRECTORY, as of one vector of offsets, with checksums."""
    arm(os.environ)
    _tell(backup(settings_of(context), directory, product=__version__, now=datetime.now(UTC)))


@click.command()
@directory_argument
@tail_option
@click.pass_context
def restore(context: click.Context, directory: Path, tail: bool) -> None:
    """Fill an empty database from the backup in DIRECTORY and hold it against its checksums."""
    _rebuild(context, Kind.BACKUP, directory, tail=tail)


@click.command()
@click.option("--from", "kind", type=click.Choice([str(kind) for kind in Kind]), required=True, help="What is there.")
@directory_argument
@tail_option
@click.pass_context
def rebuild(context: click.Context, kind: str, directory: Path, tail: bool) -> None:
    """Fill an empty database from DIRECTORY; of an archive, where every unit was is derived again from its facts."""
    _rebuild(context, Kind(kind), directory, tail=tail)


def _rebuild(context: click.Context, kind: Kind, directory: Path, *, tail: bool) -> None:
    settings, out = settings_of(context), console()
    manifest, tables = load(settings, directory, kind=kind)
    for table in tables:
        verdict = "as written" if table.good else f"[red]expected {table.expected}, got {table.found}[/red]"
        out.print(f"{table.table:<16}{table.rows:>12,} rows  {verdict}", soft_wrap=True)
    if kind is Kind.ARCHIVE:
        out.print(f"{_derive(settings, manifest):,} item rows derived from sightings and bindings.")
    whole = _tail(settings, manifest) if tail else True
    if not (whole and all(table.good for table in tables)):
        context.exit(EXIT_NO)


def _derive(settings: Settings, manifest: Manifest) -> int:
    with ParquetStore(settings.clickhouse) as store:
        return derive_lot_sightings(
            store,
            ClickhouseStore(settings.clickhouse),
            passed=manifest.passed,
            partitions=settings.topics.partitions,
            decide=_decide,
        )


def _decide(bindings: Iterable[tuple[Binding, int]]) -> Whose:
    lots = Lots(bindings)
    return lambda tag, slot, last_us: lots.of(tag, slot=slot, last_us=last_us)


def _tail(settings: Settings, manifest: Manifest) -> bool:
    """Whether nothing lies between the files and the topics."""
    if manifest.prefix != settings.topics.prefix:
        wanted = f"topics of prefix {manifest.prefix!r} for the tail, as archived or backed up"
        raise Refused(f"Expected {wanted}, got {settings.topics.prefix!r}. Without the tail: --no-tail.")
    reader = TailReader(settings, store=ClickhouseStore(settings.clickhouse), clock=SystemClock())
    # item rows of an archive are derived: those that the stream wrote itself replace them where Kafka has them yet
    derived = frozenset({LOT_SIGHTINGS}) if manifest.kind is Kind.ARCHIVE else frozenset()
    read = reader.read(manifest.passed, whole=derived)
    console().print(f"{read.messages:,} messages read again from the topics, {read.refused} of them no rows.")
    for gap in read.gaps:
        console().print(f"[red]gap[/red] {gap}")
    return not read.gaps


def _tell(manifest: Manifest) -> None:
    out = console()
    for table, rows in manifest.rows.items():
        size = sum(part.bytes for part in manifest.parts if part.table == table)
        out.print(f"{table:<16}{rows:>12,} rows{size:>16,} bytes", soft_wrap=True)
    out.print(f"{len(manifest.parts)} files; manifest written at {manifest.written_at}, run {manifest.run}.")
