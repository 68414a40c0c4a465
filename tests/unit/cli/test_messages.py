"""A small world through gateway and stages, every message of every topic against its published schema."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from lotstream.cli.contracts import SCHEMAS
from lotstream.readers.gateway import build_app
from lotstream.readers.messages import Message
from lotstream.readers.serve import read_mapping
from lotstream.readers.world.plan import Scale, World
from lotstream.readers.world.play import requests_by_device
from lotstream.readers.world.site import site_file
from lotstream.runtime.clock import SystemClock
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings
from lotstream.schemas import topics
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.operations import parse_dead_letter
from lotstream.schemas.partitions import partition_of
from lotstream.streams.engine.plain import PlainLog, PlainLoop
from lotstream.streams.run import STAGES

SETTINGS = Settings.model_validate({"topics": {"partitions": 2}})
SCALE = Scale(lots=1, pallets=2, items=4, reads=6, weight_lots=1, cases=4)
# a broken read, and an event of the reader itself
EXTRAS: Sequence[object] = (
    {"eventType": "tagInventory", "tagInventoryEvent": {"epcHex": "30742"}},
    {"eventType": "inventoryStatus", "timestamp": "2026-03-02T10:00:00Z", "inventoryStatusEvent": {"status": "idle"}},
)


@dataclass
class KeepingSender:
    """Keeps what would be sent."""

    sent: list[Message] = field(default_factory=list)

    async def send(self, messages: Sequence[Message]) -> None:
        self.sent += messages


async def posted(sender: KeepingSender, site: Path) -> None:
    mapping = read_mapping(site)
    clock = SystemClock()
    app = build_app(SETTINGS, producer=sender, mapping=mapping, clock=clock, metrics=Metrics())
    stamp = Stamp(received_us=clock.now_us(), origin=Origin.LIVE, source="gateway", request="mapping")
    record = mapping.record(stamp)
    value = record.encode()
    sender.sent.append(Message(topics.EVENTS, partition_of(record.subject, 2), b"", value))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        for name, device in requests_by_device(World(SCALE, seed=1)):
            headers = {"Lotstream-Origin": "file", "Lotstream-Source": name}
            for post in device.posts:
                answer = await client.post(post.path, content=post.body, headers=headers)
                assert answer.is_success, answer.text
            if device.reader:
                await client.post(f"/sources/{name}/end", headers=headers)
        for extra in EXTRAS:
            assert (await client.post("/readers/impinj", json=extra)).is_success


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> PlainLog:
    """Everything that gateway and stages have written."""
    site = tmp_path_factory.mktemp("site") / "site.toml"
    site.write_text(site_file(), encoding="utf-8")
    sender = KeepingSender()
    asyncio.run(posted(sender, site))
    log = PlainLog(now_us=SystemClock().now_us())
    for message in sender.sent:
        log.append(
            message.topic, message.partition, value=message.value, key=message.key or None, headers=message.headers
        )
    loop = PlainLoop([build(SETTINGS) for build in STAGES.values()], log=log)
    loop.run()
    log.now_us += 600_000_000
    loop.idle()
    return log


@cache
def validators(topic: str) -> dict[str, jsonschema.Draft202012Validator]:
    """kind -> validator, of the schemas published for a topic."""
    found = {}
    for path in (SCHEMAS / "topics").glob(f"{topic}.*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        kind = schema["properties"].get("kind", {}).get("const", "")
        found[kind] = jsonschema.Draft202012Validator(schema)
    return found


WRITTEN = (
    topics.READS,
    topics.EVENTS,
    topics.SIGHTINGS,
    topics.IDENTITY,
    topics.LOT_SIGHTINGS,
    topics.LOTS,
    topics.LOTS_LATEST,
    topics.DOCUMENTS,
    topics.MOVEMENTS,
    topics.LOT_LOCATIONS,
)


@pytest.mark.parametrize("topic", WRITTEN)
def test_messages_are_what_their_schemas_say(topic: str, log: PlainLog) -> None:
    """Every message that the product writes is valid under the published schema of its kind."""
    kinds: set[str] = set()
    for record in log.topic(topic):
        assert record.value is not None
        said: dict[str, Any] = json.loads(record.value)
        validators(topic)[said["kind"]].validate(said)
        kinds.add(said["kind"])
    assert kinds


def test_reads_come_in_all_kinds(log: PlainLog) -> None:
    """Batches, reader events, ticks and ends of sources were among them."""
    kinds = {json.loads(record.value or b"")["kind"] for record in log.topic(topics.READS)}
    assert kinds == set(validators(topics.READS))


def test_dead_letters_say_why(log: PlainLog) -> None:
    """The headers of a dead letter are valid under their schema, and nothing else went there."""
    letters = [parse_dead_letter(record.headers) for record in log.topic(topics.DEAD_LETTERS)]
    (only,) = validators(topics.DEAD_LETTERS).values()
    for letter in letters:
        only.validate(json.loads(letter.model_dump_json()))
    assert [letter.field for letter in letters] == ["epcHex"]
