"""Dead letters of a whole stack by their commands: poison in every topic, replay, drop, park, and a flood."""

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

pytestmark = pytest.mark.system

PATIENCE_S = 60.0
ITEM_HEX = "3034257BF468D480000186A0"
REFUSERS = {
    "reads.v1": {"smooth", "sink"},
    "events.v1": {"register", "sink"},
    "sightings.v1": {"resolve", "sink"},
    "identity.v1": {"resolve", "sink"},
    "lot-sightings.v1": {"locate", "sink"},
    "lots.v1": {"locate", "sink"},
    "documents.v1": {"locate", "sink"},
    "blind-windows.v1": {"sink"},
    "operations.v1": {"sink"},
}
HEX_DIGIT = str.maketrans("0123456789abcdef", "123456789abcdef0")


class Desk:
    """The commands of one stack, its brokers and its processes, as a person at it has them."""

    def __init__(self, stack: Any) -> None:
        self.stack = stack
        self.bootstrap = self._facts("kafka")["bootstrap"]
        self._producer = Producer({"bootstrap.servers": self.bootstrap})

    def dlq(self, *words: str | Path, code: int = 0) -> Any:
        """What `lotstream dlq ... --json` answers, when it ends with this code."""
        done: subprocess.CompletedProcess[str] = self.stack.run("dlq", *words, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    def letters(self, *words: str) -> list[dict[str, Any]]:
        """The letters that a filter means, newest first."""
        return list(self.dlq("list", "--limit", "1000", *words)["letters"])

    def letter(self, *words: str) -> dict[str, Any]:
        """The only letter that a filter means, as soon as it is there."""
        found: list[dict[str, Any]] = []
        self.wait(lambda: found.extend(self.letters(*words)) or bool(found))
        (only,) = found
        return only

    def produce(self, topic: str, value: bytes, *, partition: int = 0, key: bytes = b"key") -> str:
        """Where the record lies: topic:partition:offset."""
        places: list[str] = []
        self._producer.produce(
            topic,
            value,
            key,
            partition,
            headers=[("theirs", b"\xff")],
            on_delivery=lambda _, at: places.append(f"{at.topic()}:{at.partition()}:{at.offset()}"),
        )
        assert self._producer.flush(10) == 0
        return places[0]

    def record(self, place: str) -> Any:
        """The record that lies there."""
        topic, partition, offset = place.rsplit(":", 2)
        (found,) = self._records(topic, int(partition), start=int(offset), count=1)
        return found

    def records_before(self, place: str) -> list[bytes]:
        """The values of the records before it in its partition."""
        topic, partition, offset = place.rsplit(":", 2)
        return [found.value() for found in self._records(topic, int(partition), start=0, count=int(offset))]

    def _records(self, topic: str, partition: int, *, start: int, count: int) -> list[Any]:
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "look", "enable.auto.commit": False})
        consumer.assign([TopicPartition(topic, partition, start)])
        found = consumer.consume(count, 10.0) if count else []
        consumer.close()
        return found

    def stop(self, name: str) -> int:
        """Let a process stand still; its pid."""
        pid = int(self._facts(name)["pid"])
        os.kill(pid, signal.SIGSTOP)
        return pid

    def wait(self, condition: Callable[[], Any]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < until, "the condition did not come true in time"
            time.sleep(0.5)

    def _facts(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.stack.directory / f"run/{name}.json").read_text())
        return found


@pytest.fixture(scope="module")
def desk(own_stack: Any) -> Desk:
    return Desk(own_stack)


@pytest.fixture
def source() -> str:
    """A name that no other test has."""
    return f"s-{uuid.uuid4().hex[:12]}"


def impinj(tag: str) -> str:
    """One read as an Impinj reader sends it."""
    event = {"epcHex": tag, "antennaPort": 1, "lastSeenTime": "2026-03-02T10:00:00.125Z"}
    return json.dumps(
        {
            "hostname": "impinj-01-23-45",
            "timestamp": "2026-03-02T10:00:00.250Z",
            "eventType": "tagInventory",
            "tagInventoryEvent": event,
        }
    )


def commissioning(lot: str, serial: int) -> dict[str, Any]:
    """One unit of a lot comes into being."""
    return {
        "type": "ObjectEvent",
        "eventTime": "2026-03-02T10:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": [f"https://id.gs1.org/01/09521234543213/21/{serial}"],
        "action": "ADD",
        "bizStep": "commissioning",
        "ilmd": {"cbvmda:lotNumber": lot},
    }


