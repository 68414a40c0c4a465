"""Class-level goods of a lot by place: a sum over quantity facts, each at its highest revision.

A count is an absolute fact: at a place that was counted, the newest count holds and what moved later is added; what
moved until then is in it, whenever that is told. So the sums are a function of the set of facts alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from lotstream.schemas.documents import Effect, QuantityFact

Place = tuple[str, str, str]  # location, disposition, unit of measure
Amount = tuple[Decimal, int]  # amount, labels or cases
_NOWHERE: Mapping[str, tuple[str, str]] = MappingProxyType({})


class Count(NamedTuple):
    """What was counted, in the order in which counts of one place replace each other."""

    at_us: int
    recorded_us: int
    identity: str
    amount: Decimal
    cases: int


@dataclass(slots=True)
class Account:
    """One place: its counts, and the sum of the newest of them and of what moved later."""

    amount: Decimal = Decimal(0)
    cases: int = 0
    counts: set[Count] = field(default_factory=set)
    counted_us: int = -1  # of the newest count; what moved until then is in it


@dataclass(slots=True)
class Stock:
    """All places of a lot, and the facts that they follow from."""

    facts: dict[str, QuantityFact] = field(default_factory=dict)
    accounts: dict[Place, Account] = field(default_factory=dict)

    def put(self, fact: QuantityFact) -> bool:
        """Keep a fact at its highest revision; a retraction stays. Whether that changes anything."""
        known = self.facts.get(fact.identity)
        fact = fact if known is None else newest_quantity(known, fact)
        if fact == known:
            return False
        if known is not None:
            del self.facts[fact.identity]
            self._book(known, sign=-1)
        self._book(fact, sign=1)
        self.facts[fact.identity] = fact
        return True

    def amounts(self, carried: Mapping[str, tuple[str, str]] = _NOWHERE) -> dict[Place, Amount]:
        """What there is at each place, zeros left out; what is in a logistic unit where that is, if it is known."""
        found: dict[Place, Amount] = {}
        for (location, disposition, uom), account in self.accounts.items():
            place = (*carried.get(location, (location, disposition)), uom)
            amount, cases = found.get(place, (Decimal(0), 0))
            found[place] = amount + account.amount, cases + account.cases
        return {place: there for place, there in found.items() if any(there)}

    def _book(self, fact: QuantityFact, *, sign: int) -> None:
        if fact.retracted:
            return
        if fact.effect is Effect.COUNTED:
            self._count(fact, sign=sign)
            return
        for place, way in _ends(fact):
            account = self.accounts.setdefault(place, Account())
            if fact.at_us > account.counted_us:
                account.amount += sign * way * fact.amount
                account.cases += sign * way * fact.cases
            if not (account.amount or account.cases or account.counts):
                del self.accounts[place]

    def _count(self, fact: QuantityFact, *, sign: int) -> None:
        """One count more or less: what moved after the newest one is summed again."""
        place = fact.location, fact.disposition, fact.uom
        account = self.accounts.setdefault(place, Account())
        count = Count(fact.at_us, fact.recorded_us, fact.identity, fact.amount, fact.cases)
        (account.counts.add if sign > 0 else account.counts.discard)(count)
        newest = max(account.counts, default=Count(-1, 0, "", Decimal(0), 0))
        account.counted_us, account.amount, account.cases = newest.at_us, newest.amount, newest.cases
        for other in self.facts.values():
            if not other.retracted and other.effect is not Effect.COUNTED and other.at_us > newest.at_us:
                for end, way in _ends(other):
                    if end == place:
                        account.amount += way * other.amount
                        account.cases += way * other.cases
        if not (account.amount or account.cases or account.counts):
            del self.accounts[place]


def _ends(fact: QuantityFact) -> Iterator[tuple[Place, int]]:
    """Where a fact takes from and adds to; one that only saw goods where they are books nothing."""
    left, came = (fact.source, fact.source_disposition), (fact.location, fact.disposition)
    if left != came:
        for (location, disposition), way in ((left, -1), (came, 1)):
            if location:
                yield (location, disposition, fact.uom), way


def newest_quantity(one: QuantityFact, other: QuantityFact) -> QuantityFact:
    """The version of a quantity fact that holds: the higher revision, retracted when either is."""
    first, second = sorted((one, other), key=lambda fact: (fact.revision, fact.recorded_us, fact.encode()))
    if first.retracted and not second.retracted:
        return second.model_copy(update={"retracted": True})
    return second
