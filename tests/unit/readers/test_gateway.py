"""The doors of the gateway over doubles for Kafka."""

import asyncio
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lotstream.readers.messages import Message
from lotstream.schemas.operations import parse_dead_letter
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.reads import read_columns

Build = Callable[..., Any]


def test_reads_are_stamped_with_place_time_and_request(bench: Build, impinj_read: Build, now_us: int) -> None:
    """A read arrives in the batch of its door with the mapping's word, the receipt and the request's id."""
    gateway = bench()

    async def scenario() -> None:
        answer = await gateway.post("/readers/impinj", [impinj_read(), impinj_read(antenna=3, ms=5)], X_Request_Id="q1")
        assert answer.status_code == 200
        assert answer.json() == {
            "accepted": 2,
            "rejected": 0,
            "reader_events": 0,
            "dead_letters": [],
            "request": "q1",
        }
        assert answer.headers["x-request-id"] == "q1"

    asyncio.run(scenario())
    (batch,) = gateway.batches()
    assert (batch.reader, batch.read_point, batch.door) == ("r1", "dock-1", "docks")
    assert (batch.inside, batch.outside, batch.inner, batch.outer) == ("hall", "yard", [1, 2], [3])
    assert (batch.stamp.received_us, batch.stamp.source, batch.stamp.request) == (now_us, "r1", "q1")
    assert batch.tags == ["3074257BF7194E4000001A85"]
    assert (batch.tag, batch.antenna, batch.last, batch.rssi) == ([0, 0], [1, 3], [0, 5_000], [-5325, -5325])
    assert gateway.of("reads.v1")[0].partition == partition_of("docks", 4)
    assert read_columns(batch).last_us.tolist() == [now_us - 1_000_000, now_us - 995_000]


def test_antennas_of_one_reader_part_into_their_read_points(bench: Build, impinj_read: Build) -> None:
    """A reader at two doors gives a batch for each."""
    gateway = bench()
    asyncio.run(gateway.post("/readers/impinj", [impinj_read(), impinj_read(antenna=4)]))
    assert sorted(batch.read_point for batch in gateway.batches()) == ["dock-1", "dock-2"]


def test_an_unknown_reader_is_kept(bench: Build, impinj_read: Build) -> None:
    """What the mapping does not know is never refused: its reads lie at unmapped/<reader>."""
    gateway = bench()
    answer = asyncio.run(gateway.post("/readers/impinj", [impinj_read(reader="new"), impinj_read(antenna=9)]))
    assert answer.json()["accepted"] == 2
    assert {(b.read_point, b.door, b.inside) for b in gateway.batches()} == {
        ("unmapped/new",) * 3,
        ("unmapped/r1",) * 3,
    }


def test_a_bad_item_goes_alone_to_the_dead_letters(bench: Build, impinj_read: Build) -> None:
    """Beside a bad item the good ones go on; the dead letter has its untouched bytes, reason and place."""
    gateway = bench()
    bad = b'{ "tagInventoryEvent" : {"epcHex": "xyz"} }'
    good = json.dumps(impinj_read()).encode()
    answer = asyncio.run(gateway.post("/readers/impinj", b"[" + good + b", " + bad + b"]", X_Request_Id="q2"))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (1, 1)
    assert body["dead_letters"][0]["index"] == 1
    assert body["dead_letters"][0]["reason"] == "identifier_invalid"
    (letter,) = gateway.of("dead-letters.v1")
    assert letter.value == bad
    told = parse_dead_letter(letter.headers)
    assert (told.stage, told.origin, told.reason) == ("gateway", "impinj:q2:1", "identifier_invalid")


def test_no_json_at_all_is_one_dead_letter_and_2xx(bench: Build) -> None:
    """A reader cannot act on a 400: bytes that are no JSON are kept whole and acknowledged."""
    gateway = bench()
    answer = asyncio.run(gateway.post("/readers/zebra", b"\xff\x00 not json\n at all"))
    assert (answer.status_code, answer.json()["rejected"]) == (200, 1)
    assert [letter.value for letter in gateway.of("dead-letters.v1")] == [b"\xff\x00 not json\n at all"]


def test_a_huge_dead_letter_is_kept_in_parts(bench: Build) -> None:
    """Untouched bytes beyond what a broker takes in a message are kept in several, none lost."""
    gateway = bench()
    body = b"x" * 2_000_000
    answer = asyncio.run(gateway.post("/readers/impinj", body, X_Request_Id="q"))
    assert answer.status_code == 200
    letters = gateway.of("dead-letters.v1")
    assert b"".join(letter.value for letter in letters) == body
    assert [parse_dead_letter(letter.headers).origin for letter in letters] == [
        "impinj:q:0:1/3",
        "impinj:q:0:2/3",
        "impinj:q:0:3/3",
    ]


