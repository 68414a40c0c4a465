"""The traceability test record of a mock recall: what was traced, from when to when, by whom, how much was found."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from lotstream.recall.answers import Accounted, Answer
from lotstream.recall.ask import start, took_ms
from lotstream.recall.balance import balance
from lotstream.recall.case import Case
from lotstream.recall.case_answers import CaseLine, ScopeClause, Stage
from lotstream.recall.case_ask import now_of
from lotstream.recall.case_told import clauses_of, line_of, stages_of
from lotstream.recall.scope_ask import scope_now
from lotstream.recall.store import History
from lotstream.recall.trace_answer import Delivery, Direction, Trace, TraceNode
from lotstream.recall.trace_ask import trace_of_lots

DISCLAIMER = "It records an exercise; it supports compliance and certifies nothing."


class RecordLot(Answer):
    """A lot of the exercise, and what became of everything that was made of it."""

    lot: str
    description: str
    supplier_code: str
    part: bool = Field(description="only a part of it is in the scope; the balance is of all of it")
    accounted: tuple[Accounted, ...]


class Way(Answer):
    """The trace of all lots of the exercise in one direction."""

    lots: tuple[TraceNode, ...] = Field(description="what was reached, the starts aside")
    deliveries: tuple[Delivery, ...] = Field(description="forward: to whom; back: from whom")
    capped: str = Field(description="why there is more than was told; empty: that is all")


class TestRecord(Answer):
    """`lotstream recall record CASE`: the traceability test record of a mock recall."""

    __test__ = False  # no test of ours

    kind: Literal["recall_record"] = "recall_record"
    v: Literal[1] = 1
    case: CaseLine
    started_at: datetime | None
    ended_at: datetime | None = Field(description="absent: the clock is running")
    team: tuple[str, ...]
    stages: tuple[Stage, ...]
    clauses: tuple[ScopeClause, ...]
    lots: tuple[RecordLot, ...]
    back: Way
    forward: Way
    corrective: tuple[str, ...] = Field(description="corrective actions")
    signatures: tuple[str, ...] = Field(description="who signs")
    disclaimer: str = DISCLAIMER
    as_of: datetime | None = None
    known_at: datetime | None = None
    milliseconds: float


def record_of(history: History, case: Case, *, now: datetime) -> TestRecord:
    """The record of a case. Raises NotFound where a name in its scope is not known, ClickhouseAway."""
    started = start(history)
    scope = scope_now(history, case.scope)
    parts = {lot.lot: lot.tags is not None for lot in scope.lots}
    line, stages = line_of(case, now=now_of(history, now)), stages_of(case)
    closed = [stage.at for stage in stages if stage.step == "close"]
    team = case.opened.team if case.opened else ()
    return TestRecord(
        case=line,
        started_at=line.opened_at,
        ended_at=closed[0] if closed else None,
        team=team,
        stages=stages,
        clauses=clauses_of(case.scope),
        lots=tuple(_lots(history, parts.items())),
        back=_way(history, sorted(parts), Direction.BACK),
        forward=_way(history, sorted(parts), Direction.FORWARD),
        corrective=case.closed.corrective if case.closed else (),
        signatures=(*team, "approved by"),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def _lots(history: History, parts: Iterable[tuple[str, bool]]) -> Iterable[RecordLot]:
    for lot, part in parts:
        told = balance(history, lot)
        said = told.lot
        yield RecordLot(
            lot=lot,
            description=said.description,
            supplier_code=said.supplier_code,
            part=part,
            accounted=told.accounted,
        )


def _way(history: History, lots: Sequence[str], direction: Direction) -> Way:
    if not lots:
        return Way(lots=(), deliveries=(), capped="")
    found: Trace = trace_of_lots(history, lots, direction=direction)
    reached = tuple(node for node in found.nodes if node.steps)
    return Way(lots=reached, deliveries=found.deliveries, capped=found.capped)
