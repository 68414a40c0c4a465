"""The answer held against the world's own truth."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from lotstream.readers.world.plan import Truth
from lotstream.recall.answers import Affected

K = TypeVar("K", bound=tuple[str, ...])


def differences(answer: Affected, truth: Truth) -> Iterator[str]:
    """What the answer says otherwise than the truth, a line each; nothing when they agree."""
    yield from _compared("items", {(p.location, p.disposition): p.items for p in answer.places}, truth.items)
    amounts = {(q.location, q.disposition): q.amount for q in answer.quantities}
    yield from _compared("kg", amounts, truth.amounts)
    yield from _compared("cases", {(q.location, q.disposition): q.cases for q in answer.quantities}, truth.cases)
    sent = {(r.party, r.document, r.line): r.amount if r.uom else Decimal(r.items) for r in answer.recipients}
    yield from _compared("sent", sent, truth.sent)
    made = sum((a.made for a in answer.accounted), Decimal(0))
    if made != truth.made:
        yield f"made: Expected {truth.made}, got {made}."
    unexplained = [f"{a.unexplained} {a.uom}" for a in answer.accounted if a.unexplained]
    if unexplained:
        yield f"unexplained: Expected nothing, got {', '.join(unexplained)}."


def _compared(what: str, found: Mapping[K, int | Decimal], true: Mapping[K, int | Decimal]) -> Iterator[str]:
    for place in sorted({*found, *true}):
        expected, got = true.get(place, 0), found.get(place, 0)
        if expected != got:
            yield f"{what} at {', '.join(place)}: Expected {expected}, got {got}."
