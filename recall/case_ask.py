"""Recall cases as the history has them."""

import itertools
import time
from datetime import datetime

from lotstream.recall.ask import start, took_ms
from lotstream.recall.case import Case, Decided, case_of
from lotstream.recall.case_answers import Cases, CaseStatus
from lotstream.recall.case_told import clauses_of, line_of, stages_of, trail_of
from lotstream.recall.find import NotFound
from lotstream.recall.store import History, Row
from lotstream.schemas.base import decode
from lotstream.schemas.decisions import DECISION
from lotstream.schemas.recalls import RecallContent

_POLL_S = 0.1


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
    return Decided(row["source_offset"], row["name"], content, content.at_us)


def case_status(history: History, name: str, *, now: datetime) -> CaseStatus:
    """A case with its clock, clauses, holds and trail. Raises CaseMissing, ClickhouseAway."""
    started = start(history)
    case = find_case(history, name)
    return CaseStatus(
        case=line_of(case, now=_now(history, now)),
        team=case.opened.team if case.opened else (),
        stages=stages_of(case),
        clauses=clauses_of(case.scope),
        holds=(),
        holds_wanted=0,
        trail=trail_of(case),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def case_list(history: History, *, now: datetime) -> Cases:
    """Every case, the newest first. Raises ClickhouseAway."""
    started = start(history)
    found = tuple(line_of(case, now=_now(history, now)) for case in cases(history))
    return Cases(cases=found, as_of=history.as_of, known_at=history.known_at, milliseconds=took_ms(started))


def wait_for(history: History, name: str, decision: str, *, within_s: float = 30.0) -> bool:
    """Whether the history has a decision in time. Raises ClickhouseAway."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if any(row["name"] == decision for row in history.ask("recall_decisions", case=name)):
            return True
        time.sleep(_POLL_S)
    return False


def _now(history: History, now: datetime) -> datetime:
    return history.as_of or history.known_at or now