def test_503_when_kafka_does_not_take_it(bench: Build, failing: Any, impinj_read: Build) -> None:
    """Nothing is acknowledged that the brokers have not; the answer says when to come again."""
    gateway = bench(failing)
    for path, body in (("/readers/impinj", [impinj_read()]), ("/readers/zebra", b"?"), ("/batches", _native())):
        answer = asyncio.run(gateway.post(path, body))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
        assert answer.json()["error"] == "unavailable"


def test_the_answer_waits_for_delivery(bench: Build, slow: Build, impinj_read: Build) -> None:
    """A request is answered only after every message of it is delivered."""

    async def scenario() -> None:
        producer = slow()
        gateway = bench(producer)
        asked = asyncio.create_task(gateway.post("/readers/impinj", [impinj_read()]))
        await asyncio.sleep(0.05)
        assert not asked.done()
        producer.let.set()
        assert (await asked).status_code == 200

    asyncio.run(scenario())


def test_small_posts_meet_in_one_batch(bench: Build, slow: Build, impinj_read: Build) -> None:
    """What comes while a message of the same reader and read point is under way goes into one next message."""

    async def scenario() -> None:
        producer = slow()
        gateway = bench(producer, batch_ms=10_000)
        asked = [asyncio.create_task(gateway.post("/readers/impinj", [impinj_read(ms=n)])) for n in range(20)]
        while producer.calls == 0:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        producer.let.set()
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
        assert [len(batch) for batch in gateway.batches()] == [1, 19]

    asyncio.run(scenario())


def test_a_read_waits_no_longer_than_the_longest_wait(bench: Build, slow: Build, impinj_read: Build) -> None:
    """A batch that does not fill goes out after batch_ms although the one before it is still under way."""

    async def scenario() -> None:
        producer = slow()
        gateway = bench(producer, batch_ms=20)
        asked = [asyncio.create_task(gateway.post("/readers/impinj", [impinj_read(ms=n)])) for n in range(3)]
        await asyncio.sleep(0.2)
        assert producer.calls == 2
        producer.let.set()
        await asyncio.gather(*asked)

    asyncio.run(scenario())


def test_a_failed_batch_fails_every_request_in_it(bench: Build, failing: Any, impinj_read: Build) -> None:
    """All requests whose reads were in a message that was not taken hear 503."""

    async def scenario() -> None:
        gateway = bench(failing, batch_ms=20)
        asked = [gateway.post("/readers/impinj", [impinj_read(ms=n)]) for n in range(5)]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {503}

    asyncio.run(scenario())


@pytest.mark.parametrize("tag", ["no tag", "3074257BF7194E4000001A85"])
def test_a_bug_on_the_way_to_kafka_leaves_nobody_waiting(bench: Build, impinj_read: Build, tag: str) -> None:
    """Every request whose letters or reads went out with others hears of an error that is no outage."""

    class Broken:
        async def send(self, messages: Sequence[Message]) -> None:
            await asyncio.sleep(0.02)
            raise RuntimeError("a bug")

    async def scenario() -> None:
        gateway = bench(Broken())
        asked = [gateway.post("/readers/impinj", [impinj_read(tag, ms=n)]) for n in range(5)]
        async with asyncio.timeout(5):
            heard = await asyncio.gather(*asked, return_exceptions=True)
        assert [str(one) for one in heard] == ["a bug"] * 5

    asyncio.run(scenario())


def test_a_large_dead_letter_waits_for_no_other(bench: Build, slow: Build, impinj_read: Build) -> None:
    """What a broker might find too large goes out alone, so that nothing else is refused with it."""

    async def scenario() -> None:
        producer = slow()
        gateway = bench(producer)
        bad = [impinj_read("no tag"), impinj_read("no tag" * 20_000)]
        asked = [asyncio.create_task(gateway.post("/readers/impinj", [item])) for item in bad]
        await asyncio.sleep(0.2)
        assert producer.calls == 2
        producer.let.set()
        await asyncio.gather(*asked)

    asyncio.run(scenario())


