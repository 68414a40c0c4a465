"""Bodies of requests: read piece by piece, unpacked, limited."""

import gzip
import io
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from lotstream.deploy.embedded import clickhouse_body
from lotstream.deploy.embedded.clickhouse_body import Body, ChunkedBody, SizedBody, drain, spool
from lotstream.deploy.embedded.clickhouse_codings import accepted_coding, pack
from lotstream.deploy.embedded.clickhouse_errors import ClickHouseError, Code

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
    "lz4": lz4.frame.compress,
}


def sized(data: bytes, *, coding: str = "", limit: int = 1 << 30) -> Body:
    return Body(SizedBody(io.BytesIO(data), len(data)), coding=coding, limit=limit)


def everything(body: Body) -> bytes:
    found = b""
    while piece := body.read():
        found += piece
    return found


@pytest.mark.parametrize("coding", list(PACKERS))
def test_codings_unpack(coding: str) -> None:
    """A packed body reads as the plain one."""
    plain = os.urandom(300_000) + bytes(300_000)
    assert everything(sized(PACKERS[coding](plain), coding=coding)) == plain


@pytest.mark.parametrize("coding", ["gzip", "zstd", "lz4"])
def test_several_frames(coding: str) -> None:
    """Frames one after the other are one body."""
    packed = PACKERS[coding](b"one") + PACKERS[coding](b"two")
    assert everything(sized(packed, coding=coding)) == b"onetwo"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "lz4"])
def test_bombs_are_stopped(coding: str) -> None:
    """A body that unpacks beyond the limit is refused before it is unpacked."""
    with pytest.raises(ClickHouseError) as caught:
        everything(sized(PACKERS[coding](bytes(50_000_000)), coding=coding, limit=1_000_000))
    assert caught.value.code == Code.QUERY_IS_TOO_LARGE


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "lz4"])
def test_garbage_is_refused(coding: str) -> None:
    """What is not in its coding is refused."""
    with pytest.raises(ClickHouseError) as caught:
        everything(sized(b"no such thing at all", coding=coding))
    assert caught.value.code == Code.CANNOT_DECOMPRESS


def test_unknown_coding() -> None:
    """A coding that is not known is refused, and said to be."""
    with pytest.raises(ClickHouseError, match="Expected Content-Encoding"):
        sized(b"", coding="br")


def test_chunks() -> None:
    """Chunks with extensions and trailers join to their body."""
    wire = io.BytesIO(b"3;x=y\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: 1\r\n\r\nNEXT")
    body = ChunkedBody(wire)
    assert everything(Body(body, coding="", limit=100)) == b"abc0123456789abcdef"
    assert body.finished
    assert wire.read() == b"NEXT"


@pytest.mark.parametrize("raw", [b"-1\r\n", b"0x3\r\nabc\r\n", b"\r\n", b"zz\r\n", b"3\r\nabcd\r\n"])
def test_bad_chunks(raw: bytes) -> None:
    """What are no chunks are refused."""
    with pytest.raises(ClickHouseError):
        everything(Body(ChunkedBody(io.BytesIO(raw)), coding="", limit=100))


def test_connection_that_ends_early() -> None:
    """A body that breaks off is an error of the connection, never a shorter body."""
    for body in (SizedBody(io.BytesIO(b"abc"), 10), ChunkedBody(io.BytesIO(b"a\r\nabc"))):
        with pytest.raises(ConnectionResetError):
            everything(Body(body, coding="", limit=100))


def test_drain() -> None:
    """A short rest is read away; a long one ends the connection."""
    assert drain(SizedBody(io.BytesIO(bytes(100_000)), 100_000))
    assert not drain(SizedBody(io.BytesIO(bytes(80 << 20)), 80 << 20))


def test_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that grow move from memory to a file without a name, whole."""
    monkeypatch.setattr(clickhouse_body, "IN_MEMORY", 200_000)
    for size in (0, 10, 200_000, 200_001, 500_000):
        data = os.urandom(size)
        file = spool(b"head", sized(data), directory=tmp_path)
        assert os.pread(file, size + 100, 0) == b"head" + data
        os.close(file)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("br;q=1.0, ZSTD;q=0.5", "zstd"),
        ("gzip;q=0, lz4", "lz4"),
        ("br", None),
        ("", None),
        ("gzip;q=0.0", None),
    ],
)
def test_accepted_coding(header: str, coding: str | None) -> None:
    """The first coding that both sides know is taken."""
    assert accepted_coding(header) == coding


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "lz4"])
def test_pack_in_pieces(coding: str) -> None:
    """Pieces pack to one body, none at all too."""
    for pieces in ([], [b"a"], [bytes(100_000), b"", b"end"]):
        packed = b"".join(pack(pieces, coding=coding))
        assert everything(sized(packed, coding=coding)) == b"".join(pieces)
