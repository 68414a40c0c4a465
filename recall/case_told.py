"""A recall case as it is told: its line, its clock, its clauses, its trail. Pure."""

from datetime import UTC, datetime, timedelta

from lotstream.recall.case import Case, Entry, Scope
from lotstream.recall.case_answers import CaseLine, ScopeClause, Stage, TrailEntry
from lotstream.recall.clauses import words
from lotstream.schemas.recalls import Clause

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS = ("open", "scope", "initiate", "close")


def line_of(case: Case, *, now: datetime) -> CaseLine:
    """A case in one line; its clock runs until it is closed, or until ``now``."""
    begun, ended = case.when("open"), case.when("close")
    elapsed = 0.0 if begun is None else _seconds((instant_of(ended) if ended is not None else now) - instant_of(begun))
    return CaseLine(
        case=case.name,
        recall=case.kind.value,
        mock=case.mock,
        state=case.state.value,
        title=case.opened.title if case.opened else "",
        opened_at=None if begun is None else instant_of(begun),
        elapsed_s=elapsed,
        scope_version=len(case.scopes),
    )


def stages_of(case: Case) -> tuple[Stage, ...]:
    """The steps that were taken, each when it was first, and how long after the case was opened."""
    taken = [(step, instant_of(at)) for step, at in ((step, case.when(step)) for step in _STEPS) if at is not None]
    return tuple(
        Stage.model_validate({"step": step, "at": at, "elapsed_s": _seconds(at - taken[0][1])}) for step, at in taken
    )


def clauses_of(scope: Scope) -> tuple[ScopeClause, ...]:
    """The clauses of a scope by number: those that are in it first."""
    return tuple(
        ScopeClause(
            number=number,
            excluded=number > len(scope.include),
            clause=clause.model_dump(mode="json", exclude_none=True),
            words=words(clause),
        )
        for number, clause in enumerate(numbered(scope), start=1)
    )


def numbered(scope: Scope) -> tuple[Clause, ...]:
    """The clauses in the order of their numbers."""
    return (*scope.include, *scope.exclude)


def trail_of(case: Case) -> tuple[TrailEntry, ...]:
    """Who decided what, when and why, in the order of the log."""
    return tuple(map(_entry, case.trail))


def _entry(entry: Entry) -> TrailEntry:
    content = entry.decided.content
    return TrailEntry(
        step=content.deed.step,
        at=instant_of(entry.decided.at_us),
        by=content.by,
        reason=content.reason,
        version=entry.version,
        refused=entry.refused,
        said=content.deed.model_dump(mode="json", exclude={"step"}, exclude_defaults=True),
        decision=entry.decided.decision,
    )


def instant_of(at_us: int) -> datetime:
    """An instant of the log."""
    return _EPOCH + timedelta(microseconds=at_us)


def _seconds(span: timedelta) -> float:
    return max(0.0, span.total_seconds())
