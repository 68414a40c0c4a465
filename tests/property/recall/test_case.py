"""A recall case is a function of the set of its decisions."""

import random

from hypothesis import given
from hypothesis import strategies as st

from lotstream.recall.case import Case, CaseState, Decided, Scope, case_of, refusal
from lotstream.schemas.recalls import (
    Clause,
    Closed,
    Deed,
    Initiated,
    LotClause,
    Opened,
    RecallContent,
    ScopeSaid,
    SupplierClause,
)

CLAUSES = st.sampled_from(
    [LotClause(lot=f"01/09521234543213/10/{code}") for code in "ABC"] + [SupplierClause(code="S")]
)
SOME = st.lists(CLAUSES, max_size=3).map(tuple)
SAID = st.builds(ScopeSaid, include=st.lists(CLAUSES, min_size=1, max_size=2).map(tuple), exclude=SOME, drop=SOME)
DEEDS = st.one_of(
    st.builds(Opened, mock=st.booleans()), SAID, st.just(Initiated()), st.builds(Closed, release_all=st.booleans())
)


def decided(deeds: list[Deed]) -> list[Decided]:
    """The log of a case: an offset and an identity each."""
    return [
        Decided(offset, f"d{offset}", RecallContent(case="R1", deed=deed, by="ann", reason="why"), offset * 1_000_000)
        for offset, deed in enumerate(deeds)
    ]


@given(st.lists(DEEDS, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repeats_change_nothing(deeds: list[Deed], chance: random.Random) -> None:
    """Told in any order, and any of them again at a later place of the log, decisions make one case."""
    log = decided(deeds)
    again = [Decided(one.offset + 100, one.decision, one.content, one.at_us) for one in log if chance.random() < 0.5]
    told = log + again
    chance.shuffle(told)
    assert case_of("R1", told) == case_of("R1", log)


@given(st.lists(DEEDS, max_size=12))
def test_nothing_is_lost_and_refusals_have_no_effect(deeds: list[Deed]) -> None:
    """Every decision is in the trail; without those that are refused the case is the same; each refusal is what a
    command would have said before it was sent."""
    log = decided(deeds)
    case = case_of("R1", log)
    assert [entry.decided for entry in case.trail] == log
    kept = case_of("R1", [entry.decided for entry in case.trail if not entry.refused])
    assert (kept.state, kept.opened, kept.scopes, kept.closed) == (case.state, case.opened, case.scopes, case.closed)
    for number, entry in enumerate(case.trail):
        assert refusal(case_of("R1", log[:number]), entry.decided.content.deed) == entry.refused


@given(st.lists(DEEDS, max_size=12))
def test_a_life_goes_one_way(deeds: list[Deed]) -> None:
    """From draft to mock or initiated to closed, each at most once; scope versions count up from 1."""
    case = case_of("R1", decided(deeds))
    effective = [entry for entry in case.trail if not entry.refused]
    steps = [entry.decided.content.deed.step for entry in effective]
    assert all(steps.count(step) <= 1 for step in ("open", "initiate", "close"))
    assert steps[:1] in ([], ["open"])
    assert "close" not in steps[:-1]
    assert [entry.version for entry in effective if entry.version] == list(range(1, len(case.scopes) + 1))
    assert (case.state is CaseState.CLOSED) == ("close" in steps)


@given(st.lists(SAID, max_size=6), CLAUSES)
def test_the_last_word_on_a_clause_holds(said: list[ScopeSaid], clause: Clause) -> None:
    """A clause is in the scope when the last word that names it includes it, in the order of its first word."""
    scope = Scope()
    for one in said:
        scope = scope.with_said(one)
    naming = [one for one in said if clause in (*one.include, *one.drop)]
    assert (scope.include.count(clause) == 1) == bool(naming and clause in naming[-1].include)


def test_each_fate_has_its_words() -> None:
    """Twice opened, twice initiated, initiated without a scope, anything after the close or before the opening."""
    clause = SupplierClause(code="S")
    deeds: list[Deed] = [
        Initiated(), Opened(), Opened(mock=True), Initiated(), ScopeSaid(include=(clause,)),
        ScopeSaid(include=(clause,)), Initiated(), Initiated(), Closed(), ScopeSaid(exclude=(clause,)), Closed(),
    ]  # fmt: skip
    assert [entry.refused for entry in case_of("R1", decided(deeds)).trail] == [
        "Expected a case that was opened, got 'R1'.",
        "",
        "Expected a new name of a case, got 'R1', which is opened already.",
        "Expected a scope, got 'R1' without one.",
        "",
        "Expected something new of the scope, got what it says already.",
        "",
        "Expected a draft, got 'R1', which is initiated already.",
        "",
        "Expected a case that is not closed, got 'R1', which is.",
        "Expected a case that is not closed, got 'R1', which is.",
    ]
    assert case_of("R1", []) == Case("R1")
