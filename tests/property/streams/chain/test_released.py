"""Messages of today's stages against the schemas of released versions, and messages of these against today's code."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lotstream.cli.contracts import MODELS
from lotstream.schemas.topics import TOPICS

RELEASED = Path(__file__).resolve().parents[4] / "docs" / "released"
MESSAGES = sorted(RELEASED.glob("*/messages/*.json"))
CHANGELOGS = {topic.name for topic in TOPICS if topic.name.endswith("-changelog.v1")}


def schema_name(topic: str, kind: str) -> str:
    """The file of a message's schema: the model is told by its kind."""
    model = next(name for name, model in MODELS.items() if kind == model.model_fields["kind"].default)
    return f"{topic}.{model}.json"


@pytest.fixture(scope="module")
def said(world: Any) -> dict[str, list[bytes]]:
    """Everything that register, resolve and locate say about a small world, and what they were told, by schema."""
    inputs = [
        world.commission("c", 0, "A", 1, 100, biz_location="plant"),
        world.pack("p", 60, world.pallet(1), [world.tag(1), world.tag(2)]),
        world.read(world.pallet(1), 120, "dock"),
        world.read(world.tag(70), 100, "dock"),
        world.ship("s", 180, [world.pallet(1)], "store"),
        world.amount("q", 0, "B", "12.5", biz_location="plant"),
        world.unpack("u", 240, world.pallet(1)),
        world.commission("x", 0, "C", 200, 210, biz_location="plant"),
        world.commission("x", 0, "C", 200, 210, biz_location="plant", wrong=True),
    ]
    loop = world.run(inputs)
    found: dict[str, list[bytes]] = {}
    for topic in TOPICS:
        for record in loop.log.topic(topic.name) if topic.name not in CHANGELOGS else ():
            kind = json.loads(record.value or b"{}").get("kind")
            if kind is not None:
                found.setdefault(schema_name(topic.name, kind), []).append(record.value)
    assert len(found) == 13, sorted(found)
    return found


def test_today_s_messages_are_valid_for_released_consumers(said: dict[str, list[bytes]]) -> None:
    """Each message of today's stages has the schema that every released version expects of its topic."""
    for name, values in said.items():
        for path in RELEASED.glob(f"*/topics/{name}"):
            validator = jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
            for value in values:
                validator.validate(json.loads(value))


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_released_messages_are_understood(path: Path) -> None:
    """Bytes that a released version wrote are what today's code reads, and writes again with the same meaning."""
    model = MODELS[path.stem.rsplit(".", 1)[1]]
    value = path.read_bytes()
    found = json.loads(model.model_validate_json(value).model_dump_json(exclude_none=True))
    assert {name: found[name] for name in json.loads(value)} == json.loads(value)
