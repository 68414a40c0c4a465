"""Dead letters as a person meets them: parts are one, copies are one, and filters mean what they say."""

from typing import Any

import pytest

from lotstream.readers.letters import Deeds, Filter, Letter, State, assembled, letter_of
from lotstream.runtime.errors import Reason
from lotstream.runtime.log import LogRecord
from lotstream.schemas.operations import Action, DeadLetter, Operation, carried

TOPIC = "dead-letters.v1"


def record(offset: int, value: bytes = b"bytes", *, partition: int = 0, at_us: int = 10, **said: Any) -> LogRecord:
    known = {
        "reason": Reason.JSON_INVALID,
        "detail": "Expected JSON, got bytes.",
        "source": "r1",
        "stage": "gateway",
        "origin": "impinj:q1:0",
        "received_us": 9,
    }
    headers = DeadLetter(**(known | said)).headers() + carried(b"k", (("h", b"v"),))
    return LogRecord(TOPIC, partition, offset, at_us, b"r1", value, headers)


def test_a_letter_in_parts_is_one() -> None:
    """What was too large for one message is one letter again: the id of its first part, all of its bytes."""
    parts = [record(n, b"%d" % n, origin=f"reads:q:1:7:{n + 1}/3") for n in range(3)]
    other = record(9, origin="reads:q:1:8")
    found = list(assembled([parts[0], other, parts[1], parts[2]]))
    assert [(one.id, one.value, one.said.origin, one.whole) for one in found] == [
        ("dead-letters.v1:0:9", b"bytes", "reads:q:1:8", True),
        ("dead-letters.v1:0:0", b"012", "reads:q:1:7", True),
    ]


def test_a_letter_with_a_part_missing_is_shown_as_far_as_it_goes() -> None:
    """A part that retention took makes a letter that is not whole, never another letter's bytes."""
    (found,) = assembled([record(0, b"a", origin="reads:q:7:1/3"), record(2, b"c", origin="reads:q:7:3/3")])
    assert (found.value, found.whole) == (b"a", False)


def test_the_record_comes_back() -> None:
    """Key and headers of the record that it was stand in the letter."""
    letter = letter_of(record(3))
    assert (letter.id, letter.key, letter.headers) == ("dead-letters.v1:0:3", b"k", (("h", b"v"),))


def test_foreign_headers_make_a_letter_too() -> None:
    """What others wrote into the topic is listed with what can be said of it."""
    letter = letter_of(LogRecord(TOPIC, 1, 2, 10, None, None, (("x", b"y"),)))
    assert (letter.said.source, letter.said.reason, letter.value) == ("unknown", Reason.SCHEMA_INVALID, b"")


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (Filter(), True),
        (Filter(reasons=frozenset({"json_invalid", "cycle"})), True),
        (Filter(reasons=frozenset({"cycle"})), False),
        (Filter(source="r1", stage="gateway"), True),
        (Filter(source="r"), False),
        (Filter(stage="smooth"), False),
        (Filter(places=frozenset({"impinj"})), True),
        (Filter(places=frozenset({"reads.v1"})), False),
        (Filter(since_us=10, until_us=11), True),
        (Filter(since_us=11), False),
        (Filter(until_us=10), False),
    ],
)
def test_filters(wanted: Filter, holds: bool) -> None:
    """Every condition of a filter has to hold; until is excluded."""
    assert wanted.holds(letter_of(record(0))) is holds


def test_the_last_deed_counts_for_every_copy() -> None:
    """A letter that was dropped after a replay is dropped, whichever copy is asked."""
    first, copy = letter_of(record(0)), letter_of(record(5, at_us=99))

    def deed(action: Action, at_us: int) -> Operation:
        return Operation(action=action, subject=first.id, digest=first.digest, by="ann", at_us=at_us)

    assert Deeds().state(first) is State.OPEN
    deeds = Deeds({first.digest: [deed(Action.REPLAY, 1), deed(Action.DROP, 2)]})
    assert deeds.state(copy) is State.DROPPED
    other: Letter = letter_of(record(6, b"other"))
    assert deeds.state(other) is State.OPEN
