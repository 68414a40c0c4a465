"""The gateway's page does what it says."""

import asyncio
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lotstream.readers.answers import refusal
from lotstream.readers.gateway import build_app
from lotstream.readers.mapping import Mapping
from lotstream.readers.site_file import SiteFile
from lotstream.runtime.clock import SystemClock
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text(encoding="utf-8")
Build = Callable[..., Any]


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_examples_are_taken(bench: Build) -> None:
    """The site file of the page is valid, and its bodies are accepted whole."""
    (site,) = _blocks("toml")
    _, mapped, scans = _blocks("json")
    gateway = bench(site=tomllib.loads(site))
    mapped_answer = asyncio.run(gateway.post("/reads?mapping=wms", json.loads(mapped)))
    scans_answer = asyncio.run(gateway.post("/scans", json.loads(scans)))
    assert (mapped_answer.json()["accepted"], mapped_answer.json()["rejected"]) == (1, 0)
    assert (scans_answer.json()["accepted"], scans_answer.json()["rejected"]) == (2, 0)
    assert {batch.read_point for batch in gateway.batches()} == {"dock-1"}


def test_the_doors_are_those_of_the_page(bench: Build) -> None:
    """Every door of the gateway is on the page, and every door of the page is there."""
    app = build_app(
        Settings(), producer=bench().producer, mapping=Mapping(SiteFile()), clock=SystemClock(), metrics=Metrics()
    )
    paths = (str(getattr(route, "path", "")) for route in app.routes)
    doors = {path.replace("{source}", "NAME").replace("{capture_id:path}", "ID") for path in paths}
    table = PAGE.partition("## Doors")[2].partition("\n\nA reader")[0]
    named = {path.partition("?")[0] for path in re.findall(r"`(?:POST |GET )?(/[a-zA-Z/]+(?:\?mapping=NAME)?)`", table)}
    assert named == doors


def test_the_refusal_of_the_page_is_ours(bench: Build, impinj_read: Build) -> None:
    """The dead letter that the page shows is what the gateway says."""
    shown = _blocks("json")[0].replace("…", "")
    gateway = bench()
    reads = [impinj_read(ms=n) for n in range(200)]
    reads[7] = impinj_read("30742")
    answer = asyncio.run(gateway.post("/readers/impinj", reads)).json()
    assert answer | {"request": ""} == json.loads(shown) | {"request": ""}
    assert refusal(503, "unavailable", detail="", request="q").headers["x-request-id"] == "q"
