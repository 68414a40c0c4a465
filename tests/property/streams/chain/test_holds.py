"""Holds are facts: what is held does not depend on the order in which its parts are heard of."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotstream.schemas.lots import HoldAction, HoldPurpose, HoldScope
from lotstream.schemas.movements import LotLocations

PLACE, RELEASE = HoldAction.PLACE, HoldAction.RELEASE
decisions = st.tuples(
    st.integers(0, 20),
    st.sampled_from(["h1", "h2", "h3"]),
    st.sampled_from([PLACE, PLACE, RELEASE]),
    st.sampled_from(list(HoldPurpose)),
    st.sampled_from([HoldScope(), HoldScope(serials=((1, 3),)), HoldScope(site="plant")]),
)
Decisions = list[tuple[int, str, HoldAction, HoldPurpose, HoldScope]]


def inputs_of(world: Any, decided: Decisions) -> list[Any]:
    """The lot, two of its units, and what was decided of it; no two decisions at one instant."""
    return [
        world.commission("c", 0, "A", 1, 2, biz_location="plant"),
        *(
            world.hold(f"d{number}", 100 * number + at, "A", hold, action=action, purpose=purpose, scope=scope)
            for number, (at, hold, action, purpose, scope) in enumerate(decided)
        ),
    ]


def expected(decided: Decisions) -> dict[str, tuple[HoldPurpose, HoldScope]]:
    """By hand: of each hold that nobody released, what was said of it last."""
    released = {hold for _, hold, action, _, _ in decided if action is RELEASE}
    said = {hold: (purpose, scope) for _, hold, action, purpose, scope in decided if action is PLACE}
    return {hold: what for hold, what in said.items() if hold not in released}


def lot_of(world: Any, loop: Any) -> LotLocations:
    found = world.places(loop)[world.lot("A")]
    assert isinstance(found, LotLocations)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(decided=st.lists(decisions, max_size=7), seed=st.integers(0, 2**16), turn=st.integers(1, 4))
def test_any_order_gives_the_same_holds(world: Any, decided: Decisions, seed: int, turn: int) -> None:
    """Decisions in any order, twice, and through crashes give the holds that were placed and not released, each as it
    was said last; the gravest of them is the status."""
    inputs = inputs_of(world, decided)
    wanted = expected(decided)
    for loop in (world.run(inputs), world.run(inputs, seed=seed, duplicates=0.5), world.run_losing(inputs, turn=turn)):
        found = lot_of(world, loop)
        assert {hold.hold: (hold.purpose, hold.scope) for hold in found.holds} == wanted
        purposes = {purpose for purpose, _ in wanted.values()}
        status = "recalled" if HoldPurpose.RECALL in purposes else "held" if purposes else "active"
        assert found.status == status
        assert sum(place.items for place in found.units) == 2


def test_a_release_ends_its_own_hold_only(world: Any) -> None:
    """A release that comes before its hold ends it, and leaves another one of the lot."""
    inputs = [
        world.hold("r", 9, "A", "h1", action=RELEASE),
        world.hold("p1", 1, "A", "h1", action=PLACE),
        world.hold("p2", 2, "A", "h2", action=PLACE),
    ]
    assert [hold.hold for hold in lot_of(world, world.run(inputs)).holds] == ["h2"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ways=st.lists(st.sampled_from([{"template": "A{seq:01}"}, {"code": "A2"}, {"code": "A"}]), min_size=1, max_size=6),
    turn=st.integers(1, 4),
)
def test_a_claim_makes_its_lot_known(world: Any, ways: list[dict[str, str]], turn: int) -> None:
    """A number is known as a lot downstream, the same one when the crash was after it was given and before it was
    told."""
    inputs = [world.claim(f"c{number}", **way) for number, way in enumerate(ways)]
    places = world.places(world.run(inputs))
    assert world.places(world.run_losing(inputs, turn=turn)) == places
    assert all(lot[:21] == world.lot("") for lot in places)
