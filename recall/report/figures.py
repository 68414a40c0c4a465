"""Figures from the facts of a lot: what adds up to what was made, place by place; what was sent, used, made. Pure."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotstream.recall.answers import QuantityPlace, Recipient
from lotstream.recall.conservation import ENDS, ITEMS, Sums, counted_places, sums_of, whereabouts
from lotstream.recall.edges import Link
from lotstream.recall.pallets import pallet_recipients
from lotstream.recall.report.facts import LotFacts, Row, Setting
from lotstream.recall.report.model import PARTS, Figure, Measure, Share, Term
from lotstream.recall.tally import quantities_of, recipients_of, strongest
from lotstream.recall.together import entries_of

_CENT = Decimal("0.01")
_NAMED = ("term", "total", "measure", "location", "disposition", "party", "document", "line", "process")
_LOGISTIC = {Measure.PALLETS: "pallets", Measure.CASES: "cases"}


@dataclass(frozen=True, slots=True)
class Books:
    """What a lot comes to: the sums of each measure, and the class-level goods place by place."""

    sums: tuple[Sums, ...]
    held: tuple[QuantityPlace, ...]

    def made(self, measure: str) -> Decimal | None:
        """What was made, in a measure; None where nobody said."""
        found = [sums.made + sums.received for sums in self.sums if sums.uom == measure]
        return found[0] if found and found[0] > 0 else None


def books_of(facts: LotFacts, made_units: int, setting: Setting) -> Books:
    """The books of a lot, or of the part that its scope has."""
    counted = counted_places(entries_of(facts.quantities))
    held = quantities_of(facts.quantities, dict(setting.names), counted=counted, carried=facts.carried)
    placed = [row | {"placed": True} for row in facts.units]
    sums = sums_of(made_units, placed, facts.quantities, quantities=held, counted=counted, kinds=setting.kinds)
    return Books(sums, held)


def figure(lot: str, term: Term, measure: str, value: Decimal | int, **given: Any) -> Figure:
    """A figure with its name, which depends on what it is of, not on its value."""
    made = Figure(figure="", lot=lot, term=term, measure=measure, value=Decimal(value), **given)
    of = "\0".join([lot, *(str(getattr(made, name)) for name in _NAMED)])
    return made.model_copy(update={"figure": f"{term}-{hashlib.sha256(of.encode()).hexdigest()[:8]}"})


def share(value: Decimal | int, made: Decimal | None, measure: str, setting: Setting) -> Share | None:
    """The percentage of what was made; None where that is not known."""
    if made is None:
        return None
    return Share(percent=(Decimal(value) * 100 / made).quantize(_CENT), of=made, measure=measure, at=setting.at)


def total_figures(lot: str, sums: Sums, setting: Setting) -> Iterator[Figure]:
    """What was made of a lot and what became of it, in one measure."""
    account = sums.account()
    of = account.made if account.made > 0 else None
    terms = (Term.MADE, *PARTS, Term.RECEIVED)
    always = (Term.MADE, Term.ON_HAND, Term.UNEXPLAINED)
    for term in terms:
        value: Decimal = getattr(account, term)
        if value or term in always:
            yield figure(lot, term, sums.uom, value, total=True, share=share(value, of, sums.uom, setting))


def place_figures(facts: LotFacts, books: Books, setting: Setting) -> Iterator[Figure]:
    """Where everything is, the unexplained among them: of each measure they add up to what was made."""
    rows = {(row["location"], row["disposition"]): row for row in facts.units}
    for sums in books.sums:
        missing = {(Term.UNEXPLAINED.value, *place): amount for place, amount in sums.missing.items()}
        for (term, location, disposition), value in sorted({**sums.parts, **missing}.items()):
            row = rows.get((location, disposition)) if sums.uom == ITEMS else None
            if value:
                yield figure(
                    facts.lot, Term(term), sums.uom, value, location=location, disposition=disposition,
                    name=setting.names.get(location, ""),
                    share=share(value, books.made(sums.uom), sums.uom, setting),
                    **(_seen(row) if row else _booked(facts.at_place(sums.uom, location))),
                )  # fmt: skip


def logistic_figures(facts: LotFacts, books: Books, setting: Setting) -> Iterator[Figure]:
    """Pallets, cases and scanned case labels by place; no denominator: nobody said how many there were."""
    for row in facts.units:
        term = Term(ENDS.get(row["disposition"]) or whereabouts(row["location"], row["disposition"], setting.kinds))
        place = {name: row[name] for name in ("location", "disposition")}
        for measure, name in _LOGISTIC.items():
            if row[name]:
                named = setting.names.get(row["location"], "")
                yield figure(facts.lot, term, measure, len(row[name]), name=named, **place)
    labels: Counter[tuple[str, str]] = Counter()
    for held in books.held:
        labels[held.location, held.disposition] += held.cases
    for (location, disposition), cases in sorted(labels.items()):
        term = Term(ENDS.get(disposition) or whereabouts(location, disposition, setting.kinds))
        if cases:
            place = {"location": location, "disposition": disposition, "name": setting.names.get(location, "")}
            yield figure(facts.lot, term, Measure.LABELS, cases, **place)


def sent_figures(facts: LotFacts, books: Books, setting: Setting) -> Iterator[Figure]:
    """Who received some, on which line of which document."""
    for row in facts.sent:
        said = {name: row[name] for name in ("document", "line", "location")} | {"party": row["receiver"]}
        said |= {"linked": setting.linked.get(row["document"], ()), "first_at": row["since"], "last_at": row["newest"]}
        of = share(row["items"], books.made(ITEMS), ITEMS, setting)
        known = {"evidence": {"declared": row["items"]}}
        yield figure(facts.lot, Term.SENT, ITEMS, row["items"], share=of, **known, **said)
        if row["pallets"]:
            yield figure(facts.lot, Term.SENT, Measure.PALLETS, len(row["pallets"]), **said)
    received = _received(facts)
    for one in received:
        said = {name: getattr(one, name) for name in ("party", "document", "line", "first_at")}
        said |= {"linked": setting.linked.get(one.document, ())}
        of = share(one.amount, books.made(one.uom), one.uom, setting)
        if one.amount:
            yield figure(facts.lot, Term.SENT, one.uom, one.amount, share=of, **said)
    labels: Counter[tuple[str, str, str]] = Counter()
    for one in received:
        labels[one.party, one.document, one.line] += one.cases
    for (party, document, line), cases in sorted(labels.items()):
        if cases:
            yield figure(facts.lot, Term.SENT, Measure.LABELS, cases, party=party, document=document, line=line)


def _received(facts: LotFacts) -> list[Recipient]:
    """Class-level goods by receiver, document line and unit of measure, those on pallets among them."""
    inside = pallet_recipients(carried_sent=facts.carried_sent, quantity_facts=facts.quantities)
    sums: dict[tuple[str, str, str, str], Recipient] = {}
    for one in (*recipients_of([], facts.quantities), *inside):
        key = one.party, one.document, one.line, one.uom
        known = sums.get(key)
        if known is None:
            sums[key] = one
            continue
        more = {"amount": known.amount + one.amount, "cases": known.cases + one.cases}
        sums[key] = known.model_copy(update=more | {"first_at": min(known.first_at, one.first_at)})
    return [sums[key] for key in sorted(sums)]


def process_figures(facts: LotFacts, books: Books, setting: Setting) -> Iterator[Figure]:
    """What of a lot went into processes, with what was made of it; and out of which it came."""
    sides: dict[tuple[str, bool], list[Link]] = {}
    for link in facts.links:
        sides.setdefault((link.process, link.output), []).append(link)
    for (process, output), links in sorted(sides.items()):
        own = [link for link in links if link.node == facts.lot]
        others = tuple(sorted({link.node for link in sides.get((process, not output), ())}))
        for measure, value in sorted(_by_measure(own).items()):
            first = min(own, key=lambda link: (link.at, link.event))
            yield figure(
                facts.lot, Term.MADE_BY if output else Term.USED, measure, value, process=process, others=others,
                location=first.location, name=setting.names.get(first.location, ""), document=first.document,
                biz_step=first.biz_step, first_at=first.at, last_at=max(link.at for link in own),
                share=share(value, books.made(measure), measure, setting), evidence={"declared": len(own)},
            )  # fmt: skip


def _by_measure(links: Iterable[Link]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for link in links:
        if link.items:
            found[ITEMS] = found.get(ITEMS, Decimal(0)) + link.items
        if link.amount is not None and link.uom:
            found[link.uom] = found.get(link.uom, Decimal(0)) + link.amount
    return found


def _seen(row: Row) -> dict[str, Any]:
    evidence = {kind: int(row["evidence"][kind]) for kind in strongest(row["evidence"])}
    return {"evidence": evidence, "provisional": row["provisional"], "first_at": row["since"], "last_at": row["newest"]}


def _booked(rows: Iterable[Row]) -> dict[str, Any]:
    found = list(rows)
    kinds = Counter(row["evidence"] for row in found)
    return {
        "evidence": {kind: kinds[kind] for kind in strongest(kinds)},
        "first_at": min((row["at"] for row in found), default=None),
        "last_at": max((row["at"] for row in found), default=None),
    }
