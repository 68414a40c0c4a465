"""archive, backup, restore, rebuild: the history outside of ClickHouse, and back."""

from datetime import UTC, datetime
from pathlib import Path

import click

from lotstream import __version__
from lotstream.cli.context import console, settings_of
from lotstream.sinks.archive import archive
from lotstream.sinks.manifest import Manifest

directory_argument = click.argument("directory", type=click.Path(path_type=Path, file_okay=False))


@click.command("archive")
@directory_argument
@click.pass_context
def archive_command(context: click.Context, directory: Path) -> None:
    """Add to the Parquet archive in DIRECTORY what the sinks have passed since its last run."""
    _tell(archive(settings_of(context), directory, product=__version__, now=datetime.now(UTC)))


def _tell(manifest: Manifest) -> None:
    out = console()
    for table, rows in manifest.rows.items():
        size = sum(part.bytes for part in manifest.parts if part.table == table)
        out.print(f"{table:<16}{rows:>12,} rows{size:>16,} bytes", soft_wrap=True)
    out.print(f"{len(manifest.parts)} files; manifest written at {manifest.written_at}, run {manifest.run}.")
