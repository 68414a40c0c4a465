"""The manifest of a directory of history: what is in it, from which offsets, and what its bytes must be.

Only what the manifest names counts. It is replaced in one step, after its files are on disk: whoever is stopped
half-way leaves the manifest of before, which is whole.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MANIFEST = "manifest.json"
LOCK = "owner.lock"
_PIECE = 1 << 20
Vector = Mapping[str, Mapping[int, int]]  # topic without prefix: {partition: offset}


class Kind(StrEnum):
    """An archive holds facts to derive the rest from, and grows; a backup holds every table, and is made anew."""

    ARCHIVE = "archive"
    BACKUP = "backup"


class ManifestInvalid(LookupError):
    """The directory is not what its manifest says, or has none; the message says which file."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(_Frozen):
    """One Parquet file: rows of a table that came from offsets [start, stop) of its topic, by partition."""

    file: str = Field(description="path below the directory")
    table: str
    rows: int = Field(description="as counted when it was written; of an archive, copies of one fact may be more")
    bytes: int
    sha256: str
    start: dict[int, int]
    stop: dict[int, int]


class Manifest(_Frozen):
    """manifest.json."""

    kind: Kind
    v: Literal[1] = 1
    product: str = Field(description="version of lotstream that wrote it last")
    run: int = Field(description="how many times it was written")
    database: str
    prefix: str = Field(description="of the topics")
    written_at: str = Field(description="ISO 8601, UTC")
    migrations: tuple[str, ...] = Field(description="applied when it was written: the version of the tables")
    columns: dict[str, dict[str, str]] = Field(description="table: {column: ClickHouse type}")
    passed: dict[str, dict[int, int]] = Field(description="topic: {partition: offset}; everything below is in here")
    checks: dict[str, str] = Field(description="table: 'rows checksum', order aside; of a backup only")
    parts: tuple[Part, ...]

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table."""
        found: dict[str, int] = {}
        for part in self.parts:
            found[part.table] = found.get(part.table, 0) + part.rows
        return found


def read_manifest(directory: Path) -> Manifest | None:
    """The manifest of a directory, None where there is none. Raises ManifestInvalid."""
    try:
        return Manifest.model_validate_json((directory / MANIFEST).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ManifestInvalid(f"Expected a manifest of lotstream in {directory}, got {error.errors()[0]}.") from None


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Replace the manifest in one step; everything it names is on disk already."""
    scratch = directory / f"{MANIFEST}.new"
    with scratch.open("wb") as file:
        file.write(manifest.model_dump_json(indent=1).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(directory / MANIFEST)
    sync_directory(directory)


def sync_directory(directory: Path) -> None:
    """Names of new files are on disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Of a file's bytes, as hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def check_parts(directory: Path, manifest: Manifest) -> None:
    """Every file is there and has the bytes that were written. Raises ManifestInvalid."""
    for part in manifest.parts:
        path = directory / part.file
        if not path.is_file():
            raise ManifestInvalid(f"Expected {part.file} in {directory}, got none.")
        if path.stat().st_size != part.bytes or sha256_of(path) != part.sha256:
            raise ManifestInvalid(f"Expected {part.file} as it was written (sha256 {part.sha256}), got other bytes.")


@contextmanager
def owned(directory: Path) -> Iterator[None]:
    """The directory is ours meanwhile. Raises ManifestInvalid when another process writes there."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ManifestInvalid(f"Expected nobody else writing to {directory}, got another process.") from None
        yield
