"""The files of a spool: records are appended to the newest, read from the oldest, and a file that is read is removed.

A file is written once, by one process: whoever starts leaves what is there as it is and appends to a new one, so that
a torn end is only ever followed by nothing. Its name says how many records it has once it is complete; one without a
count was being written when its process ended, and what is torn at its end was never acknowledged.
"""

import contextlib
import fcntl
import os
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from lotstream.readers.spool.records import Record, encode, records_in, size_of
from lotstream.runtime.crash import crash_point

SEGMENT_BYTES = 1 << 23
SPARE_BYTES = 1 << 20  # beyond the limit, for saying what was refused
_NAME = re.compile(r"(\d{16})(?:\.(\d+))?\.spool")
_CURSOR = struct.Struct("<QQI")  # segment, offset, CRC-32 of both


class SpoolFull(Exception):
    """The spool takes no more: its limit is reached, or its disk is full."""


class SpoolInUse(Exception):
    """Another process owns the directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a spool may hold: so many bytes, and nothing older than so many microseconds."""

    bytes: int
    age_us: int
    segment_bytes: int = SEGMENT_BYTES


@dataclass(frozen=True, slots=True)
class Place:
    """A position behind a record."""

    segment: int
    offset: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that cannot be sent on: what was received between two instants (us) is among them."""

    file: str
    size: int
    from_us: int
    until_us: int
    why: str = "they cannot be read any more"


@dataclass(frozen=True, slots=True)
class Chunk:
    """The oldest records, where to go on after them, and what between them cannot be read any more."""

    file: str
    records: tuple[Record, ...]
    end: Place
    damage: tuple[Damage, ...] = ()

    def set_aside(self, why: str) -> "Chunk":
        """The same, with its records as damage."""
        aside = tuple(
            Damage(self.file, size_of(record.messages), record.kept_us, record.kept_us, why) for record in self.records
        )
        return replace(self, damage=self.damage + aside)


@dataclass(frozen=True, slots=True)
class State:
    """How much is kept, and when the oldest of it was received (us)."""

    size: int
    records: int
    oldest_us: int | None


@dataclass(slots=True)
class _Segment:
    number: int
    path: Path
    size: int
    records: int | None  # None: its process ended while it wrote
    read: int = 0
    closed_us: int = 0


class Spool:
    """One directory of records, bounded in bytes and in the age of the oldest. Not safe for threads."""

    def __init__(self, directory: Path, limits: Limits) -> None:
        """Take the directory over, with what is in it. Raises SpoolInUse and OSError."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._limits = limits
        self._lock = _lock(directory)
        self._segments = [_found(path) for path in sorted(directory.glob("*.spool"))]
        self._file: int | None = None
        self._oldest_us: int | None = None
        self._seen_us = 0  # of the newest record sent on
        self._cursor = os.open(directory / "cursor", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._place = _place(os.pread(self._cursor, _CURSOR.size, 0))
        for segment in list(self._segments):
            self._survey(segment)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(segment.size for segment in self._segments)

    @property
    def records(self) -> int:
        """Records that are not sent on yet."""
        return sum(max(0, (segment.records or 0) - segment.read) for segment in self._segments)

    @property
    def oldest_us(self) -> int | None:
        """When the oldest record was received; None without one."""
        if self._oldest_us is None and self.records and (chunk := self.read(0)) and chunk.records:
            self._oldest_us = chunk.records[0].kept_us
        return self._oldest_us

    def state(self) -> State:
        """All three at once."""
        return State(self.size, self.records, self.oldest_us)

    def append(self, records: Sequence[Record], *, spare: bool = False) -> None:
        """Return when the records are on the disk. Raises SpoolFull and leaves none of them.

        With ``spare`` into the room that is set aside for saying what was refused.
        """
        data = b"".join(map(encode, records))
        if not spare:
            self._check(len(data), now_us=records[-1].kept_us)
        elif self.size + len(data) > self._limits.bytes + SPARE_BYTES:
            raise SpoolFull("Expected room to say what was refused, got none.")
        try:
            segment = self._newest()
            assert self._file is not None
            _write(self._file, data, at=segment.size)
            crash_point("spool", "written")
            os.fsync(self._file)
            crash_point("spool", "synced")
        except OSError as error:
            # what the disk did with it is not known: nothing is ever written behind it
            self._seal(torn=True)
            raise SpoolFull(f"Expected to write to {self._directory}, got {error.strerror}.") from error
        segment.size += len(data)
        segment.records = (segment.records or 0) + len(records)
        segment.closed_us = records[-1].kept_us
        if segment.size >= self._limits.segment_bytes:
            self._seal()

    def read(self, most_bytes: int) -> Chunk | None:
        """The oldest records, about ``most_bytes`` of them and at least one; None when all are sent on."""
        for segment in self._segments:
            chunk = self._read(segment, most_bytes)
            if chunk.records or chunk.damage:
                return chunk
        return None

    def advance(self, chunk: Chunk) -> None:
        """What the chunk holds is sent on: it does not come again, and files that are done with are removed."""
        if chunk.damage:
            self._keep_damaged(chunk)
        self._place, self._oldest_us = chunk.end, None
        packed = _CURSOR.pack(chunk.end.segment, chunk.end.offset, 0)[:-4]
        # not synced: after a loss of power some records come twice
        os.pwrite(self._cursor, packed + zlib.crc32(packed).to_bytes(4, "little"), 0)
        if chunk.records:
            self._seen_us = chunk.records[-1].kept_us
        for segment in list(self._segments):
            if segment.number == chunk.end.segment:
                segment.read += len(chunk.records)
            if segment.number < chunk.end.segment or chunk.end == Place(segment.number, segment.size):
                self._remove(segment)

    def close(self) -> None:
        """Let the directory go; what is in it stays."""
        self._seal()
        os.close(self._cursor)
        os.close(self._lock)

    def _newest(self) -> _Segment:
        if self._file is None:
            number = 1 + max(self._segments[-1].number if self._segments else 0, self._place.segment)
            path = self._directory / f"{number:016d}.spool"
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._segments.append(_Segment(number, path, 0, 0))
            _sync_directory(self._directory)
        return self._segments[-1]

    def _seal(self, *, torn: bool = False) -> None:
        """Nothing more is written to the newest file; its name says how many records it has."""
        if self._file is None:
            return
        segment = self._segments[-1]
        with contextlib.suppress(OSError):  # a name without a count says less, and costs nothing
            if torn:
                os.ftruncate(self._file, segment.size)
            segment.path = segment.path.rename(segment.path.with_suffix(f".{segment.records}.spool"))
        os.close(self._file)
        self._file = None
        if not segment.size:
            self._remove(segment)

    def _remove(self, segment: _Segment) -> None:
        if self._file is not None and segment is self._segments[-1]:
            os.close(self._file)
            self._file = None
        segment.path.unlink(missing_ok=True)
        self._segments.remove(segment)

    def _check(self, size: int, *, now_us: int) -> None:
        if self.size + size > self._limits.bytes:
            raise SpoolFull(f"Expected at most {self._limits.bytes} bytes in the spool, got {self.size + size}.")
        oldest_us = self.oldest_us
        if oldest_us is not None and now_us - oldest_us > self._limits.age_us:
            hours = self._limits.age_us / 3.6e9
            raise SpoolFull(
                f"Expected nothing older than {hours:g} h in the spool, got {(now_us - oldest_us) / 3.6e9:.1f} h."
            )

    def _read(self, segment: _Segment, most_bytes: int) -> Chunk:
        start = self._place.offset if segment.number == self._place.segment else 0
        data = _content(segment, start)
        records: list[Record] = []
        damage: list[Damage] = []
        end = taken = 0
        before_us = self._seen_us
        for found in records_in(data):
            size = size_of(found.record.messages)
            if records and taken + size > most_bytes:
                return Chunk(segment.path.name, tuple(records), Place(segment.number, start + end), tuple(damage))
            if found.skipped:
                damage.append(Damage(segment.path.name, found.skipped, before_us, found.record.kept_us))
            records.append(found.record)
            end, before_us, taken = found.end, found.record.kept_us, taken + size
        # what is torn at the end of a file without a count was never acknowledged
        lacking = segment.records is not None and segment.read + len(records) < segment.records
        if lacking and start + end < segment.size:
            until_us = max(before_us, segment.closed_us)
            damage.append(Damage(segment.path.name, segment.size - start - end, before_us, until_us))
        return Chunk(segment.path.name, tuple(records), Place(segment.number, segment.size), tuple(damage))

    def _survey(self, segment: _Segment) -> None:
        """Count what is still to be sent on of a file that was here before us."""
        if segment.number < self._place.segment:
            self._remove(segment)
            return
        sent = self._place.offset if segment.number == self._place.segment else 0
        if sent or segment.records is None:
            ends = [found.end for found in records_in(_content(segment, 0))]
            segment.records = len(ends) if segment.records is None else segment.records
            segment.read = sum(end <= sent for end in ends)

    def _keep_damaged(self, chunk: Chunk) -> None:
        aside = self._directory / "damaged"
        aside.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.link(self._directory / chunk.file, aside / chunk.file)


def _found(path: Path) -> _Segment:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise OSError(f"Expected files of a spool, got {str(path)!r}.")
    there = path.stat()
    records = int(match[2]) if match[2] else None
    return _Segment(int(match[1]), path, there.st_size, records, closed_us=there.st_mtime_ns // 1_000)


def _content(segment: _Segment, start: int) -> bytes:
    """The bytes from ``start``; a file that somebody has removed has none."""
    try:
        with segment.path.open("rb") as file:
            file.seek(start)
            return file.read(segment.size - start)
    except FileNotFoundError:
        return b""


def _lock(directory: Path) -> int:
    descriptor = os.open(directory / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise SpoolInUse(f"Expected a free spool, got {directory}, in use by process {owner or '?'}.") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _place(packed: bytes) -> Place:
    if len(packed) != _CURSOR.size or zlib.crc32(packed[:-4]).to_bytes(4, "little") != packed[-4:]:
        return Place(0, 0)
    return Place(*islice(_CURSOR.unpack(packed), 2))


def _write(file: int, data: bytes, *, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, at)
        view, at = view[written:], at + written


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
