"""What the gateway acknowledges is on the broker, whatever ends first."""

import json
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.system

SITE = """
[[locations]]
id = "hall"

[[locations]]
id = "yard"

[[read_points]]
id = "dock-1"
inside = "hall"
outside = "yard"

[[antennas]]
reader = "gate"
antenna = [1, 2]
read_point = "dock-1"
side = "inside"

[[scanners]]
id = "s1"
read_point = "dock-1"
biz_step = "receiving"
"""


def _read(number: int, *, now: float | None = None) -> dict[str, Any]:
    seen = datetime.fromtimestamp((now or time.time()) - 0.1, UTC).isoformat().replace("+00:00", "Z")
    tag = {"epcHex": f"{number:024X}", "antennaPort": 1, "lastSeenTime": seen}
    return {"timestamp": seen, "hostname": "gate", "eventType": "tagInventory", "tagInventoryEvent": tag}


def test_every_format_reaches_its_topic(doors: Callable[..., Any], tmp_path: Path) -> None:
    """Reads, labels, dead letters and the mapping are found by a plain consumer, each whole and in its topic."""
    site = tmp_path / "site.toml"
    site.write_text(SITE)
    gateway = doors(LOTSTREAM_GATEWAY__SITE_FILE=str(site))
    client = gateway.client
    zebra = {
        "type": "SIMPLE",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {"idHex": "30aa", "antenna": 2, "MAC": "gate"},
    }
    now_us = time.time_ns() // 1_000
    native = {"reader": "gate", "t0_us": now_us, "tags": ["30BB"], "tag": [0], "antenna": [1], "last": [0]}
    labels = [
        {"scanner": "s1", "data": "]C1010952012345678810A\x1d3103001250", "sequence": 1},
        {"scanner": "s1", "data": "]C100095201234567891235"},
    ]
    assert client.post("/readers/impinj", json=[_read(1), {"bad": 1}]).json()["rejected"] == 1
    assert client.post("/readers/zebra", json=zebra).json()["accepted"] == 1
    assert client.post("/batches", json=native).json()["accepted"] == 1
    assert client.post("/scans", json=labels).json()["accepted"] == 2
    assert client.post("/sources/gate/end").json()["ended"] == ["dock-1"]

    assert sorted(tag for _, _, tag, _ in gateway.identities()) == [
        "00/095201234567891235",
        f"{1:024X}",
        "30AA",
        "30BB",
    ]
    assert {batch["read_point"] for batch in gateway.reads()} == {"dock-1"}
    kinds = sorted(json.loads(message.value())["kind"] for message in gateway.messages("events.v1"))
    assert kinds == ["mapping", "quantity_scan"]
    (letter,) = gateway.messages("dead-letters.v1")
    assert json.loads(letter.value()) == {"bad": 1}
    assert dict(letter.headers())["stage"] == b"gateway"
    assert gateway.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_acknowledged_is_there(doors: Callable[..., Any], number: signal.Signals) -> None:
    """Ended or killed under load, the gateway leaves every read that it acknowledged on the broker."""
    gateway = doors()
    acknowledged: list[int] = []

    def post(first: int) -> None:
        tags = range(first, first + 50)
        try:
            answer = gateway.client.post("/readers/impinj", json=[_read(tag) for tag in tags])
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            acknowledged.extend(tags)

    with ThreadPoolExecutor(6) as pool:
        posts = [pool.submit(post, first) for first in range(0, 20_000, 50)]
        while len(acknowledged) < 2_000:
            time.sleep(0.005)
        code = gateway.end(number)
        for waiting in posts:
            waiting.cancel()
    assert code == (0 if number is signal.SIGTERM else -signal.SIGKILL)
    there = {int(tag, 16) for _, _, tag, _ in gateway.identities()}
    assert len(acknowledged) >= 2_000
    assert not set(acknowledged) - there
