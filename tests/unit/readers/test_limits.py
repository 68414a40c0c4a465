"""A flood of dead letters stops its own source: the bucket, the doors, and what answers are told."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from lotstream.readers.limits import LONGEST_STOP_S, Limits
from lotstream.runtime.settings import GatewaySettings

Build = Callable[..., Any]
SECOND = 1_000_000


def limits(burst: int = 10, per_minute: float = 60.0) -> Limits:
    return Limits(GatewaySettings(dead_letters_burst=burst, dead_letters_per_minute=per_minute))


def test_a_trickle_never_stops_a_source() -> None:
    """As many dead letters as leak away may come for ever."""
    bucket = limits()
    assert all(bucket.charge("s", 1, now_us=second * SECOND) == 0 for second in range(1_000))


def test_a_flood_stops_its_source_until_half_is_leaked() -> None:
    """Beyond the burst a source is stopped for as long as its bucket takes to be half empty; others are not."""
    bucket = limits()
    assert bucket.charge("s", 10, now_us=0) == 0
    assert bucket.charge("s", 1, now_us=0) == 6
    assert bucket.stopped_s("s", 2 * SECOND) == 4
    assert bucket.stopped_s("s", 6 * SECOND) == 0
    assert bucket.stopped_s("other", 0) == 0
    assert (bucket.stopped(SECOND), bucket.stopped(6 * SECOND)) == (1, 0)


def test_after_a_stop_half_a_burst_is_free() -> None:
    """What a source is forgiven at the end of its stop is half of the burst."""
    bucket = limits()
    bucket.charge("s", 1_000_000, now_us=0)
    back = round(LONGEST_STOP_S * SECOND)
    assert bucket.stopped_s("s", 0) == LONGEST_STOP_S
    assert bucket.charge("s", 5, now_us=back) == 0
    assert bucket.charge("s", 1, now_us=back) > 0


def test_letters_under_way_do_not_lengthen_a_stop() -> None:
    """Requests taken before the stop add nothing to it."""
    bucket = limits()
    until = bucket.charge("s", 11, now_us=0)
    assert bucket.charge("s", 100, now_us=1) == 0
    assert bucket.stopped_s("s", 0) == until


def test_no_burst_is_no_limit() -> None:
    """With a burst of 0 no source is ever stopped."""
    assert limits(burst=0).charge("s", 10**9, now_us=0) == 0


def test_one_bad_source_stops_alone(bench: Build, impinj_read: Build) -> None:
    """A source that floods is answered 429 with Retry-After; others go on at the same door; letters are all kept."""

    async def story() -> None:
        gateway = bench(dead_letters_burst=5, dead_letters_per_minute=60.0)
        bad = [impinj_read(tag="NOHEX") for _ in range(6)]
        first = await gateway.post("/readers/impinj", bad, Lotstream_Source="plant7")
        assert (first.status_code, first.json()["rejected"]) == (200, 6)
        again = await gateway.post("/readers/impinj", [impinj_read()], Lotstream_Source="plant7")
        assert (again.status_code, again.headers["retry-after"]) == (429, "4")
        assert again.json()["error"] == "source_stopped" and "'plant7'" in again.json()["detail"]
        assert (await gateway.post("/readers/impinj", [impinj_read()], Lotstream_Source="plant8")).status_code == 200
        assert len(gateway.of("dead-letters.v1")) == 6
        gateway.clock.now += 4 * SECOND
        assert (await gateway.post("/readers/impinj", [impinj_read()], Lotstream_Source="plant7")).status_code == 200

    asyncio.run(story())


def test_a_reader_among_others_stops_alone(bench: Build, impinj_read: Build) -> None:
    """Without named sources readers are told apart by their items; a request that another shares is let in."""

    async def story() -> None:
        gateway = bench(dead_letters_burst=5, dead_letters_per_minute=60.0)
        bad = [{**impinj_read(), "hostname": "r1", "tagInventoryEvent": {"epcHex": "NOHEX"}} for _ in range(6)]
        assert (await gateway.post("/readers/impinj", bad)).status_code == 200
        stopped = [impinj_read(reader="r1")]
        assert (await gateway.post("/readers/impinj", stopped)).status_code == 429
        assert (await gateway.post("/readers/impinj", [impinj_read(reader="r2")])).status_code == 200
        assert (await gateway.post("/readers/impinj", [*stopped, impinj_read(reader="r2")])).status_code == 200

    asyncio.run(story())


@pytest.mark.parametrize(
    ("source", "subjects"), [("r1", {"dock-1", "dock-2"}), ("plant7", {"plant7"})], ids=["reader", "feed"]
)
def test_a_stop_is_a_blind_window(bench: Build, impinj_read: Build, now_us: int, source: str, subjects: Any) -> None:
    """The read points of a stopped reader, or the feed, are blind from the flood to the end of the stop."""

    async def story() -> None:
        gateway = bench(dead_letters_burst=4, dead_letters_per_minute=60.0)
        await gateway.post("/readers/impinj", [impinj_read(tag="NOHEX")] * 6, Lotstream_Source=source)
        told = [json.loads(message.value) for message in gateway.of("blind-windows.v1")]
        assert {window["subject"] for window in told} == subjects
        for window in told:
            assert window["cause"] == "stopped"
            assert (window["from_us"], window["until_us"]) == (now_us, now_us + 4 * SECOND)

    asyncio.run(story())


def test_events_that_are_not_understood_count_too(bench: Build) -> None:
    """A program whose events all go to the dead letters is stopped at the event doors."""

    async def story() -> None:
        gateway = bench(dead_letters_burst=2, dead_letters_per_minute=60.0)
        headers = {"GS1_Capture_Error_Behaviour": "proceed", "Lotstream_Source": "erp"}
        answers = [await gateway.post("/events", {"no": "event"}, **headers) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429]

    asyncio.run(story())
