"""Content codings of HTTP bodies, both ways, piece by piece: gzip, deflate, zstd, lz4."""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import lz4.frame
import zstandard

from lotstream.deploy.embedded.clickhouse_errors import Code, refuse

CODINGS = ("zstd", "lz4", "gzip", "deflate")


class Packer(Protocol):
    """A running compression of one body."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Lz4Packer:
    """lz4 frames under the two methods that the others have."""

    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._begin: bytes = self._frame.begin()

    def compress(self, data: bytes, /) -> bytes:
        begin, self._begin = self._begin, b""
        return begin + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        begin, self._begin = self._begin, b""
        return begin + bytes(self._frame.flush())


_PACKERS: dict[str, Callable[[], Packer]] = {
    "gzip": lambda: zlib.compressobj(1, wbits=31),
    "deflate": lambda: zlib.compressobj(1),
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "lz4": _Lz4Packer,
}


def accepted_coding(header: str) -> str | None:
    """The first coding of ours that an Accept-Encoding header allows; q values are not weighed."""
    offered = [item.split(";")[0].strip().lower() for item in header.split(",") if "q=0" not in item.replace(" ", "")]
    return next((coding for coding in offered if coding in CODINGS), None)


def pack(pieces: Iterable[bytes], *, coding: str) -> Iterator[bytes]:
    """Compress a body piece by piece."""
    packer = _PACKERS[coding]()
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def unpack(data: bytes, *, coding: str, limit: int) -> bytes:
    """The body that a client sent compressed, at most `limit` bytes. Raises ClickHouseError."""
    try:
        plain = _UNPACKERS[coding](data)
    except KeyError:
        raise refuse(Code.NOT_IMPLEMENTED, f"Expected Content-Encoding {', '.join(CODINGS)}, got {coding!r}.") from None
    except (OSError, EOFError, RuntimeError, zlib.error, zstandard.ZstdError) as error:
        raise refuse(
            Code.CANNOT_DECOMPRESS, f"Expected a {coding} body, got one that does not unpack: {error}."
        ) from None
    if len(plain) > limit:
        raise refuse(Code.QUERY_IS_TOO_LARGE, f"Expected a body of at most {limit} bytes, got {len(plain)}.")
    return plain


_UNPACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "lz4": lambda data: bytes(lz4.frame.decompress(data)),
}