def test_poison_in_every_topic(desk: Desk) -> None:
    """Everyone who reads a topic keeps what is not understood: untouched, with reason, origin, key and headers."""
    poison = {topic: f'{{"poison":"{topic}"}}'.encode() for topic in REFUSERS}
    places = {desk.produce(topic, value): topic for topic, value in poison.items()}
    desk.stack.settle()
    found = [letter for letter in desk.letters("--since", "5m") if letter["origin"] in places]
    assert {(places[letter["origin"]], letter["stage"]) for letter in found} == {
        (topic, stage) for topic, stages in REFUSERS.items() for stage in stages
    }
    assert {letter["reason"] for letter in found} == {"schema_invalid"}
    kept = desk.stack.rows(
        "SELECT origin, hex(bytes) FROM dead_letters WHERE origin IN {places:Array(String)}", places=list(places)
    )
    assert {(places[place], bytes.fromhex(raw)) for place, raw in kept} == set(poison.items())
    one = next(letter for letter in found if letter["stage"] == "resolve")
    shown = desk.dlq("show", one["id"])
    assert bytes.fromhex(shown["hex"]) == poison[places[one["origin"]]]
    assert shown["headers"] == {"theirs": "\\xff"}
    topic = places[one["origin"]]
    assert desk.letters("--topic", topic, "--stage", "resolve", "--since", "5m")[0]["id"] == one["id"]
    done = desk.dlq("drop", "--since", "5m", "--reason", "schema_invalid", "--why", "poison of a test", "--yes")
    assert {letter["id"] for letter in found} <= {deed["id"] for deed in done["deeds"]}
    assert not [letter for letter in desk.letters("--since", "5m") if letter["origin"] in places]


def test_raw_bytes_can_be_saved(desk: Desk, source: str) -> None:
    """`show --raw` prints the bytes and nothing else; what is not there is said in one line, with exit code 1."""
    raw = bytes(range(256))
    desk.stack.post("/scans", raw, source=source)
    ident = desk.letter("--source", source)["id"]
    directory = desk.stack.directory
    done = subprocess.run(
        [*desk.stack.command, "dlq", "show", ident, "--raw"], cwd=directory, capture_output=True, check=True
    )
    assert done.stdout == raw
    assert "99999" in desk.dlq("show", "0:99999", code=1)


def test_a_mended_read_goes_back_through_its_door(desk: Desk, source: str, tmp_path: Path) -> None:
    """Untouched, it is refused again, as a new letter; mended, it is a read like any other. Both are recorded."""
    assert desk.stack.post("/readers/impinj", impinj("NOHEX"), source=source).json()["rejected"] == 1
    first = desk.letter("--source", source)
    (again,) = desk.dlq("replay", first["id"], "--why", "try", code=1)["deeds"]
    assert again["outcome"] == "refused" and again["detail"].startswith("identifier_invalid")
    second = desk.letter("--source", source)
    assert second["id"] != first["id"] and first["id"] in second["origin"]
    mended = tmp_path / "mended.json"
    mended.write_text(impinj(ITEM_HEX).replace("impinj-01-23-45", source))
    (taken,) = desk.dlq("replay", second["id"], "--with", mended, "--why", "typo", "--by", "ann")["deeds"]
    assert taken["outcome"] == "taken"
    (known,) = desk.dlq("replay", second["id"], code=1)["deeds"]
    assert known["outcome"] == "known" and "by ann" in known["detail"]
    assert desk.letters("--source", source) == []
    assert {letter["state"] for letter in desk.letters("--source", source, "--all")} == {"replayed"}
    desk.stack.end(source)
    desk.stack.settle()
    seen = desk.stack.seen(readers=[source])
    assert [tag for _, tag, _ in seen] == ["01/10614141073464/21/100000"]
    deeds = desk.stack.rows(
        "SELECT action, by, why FROM operations WHERE subject IN {ids:Array(String)} ORDER BY at",
        ids=[first["id"], second["id"]],
    )
    assert [deed[0] for deed in deeds] == ["replay", "replay"]
    assert deeds[1] == ("replay", "ann", "typo")


