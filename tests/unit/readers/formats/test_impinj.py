"""Impinj's events."""

import json
from typing import Any

import pytest

from lotstream.readers.formats import impinj
from lotstream.readers.formats.items import Lost
from lotstream.schemas.base import NOT_REPORTED
from lotstream.schemas.reads import ReaderEventType

AT_US = 1_772_445_600_250_000


def _event(**tag: Any) -> dict[str, Any]:
    read = {"epcHex": "3074257BF7194E4000001A85", "antennaPort": 1} | tag
    return {
        "timestamp": "2026-03-02T10:00:00.250Z",
        "hostname": "gate",
        "eventType": "tagInventory",
        "tagInventoryEvent": {name: value for name, value in read.items() if value is not None},
    }


def _parse(*events: Any) -> Any:
    return impinj.parse(json.dumps(list(events)).encode())


def test_every_member_of_a_read() -> None:
    """All columns that the reader can report arrive in the contract's units."""
    (read,) = _parse(
        _event(
            lastSeenTime="2026-03-02T10:00:00.125999999Z",
            peakRssiCdbm=-5325,
            phaseAngle=148.04,
            frequency=919_750,
            transmitPowerCdbm=3_000,
            tidHex="e2801170",
            pc="NAA=",
        )
    ).reads
    assert read._asdict() == {
        "tag": "3074257BF7194E4000001A85",
        "antenna": 1,
        "last_us": 1_772_445_600_125_999,
        "reader": "gate",
        "first_us": NOT_REPORTED,
        "seen_count": NOT_REPORTED,
        "rssi": -5325,
        "phase": 14_804,
        "channel": 919_750,
        "power": 3_000,
        "tid": "E2801170",
        "pc": 0x3400,
    }


@pytest.mark.parametrize(
    ("tag", "reason", "field"),
    [
        ({"epcHex": "30742"}, "identifier_invalid", "epcHex"),
        ({"epcHex": None}, "identifier_invalid", "epcHex"),
        ({"epcHex": 5}, "identifier_invalid", "epcHex"),
        ({"epcHex": None, "epc": "a!b="}, "identifier_invalid", "epc"),
        ({"epcHex": None, "epc": "E200001234567890"}, "identifier_invalid", "epc"),
        ({"epcHex": None, "epc": "E2001234"}, "identifier_invalid", "epc"),
        ({"epc": "ikUCJA=="}, "contradiction", "epc"),
        ({"antennaPort": 300}, "value_out_of_range", "antennaPort"),
        ({"antennaPort": "1"}, "schema_invalid", "antennaPort"),
        ({"peakRssiCdbm": -45.0}, "schema_invalid", "peakRssiCdbm"),
        ({"peakRssiCdbm": True}, "schema_invalid", "peakRssiCdbm"),
        ({"peakRssiCdbm": 2**70}, "schema_invalid", "peakRssiCdbm"),
        ({"lastSeenTime": "2026-03-02"}, "schema_invalid", "lastSeenTime"),
        ({"lastSeenTime": "20260302T100000Z"}, "schema_invalid", "lastSeenTime"),
        ({"lastSeenTime": 5}, "schema_invalid", "lastSeenTime"),
        ({"peakRssiCdbm": -90_000}, "value_out_of_range", "peakRssiCdbm"),
        ({"phaseAngle": "x"}, "schema_invalid", "phaseAngle"),
        ({"lastSeenTime": "2026-03-02T10:00:00"}, "schema_invalid", "lastSeenTime"),
        ({"lastSeenTime": "yesterday"}, "schema_invalid", "lastSeenTime"),
        ({"lastSeenTime": "2150-03-02T10:00:00Z"}, "time_implausible", "lastSeenTime"),
        ({"pc": "NA=="}, "schema_invalid", "pc"),
    ],
)
def test_a_wrong_member_refuses_its_read_alone(tag: dict[str, Any], reason: str, field: str) -> None:
    """The refusal names the field and the reason; the read beside it is kept."""
    parsed = _parse(_event(**tag), _event())
    assert len(parsed.reads) == 1
    (refused,) = parsed.refused
    assert (refused.index, refused.reason, refused.field) == (0, reason, field)
    assert refused.detail.startswith("Expected ")
    assert json.loads(refused.raw) == _event(**tag)


def test_events_say_type_port_state_and_loss() -> None:
    """Reader events keep the vendor's text; an overflow gives the interval and count of lost reads."""
    base = {"timestamp": "2026-03-02T10:00:00.250Z", "hostname": "gate"}
    overflow = {
        "firstEventTimestamp": "2026-03-02T09:58:00Z",
        "lastEventTimestamp": "2026-03-02T09:59:30Z",
        "eventsPurged": 1200,
    }
    parsed = _parse(
        base | {"eventType": "antennaDisconnected", "antennaDisconnectedEvent": {"antennaPort": 4}},
        base | {"eventType": "overflow", "overflowEvent": overflow},
        base | {"eventType": "gpiTransition", "gpiTransitionEvent": {"gpi": 1, "transition": "low-to-high"}},
        base | {"eventType": "somethingNew", "somethingNewEvent": {}},
    )
    assert not parsed.refused
    events = [event for event, _ in parsed.events]
    assert [(event.type, event.port, event.state) for event in events] == [
        (ReaderEventType.ANTENNA, 4, "disconnected"),
        (ReaderEventType.OVERFLOW, None, ""),
        (ReaderEventType.GPI, 1, "low-to-high"),
        (ReaderEventType.OTHER, None, ""),
    ]
    assert events[1].lost == Lost(from_us=AT_US - 120_250_000, until_us=AT_US - 30_250_000, count=1200)
    assert json.loads(parsed.events[1][1])["overflowEvent"] == overflow


def test_a_stream_with_keep_alives() -> None:
    """The HTTP stream's lines are items; empty ones are nothing, and a broken one is refused alone."""
    line = json.dumps(_event()).encode()
    parsed = impinj.parse(line + b"\r\n\r\n" + line[:40] + b"\r\n" + line + b"\r\n\r\n")
    assert len(parsed.reads) == 2
    assert [(refused.index, refused.raw) for refused in parsed.refused] == [(1, line[:40])]
