"""The read batch on the wire: strict, in columns, with clear refusals."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import NOT_REPORTED, Origin, Stamp
from lotstream.schemas.reads import (
    PACKED_FROM,
    ReadBatch,
    ReaderEvent,
    SourceEnd,
    Tick,
    decode_reads,
    pack,
    read_columns,
)

T0 = 1_763_359_200_000_000
HEX = "3034257BF7194E4000001A85"


def batch(**changes: Any) -> ReadBatch:
    """Three reads of two tags."""
    columns: dict[str, Any] = {
        "tags": [HEX, "00/106141412345678908"],
        "tag": [0, 1, 0],
        "antenna": [1, 2, 1],
        "last": [0, 5, 9],
    }
    return ReadBatch(
        **{
            "reader": "r1",
            "read_point": "dock-1",
            "door": "dock-1",
            "inside": "hall",
            "mapping": 1,
            "stamp": Stamp(received_us=T0, origin=Origin.LIVE, source="r1", request="q1"),
            "sequence": 0,
            "clock_offset_us": 0,
            "t0_us": T0,
            **columns,
            **changes,
        }
    )


def test_a_batch_comes_back_whole() -> None:
    """What is encoded is decoded to an equal value."""
    original = batch(rssi=[-5000, NOT_REPORTED, -4000], tid=["E280", "", ""])
    assert decode_reads(original.encode()) == original


@pytest.mark.parametrize("message", [Tick(), SourceEnd(source="f", door="dock-1")])
def test_the_other_messages_come_back(message: Tick | SourceEnd) -> None:
    """Ticks and ends share the topic and are told apart by their kind."""
    assert decode_reads(message.encode()) == message


def test_a_reader_event_keeps_the_vendors_text() -> None:
    """The vendor's own words survive untouched."""
    stamp = Stamp(received_us=T0, origin=Origin.LIVE, source="r1", request="q1")
    text = json.dumps({"state": "high", "ü": 1})
    kept = ReaderEvent.model_validate_json(
        json.dumps(
            {
                "reader": "r1",
                "door": "d",
                "type": "gpi",
                "time_us": T0,
                "text": text,
                "stamp": stamp.model_dump(mode="json"),
            }
        )
    )
    assert decode_reads(kept.encode()) == kept


def test_event_times_are_corrected() -> None:
    """Columns give event time: device time and clock offset; a missing count is one read."""
    columns = read_columns(batch(clock_offset_us=1_000_000))
    assert columns.last_us.tolist() == [T0 + 1_000_000, T0 + 1_000_005, T0 + 1_000_009]
    assert columns.count.tolist() == [1, 1, 1]
    assert columns.last_us.dtype == np.int64


@pytest.mark.parametrize("n", [1, PACKED_FROM, PACKED_FROM + 1, PACKED_FROM + 2])
@pytest.mark.parametrize("end", [255, -1, 32_767, -(2**31), 2**40])
def test_a_packed_column_reads_as_its_list(n: int, end: int) -> None:
    """Packing loses nothing, whatever the numbers' width and however many there are; long columns are packed."""
    values = [*range(n - 1), end]
    ones, zeros = [1] * n, [0] * n
    packed = batch(tag=pack(zeros), antenna=pack(ones), last=pack(values))
    plain = batch(tag=zeros, antenna=ones, last=values)
    assert isinstance(packed.last, str) == (n >= PACKED_FROM)
    assert len(packed) == len(plain) == n
    assert read_columns(packed).last_us.tolist() == read_columns(plain).last_us.tolist()


@pytest.mark.parametrize(
    "column", ["i4:AAAA!AAA", "i4:AAAAAAAAAAAAAAAAAA", "i4:AAAAAAAAAAAAAAA", "u1:AA==AA", "u1:AA=A"]
)
def test_a_packed_column_that_is_not_whole_is_refused(column: str) -> None:
    """What is no base64 of so many whole numbers is a dead letter, at decoding or when it is read."""
    with pytest.raises((Rejected, ValidationError)):
        read_columns(batch(last=column))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"antenna": "i2:AQACAAAB"}, "antenna"),
        ({"antenna": [1, 2, 256]}, "antenna"),
        ({"tag": [0, 1, 2]}, "tag"),
        ({"tag": [0, 1, -1]}, "tag"),
        ({"rssi": [0, 0, 9_999_999]}, "rssi"),
        ({"count": [1, 0, 1]}, "count"),
        ({"last": [0, 0, 2**62]}, "last"),
        ({"last": [0, 0, -(2**60)]}, "last"),
        ({"first": [1, 0, 0]}, "first"),
        ({"last": [0, 0, 2**70]}, "last"),
    ],
)
def test_a_value_out_of_range_is_named(changes: dict[str, Any], field: str) -> None:
    """Column, range and value are said; nothing is half-read."""
    with pytest.raises(Rejected) as refused:
        read_columns(batch(**changes))
    assert refused.value.reason is Reason.SCHEMA_INVALID
    assert refused.value.field == field
    assert "Expected" in refused.value.detail


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.JSON_INVALID),
        (b"{", Reason.JSON_INVALID),
        (b'{"kind":"reads"}', Reason.SCHEMA_INVALID),
        (b'{"kind":"unheard_of"}', Reason.SCHEMA_INVALID),
        (batch().encode().replace(b'"tag":[0,1,0]', b'"tag":["0",1,0]'), Reason.SCHEMA_INVALID),
        (batch().encode().replace(b'"tag":[0,1,0]', b'"tag":[0,1]'), Reason.SCHEMA_INVALID),
        (batch().encode().replace(b'"tag":[0,1,0]', b'"tag":"f4:AAEA"'), Reason.SCHEMA_INVALID),
        (batch().encode().replace(b'"tag":[0,1,0]', b'"tag":"u1:AAE="'), Reason.SCHEMA_INVALID),
        (batch().encode().replace(b'"v":1', b'"v":1,"more":1'), Reason.SCHEMA_INVALID),
        (batch().encode().replace(HEX.encode(), HEX.lower().encode()), Reason.SCHEMA_INVALID),
    ],
)
def test_what_is_not_the_contract_is_refused(value: bytes | None, reason: Reason) -> None:
    """Strict: no coercion, nothing unknown, nothing missing."""
    with pytest.raises(Rejected) as refused:
        decode_reads(value)
    assert refused.value.reason is reason