def test_dead_letters_that_are_not_taken_fail_their_requests(bench: Build, failing: Any, impinj_read: Build) -> None:
    """No request is answered 2xx whose dead letters went out with others and were not taken."""

    async def scenario() -> None:
        gateway = bench(failing)
        asked = [gateway.post("/readers/impinj", [impinj_read("no tag", ms=n)]) for n in range(5)]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {503}

    asyncio.run(scenario())


def test_large_posts_are_cut_into_full_batches(bench: Build, impinj_read: Build) -> None:
    """No message has more reads than batch_reads, and the source's sequence counts them."""
    gateway = bench(batch_reads=4)
    asyncio.run(gateway.post("/readers/impinj", [impinj_read(ms=n) for n in range(10)]))
    assert [(len(batch), batch.sequence) for batch in gateway.batches()] == [(4, 0), (4, 1), (2, 2)]


def test_a_retried_request_gives_the_same_identities(bench: Build, impinj_read: Build) -> None:
    """Sent twice, a request gives reads of the same (reader, antenna, tag, own time)."""
    gateway = bench()

    async def scenario() -> None:
        body = [impinj_read(), impinj_read(ms=3)]
        await gateway.post("/readers/impinj", body, X_Request_Id="q")
        gateway.clock.now += 7_000_000
        await gateway.post("/readers/impinj", body, X_Request_Id="q")

    asyncio.run(scenario())
    first, second = (
        {(b.reader, a, b.tags[t], b.t0_us + at) for a, t, at in zip(b.antenna, b.tag, b.last, strict=True)}
        for b in gateway.batches()
    )
    assert first == second


def test_413_for_a_body_that_is_too_large(bench: Build) -> None:
    """Too large is refused by its declared length, by what arrives in chunks, and by what unpacks to it."""
    gateway = bench(max_body_bytes=1_024)

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 100

    async def scenario() -> None:
        assert (await gateway.post("/readers/impinj", b" " * 1_025)).status_code == 413
        assert (await gateway.client.post("/readers/impinj", content=chunks())).status_code == 413
        bomb = gzip.compress(b" " * 10_000_000)
        assert len(bomb) < 12_000
        packed = await gateway.post("/readers/impinj", bomb[:1_000], Content_Encoding="gzip")
        assert packed.status_code == 413
        assert packed.json()["error"] == "too_large"

    asyncio.run(scenario())
    assert gateway.producer.sent == []


def test_packed_bodies_are_unpacked(bench: Build, impinj_read: Build) -> None:
    """gzip and deflate bodies count as what is in them; bytes that are neither are refused."""
    gateway = bench()
    body = json.dumps([impinj_read()]).encode()

    async def scenario() -> None:
        for encoding, packed in (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))):
            answer = await gateway.post("/readers/impinj", packed, Content_Encoding=encoding)
            assert answer.json()["accepted"] == 1
        assert (await gateway.post("/readers/impinj", body, Content_Encoding="gzip")).status_code == 415
        assert (
            await gateway.post("/readers/impinj", gzip.compress(body)[:-20], Content_Encoding="gzip")
        ).status_code == 415
        assert (await gateway.post("/readers/impinj", body, Content_Encoding="br")).status_code == 415

    asyncio.run(scenario())


def test_401_without_the_token_of_the_source(bench: Build, tmp_path: Path, impinj_read: Build) -> None:
    """Once tokens are set, a request needs one, and its source is the token's; a hashed token works alike."""
    tokens = tmp_path / "tokens"
    digest = hashlib.sha256(b"bob").hexdigest()
    tokens.write_text(f"# sources\ngate-1 alice\ngate-2 sha256:{digest}\n", encoding="utf-8")
    gateway = bench(tokens=tokens)

    async def scenario() -> None:
        async def status(**headers: str) -> int:
            return int((await gateway.post("/readers/impinj", [impinj_read()], **headers)).status_code)

        assert await status() == 401
        assert await status(Authorization="Bearer wrong") == 401
        assert await status(Authorization="Basic alice") == 401
        assert await status(Authorization="Bearer alice", Lotstream_Source="gate-2") == 401
        assert await status(Authorization="Bearer alice") == 200
        assert await status(Authorization="Bearer bob") == 200

    asyncio.run(scenario())
    assert [batch.stamp.source for batch in gateway.batches()] == ["gate-1", "gate-2"]


