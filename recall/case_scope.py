"""A case and its scope together: what a word about the scope changes, and which holds that asks for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from lotstream.recall.ask import start, took_ms
from lotstream.recall.case import Case, CaseState
from lotstream.recall.case_answers import CaseHold, CaseStatus, LotInScope, ScopeChange, Size
from lotstream.recall.case_ask import find_case, now_of
from lotstream.recall.case_holds import HoldDeed, first_name, in_force, plan
from lotstream.recall.case_told import clauses_of, line_of, stages_of, trail_of
from lotstream.recall.find import NotFound
from lotstream.recall.scope import Scoped, ScopedLot, Tags, more
from lotstream.recall.scope_ask import Meanings, all_of, amounts_of, scope_now
from lotstream.recall.store import History, Row
from lotstream.recall.trace_facts import asked
from lotstream.runtime.errors import Rejected
from lotstream.schemas.lots import HoldAction
from lotstream.schemas.recalls import ScopeSaid

Amounts = Mapping[str, Decimal]


def scope_change(history: History, case: Case, said: ScopeSaid | None = None) -> ScopeChange:
    """What the scope of a case is, and what a word about it would add and take away.

    Raises NotFound where a name in it is not known, Rejected, ClickhouseAway.
    """
    started = start(history)
    meanings: Meanings = {}
    scope = case.scope if said is None else case.scope.with_said(said)
    before, after = scope_now(history, case.scope, meanings), scope_now(history, scope, meanings)
    measure = _measure(history, {lot.lot for lot in (*before.lots, *after.lots)})
    return ScopeChange(
        case=case.name,
        state=case.state.value,
        version=len(case.scopes),
        recorded=False,
        clauses=clauses_of(scope),
        before=measure.size(before),
        after=measure.size(after),
        added=measure.told(more(after, before, known=measure.known)),
        removed=measure.told(more(before, after, known=measure.known)),
        lots=measure.told(after.lots),
        containers=after.containers,
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def case_status(history: History, name: str, *, now: datetime) -> CaseStatus:
    """A case with its clock, clauses, holds and trail. Raises CaseMissing, ClickhouseAway."""
    started = start(history)
    case = find_case(history, name)
    held = in_force(holds_decided(history, name))
    wanted: list[HoldDeed] = []
    trouble = ""
    try:
        wanted = holds_wanted(history, case)
    except (NotFound, Rejected) as error:  # a program may say what nobody knows; the trail is told all the same
        trouble = str(error)
    return CaseStatus(
        case=line_of(case, now=now_of(history, now)),
        team=case.opened.team if case.opened else (),
        stages=stages_of(case),
        clauses=clauses_of(case.scope),
        holds=tuple(CaseHold(lot=lot, hold=hold) for lot, holds in sorted(held.items()) for hold in sorted(holds)),
        holds_wanted=len(wanted),
        not_held=tuple(sorted({deed.lot for deed in wanted if deed.action is HoldAction.PLACE})),
        trouble=trouble,
        trail=trail_of(case),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def holds_wanted(history: History, case: Case) -> list[HoldDeed]:
    """What makes the holds those that the scope of an initiated case asks for. Raises as `scope_now`."""
    if case.state is not CaseState.INITIATED:
        return []
    lots = scope_now(history, case.scope).lots
    return plan(case.name, lots, holds_decided(history, case.name))


def holds_decided(history: History, name: str) -> list[Row]:
    """What was decided about the holds of a case. Raises ClickhouseAway."""
    return history.ask("scope_holds", hold=first_name(name))


@dataclass(frozen=True, slots=True)
class _Measure:
    """How much there is of lots."""

    known: Mapping[str, Tags]
    amounts: Mapping[str, Amounts]
    words: Mapping[str, str]

    def size(self, scope: Scoped) -> Size:
        """All of a scope."""
        lots = self.told(scope.lots)
        amounts: dict[str, Decimal] = {}
        for lot in lots:
            for uom, amount in lot.amounts.items():
                amounts[uom] = amounts.get(uom, Decimal(0)) + amount
        items = sum(lot.items for lot in lots)
        return Size(lots=len(lots), items=items, amounts=amounts, containers=len(scope.containers))

    def told(self, lots: Iterable[ScopedLot]) -> tuple[LotInScope, ...]:
        """Lots with how much of each it is."""
        return tuple(map(self._told, lots))

    def _told(self, lot: ScopedLot) -> LotInScope:
        tags, known = lot.tags, self.known[lot.lot]
        loose = tags is None or tags.loose
        return LotInScope(
            lot=lot.lot,
            description=self.words.get(lot.lot, ""),
            whole=tags is None,
            serials=() if tags is None else tags.serials,
            units=() if tags is None else tags.units,
            items=known.items if tags is None else (known - (known - tags)).items,
            amounts=dict(self.amounts.get(lot.lot, {})) if loose else {},
            because=lot.because,
        )


def _measure(history: History, lots: set[str]) -> _Measure:
    words: dict[str, Any] = {row["lot"]: row["description"] for row in asked(history, "trace_names", "lots", lots)}
    return _Measure(all_of(history, lots), amounts_of(history, lots), words)
