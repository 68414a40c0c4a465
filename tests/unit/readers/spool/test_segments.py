"""The bounds of a spool, its owner, and a disk that refuses."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lotstream.readers.messages import Message
from lotstream.readers.spool.records import Record, encode
from lotstream.readers.spool.segments import Limits, Place, Spool, SpoolFull, SpoolInUse

HOUR_US = 3_600_000_000
LIMITS = Limits(bytes=10_000, age_us=HOUR_US)


def record(number: int, *, kept_us: int = 0, size: int = 100) -> Record:
    """A request of one message."""
    return Record(kept_us, (Message("reads.v1", number, b"dock", b"x" * size),))


def numbers(spool: Spool) -> list[int]:
    """What is still in it, sent on."""
    found = []
    while (chunk := spool.read(0)) is not None:
        found += [one.messages[0].partition for one in chunk.records]
        spool.advance(chunk)
    return found


@contextmanager
def small_files(limit: int) -> Iterator[None]:
    """No file grows beyond so many bytes in this process: the disk is full."""
    own = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, own[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, own)


def test_bounded_in_bytes(tmp_path: Path) -> None:
    """What does not fit is refused whole, and fits again when what was there is sent on."""
    spool = Spool(tmp_path, LIMITS)
    size = len(encode(record(0)))
    fitting = LIMITS.bytes // size
    spool.append([record(number) for number in range(fitting)])
    with pytest.raises(SpoolFull, match="Expected at most 10000 bytes in the spool"):
        spool.append([record(fitting)])
    assert (spool.records, spool.size) == (fitting, fitting * size)
    assert numbers(spool) == list(range(fitting))
    spool.append([record(7)])
    assert numbers(spool) == [7]


def test_bounded_in_age(tmp_path: Path) -> None:
    """Once the oldest record is too old nothing is added, however much room there is; nothing is dropped either."""
    spool = Spool(tmp_path, LIMITS)
    spool.append([record(0, kept_us=5)])
    spool.append([record(1, kept_us=5 + HOUR_US)])
    with pytest.raises(SpoolFull, match="Expected nothing older than 1 h"):
        spool.append([record(2, kept_us=6 + HOUR_US)])
    assert spool.oldest_us == 5
    assert numbers(spool) == [0, 1]
    assert spool.oldest_us is None
    spool.append([record(2, kept_us=6 + HOUR_US)])


def test_room_to_say_what_was_refused(tmp_path: Path) -> None:
    """Facts about a refusal have room beyond the limit."""
    spool = Spool(tmp_path, Limits(bytes=0, age_us=HOUR_US))
    with pytest.raises(SpoolFull):
        spool.append([record(0)])
    spool.append([record(1)], spare=True)
    assert numbers(spool) == [1]


def test_one_owner(tmp_path: Path) -> None:
    """A directory has one owner at a time, whose process is named; a dead one's is free."""
    spool = Spool(tmp_path, LIMITS)
    script = (
        "import sys; from pathlib import Path; from lotstream.readers.spool.segments import *\n"
        "Spool(Path(sys.argv[1]), Limits(bytes=1, age_us=1))"
    )
    with pytest.raises(SpoolInUse, match="in use by process"):
        Spool(tmp_path, LIMITS)
    spool.close()
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == 0
    Spool(tmp_path, LIMITS).close()


def test_a_full_disk(tmp_path: Path) -> None:
    """A write that the disk refuses leaves nothing of its record, and everything before it; with room it goes on."""
    spool = Spool(tmp_path, LIMITS)
    spool.append([record(0)])
    with small_files(len(encode(record(0))) + 50), pytest.raises(SpoolFull, match="File too large"):
        spool.append([record(1)])
    spool.append([record(2)])
    assert spool.records == 2
    assert numbers(spool) == [0, 2]


def test_files_are_removed_as_they_are_sent(tmp_path: Path) -> None:
    """Room comes back file by file, not when everything is sent."""
    spool = Spool(tmp_path, Limits(bytes=10_000, age_us=HOUR_US, segment_bytes=300))
    for number in range(10):
        spool.append([record(number)])
    before, left = spool.size, len(list(tmp_path.glob("*.spool")))
    for _ in range(5):
        chunk = spool.read(0)
        assert chunk is not None
        spool.advance(chunk)
    assert spool.size < before
    assert len(list(tmp_path.glob("*.spool"))) < left


def test_what_is_set_aside_is_kept(tmp_path: Path) -> None:
    """A record that the brokers refuse for ever is let go, and its file stays beside the others."""
    spool = Spool(tmp_path, LIMITS)
    spool.append([record(0), record(1)])
    chunk = spool.read(0)
    assert chunk is not None
    aside = chunk.set_aside("too large")
    assert [damage.why for damage in aside.damage] == ["too large"]
    spool.advance(aside)
    assert numbers(spool) == [1]
    assert len(list((tmp_path / "damaged").iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"short", b"\0" * 20])
def test_a_cursor_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    """Without a cursor everything that is there is sent again: twice rather than never."""
    spool = Spool(tmp_path, LIMITS)
    spool.append([record(0), record(1)])
    spool.advance(spool.read(0) or pytest.fail("nothing to read"))
    spool.close()
    (tmp_path / "cursor").write_bytes(content)
    assert numbers(Spool(tmp_path, LIMITS)) == [0, 1]


def test_a_file_that_somebody_removed(tmp_path: Path) -> None:
    """A file that is gone is told as damage, and what is behind it goes on."""
    spool = Spool(tmp_path, Limits(bytes=10_000, age_us=HOUR_US, segment_bytes=100))
    spool.append([record(0)])
    spool.append([record(1)])
    min(tmp_path.glob("*.spool")).unlink()
    chunk = spool.read(0)
    assert chunk is not None
    assert (chunk.records, len(chunk.damage), chunk.end.segment) == ((), 1, Place(1, 0).segment)
    spool.advance(chunk)
    assert numbers(spool) == [1]
