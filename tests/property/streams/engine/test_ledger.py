"""The ledger against a model that keeps every offset by itself."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lotstream.streams.engine.ledger import Ledger, Place, SourceLedger


class LedgerAgainstModel(RuleBasedStateMachine):
    """Whatever is received, jumped and acknowledged in whatever order: the first open offset is committable."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = SourceLedger(3)
        self.open: set[int] = set()
        self.next = 3

    @rule()
    def receive(self) -> None:
        assert self.ledger.place(self.next) is Place.NEXT
        self.ledger.receive(self.next)
        self.open.add(self.next)
        self.next += 1

    @rule(by=st.integers(0, 4))
    def jump(self, by: int) -> None:
        self.ledger.jump(self.next + by)
        self.next += by

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        offset = data.draw(st.sampled_from(sorted(self.open)))
        self.ledger.acknowledge(offset)
        self.open.remove(offset)

    @rule(data=st.data())
    def acknowledge_below(self, data: st.DataObject) -> None:
        offset = data.draw(st.integers(0, self.next))
        self.ledger.acknowledge_below(offset)
        self.open = {left for left in self.open if left >= offset}

    @invariant()
    def first_open_is_committable(self) -> None:
        first = min(self.open, default=self.next)
        assert self.ledger.expected == self.next
        # offsets that were jumped over count as done only when everything before them is
        assert self.ledger.first == first or (self.open == set() and self.ledger.first == self.next)
        assert self.ledger.place(self.next + 1) is Place.HOLE
        assert self.ledger.pending == self.ledger.expected - self.ledger.first


TestLedgerAgainstModel = LedgerAgainstModel.TestCase


@given(st.permutations(range(12)), st.lists(st.booleans(), min_size=12, max_size=12))
def test_bookkeeping_moves_only_when_kafka_took_it(order: list[int], takes: list[bool]) -> None:
    """What is committable stays so until a commit was taken, and never goes back."""
    ledger, source = Ledger(), SourceLedger(0)
    ledger.start(("t", 0), source)
    for _ in range(12):
        source.receive(source.expected)
    committed = 0
    for offset, taken in zip(order, takes, strict=True):
        source.acknowledge(offset)
        offers = ledger.committable()
        assert offers == ({("t", 0): source.first} if source.first > committed else {})
        if taken and offers:
            ledger.committed(offers)
            committed = offers["t", 0]
    assert source.first == 12


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_forgotten_partition_is_not_committed(start: int, received: int) -> None:
    """Acknowledgements that come after a partition was given back change nothing that can be committed."""
    ledger, source = Ledger(), SourceLedger(start)
    ledger.start(("t", 0), source)
    for _ in range(received):
        source.receive(source.expected)
    ledger.forget(("t", 0))
    for offset in range(start, start + received):
        source.acknowledge(offset)
    assert ledger.committable() == {}
    assert ledger.pending == 0
