"""A recall case is what was decided of it, in the order of the log: a fold over decisions. Pure.

A decision said twice is one. A decision that does not fit what was decided before it (a second initiation, a scope
after the close) stays in the trail with the reason why it has no effect; so two people who decide at once get one case.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from lotstream.schemas.recalls import CaseKind, Clause, Closed, Deed, Initiated, Opened, RecallContent, ScopeSaid


class CaseState(StrEnum):
    """Where a case is in its life."""

    DRAFT = "draft"
    MOCK = "mock"
    INITIATED = "initiated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as the log has it."""

    offset: int  # in its partition: all decisions of a case are in one
    decision: str  # hash of its content: its identity
    content: RecallContent
    at_us: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision in the trail of its case; ``refused`` says why it has no effect, empty where it has one."""

    decided: Decided
    refused: str = ""
    version: int = 0  # the scope version that it made


@dataclass(frozen=True, slots=True)
class Scope:
    """What a case is about: clauses that are in it, less those that are taken out."""

    include: tuple[Clause, ...] = ()
    exclude: tuple[Clause, ...] = ()

    def with_said(self, said: ScopeSaid) -> "Scope":
        """The scope after one more word about it."""
        return Scope(_joined(self.include, said.include, said.drop), _joined(self.exclude, said.exclude, said.drop))


@dataclass(frozen=True, slots=True)
class Case:
    """A recall case after some of its decisions."""

    name: str
    state: CaseState = CaseState.DRAFT
    opened: Opened | None = None
    scopes: tuple[Scope, ...] = ()  # versions 1, 2, ...
    closed: Closed | None = None
    trail: tuple[Entry, ...] = ()

    @property
    def scope(self) -> Scope:
        """The newest version of the scope."""
        return self.scopes[-1] if self.scopes else Scope()

    @property
    def kind(self) -> CaseKind:
        """Of the case; a recall where it was never opened."""
        return self.opened.kind if self.opened else CaseKind.RECALL

    @property
    def mock(self) -> bool:
        """Whether it is an exercise."""
        return self.opened is not None and self.opened.mock

    def when(self, step: str) -> int | None:
        """When a step was first taken, in microseconds; None: it was not."""
        taken = (one.decided.at_us for one in self.trail if not one.refused and one.decided.content.deed.step == step)
        return next(taken, None)


def case_of(name: str, decisions: Iterable[Decided]) -> Case:
    """The case that decisions make, in whatever order and however often they are told."""
    first: dict[str, Decided] = {}
    for one in sorted(decisions, key=lambda one: (one.offset, one.decision)):
        first.setdefault(one.decision, one)
    case = Case(name)
    for one in first.values():
        case = _after(case, one)
    return case


def refusal(case: Case, deed: Deed) -> str:
    """Why a deed would have no effect on a case; empty where it would have one."""
    opening = isinstance(deed, Opened)
    if opening and case.opened is not None:
        return f"Expected a new name of a case, got {case.name!r}, which is opened already."
    if not opening and case.opened is None:
        return f"Expected a case that was opened, got {case.name!r}."
    if case.state is CaseState.CLOSED:
        return f"Expected a case that is not closed, got {case.name!r}, which is."
    if isinstance(deed, ScopeSaid) and case.scope.with_said(deed) == case.scope:
        return "Expected something new of the scope, got what it says already."
    if isinstance(deed, Initiated) and case.state is not CaseState.DRAFT:
        return f"Expected a draft, got {case.name!r}, which is initiated already."
    if isinstance(deed, Initiated) and not case.scope.include:
        return f"Expected a scope, got {case.name!r} without one."
    return ""


def _after(case: Case, decided: Decided) -> Case:
    deed = decided.content.deed
    refused = refusal(case, deed)
    if refused:
        return replace(case, trail=(*case.trail, Entry(decided, refused)))
    version = 0
    if isinstance(deed, Opened):
        case = replace(case, opened=deed)
    elif isinstance(deed, ScopeSaid):
        case = replace(case, scopes=(*case.scopes, case.scope.with_said(deed)))
        version = len(case.scopes)
    elif isinstance(deed, Initiated):
        case = replace(case, state=CaseState.MOCK if case.mock else CaseState.INITIATED)
    else:
        case = replace(case, state=CaseState.CLOSED, closed=deed)
    return replace(case, trail=(*case.trail, Entry(decided, version=version)))


def _joined(known: tuple[Clause, ...], said: tuple[Clause, ...], dropped: tuple[Clause, ...]) -> tuple[Clause, ...]:
    kept = [clause for clause in known if clause not in dropped]
    return (*kept, *(clause for clause in dict.fromkeys(said) if clause not in kept))
