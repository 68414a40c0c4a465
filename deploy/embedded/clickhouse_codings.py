"""Content codings of answers, packed piece by piece: gzip, deflate, zstd, lz4."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import lz4.frame
import zstandard

CODINGS = ("zstd", "lz4", "gzip", "deflate")
_REFUSED = re.compile(r"q\s*=\s*0(?:\.0*)?$")


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
    """The first coding of ours that an Accept-Encoding header allows; weights above 0 are all the same to us."""
    for item in header.split(","):
        name, _, weight = item.partition(";")
        if name.strip().lower() in CODINGS and not _REFUSED.search(weight.strip()):
            return name.strip().lower()
    return None


def pack(pieces: Iterable[bytes], *, coding: str) -> Iterator[bytes]:
    """Compress a body piece by piece."""
    packer = _PACKERS[coding]()
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
