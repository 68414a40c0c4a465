"""Recorded files through the doors."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from lotstream.readers.replay import Format, Progress, Replay, guess_format, posts_of, replay
from lotstream.runtime.errors import Rejected

Build = Callable[..., Any]


def _run(gateway: Any, file: Path, **what: Any) -> tuple[Progress, list[int]]:
    seen: list[int] = []
    asked = Replay(url="http://gateway", **what)
    (done,) = asyncio.run(
        replay([file], asked, report=lambda progress: seen.append(progress.posts), client=gateway.client)
    )
    return done, seen


def test_a_file_goes_in_whole_and_ends_its_source(bench: Build, impinj_read: Build, tmp_path: Path) -> None:
    """Every item of a file is sent in order with origin file, bad ones too, and its source is ended."""
    gateway = bench()
    file = tmp_path / "day 1.json"
    reads = [impinj_read(ms=n) for n in range(450)]
    file.write_text(json.dumps([*reads[:300], {"bad": 1}, *reads[300:]], indent=1), encoding="utf-8")
    done, seen = _run(gateway, file)
    assert (done.posts, done.accepted, done.rejected, seen) == (3, 450, 1, [1, 2, 3])
    assert {(b.stamp.origin, b.stamp.source) for b in gateway.batches()} == {("file", "file:day%201.json")}
    assert [end.source for end in gateway.ends()] == ["file:day%201.json"]
    assert [json.loads(letter.value) for letter in gateway.of("dead-letters.v1")] == [{"bad": 1}]


def test_a_file_sent_again_has_the_same_requests(bench: Build, impinj_read: Build, tmp_path: Path) -> None:
    """Replayed twice, a file's messages carry the same request ids and the same reads."""
    gateway = bench()
    file = tmp_path / "reads.jsonl"
    file.write_text("\n".join(json.dumps(impinj_read(ms=n)) for n in range(250)), encoding="utf-8")
    _run(gateway, file)
    _run(gateway, file)
    batches = gateway.batches()
    assert [batch.stamp.request for batch in batches] == ["file:reads.jsonl:0", "file:reads.jsonl:1"] * 2
    assert [(b.t0_us, b.last) for b in batches[:2]] == [(b.t0_us, b.last) for b in batches[2:]]


def test_speed_is_the_recorded_pace_divided(bench: Build, impinj_read: Build, tmp_path: Path) -> None:
    """Reads ten seconds apart take a tenth of a second at a hundredfold speed."""
    gateway = bench()
    file = tmp_path / "reads.json"
    far = impinj_read()
    far["tagInventoryEvent"]["lastSeenTime"] = "2026-03-02T10:00:19Z"
    file.write_text(json.dumps([impinj_read()] * 200 + [far]), encoding="utf-8")
    started = time.monotonic()
    done, _ = _run(gateway, file, speed=100.0)
    assert done.accepted == 201
    assert 0.1 <= time.monotonic() - started < 5.0


def test_an_outage_is_waited_for(impinj_read: Build, tmp_path: Path) -> None:
    """503 and a gateway that is away are tried again until they pass; a refusal is told."""
    file = tmp_path / "reads.json"
    file.write_text(json.dumps([impinj_read()]), encoding="utf-8")
    answers = [503, None, 200, 200]

    def answer(_: httpx.Request) -> httpx.Response:
        status = answers.pop(0)
        if status is None:
            raise httpx.ConnectError("away")
        return httpx.Response(status, json={"accepted": 1})

    async def scenario(transport: httpx.MockTransport) -> list[Progress]:
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await replay([file], Replay(url=""), report=lambda _: None, client=client)

    (done,) = asyncio.run(scenario(httpx.MockTransport(answer)))
    assert (done.posts, done.accepted, answers) == (1, 1, [])
    with pytest.raises(Rejected, match="401"):
        asyncio.run(scenario(httpx.MockTransport(lambda _: httpx.Response(401, json={}))))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", '[{"eventType": "tagInventory", "tagInventoryEvent": {}}]', Format.IMPINJ),
        ("a.jsonl", '{"type": "SIMPLE", "timestamp": "x", "data": {}}\n{', Format.ZEBRA),
        ("a.json", '{"data": "]C1", "scanner": "s"}', Format.SCANS),
        ("a.json", '{"reader": "r", "t0_us": 0, "tags": []}', Format.BATCHES),
        ("a.json", '{"@context": [], "type": "EPCISDocument"}', Format.EVENTS),
        ("a.json", '{"type": "EPCISQueryDocument"}', Format.EVENTS),
        ("a.xml", "<inventory/>", Format.KEONN),
    ],
)
def test_formats_are_known_by_their_first_item(name: str, content: str, expected: Format, tmp_path: Path) -> None:
    """Nobody has to say what a file holds."""
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    assert guess_format(file) is expected


def test_a_file_of_nothing_known_is_refused(tmp_path: Path) -> None:
    """The message names the file."""
    file = tmp_path / "a.json"
    for content in ("[1]", '{"a": 1}', ""):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(Rejected, match=r"a\.json"):
            guess_format(file)


def test_what_is_no_json_travels_alone(tmp_path: Path, impinj_read: Build) -> None:
    """A broken tail of a recording spoils no item beside it."""
    file = tmp_path / "a.json"
    file.write_text(json.dumps([impinj_read()])[:-1] + ', {"cut', encoding="utf-8")
    bodies = [post.body for post in posts_of(file, Format.IMPINJ)]
    assert bodies == [b'{"cut', b"[" + json.dumps(impinj_read()).encode() + b"]"]


def test_events_and_batches_a_line_each(tmp_path: Path) -> None:
    """Lines of doors that take no lines travel in arrays; documents, arrays and broken lines each alone."""
    file = tmp_path / "a.jsonl"
    lines = [b'{"type":"ObjectEvent","eventTime":"x"}', b'{"epcisBody":{}}', b'{"cut', b"[1]", b'{"eventTime":"y"}']
    file.write_bytes(b"\r\n".join(lines) + b"\n\n")
    for kind in (Format.EVENTS, Format.BATCHES):
        bodies = [post.body for post in posts_of(file, kind)]
        assert bodies == [lines[1], lines[2], lines[3], b"[" + lines[0] + b"," + lines[4] + b"]"]


def test_a_refused_document_stops_no_replay(bench: Build, tmp_path: Path) -> None:
    """A file that is no document is one dead letter and is counted; a refusal that keeps nothing is told."""
    gateway = bench()
    file = tmp_path / "a.json"
    file.write_text('{"type": "EPCISDocument", "eventTime": 1}', encoding="utf-8")
    done, _ = _run(gateway, file)
    assert (done.accepted, done.rejected) == (0, 1)
    assert [letter.value for letter in gateway.of("dead-letters.v1")] == [file.read_bytes()]
    with pytest.raises(Rejected, match="400"):
        _run(gateway, file, reader="x" * 300)