def test_native_batches_say_what_is_wrong(bench: Build) -> None:
    """A program hears the field, what was expected there and what was got, and nothing of its request is kept."""
    gateway = bench()
    short = _native() | {"last": [0]}
    unknown = _native() | {"colour": 1}
    far = _native() | {"rssi": [-5_000, 99_999]}
    future = _native() | {"t0_us": 4_000_000_000_000_000}

    async def scenario() -> None:
        for body, field in (
            (short, "message"),
            (unknown, "colour"),
            (far, "rssi"),
            (future, "time"),
            (b"{", "message"),
        ):
            answer = await gateway.post("/batches", body, Lotstream_Origin="file")
            told = answer.json()
            assert answer.status_code == 400, told
            assert told["field"] == field
            assert told["expected"]
            assert told["got"]

    asyncio.run(scenario())
    assert gateway.producer.sent == []


def test_native_batches_keep_their_columns(bench: Build) -> None:
    """What a program sends in columns arrives in the same columns."""
    gateway = bench()
    answer = asyncio.run(gateway.post("/batches", [_native(), _native() | {"reader": "r2"}], Lotstream_Source="sim"))
    assert answer.json()["accepted"] == 4
    by_reader = {batch.reader: batch for batch in gateway.batches()}
    assert set(by_reader) == {"r1", "r2"}
    batch = by_reader["r2"]
    assert (batch.read_point, batch.tags, batch.tag) == ("dock-2", ["30AA", "30BB"], [0, 1])
    columns = read_columns(batch)
    assert [time - 1_772_445_605_000_000 for time in columns.first_us] == [0, 200]
    assert [time - 1_772_445_605_000_000 for time in columns.last_us] == [100, 200]
    assert columns.count.tolist() == [3, 1]
    assert batch.stamp.source == "sim"


def test_the_end_of_a_source_reaches_its_doors(bench: Build, impinj_read: Build) -> None:
    """Every door that a source touched gets its end; doors can also be named."""
    gateway = bench()

    async def scenario() -> None:
        reads = [impinj_read(), impinj_read(reader="new")]
        await gateway.post("/readers/impinj", reads, Lotstream_Source="f", Lotstream_Origin="file")
        assert (await gateway.post("/sources/f/end", b"")).json()["ended"] == ["docks", "unmapped/new"]
        assert (await gateway.post("/sources/f/end", b"")).json()["ended"] == []
        assert (await gateway.post("/sources/g/end", {"doors": ["scale"]})).json()["ended"] == ["scale"]
        assert (await gateway.post("/sources/g/end", {"door": 1})).status_code == 400

    asyncio.run(scenario())
    assert [(end.source, end.door) for end in gateway.ends()] == [
        ("f", "docks"),
        ("f", "unmapped/new"),
        ("g", "scale"),
    ]
    assert gateway.batches()[0].stamp.origin == "file"


def test_an_origin_is_one_of_three(bench: Build, impinj_read: Build) -> None:
    """A wrong Lotstream-Origin is the caller's mistake, and nothing is kept under a guess."""
    gateway = bench()
    answer = asyncio.run(gateway.post("/readers/impinj", [impinj_read()], Lotstream_Origin="later"))
    assert (answer.status_code, answer.json()["field"]) == (400, "Lotstream-Origin")


def test_every_answer_is_json_with_a_request_id(bench: Build) -> None:
    """Also a door that is not there, and a method that it does not know."""
    gateway = bench()

    async def scenario() -> None:
        for answer in (await gateway.post("/nowhere", b""), await gateway.client.get("/batches")):
            assert answer.headers["content-type"] == "application/json"
            assert answer.json()["request"] == answer.headers["x-request-id"]
            assert answer.status_code in (404, 405)

    asyncio.run(scenario())


def test_health_and_metrics(bench: Build, impinj_read: Build) -> None:
    """/healthz and /readyz answer in JSON; /metrics counts reads by format and read point."""
    gateway = bench()

    async def scenario() -> None:
        await gateway.post("/readers/impinj", [impinj_read(), impinj_read(reader="new")])
        assert (await gateway.client.get("/healthz")).json()["alive"]
        assert (await gateway.client.get("/readyz")).json()["ready"]
        page = (await gateway.client.get("/metrics")).text
        assert 'lotstream_reads_received_total{format="impinj",read_point="dock-1"} 1.0' in page
        assert 'lotstream_reads_received_total{format="impinj",read_point="unmapped"} 1.0' in page

    asyncio.run(scenario())


def _native() -> dict[str, Any]:
    return {
        "reader": "r1",
        "t0_us": 1_772_445_605_000_000,
        "tags": ["30AA", "30BB"],
        "tag": [0, 1],
        "antenna": [1, 1],
        "last": [100, 200],
        "first": [0, 200],
        "count": [3, 1],
    }
