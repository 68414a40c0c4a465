"""Posts of alerts by the loop of the sinks, on the real broker."""

import hashlib
from pathlib import Path
from typing import Any

from lotstream.runtime.clock import SystemClock
from lotstream.runtime.settings import WebhookSettings
from lotstream.schemas.alerts import Alert, AlertCause, AlertState
from lotstream.schemas.base import Evidence
from lotstream.sinks.webhook import WebhookStore


def alert(version: int) -> bytes:
    """One version of one alert."""
    return Alert(
        key="a" * 32, version=version, state=AlertState.RAISED, cause=AlertCause.HELD, lot="01/1/10/A", hold="H1",
        tag="00/1", read_point="dock", slot=1, location="hall", evidence=Evidence.CONFIRMED, units=1, first_us=1,
        last_us=1, recorded_us=1,
    ).encode()  # fmt: skip


def test_each_alert_is_taken_or_parked_before_its_offset_passes(
    webhook_bench: Any, receiver: Any, tmp_path: Path
) -> None:
    """In their order; what fails is tried again, what is refused becomes a dead letter with the answer, untouched."""
    (tmp_path / "secret").write_text("key")
    receiver.statuses = [500, 204, 422, 503]
    for version in (1, 2, 3):
        webhook_bench.send([alert(version)])
    webhook_bench.send([b"{"])
    store = WebhookStore(WebhookSettings(url=receiver.url, secret_file=tmp_path / "secret"), clock=SystemClock())
    with webhook_bench.running(store):
        webhook_bench.wait(lambda: webhook_bench.committed() == 4)
    name = f"{'a' * 32}.{hashlib.sha256(b'01/1/10/A').hexdigest()[:8]}"
    posted = [(status, headers["webhook-id"]) for status, headers, _ in receiver.posts]
    assert posted == [
        (500, f"{name}.1"),
        (204, f"{name}.1"),
        (422, f"{name}.2"),
        (503, f"{name}.3"),
        (204, f"{name}.3"),
    ]
    letters = {bytes(letter.value()): dict(letter.headers()) for letter in webhook_bench.dead_letters()}
    assert set(letters) == {alert(2), b"{"}
    assert b"got status 422" in letters[alert(2)]["detail"] and letters[alert(2)]["source"] == b"sink-webhook"
