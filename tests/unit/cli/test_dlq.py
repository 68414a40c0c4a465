"""`lotstream dlq` for people: instants, counts, bytes, and what is said when there is nothing."""

import time
from typing import Any

import click
import pytest
from rich.console import Console

from lotstream.cli.dlq_answers import DeadLetterDeeds, LetterDeed, Tally, shown_of
from lotstream.cli.dlq_options import Instant, full_name
from lotstream.cli.dlq_tables import hexdump, show_deeds, show_letter, show_list
from lotstream.readers.letters import Deeds, Letter
from lotstream.readers.resend import Outcome
from lotstream.runtime.errors import Reason
from lotstream.runtime.settings import Settings
from lotstream.schemas.operations import Action, DeadLetter, Operation

HOUR_US = 3_600_000_000


def letter(number: int, value: bytes = b"bytes", **said: Any) -> Letter:
    known = {
        "reason": Reason.JSON_INVALID,
        "detail": "Expected [JSON], got bytes.",
        "source": "r1",
        "stage": "gateway",
        "origin": f"impinj:q{number}:0",
        "received_us": number,
    }
    return Letter(f"dead-letters.v1:0:{number}", number, DeadLetter(**(known | said)), value)


def done(one: Letter, action: Action) -> Deeds:
    deed = Operation(action=action, subject=one.id, digest=one.digest, by="ann", why="test", at_us=1)
    return Deeds({one.digest: [deed]})


def said(show: Any, *given: Any, **named: Any) -> str:
    out = Console(record=True, width=200, highlight=False)
    show(*given, out, **named)
    return out.export_text()


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("2026-03-02T10:00:00Z", 1_772_445_600_000_000),
        ("2026-03-02T11:00:00+01:00", 1_772_445_600_000_000),
        ("2026-03-02 10:00", 1_772_445_600_000_000),
    ],
)
def test_instants(text: str, us: int) -> None:
    """ISO 8601, in UTC where it names no offset."""
    assert Instant().convert(text, None, None) == us


def test_instants_ago() -> None:
    """'2h' is two hours before now; what is no time is a mistake of the command line."""
    ago = time.time() * 1e6 - Instant().convert("2h", None, None)
    assert abs(ago - 2 * HOUR_US) < 10_000_000
    with pytest.raises(click.BadParameter, match="yesterday"):
        Instant().convert("yesterday", None, None)


def test_topics_go_by_either_name() -> None:
    """A topic of the table gets the prefix; a full name and a door stay as they are."""
    settings = Settings.model_validate({"topics": {"prefix": "p7."}})
    assert [full_name(name, settings) for name in ("reads.v1", "p7.reads.v1", "impinj")] == [
        "p7.reads.v1",
        "p7.reads.v1",
        "impinj",
    ]


def test_a_tally_counts_all_and_lists_the_newest() -> None:
    """Groups count every open letter, the largest first; of single ones the newest are kept, however many there are."""
    tally = Tally(Deeds(), limit=2, closed=False)
    for number in range(500):
        tally.add(letter(number, source="r1" if number % 5 else "r2"))
    answer = tally.answer()
    assert [(group.source, group.letters) for group in answer.groups] == [("r1", 400), ("r2", 100)]
    assert [row.id for row in answer.letters] == ["dead-letters.v1:0:499", "dead-letters.v1:0:498"]
    assert (answer.open, answer.truncated) == (500, True)


@pytest.mark.parametrize(("closed", "listed"), [(False, 1), (True, 2)])
def test_what_is_dealt_with_is_counted_and_listed_on_demand(closed: bool, listed: int) -> None:
    """A dropped letter is in no list unless asked for, and in the counts always."""
    first, second = letter(1), letter(2)
    tally = Tally(done(first, Action.DROP), limit=10, closed=closed)
    tally.add(first)
    tally.add(second)
    answer = tally.answer()
    assert (answer.open, answer.dropped, len(answer.letters)) == (1, 1, listed)


def test_nothing_is_said_to_be_nothing() -> None:
    """An empty list is no empty table."""
    assert said(show_list, Tally(Deeds(), limit=1, closed=False).answer()).startswith("No dead letters")
    one = letter(1)
    tally = Tally(done(one, Action.REPLAY), limit=1, closed=False)
    tally.add(one)
    assert said(show_list, tally.answer()).startswith("No open dead letters (1 replayed, 0 dropped; --all")


def test_texts_of_others_are_printed_as_they_are() -> None:
    """Brackets in a detail are no markup, in lists and in full."""
    tally = Tally(Deeds(), limit=1, closed=False)
    tally.add(letter(1))
    assert "0:1  1970" in said(show_list, tally.answer()) and "Expected [JSON], got" in said(show_list, tally.answer())
    shown = said(show_letter, shown_of(letter(1, b'{"a": [1]}'), Deeds()), as_hex=False)
    assert '10 bytes, untouched:\n{"a": [1]}' in shown and "Expected [JSON]" in shown


def test_bytes_that_are_no_text_are_dumped() -> None:
    """Every byte is shown, in hex and where it can be in ASCII; a terminal is never sent control characters."""
    data = bytes(range(18))
    lines = hexdump(data).splitlines()
    assert [line[:10] for line in lines] == ["00000000  ", "00000010  "]
    assert " ".join(line[10:57] for line in lines).split() == data.hex(" ").split()
    assert "00000000  1b 5b" in said(show_letter, shown_of(letter(1, b"\x1b[2J"), Deeds()), as_hex=False)


def test_outcomes_are_summed() -> None:
    """After the first letters one by one, how many of each outcome."""
    deeds = tuple(
        LetterDeed(id=str(n), outcome=Outcome.TAKEN if n % 3 else Outcome.REFUSED, detail="") for n in range(30)
    )
    text = said(show_deeds, DeadLetterDeeds(deeds=deeds))
    assert text.rstrip().endswith("10 refused, 20 taken.") and len(text.splitlines()) < 30
    assert "nothing to do" in said(show_deeds, DeadLetterDeeds(deeds=()))
