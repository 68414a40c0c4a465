"""`lotstream events load` and the capture interface, with a real gateway and a real broker."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system
EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2026-03-02T10:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "OBSERVE",
    "bizStep": "shipping",
}


def document(path: Path, *events: dict[str, Any]) -> Path:
    whole = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-02T10:00:00Z",
        "epcisBody": {"eventList": events},
    }
    path.write_text(json.dumps(whole))
    return path


def numbered(count: int) -> list[dict[str, Any]]:
    return [EVENT | {"epcList": [f"urn:epc:id:sgtin:0614141.107346.{number}"]} for number in range(count)]


def load(gateway: Any, *words: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "lotstream.cli.main", "events", "load", "--json", *words]
    ran = subprocess.run(command, env=gateway.env, capture_output=True, text=True, check=False, timeout=120)
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def hashes(gateway: Any) -> list[str]:
    values = [json.loads(message.value()) for message in gateway.messages("events.v1")]
    return [value["event_hash"] for value in values if value["kind"] == "event"]


def test_load(doors: Callable[..., Any], tmp_path: Path) -> None:
    """A thousand events go in; again they are the same facts; a bad file is named and changes nothing."""
    gateway = doors()
    good = document(tmp_path / "good.json", *numbered(1_000))
    bad = document(tmp_path / "bad.json", *numbered(1), numbered(1)[0] | {"disposition": "lost"})
    code, said = load(gateway, str(good))
    assert (code, said["accepted"], said["rejected"]) == (0, 1_000, 0)
    assert load(gateway, str(good)) == (code, said)
    assert len(set(hashes(gateway))) == 1_000
    code, said = load(gateway, str(bad), str(good))
    assert (code, said["accepted"], said["rejected"]) == (1, 1_000, 1)
    assert said["files"][0]["refused"][0] == {
        "index": 1,
        "field": "disposition",
        "detail": "Expected a disposition of CBV 2.0 or a URI of another vocabulary, got 'lost'.",
    }
    assert len(set(hashes(gateway))) == 1_000
    code, said = load(gateway, "--proceed", str(bad))
    assert (code, said["accepted"], said["files"][0]["dead_letters"]) == (1, 1, 1)
    (letter,) = gateway.messages("dead-letters.v1")
    assert dict(letter.headers())["source"] == b"file:bad.json"


def test_a_job(doors: Callable[..., Any], tmp_path: Path) -> None:
    """A document of a thousand events is acknowledged at once, and its job is there to be asked for."""
    gateway = doors()
    body = document(tmp_path / "a.json", *numbered(1_000)).read_bytes()
    started = time.monotonic()
    answer = gateway.client.post("/capture", content=body, headers={"Content-Type": "application/ld+json"})
    seconds = time.monotonic() - started
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1_000)
    job = gateway.client.get(answer.headers["Location"]).json()
    assert (job["running"], job["success"], job["errors"]) == (False, True, [])
    assert seconds < 10, seconds  # 1 s on a machine that has nothing else to do
