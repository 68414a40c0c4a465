"""The ledger against a model of thirty lines, under random orders, rebalances and refused commits.

`--hypothesis-profile=millions` runs millions of steps.
"""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.streams.engine.ledger import Ledger, SourceLedger, SourcePartition
from tests.property.streams.engine.conftest import some

PLACES: list[SourcePartition] = [("reads", 0), ("reads", 1), ("events", 0)]


class Model:
    """Every offset by itself: what was received and not yet acknowledged, what comes next, what Kafka holds."""

    def __init__(self) -> None:
        self.open: dict[SourcePartition, set[int]] = {}
        self.next: dict[SourcePartition, int] = {}
        self.group: dict[SourcePartition, int] = {}
        self.known: dict[SourcePartition, int] = {}

    def own(self, place: SourcePartition) -> int:
        start = self.group.get(place, 0)
        self.open[place], self.next[place], self.known[place] = set(), start, start
        return start

    def lose(self, place: SourcePartition) -> None:
        for of in (self.open, self.next, self.known):
            of.pop(place)

    def receive(self, place: SourcePartition) -> int:
        self.open[place].add(self.next[place])
        self.next[place] += 1
        return self.next[place] - 1

    def first(self, place: SourcePartition) -> int:
        return min(self.open[place], default=self.next[place])

    def committable(self) -> dict[SourcePartition, int]:
        return {place: self.first(place) for place in self.next if self.first(place) > self.known[place]}


class Pair:
    """The ledger and its model, through the same steps."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.ledger = Ledger()
        self.model = Model()
        self.sources: dict[SourcePartition, SourceLedger] = {}
        self.forgotten: list[tuple[SourceLedger, int]] = []

    def step(self) -> None:
        act = self.chance.choices(
            [self.receive, self.acknowledge, self.below, self.rebalance, self.commit, self.late],
            weights=[12, 10, 1, 1, 4, 1],
        )[0]
        act()
        assert self.ledger.committable() == self.model.committable()
        assert self.ledger.pending == sum(self.model.next[place] - self.model.first(place) for place in self.sources)

    def _owned(self) -> SourcePartition | None:
        return self.chance.choice(sorted(self.sources)) if self.sources else None

    def receive(self) -> None:
        if (place := self._owned()) is not None:
            self.sources[place].receive(self.model.receive(place))

    def acknowledge(self) -> None:
        place = self._owned()
        if place is not None and self.model.open[place]:
            offset = self.chance.choice(sorted(self.model.open[place]))
            self.sources[place].acknowledge(offset)
            self.model.open[place].remove(offset)

    def below(self) -> None:
        """A snapshot was delivered."""
        if (place := self._owned()) is not None:
            offset = self.chance.randint(0, self.model.next[place])
            self.sources[place].acknowledge_below(offset)
            self.model.open[place] = {left for left in self.model.open[place] if left >= offset}

    def rebalance(self) -> None:
        """A partition goes, or comes and starts where the group's offset stands."""
        place = self.chance.choice(PLACES)
        if place in self.sources:
            self.forgotten += [(self.sources[place], offset) for offset in sorted(self.model.open[place])]
            self.ledger.forget(place)
            self.model.lose(place)
            del self.sources[place]
        else:
            start = self.model.own(place)
            self.sources[place] = SourceLedger(start, committed=start or None)
            self.ledger.start(place, self.sources[place])

    def commit(self) -> None:
        """Kafka takes the offsets, or refuses, or takes them and the answer is lost; or a partition went meanwhile."""
        offers = self.ledger.committable()
        fate = self.chance.choice(["taken", "refused", "unheard", "meanwhile"])
        if fate == "refused" or not offers:
            return
        self.model.group |= offers
        if fate == "meanwhile":
            self.rebalance()
        if fate != "unheard":
            self.ledger.committed(offers)
            for place, offset in offers.items():
                if place in self.model.known and self.model.first(place) >= offset:
                    self.model.known[place] = max(self.model.known[place], offset)

    def late(self) -> None:
        """An acknowledgement of a partition that has gone."""
        if self.forgotten:
            source, offset = self.forgotten.pop()
            source.acknowledge(offset)


@settings(max_examples=some(60), deadline=None)
@given(st.integers(0, 2**64), st.integers(1, 300))
def test_the_ledger_is_the_model(seed: int, steps: int) -> None:
    """After every step the same offsets are committable: below them everything was received and acknowledged."""
    pair = Pair(random.Random(seed))
    for _ in range(steps):
        pair.step()