def test_a_mended_record_goes_back_to_its_topic(desk: Desk, source: str, tmp_path: Path) -> None:
    """The register's letter comes back with its key, its headers and its letter's name, and becomes facts."""
    lot = source.replace("-", "").upper()
    assert desk.stack.post("/events", json.dumps(commissioning(lot, 1)), source=source).status_code == 201
    desk.stack.settle()
    assert desk.stack.rows("SELECT count() FROM lots WHERE code = {lot:String}", lot=lot) == [(1,)]
    ends = [desk.produce("events.v1", b"{}", partition=number) for number in range(4)]
    good = next(value for place in ends for value in desk.records_before(place) if lot.encode() in value)
    other = lot.translate(HEX_DIGIT) + "X"
    sent = json.loads(good.replace(lot.encode(), other.encode()))
    digest = sent["event_hash"].split(";")[1].split("?")[0]
    mended = json.dumps(sent).replace(digest, digest.translate(HEX_DIGIT)).encode()
    place = desk.produce("events.v1", mended.replace(b'"kind"', b'"kin"'), partition=2, key=b"subject")
    desk.stack.settle()
    letter = next(one for one in desk.letters("--stage", "register") if one["origin"] == place)
    file = tmp_path / "mended.json"
    file.write_bytes(mended)
    (deed,) = desk.dlq("replay", letter["id"], "--with", file, "--why", "a name was wrong")["deeds"]
    assert deed["outcome"] == "taken", deed
    back = desk.record(deed["detail"])
    assert (back.value(), back.key(), back.partition()) == (mended, b"subject", 2)
    assert dict(back.headers()) == {"theirs": b"\xff", "lotstream-letter": letter["id"].encode()}
    desk.stack.settle()
    assert desk.stack.rows("SELECT count() FROM lots WHERE code = {lot:String}", lot=other) == [(1,)]


def test_a_parked_record_is_passed_over(desk: Desk) -> None:
    """A record that a process has not passed is parked: from its next start on it becomes a dead letter, untouched.
    A record that all have passed, or that is not there, cannot be parked."""
    passed = desk.produce("sightings.v1", b"passed", partition=1)
    desk.stack.settle()
    assert "have passed" in desk.dlq("park", passed, code=1)
    assert "got none" in desk.dlq("park", "sightings.v1:1:99999", code=1)
    pid = desk.stop("worker-lot")
    try:
        place = desk.produce("sightings.v1", b"poison", partition=1)
        (deed,) = desk.dlq("park", place, "--why", "stops resolve", "--by", "ann")["deeds"]
        assert (deed["id"], deed["outcome"]) == (place, "parked")
        assert "before, by ann" in desk.dlq("park", place)["deeds"][0]["detail"]
    finally:
        os.kill(pid, signal.SIGKILL)
    desk.stack.settle()
    letter = next(one for one in desk.letters("--reason", "parked") if one["origin"] == place)
    assert (letter["stage"], letter["state"]) == ("resolve", "open") and "parked by ann" in letter["detail"]
    assert bytes.fromhex(desk.dlq("show", letter["id"])["hex"]) == b"poison"
    (again,) = desk.dlq("replay", letter["id"], code=1)["deeds"]
    assert again["outcome"] == "refused" and again["detail"].startswith("json_invalid")


def test_a_flood_stops_its_own_source_alone(desk: Desk, source: str) -> None:
    """A source of nothing but dead letters is told to wait, others go on; every letter is kept and can be dropped at
    once; its blind window is in the history."""
    flood = "\n".join(f"]C101095060001343{number:05d}" for number in range(2_100))
    answer = desk.stack.post("/scans", flood, source=source, Content_Type="text/plain")
    assert (answer.status_code, answer.json()["rejected"]) == (200, 2_100)
    stopped = desk.stack.post("/readers/impinj", impinj(ITEM_HEX), source=source)
    assert (stopped.status_code, stopped.json()["error"]) == (429, "source_stopped")
    assert 0 < int(stopped.headers["retry-after"]) <= 600
    assert desk.stack.post("/readers/impinj", impinj(ITEM_HEX), source=f"{source}-other").status_code == 200
    listed = desk.dlq("list", "--source", source)
    assert sum(group["letters"] for group in listed["groups"]) == 2_100
    assert (len(listed["letters"]), listed["truncated"]) == (20, True)
    assert desk.stack.run("dlq", "drop", "--source", source, "--why", "?").returncode == 130
    assert len(desk.dlq("drop", "--source", source, "--why", "garbage", "--yes")["deeds"]) == 2_100
    assert desk.dlq("list", "--source", source)["groups"] == []
    desk.stack.settle()
    (window,) = desk.stack.rows(
        "SELECT cause, until_at > from_at FROM blind_windows WHERE subject = {source:String}", source=source
    )
    assert window == ("stopped", True)
