"""Zebra's messages."""

import json
from typing import Any

import pytest

from lotstream.readers.formats import zebra
from lotstream.schemas.base import NOT_REPORTED
from lotstream.schemas.reads import ReaderEventType


def _message(**data: Any) -> dict[str, Any]:
    tag = {"idHex": "3074257bf7194e4000001a85", "eventNum": 1, "format": "epc"} | data
    return {"type": "SIMPLE", "timestamp": "2026-03-02T12:00:00.250+0200", "data": tag}


def _parse(*messages: Any) -> Any:
    return zebra.parse(json.dumps(list(messages)).encode())


def test_every_member_of_a_read() -> None:
    """All columns that the reader can report arrive in the contract's units, the time in UTC."""
    (read,) = _parse(
        _message(MAC="C4:7D", antenna=2, peakRssi=-34.5, reads=387, phase=148.04, channel=866.3, TID="e280", PC="3400")
    ).reads
    assert (read.tag, read.antenna, read.reader) == ("3074257BF7194E4000001A85", 2, "C4:7D")
    assert read.last_us == 1_772_445_600_250_000
    assert (read.rssi, read.seen_count, read.phase, read.channel) == (-3450, 387, 14_804, 866_300)
    assert (read.tid, read.pc) == ("E280", 0x3400)


def test_what_the_mode_leaves_out_is_not_guessed() -> None:
    """Without antenna and strength the read says so."""
    (read,) = _parse(_message()).reads
    assert (read.antenna, read.rssi, read.seen_count, read.reader) == (0, NOT_REPORTED, NOT_REPORTED, "")


@pytest.mark.parametrize(
    ("data", "reason", "field"),
    [
        ({"idHex": "xyz"}, "identifier_invalid", "data.idHex"),
        ({"idHex": None}, "identifier_invalid", "data.idHex"),
        ({"reads": 0}, "value_out_of_range", "data.reads"),
        ({"peakRssi": "-3"}, "schema_invalid", "data.peakRssi"),
        ({"PC": "34"}, "schema_invalid", "data.PC"),
    ],
)
def test_a_wrong_member_refuses_its_read_alone(data: dict[str, Any], reason: str, field: str) -> None:
    """The refusal names the field and the reason; the read beside it is kept."""
    parsed = _parse(_message(**data), _message())
    assert len(parsed.reads) == 1
    assert [(refused.reason, refused.field) for refused in parsed.refused] == [(reason, field)]


def test_a_tag_message_without_tag_is_no_event() -> None:
    """A message of a tag mode that has no tag is refused, not kept as an event."""
    message = _message()
    del message["data"]["idHex"]
    parsed = _parse(message, {"type": 7}, 5)
    assert [refused.reason for refused in parsed.refused] == [
        "identifier_invalid",
        "unknown_format",
        "schema_invalid",
    ]


def test_heartbeats_count_what_was_dropped() -> None:
    """Loss counters are found where old and where new firmware puts them, with the start they count from."""
    counts = {"numDataMessagesDropped": 12}
    beats = [
        {"uptime": "01:00:00", **counts},
        {"uptime": "01:00:00", "dataPathStatistics": [counts, counts]},
        {"uptime": "unknown"},
    ]
    messages = [
        {
            "type": "heartbeat",
            "timestamp": "2026-03-02T10:00:00+0000",
            "data": {"radio_control": {"status": "running"}, "reader_gateway": gateway},
        }
        for gateway in beats
    ]
    events = [event for event, _ in _parse(*messages).events]
    assert {event.type for event in events} == {ReaderEventType.HEARTBEAT}
    assert [event.dropped for event in events] == [12, 24, None]
    assert [event.since_us for event in events] == [1_772_442_000_000_000, 1_772_442_000_000_000, None]
