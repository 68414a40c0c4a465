"""What becomes of labels, reader events, losses and wrong clocks."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from lotstream.schemas.events import EVENTS, QuantityScan
from lotstream.schemas.operations import BLIND_WINDOW, parse_dead_letter

Build = Callable[..., Any]
AT = "2026-03-02T10:00:09Z"


def _windows(gateway: Any) -> list[Any]:
    return [BLIND_WINDOW.validate_json(message.value) for message in gateway.of("blind-windows.v1")]


def test_labels_carry_the_scanners_job(bench: Build, now_us: int) -> None:
    """A label of a lot becomes a quantity scan with step and locations of its scanner; one of a thing, a read."""
    gateway = bench()
    kilos = "]C1010952012345678810A\x1d3103001250"
    body = [
        {"scanner": "s1", "data": kilos, "sequence": 1, "document": "D7"},
        {"scanner": "s2", "data": kilos, "sequence": 1},
        {"scanner": "s2", "data": "]C100095201234567891235"},
    ]
    assert asyncio.run(gateway.post("/scans", body)).json()["accepted"] == 3
    first, second = (EVENTS.validate_json(message.value) for message in gateway.of("events.v1"))
    assert isinstance(first, QuantityScan)
    assert (first.biz_step, first.read_point, first.location, first.source) == ("shipping", "scale", "shop", "hall")
    assert (first.document, str(first.amount), first.uom, first.time_us) == ("D7", "1.250000", "KGM", now_us)
    assert (second.biz_step, second.location, second.source) == ("observing", "hall", "")
    (batch,) = gateway.batches()
    assert (batch.tags, batch.read_point, batch.antenna) == (["00/095201234567891235"], "scale", [0])


def test_reader_events_reach_every_read_point_of_the_reader(bench: Build) -> None:
    """An event of the whole reader goes to each of its read points, one of an antenna to that antenna's."""
    gateway = bench()
    base = {"timestamp": AT, "hostname": "r1"}
    body = [
        base | {"eventType": "inventoryStatus", "inventoryStatusEvent": {"status": "idle"}},
        base | {"eventType": "antennaDisconnected", "antennaDisconnectedEvent": {"antennaPort": 4}},
    ]
    assert asyncio.run(gateway.post("/readers/impinj", body)).json()["reader_events"] == 2
    events = gateway.reader_events()
    assert [(event.type, event.read_point, event.port) for event in events] == [
        ("status", "dock-1", None),
        ("status", "dock-2", None),
        ("antenna", "dock-2", 4),
    ]
    assert json.loads(events[2].text) == body[1]


def test_reader_events_have_the_corrected_time(bench: Build, impinj_read: Build) -> None:
    """An event of a reader whose clock was never set happened when our clock says, like its reads; the text stays."""
    gateway = bench()
    read = impinj_read()
    read["hostname"], read["tagInventoryEvent"]["lastSeenTime"] = "r1", "1970-01-01T00:03:20Z"
    event = {"timestamp": "1970-01-01T00:03:19Z", "hostname": "r1", "eventType": "gpiTransition"}
    event["gpiTransitionEvent"] = {"gpi": 1, "transition": "low-to-high"}
    assert asyncio.run(gateway.post("/readers/impinj", [read, event])).json()["accepted"] == 1
    (batch,) = gateway.batches()
    for found in gateway.reader_events():
        assert found.time_us == batch.t0_us + batch.clock_offset_us - 1_000_000
        assert json.loads(found.text) == event


def test_an_overflow_is_a_blind_window(bench: Build) -> None:
    """Reads that a reader has purged blind its read points between the first and the last of them."""
    gateway = bench()
    overflow = {"firstEventTimestamp": AT, "lastEventTimestamp": "2026-03-02T10:00:10Z", "eventsPurged": 12}
    event = {"timestamp": AT, "hostname": "r2", "eventType": "overflow", "overflowEvent": overflow}
    asyncio.run(gateway.post("/readers/impinj", [event]))
    (window,) = _windows(gateway)
    assert (window.subject, window.cause, window.lost) == ("dock-2", "overflow", 12)
    assert window.until_us - window.from_us == 1_000_000
    assert gateway.reader_events()[0].lost == 12


def test_growing_counters_are_blind_windows(bench: Build) -> None:
    """What a heartbeat's loss counter grew by was lost since the heartbeat before, or since the reader's start."""
    gateway = bench()

    def beat(second: int, dropped: int) -> dict[str, Any]:
        counts = {"uptime": "00:00:05", "numDataMessagesDropped": dropped}
        data = {"MAC": "r2", "radio_control": {"status": "running"}, "reader_gateway": counts}
        return {"type": "heartbeat", "timestamp": f"2026-03-02T10:00:{second:02d}+0000", "data": data}

    async def scenario() -> None:
        for second, dropped in ((6, 2), (7, 2), (8, 5), (9, 1)):
            await gateway.post("/readers/zebra", beat(second, dropped))

    asyncio.run(scenario())
    start = 1_772_445_600_000_000
    assert [(w.cause, w.lost, w.from_us - start, w.until_us - start) for w in _windows(gateway)] == [
        ("discarded", 2, 1_000_000, 6_000_000),
        ("discarded", 3, 7_000_000, 8_000_000),
        ("discarded", 1, 4_000_000, 9_000_000),
    ]


def test_a_wrong_clock_is_corrected_and_told(bench: Build, impinj_read: Build, now_us: int) -> None:
    """Live reads of a clock at 1970 are stamped with the offset; its blind window opens and closes."""
    gateway = bench()
    unset = impinj_read(reader="r2")
    unset["tagInventoryEvent"]["lastSeenTime"] = "1970-01-01T00:10:00Z"

    async def scenario() -> None:
        await gateway.post("/readers/impinj", [unset])
        await gateway.post("/readers/impinj", [unset], Lotstream_Origin="buffered")
        await gateway.post("/readers/impinj", [impinj_read(reader="r2")])

    asyncio.run(scenario())
    offset = now_us - 600_000_000
    assert [(b.stamp.origin, b.t0_us, b.clock_offset_us) for b in gateway.batches()] == [
        ("live", 600_000_000, offset),
        ("buffered", 600_000_000, offset),
        ("live", now_us - 1_000_000, 0),
    ]
    opened, closed = _windows(gateway)
    assert (opened.subject, opened.cause, opened.from_us, opened.until_us) == ("dock-2", "clock", now_us, None)
    assert (closed.from_us, closed.until_us) == (now_us, now_us)


def test_times_that_cannot_be_are_dead_letters(bench: Build, impinj_read: Build) -> None:
    """In a file nothing is corrected: reads before there were such tags or after their receipt are refused."""
    gateway = bench()
    early, late = impinj_read(), impinj_read()
    early["tagInventoryEvent"]["lastSeenTime"] = "2000-01-01T00:00:00Z"
    late["tagInventoryEvent"]["lastSeenTime"] = "2026-03-02T11:00:00Z"
    answer = asyncio.run(gateway.post("/readers/impinj", [early, impinj_read(), late], Lotstream_Origin="file"))
    assert [(one["index"], one["reason"]) for one in answer.json()["dead_letters"]] == [
        (0, "time_implausible"),
        (2, "time_implausible"),
    ]
    assert answer.json()["accepted"] == 1
    letters = gateway.of("dead-letters.v1")
    assert [json.loads(letter.value) for letter in letters] == [early, late]
    assert parse_dead_letter(letters[0].headers).source == "r1"
