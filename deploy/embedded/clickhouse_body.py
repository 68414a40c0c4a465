"""Bodies of requests, read piece by piece: what a client sends never has to fit in memory."""

import errno
import gzip
import io
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast

import lz4.frame
import zstandard

from lotstream.deploy.embedded.clickhouse_codings import CODINGS
from lotstream.deploy.embedded.clickhouse_errors import Code, refuse

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE = 1 << 16
IN_MEMORY = 8 << 20
"""Data of an INSERT up to this many bytes stay in memory; more go to a nameless file in the data directory."""
DRAIN = 64 << 20
"""A client that has been refused early sends on until it looks at the answer: so much is read away for it."""
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")


class Readable(Protocol):
    """What can be read to its end."""

    def read(self, size: int = -1, /) -> bytes: ...


class SizedBody(io.RawIOBase):
    """The next `length` bytes of a connection."""

    def __init__(self, connection: io.BufferedIOBase, length: int) -> None:
        self._connection = connection
        self.left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        wanted = min(memoryview(buffer).nbytes, self.left)
        if not wanted:
            return 0
        data = self._connection.read(min(wanted, PIECE))
        if not data:
            raise ConnectionResetError("Expected the rest of a body, got the end of the connection.")
        memoryview(buffer)[: len(data)] = data
        self.left -= len(data)
        return len(data)

    @property
    def finished(self) -> bool:
        return not self.left


class ChunkedBody(io.RawIOBase):
    """A body in chunks, to its last one. Raises ClickHouseError for what are no chunks."""

    def __init__(self, connection: io.BufferedIOBase) -> None:
        self._connection = connection
        self._left = 0
        self.finished = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        if not self._left and not self.finished:
            self._next()
        wanted = min(memoryview(buffer).nbytes, self._left, PIECE)
        if not wanted:
            return 0
        data = self._connection.read(wanted)
        if not data:
            raise ConnectionResetError("Expected the rest of a chunk, got the end of the connection.")
        memoryview(buffer)[: len(data)] = data
        self._left -= len(data)
        if not self._left:
            self._end_of_line()
        return len(data)

    def _next(self) -> None:
        line = self._connection.readline(1000)
        match = _CHUNK_SIZE.fullmatch(line)
        if match is None:
            raise refuse(Code.BAD_ARGUMENTS, f"Expected the size of a chunk, got {line[:40]!r}.")
        self._left = int(match.group(1), 16)
        if not self._left:
            while self._connection.readline(1000) not in (b"\r\n", b"\n", b""):
                pass
            self.finished = True

    def _end_of_line(self) -> None:
        line = self._connection.readline(3)
        if line not in (b"\r\n", b"\n"):
            raise refuse(Code.BAD_ARGUMENTS, f"Expected the end of a chunk, got {line!r}.")


WireBody = SizedBody | ChunkedBody


def drain(body: WireBody) -> bool:
    """Read away what nobody wanted, up to a limit; whether the connection can go on."""
    for _ in range(DRAIN // PIECE):
        if body.finished or not body.read(PIECE):
            return body.finished
    return False


class _Deflated(io.RawIOBase):
    """A zlib stream, never unpacked further than asked for."""

    def __init__(self, source: io.RawIOBase) -> None:
        self._source = source
        self._stream = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        while not self._stream.eof:
            packed = self._stream.unconsumed_tail or self._source.read(PIECE)
            plain = self._stream.decompress(packed or b"", view.nbytes)
            if plain:
                view[: len(plain)] = plain
                return len(plain)
            if not packed:
                raise EOFError("the stream ends early")
        return 0


_UNPACKERS: dict[str, Callable[[io.RawIOBase], Readable]] = {
    "": io.BufferedReader,
    "identity": io.BufferedReader,
    "gzip": lambda body: gzip.GzipFile(fileobj=io.BufferedReader(body)),
    "deflate": lambda body: io.BufferedReader(_Deflated(body)),
    "zstd": lambda body: zstandard.ZstdDecompressor().stream_reader(cast(IO[bytes], body), read_across_frames=True),
    "lz4": lambda body: lz4.frame.LZ4FrameFile(io.BufferedReader(body)),
}


class Body:
    """A request's body as the client meant it: unpacked, and no longer than `limit` bytes."""

    def __init__(self, wire: io.RawIOBase, *, coding: str, limit: int) -> None:
        self._coding = coding.strip().lower()
        if self._coding not in _UNPACKERS:
            raise refuse(Code.NOT_IMPLEMENTED, f"Expected Content-Encoding {', '.join(CODINGS)}, got {self._coding!r}.")
        self._source = _UNPACKERS[self._coding](wire)
        self._limit = limit
        self._count = 0

    def read(self, size: int = PIECE, /) -> bytes:
        """At most `size` bytes, none at the end. Raises ClickHouseError."""
        try:
            piece = self._source.read(size)
        except ConnectionError:
            raise
        except (OSError, EOFError, RuntimeError, zlib.error, zstandard.ZstdError) as error:
            message = f"Expected a body in {self._coding or 'identity'}, got one that does not unpack: {error}."
            raise refuse(Code.CANNOT_DECOMPRESS, message) from None
        self._count += len(piece)
        if self._count > self._limit:
            raise refuse(Code.QUERY_IS_TOO_LARGE, f"Expected a body of at most {self._limit} bytes, got more.")
        return piece

    def take(self, size: int) -> bytes:
        """The next `size` bytes, fewer only when the body ends."""
        found = bytearray()
        while len(found) < size and (piece := self.read(size - len(found))):
            found += piece
        return bytes(found)


def spool(first: bytes, rest: Readable, *, directory: Path) -> int:
    """A file with the data of an INSERT, without a name: in memory, on disk when it grows. The caller closes it."""
    file = os.memfd_create("insert")
    try:
        size = _write(file, first)
        while piece := rest.read(PIECE):
            if size <= IN_MEMORY < size + len(piece):
                file = _move(file, size, directory=directory)
            size += _write(file, piece)
    except BaseException as error:
        os.close(file)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise refuse(
                Code.NOT_ENOUGH_SPACE, f"Expected room for the data in {directory}, got a full disk."
            ) from None
        raise
    return file


def _write(file: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    return len(data)


def _move(file: int, size: int, *, directory: Path) -> int:
    larger = os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    offset = 0
    while offset < size:
        offset += os.sendfile(larger, file, offset, size - offset)
    os.close(file)
    return larger
