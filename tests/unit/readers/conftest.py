"""A gateway without a broker: its doors, and named doubles for who sends to Kafka."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from lotstream.readers.gateway import build_app
from lotstream.readers.mapping import Mapping
from lotstream.readers.messages import Message
from lotstream.readers.site_file import SiteFile
from lotstream.runtime.errors import Transient
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings, TopicSettings
from lotstream.schemas.reads import ReadBatch, ReaderEvent, SourceEnd, decode_reads

NOW_US = 1_772_445_610_000_000  # 2026-03-02T10:00:10Z
SITE = {
    "locations": [
        {"id": "hall", "name": "Hall", "kind": "zone"},
        {"id": "yard", "kind": "zone"},
        {"id": "shop", "kind": "customer"},
    ],
    "read_points": [
        {"id": "dock-1", "inside": "hall", "outside": "yard", "group": "docks"},
        {"id": "dock-2", "inside": "hall", "outside": "yard", "group": "docks"},
        {"id": "scale", "inside": "hall"},
    ],
    "antennas": [
        {"reader": "r1", "antenna": [1, 2], "read_point": "dock-1", "side": "inside"},
        {"reader": "r1", "antenna": 3, "read_point": "dock-1", "side": "outside"},
        {"reader": "r1", "antenna": 4, "read_point": "dock-2", "side": "outside"},
        {"reader": "r2", "antenna": "all", "read_point": "dock-2"},
    ],
    "scanners": [
        {"id": "s1", "read_point": "scale", "biz_step": "shipping", "location": "shop", "source": "hall"},
        {"id": "s2", "read_point": "scale"},
    ],
    "field_maps": [
        {
            "name": "flat",
            "format": "csv",
            "tag": "EPC",
            "time": "When",
            "time_format": "ms",
            "antenna": "Ant",
            "reader": "Reader",
            "rssi": "dBm",
        },
        {"name": "deep", "rows": "report.tags", "tag": "id.hex", "time": "at", "antenna": "ports.0", "reader": "dev"},
        {"name": "local", "format": "ndjson", "tag": "epc", "time": "t", "time_zone": "Europe/Berlin"},
    ],
}


@dataclass
class KeepingProducer:
    """Delivers at once and keeps everything."""

    sent: list[Message] = field(default_factory=list)
    calls: int = 0

    async def send(self, messages: Sequence[Message]) -> None:
        self.calls += bool(messages)
        self.sent += messages


@dataclass
class FailingProducer:
    """The brokers take nothing."""

    sent: list[Message] = field(default_factory=list)

    async def send(self, messages: Sequence[Message]) -> None:
        raise Transient("Expected Kafka to take it, got _MSG_TIMED_OUT.", retry_after_s=3.0)


@dataclass
class SlowProducer:
    """Delivers when it is let."""

    let: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[Message] = field(default_factory=list)
    calls: int = 0

    async def send(self, messages: Sequence[Message]) -> None:
        self.calls += 1
        await self.let.wait()
        self.sent += messages


@dataclass
class SetClock:
    """Says what it is told."""

    now: int = NOW_US

    def now_us(self) -> int:
        return self.now


@dataclass
class Bench:
    """A gateway under test. ``post`` is a request from outside; the rest reads what was sent to Kafka."""

    producer: Any
    clock: SetClock
    client: httpx.AsyncClient

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            return await self.client.post(path, content=body, headers=named)
        return await self.client.post(path, json=body, headers=named)

    def of(self, topic: str) -> list[Message]:
        return [message for message in self.producer.sent if message.topic == f"t.{topic}"]

    def batches(self) -> list[ReadBatch]:
        return [m for m in map(self._decoded, self.of("reads.v1")) if isinstance(m, ReadBatch)]

    def reader_events(self) -> list[ReaderEvent]:
        return [m for m in map(self._decoded, self.of("reads.v1")) if isinstance(m, ReaderEvent)]

    def ends(self) -> list[SourceEnd]:
        return [m for m in map(self._decoded, self.of("reads.v1")) if isinstance(m, SourceEnd)]

    @staticmethod
    def _decoded(message: Message) -> object:
        return decode_reads(message.value)


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Makes gateways; what is left out is ordinary."""

    def build(producer: Any = None, *, tokens: Path | None = None, site: Any = SITE, **gateway: Any) -> Bench:
        settings = Settings.model_validate(
            {
                "topics": TopicSettings(prefix="t.", partitions=4),
                "gateway": {"tokens_file": tokens, **gateway},
            }
        )
        producer = producer or KeepingProducer()
        clock = SetClock()
        app = build_app(
            settings,
            producer=producer,
            mapping=Mapping(SiteFile.model_validate(site)),
            clock=clock,
            metrics=Metrics(),
        )
        transport = httpx.ASGITransport(app)
        return Bench(producer, clock, httpx.AsyncClient(transport=transport, base_url="http://gateway"))

    return build


@pytest.fixture
def failing() -> FailingProducer:
    return FailingProducer()


@pytest.fixture
def slow() -> Callable[[], SlowProducer]:
    """Made inside the running loop."""
    return SlowProducer


@pytest.fixture
def now_us() -> int:
    return NOW_US


@pytest.fixture
def impinj_read() -> Callable[..., dict[str, Any]]:
    """One read as an Impinj reader sends it."""

    def build(tag: str = "3074257BF7194E4000001A85", *, reader: str = "r1", antenna: int = 1, ms: int = 0) -> Any:
        event = {"epcHex": tag, "antennaPort": antenna, "peakRssiCdbm": -5325, "lastSeenTime": _iso(ms)}
        return {
            "timestamp": "2026-03-02T10:00:10Z",
            "hostname": reader,
            "eventType": "tagInventory",
            "tagInventoryEvent": event,
        }

    return build


def _iso(ms: int) -> str:
    return f"2026-03-02T10:00:{9 + ms // 1000:02d}.{ms % 1000:03d}Z"
