"""Dead letters and what people do about them, as they stand in Kafka."""

import pytest

from lotstream.runtime.errors import Reason
from lotstream.schemas.operations import (
    Action,
    DeadLetter,
    Headers,
    Operation,
    carried,
    letter_digest,
    original,
    park_command,
    parked,
    parse_dead_letter,
)

LETTER = DeadLetter(
    reason=Reason.SCHEMA_INVALID,
    detail="Expected a, got b.",
    source="erp",
    stage="register",
    origin="events.v1:0:7",
    received_us=1,
)


@pytest.mark.parametrize(
    ("key", "headers"),
    [(None, ()), (b"", ()), (b"k\xff", (("x", b"1"), ("x", b"\xff"), ("reason", b"theirs"), ("record-key", b"no")))],
)
def test_key_and_headers_come_back(key: bytes | None, headers: Headers) -> None:
    """A record's own key and headers stand beside those of the letter and come back as they were."""
    told = LETTER.headers() + carried(key, headers)
    assert parse_dead_letter(told) == LETTER
    assert original(told) == (key, headers)


def test_a_copy_is_known_by_its_digest() -> None:
    """When a letter was written is no part of it; its bytes, origin, reason and who refused it are."""
    digest = letter_digest(LETTER, b"bytes")
    assert letter_digest(LETTER.model_copy(update={"received_us": 2, "detail": "other words"}), b"bytes") == digest
    for change in ({"origin": "events.v1:0:8"}, {"stage": "sink"}, {"reason": Reason.CYCLE}, {"field": "x"}):
        assert letter_digest(LETTER.model_copy(update=change), b"bytes") != digest
    assert letter_digest(LETTER, b"other") != digest


def test_parks_are_the_parks_among_the_operations() -> None:
    """Drops and replays park nothing, and what a later version has written is passed over."""
    park = Operation(action=Action.PARK, subject="reads.v1:0:3", by="ann", why="stops smooth", at_us=1)
    drop = Operation(action=Action.DROP, subject="dead-letters.v1:0:0", digest="d", by="ann", why="test", at_us=1)
    found = parked([park.encode(), drop.encode(), b'{"kind":"operation","v":2}', b"\xff", None])
    assert list(found) == ["reads.v1:0:3"]
    why = found["reads.v1:0:3"]
    assert (why.reason, why.detail) == (
        Reason.PARKED,
        "Expected a record to decide, got one parked by ann: stops smooth.",
    )


def test_a_process_that_stops_says_the_command() -> None:
    """What it says ends with the command line as it is to be typed."""
    assert park_command("reads.v1:0:3").endswith(" lotstream dlq park reads.v1:0:3")
