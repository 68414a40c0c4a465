"""Whatever a reader sends is a read, a reader event or a dead letter, and the answer is 2xx."""

import asyncio
import copy
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.readers.gateway import build_app
from lotstream.readers.mapping import Mapping
from lotstream.readers.messages import Message
from lotstream.readers.site_file import SiteFile
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings
from lotstream.schemas.events import EVENTS
from lotstream.schemas.reads import ReadBatch, decode_reads, read_columns

NOW_US = 1_772_445_610_000_000
AT = "2026-03-02T10:00:09.125Z"
SITE = {
    "locations": [{"id": "hall"}],
    "read_points": [{"id": "dock-1", "inside": "hall"}],
    "antennas": [{"reader": "r1", "antenna": [1, 2], "read_point": "dock-1"}],
    "scanners": [{"id": "s1", "read_point": "dock-1"}],
    "field_maps": [{"name": "m", "tag": "e", "time": "t", "antenna": "a", "rssi": "s", "count": "n", "reader": "r"}],
}
SAMPLES: dict[str, list[Any]] = {
    "/readers/impinj": [
        {
            "timestamp": AT,
            "hostname": "r1",
            "eventType": "tagInventory",
            "tagInventoryEvent": {
                "epc": "ftqQOAUQAnEAAsCu",
                "epcHex": "7EDA9038051002710002C0AE",
                "tidHex": "E280",
                "pc": "NAA=",
                "antennaPort": 1,
                "peakRssiCdbm": -7000,
                "frequency": 927250,
                "phaseAngle": 69.0,
                "lastSeenTime": AT,
            },
        },
        {
            "timestamp": AT,
            "eventType": "overflow",
            "overflowEvent": {"firstEventTimestamp": AT, "lastEventTimestamp": AT, "eventsPurged": 3},
        },
        {"timestamp": AT, "eventType": "antennaConnected", "antennaConnectedEvent": {"antennaPort": 4}},
    ],
    "/readers/zebra": [
        {
            "type": "CUSTOM",
            "timestamp": AT,
            "data": {
                "MAC": "r1",
                "idHex": "3074257bf7194e4000001a85",
                "antenna": 1,
                "peakRssi": -34,
                "phase": 1.5,
                "channel": 866.3,
                "reads": 1,
                "TID": "e280",
                "PC": "3400",
            },
        },
        {
            "type": "heartbeat",
            "timestamp": AT,
            "data": {
                "radio_control": {"status": "running"},
                "reader_gateway": {"uptime": "00:00:05", "numDataMessagesDropped": 12},
            },
        },
        {"type": "gpi", "timestamp": AT, "data": {"pin": 1, "state": "HIGH"}},
    ],
    "/scans": [
        {"scanner": "s1", "data": "]C100095201234567891235", "time": AT, "boot": "b", "sequence": 1},
        {"scanner": "s1", "data": "]C1010952012345678810A\x1d3103001250", "document": "D", "line": "1"},
    ],
    "/reads?mapping=m": [{"e": "30AA", "t": AT, "a": 1, "s": -40.5, "n": 3, "r": "r1"}],
}
WILD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=300),
    st.just("\x00"),
    st.just("1970-01-01T00:00:00Z"),
    st.just("9999-12-31T23:59:59Z"),
    st.just([]),
    st.just({}),
    st.sampled_from(["r1", "s1", "heartbeat", "overflow", "0" * 24, "]C1", "01/09520123456788/21/7"]),
)


class Keeper:
    """Takes everything."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    async def send(self, messages: Sequence[Message]) -> None:
        self.sent += messages


class Now:
    """Always the same instant."""

    def now_us(self) -> int:
        return NOW_US


def _spoiled(draw: st.DrawFn, sample: Any) -> Any:
    """The sample with some members replaced or taken away."""
    value = copy.deepcopy(sample)
    for _ in range(draw(st.integers(0, 3))):
        holder = value
        while isinstance(holder, dict) and holder:
            name = draw(st.sampled_from(sorted(holder)))
            inner = holder[name]
            if isinstance(inner, dict) and draw(st.booleans()):
                holder = inner
                continue
            if draw(st.booleans()):
                holder[name] = draw(WILD)
            else:
                del holder[name]
            break
    return value


@st.composite
def payloads(draw: st.DrawFn, path: str) -> list[Any]:
    samples = draw(st.lists(st.sampled_from(SAMPLES[path]), min_size=1, max_size=4))
    return [draw(WILD) if draw(st.integers(0, 9)) == 0 else _spoiled(draw, sample) for sample in samples]


def _post(path: str, body: bytes, origin: str) -> tuple[httpx.Response, list[Message]]:
    keeper = Keeper()
    app = build_app(
        Settings(), producer=keeper, mapping=Mapping(SiteFile.model_validate(SITE)), clock=Now(), metrics=Metrics()
    )

    async def scenario() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g") as client:
            return await client.post(path, content=body, headers={"Lotstream-Origin": origin})

    return asyncio.run(scenario()), keeper.sent


@pytest.mark.parametrize("path", sorted(SAMPLES))
@settings(max_examples=60, deadline=None)
@given(data=st.data(), origin=st.sampled_from(["live", "buffered", "file"]))
def test_every_item_is_somewhere(path: str, data: st.DataObject, origin: str) -> None:
    """Items spoiled in any way are counted once each, and everything published keeps its contract."""
    items = data.draw(payloads(path))
    answer, sent = _post(path, json.dumps(items).encode(), origin)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["accepted"] + told["rejected"] + told["reader_events"] == len(items)
    reads = 0
    topics = Counter(message.topic for message in sent)
    for message in sent:
        if message.topic == "reads.v1" and isinstance(batch := decode_reads(message.value), ReadBatch):
            reads += len(read_columns(batch).tag)
        elif message.topic == "events.v1":
            EVENTS.validate_json(message.value)
    assert reads + topics["events.v1"] == told["accepted"]
    assert topics["dead-letters.v1"] == told["rejected"]


@pytest.mark.parametrize("path", ["/readers/impinj", "/readers/zebra", "/readers/keonn", "/scans", "/reads?mapping=m"])
@settings(max_examples=30, deadline=None)
@given(body=st.binary(max_size=200))
def test_bytes_of_any_kind_are_kept(path: str, body: bytes) -> None:
    """A reader cannot act on a 400: any bytes are acknowledged, and what is not understood is kept."""
    answer, sent = _post(path, body, "live")
    assert answer.status_code == 200
    assert len([m for m in sent if m.topic == "dead-letters.v1"]) == answer.json()["rejected"]
