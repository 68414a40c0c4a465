"""Messages of each released version and of today, read by the other: a rolling upgrade mixes them."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[4] / "docs"
RELEASED = sorted((DOCS / "released").glob("*/topics/*.json"))
NEWEST = max(tuple(map(int, folder.name.split("."))) for folder in (DOCS / "released").iterdir())
Schema = dict[str, Any]
Refused = Callable[[Schema, Schema], list[str]]


def read(path: Path) -> Schema:
    found: Schema = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_a_released_schema_and_today_s_accept_the_same(path: Path, refused: Refused) -> None:
    """What a former version writes is valid today, and what today's writes was valid then; no topic is gone."""
    today = DOCS / "schemas" / "topics" / path.name
    assert today.exists(), "a topic's message is gone: a consumer of the former version waits for it"
    assert refused(read(path), read(today)) == [], "messages on the topics are not understood any more"
    assert refused(read(today), read(path)) == [], "processes of the former version do not understand these"


def test_every_message_of_today_is_kept() -> None:
    """The newest released folder has every schema; one that is added comes with a topic of its own."""
    kept = {path.name for path in RELEASED if path.parent.parent.name == ".".join(map(str, NEWEST))}
    assert kept == {path.name for path in (DOCS / "schemas" / "topics").glob("*.json")}


LOTS = DOCS / "schemas" / "topics" / "lots.v1.LotRecord.json"


def without(schema: Schema) -> None:
    del schema["properties"]["supplier_code"]


def added(schema: Schema) -> None:
    schema["properties"]["colour"] = {"type": "string"}


def demanded(schema: Schema) -> None:
    schema["required"].append("supplier_code")


def renamed(schema: Schema) -> None:
    schema["properties"]["producer"] = schema["properties"].pop("location")


def retyped(schema: Schema) -> None:
    schema["properties"]["at_us"] = {"type": "string"}


def tightened(schema: Schema) -> None:
    schema["properties"]["at_us"]["maximum"] -= 1


def widened(schema: Schema) -> None:
    del schema["properties"]["at_us"]["maximum"]


def fewer_words(schema: Schema) -> None:
    words = next(one for one in schema["$defs"].values() if "enum" in one) if "$defs" in schema else None
    (words or schema["properties"]["status"])["enum"].pop()


def other_version(schema: Schema) -> None:
    schema["properties"]["v"]["const"] = 2


@pytest.mark.parametrize(
    "change",
    [without, added, demanded, renamed, retyped, tightened, widened, fewer_words, other_version],
    ids=lambda change: change.__name__,
)
def test_an_incompatible_change_is_found(change: Callable[[Schema], None], refused: Refused) -> None:
    """Each kind of change that one side would refuse is found in at least one direction; none is found without."""
    today = read(LOTS)
    changed = copy.deepcopy(today)
    assert refused(today, changed) == refused(changed, today) == []
    change(changed)
    assert refused(today, changed) + refused(changed, today)


def test_prose_is_no_change(refused: Refused) -> None:
    """Titles, descriptions and defaults may be written anew."""
    today = read(LOTS)
    changed = copy.deepcopy(today) | {"title": "Other", "description": "Other"}
    changed["properties"]["location"]["description"] = "other"
    assert refused(today, changed) == refused(changed, today) == []
