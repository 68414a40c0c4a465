"""Recorded files through a gateway that asks for tokens."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[3]
TOKEN = "0123456789abcdef"


@pytest.fixture
def gateway(stores: Callable[..., Any], program: Any, told: Any, tmp_path: Path) -> Any:
    """The program beside a gateway that runs."""
    run = tmp_path / "run"
    (tmp_path / "tokens").write_text(f"recorder {TOKEN}\n")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    program.env = {
        "LOTSTREAM_KAFKA__BOOTSTRAP": stores().bootstrap,
        "LOTSTREAM_TOPICS__PARTITIONS": "2",
        "LOTSTREAM_GATEWAY__PORT": "0",
        "LOTSTREAM_GATEWAY__TOKENS_FILE": str(tmp_path / "tokens"),
        "LOTSTREAM_GATEWAY__SITE_FILE": str(ROOT / "deploy" / "site.toml"),
        "LOTSTREAM_RUN_DIR": str(run),
        "LOTSTREAM_DATA_DIR": str(run / "data"),
    }
    assert program.run("topics", "apply").returncode == 0
    program.start("gateway", "gateway", log=tmp_path / "gateway.log")
    told.await_that(lambda: told.is_ready(run, "gateway"), within_s=30, what="a ready gateway")
    return program


def event(second: int, epc: str) -> str:
    at = f"2026-03-02T10:00:{second:02d}.000Z"
    seen = {"epcHex": epc, "antennaPort": 1, "lastSeenTime": at}
    return json.dumps({"timestamp": at, "hostname": "example", "eventType": "tagInventory", "tagInventoryEvent": seen})


def replayed(gateway: Any, tmp_path: Path, *arguments: str) -> dict[str, Any]:
    ran = gateway.run("replay", *arguments, "--json", "--token-file", str(tmp_path / "token"), "--source", "recorder")
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout)
    jsonschema.validate(said, json.loads((ROOT / "docs/schemas/answers/replay.json").read_text()))
    return said


def test_files_are_sent_counted_and_paced(gateway: Any, tmp_path: Path, told: Any) -> None:
    """Good items are accepted, bad ones rejected, each file for itself; `--speed` keeps the recorded distances."""
    lines = [event(0, told.epc), "no json", event(1, "30742")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "b.csv").write_text(f"epc,time,reader,antenna\n{told.epc},2026-03-02T10:00:00Z,example,2\n")
    found = replayed(gateway, tmp_path, str(tmp_path / "a.jsonl"))
    assert found["files"] == [{"file": str(tmp_path / "a.jsonl"), "requests": 1, "accepted": 1, "rejected": 2}]
    found = replayed(gateway, tmp_path, str(tmp_path / "b.csv"), "--format", "mapping:flat")
    assert found["files"][0]["accepted"] == 1
    # a request holds at most 200 items: two of them, 6 s apart
    (tmp_path / "c.jsonl").write_text("\n".join([event(0, told.epc)] * 200 + [event(6, told.epc)]) + "\n")
    started = time.monotonic()
    found = replayed(gateway, tmp_path, str(tmp_path / "c.jsonl"), "--speed", "3")
    assert found["files"][0]["requests"] == 2 and time.monotonic() - started >= 2.0


def test_a_refused_token_is_said(gateway: Any, tmp_path: Path, told: Any) -> None:
    """Without the token nothing is sent, and the gateway's answer is told in a line."""
    (tmp_path / "a.jsonl").write_text(event(0, told.epc) + "\n")
    ran = gateway.run("replay", str(tmp_path / "a.jsonl"))
    assert ran.returncode == 1 and "401" in ran.stderr and "Traceback" not in ran.stderr
