"""Held goods at a door of a running stack: seen by a plain consumer, by `watch alerts`, by a receiver of posts."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

pytestmark = pytest.mark.system

PATIENCE_S = 60.0
COMPANY, ITEM = 9521321, 12345
SECRET = "of the house"
PALLET = (0x31 << 88) | (5 << 82) | (COMPANY << 58) | (7 << 24)
PALLET_URI = "urn:epc:id:sscc:9521321.0000000007"


def unit(serial: int) -> int:
    """SGTIN-96 of a unit."""
    return (0x30 << 88) | (1 << 85) | (5 << 82) | (COMPANY << 58) | (ITEM << 38) | serial


def uri(serial: int) -> str:
    return f"urn:epc:id:sgtin:9521321.012345.{serial}"


def event(**fields: Any) -> str:
    """An event of an hour ago."""
    at = datetime.now(UTC) - timedelta(hours=1)
    return json.dumps({
        "type": "ObjectEvent", "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", "eventTimeZoneOffset": "+00:00",
        "action": "ADD", "bizStep": "commissioning", **fields,
    })  # fmt: skip


def at_least(number: int, found: Any) -> Any:
    """What is found at last."""
    end = time.monotonic() + PATIENCE_S
    while len(got := found()) < number:
        assert time.monotonic() < end, f"Expected {number} in time, got {got}."
        time.sleep(0.05)
    return got


class Door:
    """The dock of the stack, and who looks at alerts.v1 without any of our code."""

    def __init__(self, stack: Any) -> None:
        self.stack = stack
        self.told: list[dict[str, Any]] = []
        bootstrap = json.loads((stack.directory / "run/kafka.json").read_text())["bootstrap"]
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "plain", "enable.auto.commit": False})
        topics = self._consumer.list_topics("alerts.v1", timeout=10).topics
        self._consumer.assign([TopicPartition("alerts.v1", number, 0) for number in topics["alerts.v1"].partitions])

    def read(self, *tags: int) -> None:
        """Each tag is read three times, just now."""
        now = datetime.now(UTC)
        reports = [
            {
                "timestamp": f"{now - timedelta(milliseconds=200 * ago):%Y-%m-%dT%H:%M:%S.%fZ}",
                "hostname": "aisle",
                "eventType": "tagInventory",
                "tagInventoryEvent": {"epcHex": f"{tag:024X}", "antennaPort": 1},
            }
            for ago in (2, 1, 0)
            for tag in tags
        ]
        assert self.stack.doors.post("/readers/impinj", json=reports).json()["accepted"] == len(reports)

    def alerts(self, lot: str, state: str) -> list[dict[str, Any]]:
        """Messages about a lot in a state so far."""
        for message in self._consumer.consume(100, 0.1):
            if message.error() is None:
                self.told.append(json.loads(message.value()))
        return [alert for alert in self.told if alert["lot"].endswith(f"/10/{lot}") and alert["state"] == state]

    def wait(self, lot: str, state: str, number: int = 1) -> list[dict[str, Any]]:
        return at_least(number, lambda: self.alerts(lot, state))


def signature(headers: dict[str, str], body: bytes) -> str:
    """As who has the secret makes it."""
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(SECRET.encode(), said, hashlib.sha256).digest()).decode()


@contextmanager
def running(stack: Any, *words: str, out: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that goes on until the end of the block."""
    with out.open("wb") as file:
        process = subprocess.Popen(
            [*stack.command, *words], cwd=stack.directory, stdout=file, stderr=file, env=os.environ | env
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def door(own_stack: Any) -> Door:
    """Lots A-90 (two units of it in a pallet) and A-91, commissioned an hour ago."""
    made = [
        event(epcList=[uri(n) for n in units], ilmd={"cbvmda:lotNumber": lot})
        for lot, units in (("A-90", (1, 2, 3)), ("A-91", (11,)))
    ]
    packed = event(type="AggregationEvent", bizStep="packing", parentID=PALLET_URI, childEPCs=[uri(2), uri(3)])
    assert own_stack.post("/events", f"[{','.join([*made, packed])}]", source="alerts-erp").is_success
    own_stack.settle()
    return Door(own_stack)


def test_held_goods_at_a_door(door: Door, receiver: Any, tmp_path: Path) -> None:
    """Held by command, read through the gateway: one alert of the item and one of the pallet, which anyone can read,
    which is watched, which is posted until it is taken, and which the release clears."""
    stack, lines = door.stack, tmp_path / "watched"
    (tmp_path / "secret").write_text(SECRET)
    where = {"LOTSTREAM_WEBHOOK__URL": receiver.url, "LOTSTREAM_WEBHOOK__SECRET_FILE": str(tmp_path / "secret")}
    receiver.statuses = [500]
    with (
        running(stack, "watch", "alerts", "--json", "--lot", "A-90", out=lines) as watching,
        running(stack, "sink", "webhook", "--name", "webhook", out=tmp_path / "webhook", **where),
    ):
        held = stack.run("lot", "hold", "A-90", "--reason", "glass found", "--hold", "H1", "--by", "ann")
        assert held.returncode == 0, held.stderr
        stack.settle()
        door.read(unit(1), PALLET)
        raised = {alert["tag"][:3]: alert for alert in door.wait("A-90", "raised", 2)}
        assert (raised["01/"]["inside"], raised["01/"]["hold"], raised["01/"]["cause"]) == (
            [raised["01/"]["tag"]], "H1", "held",
        )  # fmt: skip
        assert [tag.rpartition("/")[2] for tag in raised["00/"]["inside"]] == ["2", "3"]
        door.wait("A-90", "confirmed", 2)
        released = stack.run("lot", "release", "A-90", "--hold", "H1", "--reason", "a false alarm", "--by", "ann")
        assert released.returncode == 0, released.stderr
        cleared = door.wait("A-90", "cleared", 2)
        assert {alert["end"] for alert in cleared} == {"released"}
        assert {alert["key"] for alert in door.told} == {alert["key"] for alert in raised.values()}
        versions = sorted((alert["key"], alert["version"]) for alert in door.told)
        at_least(len(versions) + 1, lambda: receiver.posts)
        (refused, headers, body), *taken = receiver.posts
        assert [status for status, _, _ in taken] == [204] * len(versions) and refused == 500
        assert (headers["webhook-id"], body) == (taken[0][1]["webhook-id"], taken[0][2])
        posted = [(json.loads(body)["key"], json.loads(body)["version"]) for _, _, body in taken]
        lot = hashlib.sha256(door.told[0]["lot"].encode()).hexdigest()[:8]
        assert sorted(posted) == versions
        assert [headers["webhook-id"] for _, headers, _ in taken] == [
            f"{key}.{lot}.{version}" for key, version in posted
        ]
        assert all(headers["webhook-signature"] == signature(headers, body) for _, headers, body in taken)
        watched = at_least(len(versions), lambda: lines.read_text().splitlines())
        assert sorted((line["key"], line["version"]) for line in map(json.loads, watched)) == versions
        watching.send_signal(signal.SIGINT)
        assert (watching.wait(10), len(lines.read_text().splitlines())) == (0, len(versions))


def test_a_hold_that_comes_after_the_goods(door: Door) -> None:
    """What stands in the doorway when the hold is placed raises an alert then; it stands for who looks later, in the
    history too."""
    stack = door.stack
    door.read(unit(11))
    stack.settle()
    assert door.alerts("A-91", "raised") == []
    held = stack.run("lot", "hold", "A-91", "--reason", "complaint", "--recall", "--hold", "R1", "--by", "bob")
    assert held.returncode == 0, held.stderr
    (alert,) = at_least(1, lambda: door.alerts("A-91", "raised") or door.alerts("A-91", "confirmed"))
    assert (alert["cause"], alert["read_point"], alert["location"]) == ("recalled", "dock", "hall")
    door.wait("A-91", "confirmed")
    stack.settle()
    stands = stack.run("watch", "alerts", "--once")
    assert stands.returncode == 0 and len(stands.stdout.splitlines()) == 1, stands.stdout + stands.stderr
    assert "CONFIRMED" in stands.stdout and "recalled R1: complaint" in stands.stdout
    assert stack.rows("SELECT lots, hold, state, units FROM open_alerts") == [([alert["lot"]], "R1", "confirmed", 1)]
