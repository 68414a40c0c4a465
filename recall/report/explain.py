"""The facts behind a figure of a report."""

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from lotstream.recall.conservation import ENDS, ITEMS, whereabouts
from lotstream.recall.report.ask import facts_of, part_filter, setting_of
from lotstream.recall.report.build import build
from lotstream.recall.report.facts import FigureMissing, LotFacts, Row
from lotstream.recall.report.model import PARTS, Explanation, FactBehind, Figure, Measure, Report, Term
from lotstream.recall.scope import ScopedLot
from lotstream.recall.store import History
from lotstream.recall.tally import OUTGOING
from lotstream.schemas.topics import DOCUMENTS, LOT_SIGHTINGS, LOTS

_UNITS = (ITEMS, Measure.PALLETS, Measure.CASES)
_HOW = {
    Term.MADE: "what the statements about the lot say; a unit of measure: what its facts brought in",
    Term.UNEXPLAINED: "what was made less everything else; of a place: less than nothing is there",
    Term.SENT: "each unit once, at its first sending on the line; amounts of class-level goods added",
    Term.USED: "what of the lot the event says went into the process",
    Term.MADE_BY: "what of the lot the event says came out of the process",
}
_DEEP: Mapping[str, int] = {Measure.PALLETS: 1, Measure.CASES: 2}
_WHERE = "each unit at its newest place; class-level goods: what came less what left, or was counted"
_COUNTED: Mapping[str, str] = {
    Measure.PALLETS: "the outermost logistic units, each once, of the units that these facts say are inside one",
    Measure.CASES: "the logistic units inside others, each once, of the units that these facts say are inside one",
}


class Explainer:
    """Explains the figures of the report of some lots, whose facts it asks for once. Raises ClickhouseAway."""

    def __init__(self, history: History, scoped: Sequence[ScopedLot]) -> None:
        history.connect()
        self._history = history
        lots = facts_of(history, scoped)
        setting = setting_of(history, lots)
        self.report = build(lots, setting)
        self._kinds = setting.kinds
        self._lots = {facts.lot: facts for facts in lots}

    def explain(self, name: str, *, limit: int = 1000) -> Explanation:
        """The facts behind a figure, ``limit`` at most. Raises FigureMissing, ClickhouseAway."""
        started = time.perf_counter()
        figure = _find(self.report, name)
        parts = parts_of(figure, self.report)
        behind = [fact for one in ([figure] if figure.lot else parts) for fact in self._facts(one)]
        return Explanation(
            figure=figure,
            how=_COUNTED.get(figure.measure) or _HOW.get(figure.term, _WHERE),
            parts=parts,
            facts=tuple(behind[:limit]),
            truncated=len(behind) > limit,
            as_of=self._history.as_of,
            known_at=self._history.known_at,
            milliseconds=round((time.perf_counter() - started) * 1000, 3),
        )

    def _facts(self, one: Figure) -> list[FactBehind]:
        return _facts(self._history, one, self._lots[one.lot], self._kinds)


def parts_of(figure: Figure, told: Report) -> tuple[Figure, ...]:
    """The figures that a total is made of: those of its lots; of what was made, its terms; of a term, its places."""
    if not figure.total:
        return ()
    known = [one for lot in told.lots for one in lot.figures if one.measure == figure.measure]
    if not figure.lot:
        return tuple(one for one in known if one.total and one.term is figure.term)
    own = [one for one in known if one.lot == figure.lot]
    if figure.term is Term.MADE or (figure.term is Term.UNEXPLAINED and figure.measure == ITEMS):
        terms = {*PARTS, Term.MADE} - {figure.term}
        return tuple(one for one in own if one.total and one.term in terms)
    return tuple(one for one in own if not one.total and one.term is figure.term)


def _find(told: Report, name: str) -> Figure:
    known = [*told.totals, *(one for lot in told.lots for one in lot.figures)]
    for one in known:
        if one.figure == name:
            return one
    near = [one.figure for one in known if one.figure.startswith(name[:6])][:5]
    raise FigureMissing(text=name, what="figure", near=near, hint="The report lists them all.")


