"""What is on the disk when its writer dies, or when the disk lies: whole records, in order, and nothing else."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.readers.messages import Message
from lotstream.readers.spool.records import MARK, Record, encode, records_in
from lotstream.readers.spool.segments import Chunk, Limits, Spool

# values with the mark in them look like records to whoever searches for one
BYTES = st.one_of(st.binary(max_size=40), st.just(MARK * 2))
MESSAGES = st.builds(
    Message,
    topic=st.text("abc.é", min_size=1, max_size=6),
    partition=st.integers(0, 2**32 - 1),
    key=BYTES,
    value=BYTES,
    headers=st.lists(st.tuples(st.text(max_size=4), BYTES), max_size=2).map(tuple),
)
RECORDS = st.lists(
    st.builds(Record, st.integers(0, 2**50), st.lists(MESSAGES, max_size=3).map(tuple)), min_size=1, max_size=5
)
WIDE = Limits(bytes=1 << 30, age_us=1 << 51)


@contextmanager
def directory() -> Iterator[Path]:
    """One of its own for each example."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "spool"


def drained(spool: Spool, most_bytes: int = 1 << 20) -> tuple[list[Record], list[Chunk]]:
    """Everything that a spool still has, as a process would send it on."""
    records: list[Record] = []
    chunks: list[Chunk] = []
    while (chunk := spool.read(most_bytes)) is not None:
        records += chunk.records
        chunks += [chunk] if chunk.damage else []
        spool.advance(chunk)
    assert spool.size == 0
    assert spool.records == 0
    return records, chunks


@given(RECORDS)
def test_records_round_trip(records: list[Record]) -> None:
    """Any messages come back as they were, one record after the other, with nothing skipped."""
    data = b"".join(map(encode, records))
    found = list(records_in(data))
    assert [one.record for one in found] == records
    assert all(one.skipped == 0 for one in found)
    assert found[-1].end == len(data)


@given(RECORDS)
@settings(max_examples=30)
def test_cut_at_every_byte(records: list[Record]) -> None:
    """Wherever a file ends, exactly the records before the cut are in it."""
    encoded = list(map(encode, records))
    data = b"".join(encoded)
    ends = [sum(map(len, encoded[: number + 1])) for number in range(len(encoded))]
    for cut in range(len(data)):
        whole = sum(end <= cut for end in ends)
        assert [one.record for one in records_in(data[:cut])] == records[:whole], cut


@given(RECORDS, st.data())
def test_a_changed_bit_costs_its_record_alone(records: list[Record], data: st.DataObject) -> None:
    """A bit that the disk has changed takes away the record that it is in, and invents none."""
    encoded = list(map(encode, records))
    hit = data.draw(st.integers(0, len(encoded) - 1))
    bit = data.draw(st.integers(0, len(encoded[hit]) * 8 - 1))
    broken = bytearray(encoded[hit])
    broken[bit // 8] ^= 1 << bit % 8
    found = list(records_in(b"".join([*encoded[:hit], bytes(broken), *encoded[hit + 1 :]])))
    assert [one.record for one in found] == records[:hit] + records[hit + 1 :]


@given(RECORDS, st.lists(st.integers(0, 60), max_size=4), st.integers(1, 400), st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_killed_at_any_byte(records: list[Record], cuts: list[int], segment_bytes: int, most_bytes: int) -> None:
    """Whatever was appended comes out in order, however often its process was killed and whatever it left half
    written."""
    limits = Limits(bytes=1 << 30, age_us=1 << 51, segment_bytes=segment_bytes)
    torn = encode(Record(7, (Message("t", 0, b"k", b"never acknowledged"),)))
    with directory() as place:
        for record, cut in zip(records, [*cuts, *[0] * len(records)], strict=False):
            spool = Spool(place, limits)
            spool.append([record])
            _die(spool)
            newest = max(place.glob("*.spool"))
            if newest.suffixes == [".spool"]:  # it was still being written
                newest.write_bytes(newest.read_bytes() + torn[: min(cut, len(torn) - 1)])
        spool = Spool(place, limits)
        assert spool.records == len(records)
        assert drained(spool, most_bytes) == (records, [])
        spool.close()


@given(RECORDS, st.integers(1, 300), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_killed_while_sending_on(records: list[Record], segment_bytes: int, chunks: int) -> None:
    """A successor goes on behind the last chunk that was let go: nothing is left out or comes twice."""
    limits = Limits(bytes=1 << 30, age_us=1 << 51, segment_bytes=segment_bytes)
    with directory() as place:
        spool = Spool(place, limits)
        for record in records:
            spool.append([record])
        sent: list[Record] = []
        for _ in range(chunks):
            if (chunk := spool.read(0)) is not None:
                sent += chunk.records
                spool.advance(chunk)
        _die(spool)
        successor = Spool(place, limits)
        assert successor.records == len(records) - len(sent)
        assert sent + drained(successor, 0)[0] == records
        successor.close()


@given(RECORDS, st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_says_so(records: list[Record], data: st.DataObject) -> None:
    """When the disk has lost an acknowledged record the rest goes on, the loss is told, and the file is kept."""
    with directory() as place:
        spool = Spool(place, WIDE)
        spool.append(records)
        spool.close()
        (file,) = place.glob("*.spool")
        content = bytearray(file.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 0xFF
        file.write_bytes(content)
        spool = Spool(place, WIDE)
        left, damaged = drained(spool)
        spool.close()
        assert left in [records[:lost] + records[lost + 1 :] for lost in range(len(records))]
        assert damaged
        assert (place / "damaged" / file.name).read_bytes() == bytes(content)
        shutil.rmtree(place)


def _die(spool: Spool) -> None:
    """What SIGKILL does: no name is changed, the descriptors are gone."""
    for descriptor in (spool._lock, spool._cursor, spool._file):
        if descriptor is not None:
            os.close(descriptor)
