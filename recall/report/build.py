"""The report from its facts: lot by lot, and all lots together. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from lotstream.recall.answers import Lot
from lotstream.recall.conservation import ENDS, whereabouts
from lotstream.recall.report.facts import LotFacts, Row, Setting
from lotstream.recall.report.figures import (
    books_of,
    figure,
    logistic_figures,
    place_figures,
    process_figures,
    sent_figures,
    share,
    total_figures,
)
from lotstream.recall.report.model import Figure, Measure, Passed, Report, ReportLot, Shared, Term, Window
from lotstream.recall.scope import ScopedLot
from lotstream.recall.tally import lot_of
from lotstream.recall.trace_answer import Trace

_TERMS = {term: number for number, term in enumerate(Term)}
_MEASURES = {measure: number for number, measure in enumerate(Measure)}


def build(
    lots: Sequence[LotFacts],
    setting: Setting,
    *,
    shared: Iterable[Row] = (),
    windows: Iterable[Row] = (),
    passed: Iterable[Row] = (),
    traces: Mapping[str, Trace] | None = None,
    **asked: Any,
) -> Report:
    """The report of some lots; ``asked`` are the case and the instants of the question."""
    told = tuple(report_lot(facts, setting) for facts in sorted(lots, key=lambda facts: facts.lot))
    at_once = {name: trace.model_copy(update={"milliseconds": 0.0}) for name, trace in (traces or {}).items()}
    return Report(
        lots=told,
        totals=tuple(_together(told, lots, setting)),
        shared=tuple(Shared.model_validate(row) for row in shared),
        blind_windows=tuple(_window(row, lots) for row in windows),
        offsets=tuple(Passed.model_validate(row) for row in _by_partition(passed)),
        milliseconds=0.0,
        **at_once,
        **asked,
    )


def report_lot(facts: LotFacts, setting: Setting) -> ReportLot:
    """One lot: what is known of it, and its figures in their order."""
    lot = lot_of(facts.lot, facts.statements, decided=facts.decided, day=setting.day)
    books = books_of(facts, _made_units(lot, facts.scoped), setting)
    found = [
        *(one for sums in books.sums for one in total_figures(facts.lot, sums, setting)),
        *_logistic_totals(facts.lot, [facts], setting),
        *place_figures(facts, books, setting),
        *logistic_figures(facts, books, setting),
        *sent_figures(facts, books, setting),
        *process_figures(facts, books, setting),
    ]
    return ReportLot(lot=lot, scope=scope_words(facts.scoped), figures=tuple(sorted(found, key=order)))


def order(one: Figure) -> tuple[Any, ...]:
    """Totals first; then by term, measure, the most first."""
    measure = _MEASURES.get(Measure(one.measure)) if one.measure in set(Measure) else len(Measure)
    place = one.location, one.disposition, one.party, one.document, one.line, one.process
    head = (measure, one.measure, _TERMS[one.term]) if one.total else (_TERMS[one.term], measure, one.measure)
    return not one.total, *head, -one.value, place


def scope_words(scoped: ScopedLot) -> str:
    """What of a lot a scope has; '' for all of it."""
    if scoped.tags is None:
        return ""
    words = [f"serials {first}..{last}" if first != last else f"serial {first}" for first, last in scoped.tags.serials]
    words += [*scoped.tags.units]
    return ", ".join([*words, *(["what has no serial"] if scoped.tags.loose else [])])


def _made_units(lot: Lot, scoped: ScopedLot) -> int:
    return (lot.units or 0) if scoped.tags is None else scoped.tags.items


def _logistic_totals(lot: str, all_facts: Sequence[LotFacts], setting: Setting) -> Iterable[Figure]:
    """Pallets and cases in all: each once, however many lots it holds of."""
    found: dict[tuple[Term, Measure], set[str]] = {}
    for row in (row for facts in all_facts for row in facts.units):
        term = Term(ENDS.get(row["disposition"]) or whereabouts(row["location"], row["disposition"], setting.kinds))
        found.setdefault((term, Measure.PALLETS), set()).update(row["pallets"])
        found.setdefault((term, Measure.CASES), set()).update(row["cases"])
    return (figure(lot, term, measure, len(units), total=True) for (term, measure), units in found.items() if units)


def _together(told: Sequence[ReportLot], lots: Sequence[LotFacts], setting: Setting) -> Iterable[Figure]:
    """All lots of a report together, each measure for itself; nothing where there is one lot."""
    if len(told) < 2:
        return ()
    sums: dict[tuple[Term, str], Decimal] = {}
    apart = {Measure.PALLETS, Measure.CASES}
    for one in (one for lot in told for one in lot.figures if one.total and one.measure not in apart):
        sums[one.term, one.measure] = sums.get((one.term, one.measure), Decimal(0)) + one.value
    made = {measure: value for (term, measure), value in sums.items() if term is Term.MADE and value > 0}
    found = [
        figure("", term, measure, value, total=True, share=share(value, made.get(measure), measure, setting))
        for (term, measure), value in sums.items()
    ]
    return sorted([*found, *_logistic_totals("", lots, setting)], key=order)


def _window(row: Row, lots: Iterable[LotFacts]) -> Window:
    touches = [
        facts.lot
        for facts in lots
        if any(row["subject"] in (unit["location"], *unit["read_points"]) for unit in facts.units)
        or any(row["subject"] in (fact["read_point"], fact["location"], fact["source"]) for fact in facts.quantities)
    ]
    names = ("subject", "cause", "from_at", "until_at", "lost", "detail")
    record = {"partition": row["source_partition"], "offset": row["source_offset"]}
    return Window(touches=tuple(sorted(touches)), **record, **{name: row[name] for name in names})


def _by_partition(passed: Iterable[Row]) -> list[Row]:
    return sorted(passed, key=lambda row: (row["topic"], row["partition"]))