def _facts(history: History, one: Figure, facts: LotFacts, kinds: Mapping[str, str]) -> list[FactBehind]:
    if one.term in (Term.USED, Term.MADE_BY):
        side = "output" if one.term is Term.MADE_BY else "input"
        rows = history.ask("report_sides", processes=[one.process])
        mine = (row for row in rows if row["side"] == side and (row["lot"] == one.lot or row["units"]))
        return [_booked(row, DOCUMENTS, subject=one.lot, what=row["biz_step"] or side) for row in mine]
    if one.measure in _UNITS:
        if one.term is Term.MADE:
            said = (row for row in facts.statements if row["units"])
            return [_booked(row | {"amount": row["units"], "uom": ITEMS}, LOTS, subject=one.lot) for row in said]
        rows = _sightings(history, facts, sent=one.term is Term.SENT)
        return [_sighted(row) for row in rows if _counts(one, row, kinds)]
    inside = _sightings(history, facts, sent=one.term is Term.SENT, portions=True) if facts.carried else []
    seen = [_sighted(row) for row in inside if one.term is not Term.MADE and _counts(one, row, kinds)]
    return [*(_booked(row, DOCUMENTS, subject=one.lot) for row in _books(one, facts)), *seen]


def _sightings(history: History, facts: LotFacts, *, sent: bool, portions: bool = False) -> list[Row]:
    most = {"most_each": 1_000_000 if sent else 1}
    asked: dict[str, Any] = {"lot": facts.lot, "sent": sent, "portions": portions, **most}
    return history.ask("report_unit_facts", **asked, **part_filter(None if portions else facts.scoped.tags))


def _counts(one: Figure, row: Row, kinds: Mapping[str, str]) -> bool:
    """Whether a sighting is behind a figure."""
    if len(row["path"]) < _DEEP.get(one.measure, 0):
        return False
    if one.term is Term.SENT:
        here = not one.location or row["location"] == one.location
        return here and (row["receiver"], row["document"], row["line"]) == (one.party, one.document, one.line)
    if one.total:
        return (ENDS.get(row["disposition"]) or whereabouts(row["location"], row["disposition"], kinds)) == one.term
    return (row["location"], row["disposition"]) == (one.location, one.disposition)


def _books(one: Figure, facts: LotFacts) -> list[Row]:
    """The quantity facts behind a figure."""
    rows = [
        row for row in facts.quantities if row["uom"] == one.measure or (one.measure == Measure.LABELS and row["cases"])
    ]
    if one.term is Term.SENT:
        wanted = one.party, one.document, one.line
        sent = (row for row in rows if row["biz_step"] in OUTGOING)
        return [row for row in sent if (row["receiver"], row["document"], row["line"]) == wanted]
    if one.term is Term.MADE:
        return [row for row in rows if row["effect"] == "made" or not row["source"]] or rows
    there = facts.units_at(one.location)
    return [row for row in rows if one.total or there & {row["location"], row["source"]}]


def _sighted(row: Row) -> FactBehind:
    return FactBehind(
        topic=LOT_SIGHTINGS, partition=row["source_partition"], offset=row["source_offset"], event=row["event"],
        subject=row["tag"], what=row["biz_step"] or row["read_point"], evidence=row["evidence"],
        location=row["location"], document=row["document"], line=row["line"], at=row["first_at"],
    )  # fmt: skip


def _booked(row: Row, topic: str, *, subject: str, what: str = "") -> FactBehind:
    amount = row["amount"]
    return FactBehind(
        topic=topic, partition=row["source_partition"], offset=row["source_offset"], event=row["event"],
        subject=subject, what=what or row.get("biz_step") or row.get("effect") or "said",
        evidence=row.get("evidence", ""), location=row["location"] or row.get("source", ""),
        document=row.get("document", ""), line=row["line"] if "identity" in row else "", at=row["at"],
        value=None if amount is None else Decimal(amount), measure=row["uom"],
    )  # fmt: skip
