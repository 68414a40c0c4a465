"""What became of dead letters that were sent again to their topics: whoever refused them has passed them since."""

from collections.abc import Sequence
from dataclasses import replace

from lotstream.readers.letters import Filter, Letter, Letterbox
from lotstream.readers.resend import Outcome, Resent
from lotstream.runtime.errors import Transient
from lotstream.runtime.passage import Passage, Vector
from lotstream.runtime.settings import Settings
from lotstream.schemas.operations import LETTER_HEADER


def outcomes(
    resent: Sequence[Resent], settings: Settings, *, box: Letterbox, since_us: int, within_s: float
) -> list[Resent]:
    """The same with SENT made TAKEN or REFUSED; what is not passed within the time stays SENT.

    ``since_us`` is before the first was sent. Raises Transient when the brokers do not answer.
    """
    passed = _passed(resent, settings, within_s=within_s)
    again = {}
    for letter in box.letters(Filter(since_us=since_us)):
        name = dict(letter.headers).get(LETTER_HEADER, b"").decode("utf-8", "replace")
        again[name] = f"{letter.said.reason}: {letter.said.detail}"
    found = []
    for one in resent:
        if one.outcome is Outcome.SENT and one.letter.id in again:
            one = replace(one, outcome=Outcome.REFUSED, detail=again[one.letter.id])
        elif one.outcome is Outcome.SENT and _group(one.letter, settings) in passed:
            one = replace(one, outcome=Outcome.TAKEN)
        found.append(one)
    return found


def _passed(resent: Sequence[Resent], settings: Settings, *, within_s: float) -> set[str]:
    """The groups that have passed all that was sent to them."""
    ends: dict[str, Vector] = {}
    for one in resent:
        if one.outcome is Outcome.SENT:
            topic, partition, offset = one.at.rsplit(":", 2)
            wanted = ends.setdefault(_group(one.letter, settings), {})
            wanted[topic, int(partition)] = max(int(offset) + 1, wanted.get((topic, int(partition)), 0))
    passage, passed = Passage(settings.kafka), set()
    for group, wanted in ends.items():
        try:
            passage.await_passed(group, wanted, within_s=within_s)
        except Transient:
            continue  # it is away, or stops at one of them
        passed.add(group)
    return passed


def _group(letter: Letter, settings: Settings) -> str:
    """The consumer group that refused it."""
    said = letter.said
    return settings.group(said.source if said.stage == "sink" else said.stage)
