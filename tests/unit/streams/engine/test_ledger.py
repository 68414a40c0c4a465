"""The ledger refuses what cannot be, in words."""

import pytest

from lotstream.streams.engine.ledger import Place, SourceLedger


def test_an_offset_is_received_once_and_in_order() -> None:
    """Only the next offset can be received; what came before is seen, what comes after is beyond a hole."""
    source = SourceLedger(5)
    assert source.place(4) is Place.SEEN
    assert source.place(6) is Place.HOLE
    with pytest.raises(ValueError, match="Expected offset 5, got 6"):
        source.receive(6)


def test_an_offset_is_acknowledged_once() -> None:
    """Neither an offset that was not received nor one that is done can be acknowledged."""
    source = SourceLedger(0)
    source.receive(0)
    source.receive(1)
    source.acknowledge(1)
    for wrong in (1, 2, -1):
        with pytest.raises(ValueError, match="not yet acknowledged"):
            source.acknowledge(wrong)


def test_a_jump_goes_forward() -> None:
    """The log's start moves up, never down."""
    source = SourceLedger(4)
    with pytest.raises(ValueError, match=">= 4"):
        source.jump(3)
    source.jump(9)
    assert (source.first, source.expected) == (9, 9)


def test_a_checkpoint_covers_no_more_than_was_received() -> None:
    """Acknowledging below an offset that was not received is a bug."""
    with pytest.raises(ValueError, match="<= 0"):
        SourceLedger(0).acknowledge_below(1)
