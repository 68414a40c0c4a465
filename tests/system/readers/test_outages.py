"""Kafka is away: what readers send is kept on disk and sent on, what programs send is refused, and nothing is lost."""

import json
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.system, pytest.mark.alone]
HEALED_S = 30.0


def _body(first: int, count: int = 20) -> list[dict[str, Any]]:
    seen = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return [
        {
            "timestamp": seen,
            "hostname": "gate",
            "eventType": "tagInventory",
            "tagInventoryEvent": {"epcHex": f"{number:024X}", "antennaPort": 1, "lastSeenTime": seen},
        }
        for number in range(first, first + count)
    ]


def _native(number: int) -> dict[str, Any]:
    now_us = time.time_ns() // 1_000
    return {"reader": "gate", "t0_us": now_us, "tags": [f"{number:024X}"], "tag": [0], "antenna": [1], "last": [0]}


def _post(gateway: Any, firsts: range) -> set[int]:
    """Requests of twenty reads, six at a time; the reads of those that were acknowledged."""
    taken: set[int] = set()

    def post(first: int) -> None:
        try:
            answer = gateway.client.post("/readers/impinj", json=_body(first))
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            taken.update(range(first, first + 20))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(post, firsts))
    return taken


def _tags(gateway: Any) -> set[int]:
    return {int(tag, 16) for _, _, tag, _ in gateway.identities()}


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + HEALED_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def _spool(gateway: Any) -> str:
    return str(gateway.client.get("/readyz").json()["checks"]["spool"]["detail"])


def test_readers_are_kept_and_programs_are_told(doors: Callable[..., Any]) -> None:
    """While the broker is dead a reader's request is acknowledged, a program's or file's is 503; afterwards all is on
    the broker, marked buffered with the stamps of its receipt, and requests are live again."""
    gateway = doors()
    assert _post(gateway, range(0, 200, 20)) == set(range(200))
    gateway.kafka.kill()
    try:
        assert _post(gateway, range(200, 1_000, 20)) == set(range(200, 1_000))
        refused = gateway.client.post("/batches", json=_native(1))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        file = gateway.client.post("/readers/impinj", json=_body(0), headers={"Lotstream-Origin": "file"})
        assert file.status_code == 503
        assert gateway.client.get("/readyz").status_code == 200
        _wait(lambda: "spools, Kafka is away" in _spool(gateway))
        assert re.search(r"^lotstream_spool_records [1-9]", gateway.client.get("/metrics").text, re.MULTILINE)
        down_us = time.time_ns() // 1_000
    finally:
        gateway.kafka.restart()
    _wait(lambda: _spool(gateway) == "empty")
    assert _post(gateway, range(1_000, 1_200, 20)) == set(range(1_000, 1_200))
    assert gateway.client.post("/batches", json=_native(1)).status_code == 200
    assert _tags(gateway) == set(range(1_200))
    stamps = {int(tag, 16): batch["stamp"] for batch in gateway.reads() for tag in batch["tags"]}
    assert {stamps[number]["origin"] for number in range(300, 1_000)} == {"buffered"}
    assert all(stamps[number]["received_us"] < down_us for number in range(300, 1_000))
    assert {stamps[number]["origin"] for number in range(1_000, 1_200)} == {"live"}


def test_killed_while_it_keeps(doors: Callable[..., Any]) -> None:
    """Killed at any step of the spool, the gateway has lost nothing that it acknowledged; a successor sends it on."""
    keeping = [doors(LOTSTREAM_TEST_CRASH=point) for point in ("spool:written:3", "spool:synced:3")]
    sending, killed = doors(LOTSTREAM_TEST_CRASH="spool:sent on:1"), doors()
    gateways = [*keeping, sending, killed]
    killed.kafka.kill()
    try:
        taken = [_post(gateway, range(0, 2_000, 20)) for gateway in gateways]
        assert min(map(len, taken)) >= 20
        assert {gateway.process.wait(30) for gateway in keeping} == {-signal.SIGKILL}
        assert sending.process.poll() is None
        assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    finally:
        killed.kafka.restart()
    assert sending.process.wait(30) == -signal.SIGKILL
    for gateway, acknowledged in zip(gateways, taken, strict=True):
        gateway.env.pop("LOTSTREAM_TEST_CRASH", None)
        gateway.start()
        _wait(lambda successor=gateway: _spool(successor) == "empty")
        found = _tags(gateway)
        assert acknowledged <= found <= set(range(2_000))


def test_a_full_spool_is_a_blind_window(doors: Callable[..., Any]) -> None:
    """What does not fit is 503 with Retry-After and a blind window of its read point, from the first refusal until
    requests are taken again; what was acknowledged before is kept."""
    gateway = doors(LOTSTREAM_GATEWAY__SPOOL_BYTES="40000")
    gateway.kafka.kill()
    try:
        taken = _post(gateway, range(0, 1_000, 20))
        assert 0 < len(taken) < 1_000
        refused = gateway.client.post("/readers/impinj", json=_body(0))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        _wait(lambda: "refuses" in _spool(gateway))
        assert gateway.client.get("/readyz").status_code == 503
    finally:
        gateway.kafka.restart()
    _wait(lambda: _spool(gateway) == "empty")
    assert _post(gateway, range(2_000, 2_020, 20)) == set(range(2_000, 2_020))
    assert _tags(gateway) == taken | set(range(2_000, 2_020))
    _wait(lambda: 2 * len(_windows(gateway, ended=True)) == len(gateway.messages("blind-windows.v1")) > 0)
    assert _windows(gateway, ended=True).keys() == _windows(gateway, ended=False).keys()
    assert all(until_us > from_us for from_us, until_us in _windows(gateway, ended=True).items())


def _windows(gateway: Any, *, ended: bool) -> dict[int, int]:
    """From -> until (0 while it lasts) of the windows of the reader's read point."""
    windows = [json.loads(message.value()) for message in gateway.messages("blind-windows.v1")]
    assert {(window["subject"], window["cause"]) for window in windows} <= {("unmapped/gate", "overflow")}
    return {one["from_us"]: one.get("until_us", 0) for one in windows if ("until_us" in one) is ended}


def test_a_second_gateway_on_one_spool(doors: Callable[..., Any]) -> None:
    """A gateway that is given another one's spool does not start, and says whose it is and what to set."""
    gateway = doors()
    gateway.env["LOTSTREAM_RUN_DIR"] = str(gateway.run / "second")
    second = gateway.lotstream("gateway")
    assert second.wait(30) == 2
    assert f"in use by process {gateway.process.pid}" in gateway.log()
    assert "gateway.spool_dir" in gateway.log()
