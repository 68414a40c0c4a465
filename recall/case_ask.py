"""Recall cases as the history has them."""

import itertools
import time
from datetime import datetime

from lotstream.recall.ask import start, took_ms
from lotstream.recall.case import Case, Decided, case_of
from lotstream.recall.case_answers import Cases
from lotstream.recall.case_told import line_of
from lotstream.recall.find import NotFound
from lotstream.recall.store import History, Row
from lotstream.runtime.errors import Transient
from lotstream.schemas.base import decode
from lotstream.schemas.decisions import DECISION, decision_hash
from lotstream.schemas.recalls import RecallContent

WAIT_S = 30.0
POLL_S = 0.1


class CaseMissing(NotFound):
    """No case of that name."""


def find_case(history: History, name: str) -> Case:
    """A case by its name. Raises CaseMissing with those that there are, ClickhouseAway."""
    rows = history.ask("recall_decisions", case=name) if name else []
    if not rows:
        near = [case.name for case in cases(history)]
        raise CaseMissing(text=name, what="recall case", near=near[:20], hint="All of them: lotstream recall list.")
    return case_of(name, map(_decided, rows))


def cases(history: History) -> list[Case]:
    """Every case, the newest first. Raises ClickhouseAway."""
    told = itertools.groupby(history.ask("recall_decisions", case=""), key=lambda row: str(row["case"]))
    found = [case_of(name, map(_decided, rows)) for name, rows in told]
    return sorted(found, key=lambda case: (-(case.when("open") or 0), case.name))


def _decided(row: Row) -> Decided:
    content = decode(DECISION, row["text"].encode())
    assert isinstance(content, RecallContent)
    assert content.at_us is not None  # the gateway says it where the sender does not
    # of what the gateway made of it, so that one that is sent again from the history is the same
    return Decided(row["source_offset"], decision_hash(content), content, content.at_us)


def case_list(history: History, *, now: datetime) -> Cases:
    """Every case, the newest first. Raises ClickhouseAway."""
    started = start(history)
    found = tuple(line_of(case, now=now_of(history, now)) for case in cases(history))
    return Cases(cases=found, as_of=history.as_of, known_at=history.known_at, milliseconds=took_ms(started))


def wait_for(history: History, name: str, decision: str) -> Case:
    """The case as soon as the history has a decision. Raises Transient when that is not in time, ClickhouseAway."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        known = [_decided(row) for row in history.ask("recall_decisions", case=name)]
        if any(one.decision == decision for one in known):
            return case_of(name, known)
        time.sleep(POLL_S)
    hint = "It is in the log and will come: see lotstream recall status; holds that are missing then, initiate places."
    raise Transient(f"Expected the history to have the decision within {WAIT_S:.0f} s, got none of it. {hint}")


def now_of(history: History, now: datetime) -> datetime:
    """The instant that a question is of."""
    return history.as_of or history.known_at or now
