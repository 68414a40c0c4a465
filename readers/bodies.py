"""Request bodies: unpacked, never larger than allowed, and never more of them at once than memory is set aside for."""

import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from lotstream.runtime.errors import Transient

MAX_HELD_BYTES = 1 << 28
_STEP = 1 << 20
_ANY_HEADER = 32 + 15  # the header says whether it is gzip or zlib


class BodyTooLarge(Exception):
    """The body, unpacked, is larger than the gateway takes."""


class BodyUnreadable(Exception):
    """The body is not what its Content-Encoding says."""


class Held:
    """Bytes of bodies being worked on, bounded over all requests."""

    def __init__(self, most: int = MAX_HELD_BYTES) -> None:
        self._most = most
        self.bytes = 0

    def take(self, size: int) -> None:
        """Count ``size`` bytes more. Raises Transient when that is too many."""
        if self.bytes and self.bytes + size > self._most:
            raise Transient("Expected room for the request, got too many at once.", retry_after_s=1.0)
        self.bytes += size

    def give(self, size: int) -> None:
        self.bytes -= size


@asynccontextmanager
async def body_of(request: Request, *, most: int, held: Held) -> AsyncIterator[bytes]:
    """The unpacked body, counted while it is worked on.

    Raises BodyTooLarge, BodyUnreadable, Transient.
    """
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        raise BodyTooLarge(f"Expected at most {most} bytes, got {said}.")
    unpack = _unpacker(request.headers.get("content-encoding", "").strip().lower())
    parts: list[bytes] = []
    size = 0
    try:
        async for packed in request.stream():
            for part in unpack(packed):
                held.take(len(part))
                size += len(part)
                parts.append(part)
                if size > most:
                    raise BodyTooLarge(f"Expected at most {most} bytes, got more.")
        unpack.finish()
        yield parts[0] if len(parts) == 1 else b"".join(parts)
    finally:
        held.give(size)


class _Plain:
    def __call__(self, packed: bytes) -> Iterator[bytes]:
        if packed:
            yield packed

    def finish(self) -> None:
        return


class _Zipped:
    """gzip and zlib streams, unpacked in bounded steps so that a small body cannot become a large one unseen."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_ANY_HEADER)
        self._empty = True

    def __call__(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            self._empty = False
            if self._stream.eof:
                # gzip allows one stream after another
                self._stream = zlib.decompressobj(_ANY_HEADER)
            try:
                part = self._stream.decompress(packed, _STEP)
            except zlib.error as error:
                raise BodyUnreadable(f"Expected a compressed body, got {error}.") from None
            packed = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            yield part

    def finish(self) -> None:
        """Raises BodyUnreadable when the stream has not come to its own end."""
        if not self._empty and not self._stream.eof:
            raise BodyUnreadable("Expected a whole compressed body, got a part of it.")


def _unpacker(encoding: str) -> _Plain | _Zipped:
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Zipped()
    raise BodyUnreadable(f"Expected Content-Encoding gzip, deflate or identity, got {encoding!r}.")
