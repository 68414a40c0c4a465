"""Recall cases, as programs read them."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from lotstream.recall.answers import Answer

Kind = Literal["recall", "withdrawal", "stock_recovery"]
State = Literal["draft", "mock", "initiated", "closed"]


class CaseLine(Answer):
    """A recall case in a list."""

    case: str
    recall: Kind = Field(description="recall, withdrawal, stock_recovery")
    mock: bool
    state: State
    title: str
    opened_at: datetime | None
    elapsed_s: float = Field(description="since it was opened, until it was closed or now")
    scope_version: int = Field(description="0: nothing was said of its scope")


class Cases(Answer):
    """`lotstream recall list`: every case, the newest first."""

    kind: Literal["recall_cases"] = "recall_cases"
    v: Literal[1] = 1
    cases: tuple[CaseLine, ...]
    as_of: datetime | None = None
    known_at: datetime | None = None
    milliseconds: float


class ScopeClause(Answer):
    """One clause of a scope."""

    number: int = Field(description="by which `recall scope --drop` drops it")
    excluded: bool = Field(description="taken out of the scope")
    clause: dict[str, object] = Field(description="as it was said")
    words: str


class Size(Answer):
    """How much is in a scope."""

    lots: int
    items: int = Field(description="serialised units")
    amounts: dict[str, Decimal] = Field(description="class-level goods made, by UN/CEFACT Rec 20 unit")
    containers: int = Field(description="logistic units that clauses name")


class LotInScope(Answer):
    """A lot of a scope, whole or a part of it."""

    lot: str
    description: str = ""
    whole: bool
    serials: tuple[tuple[int, int], ...] = Field(default=(), description="of a part: ranges first..last")
    units: tuple[str, ...] = Field(default=(), description="of a part: units of other names")
    items: int
    amounts: dict[str, Decimal]
    because: tuple[str, ...] = Field(description="the clauses that say so")


class ScopeChange(Answer):
    """`lotstream recall scope CASE`: what the scope is, and what a word about it adds and takes away."""

    kind: Literal["recall_scope"] = "recall_scope"
    v: Literal[1] = 1
    case: str
    state: State
    version: int = Field(description="of the scope, after the change")
    recorded: bool = Field(description="whether the change was decided, not only tried")
    clauses: tuple[ScopeClause, ...]
    before: Size
    after: Size
    added: tuple[LotInScope, ...] = Field(description="lots that are new, or of which there is more")
    removed: tuple[LotInScope, ...] = Field(description="lots that are gone, or of which there is less: as before")
    lots: tuple[LotInScope, ...] = Field(description="all of the scope after the change")
    containers: tuple[str, ...]
    holds_placed: int = 0
    holds_released: int = 0
    as_of: datetime | None = None
    known_at: datetime | None = None
    milliseconds: float


class Stage(Answer):
    """A step in the life of a case."""

    step: Literal["open", "scope", "initiate", "close"]
    at: datetime
    elapsed_s: float = Field(description="since the case was opened")


class TrailEntry(Answer):
    """A decision about a case."""

    step: Literal["open", "scope", "initiate", "close"]
    at: datetime
    by: str
    reason: str
    version: int = Field(description="the scope version that it made; 0: none")
    refused: str = Field(description="why it has no effect; empty where it has one")
    said: dict[str, object]
    decision: str


class CaseHold(Answer):
    """A hold of a case in force."""

    lot: str
    hold: str


class CaseStatus(Answer):
    """`lotstream recall status CASE`: its life, its clock, its scope, its holds, and who decided what, when and why."""

    kind: Literal["recall_case"] = "recall_case"
    v: Literal[1] = 1
    case: CaseLine
    team: tuple[str, ...]
    stages: tuple[Stage, ...]
    clauses: tuple[ScopeClause, ...]
    holds: tuple[CaseHold, ...] = Field(description="in force")
    holds_wanted: int = Field(description="holds that the scope now asks for and that are not in force as it says")
    not_held: tuple[str, ...] = Field(
        default=(), description="lots of which something is in the scope and not held: initiate, said again, holds it"
    )
    trouble: str = Field(default="", description="why it cannot be told what the scope is; empty: it can")
    trail: tuple[TrailEntry, ...] = Field(description="in the order of the log")
    as_of: datetime | None = None
    known_at: datetime | None = None
    milliseconds: float
