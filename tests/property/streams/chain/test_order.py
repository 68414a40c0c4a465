"""Promise 2 for the three stages: the answer depends neither on the order nor on copies, restarts and replays."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotstream.schemas.events import Action
from lotstream.schemas.sightings import Mark, decode_sightings

SERIALS = 6
steps = st.integers(0, 24).map(lambda step: step * 10)  # slots are 30 s: ties and neighbours are frequent
points = st.sampled_from(["dock", "gate", "shelf"])
serials = st.integers(1, SERIALS)
pallets = st.integers(1, 3)
Act = Callable[[Any, str], list[Any]]


def some_items(draw: st.DrawFn) -> list[int]:
    return draw(st.lists(serials, min_size=1, max_size=3, unique=True))


@st.composite
def acts(draw: st.DrawFn) -> Act:
    """Something that happens; given the world and a name, the inputs that tell of it."""
    at, kind = draw(steps), draw(st.sampled_from(["pack", "pack", "unpack", "ship", "store", "item", "pallet", "nest"]))
    items, number, point = some_items(draw), draw(pallets), draw(points)
    wrong, everything = draw(st.integers(0, 5)) == 0, draw(st.booleans())
    placed = {"biz_location": "plant"} if draw(st.booleans()) else {}

    def make(world: Any, name: str) -> list[Any]:
        tags, parent = [world.tag(serial) for serial in items], world.pallet(number)
        told = {
            "pack": lambda **more: world.pack(name, at, parent, tags, **placed, **more),
            "nest": lambda **more: world.pack(name, at, world.pallet(9), [parent], **more),
            "unpack": lambda **more: world.unpack(name, at, parent, () if everything else tags, **more),
            "ship": lambda **more: world.ship(name, at, [parent] if everything else tags, point, **more),
            "store": lambda **more: world.observe(name, at, [*tags, parent], point, **more),
        }
        if kind in told:
            return [told[kind](), told[kind](wrong=True)] if wrong else [told[kind]()]
        unit = world.pallet(9 if everything else number) if kind == "pallet" else tags[0]
        opened = world.read(unit, at, point, version=1, marks=Mark.NONE)
        closed = world.read(unit, at, point, version=2, reads=9)
        taken_back = world.read(unit, at, point, version=3, marks=Mark.FINAL | Mark.RETRACTED)
        return [opened, closed, taken_back] if wrong else [opened, closed]

    return make


@st.composite
def histories(draw: st.DrawFn) -> Callable[[Any], list[Any]]:
    happened = draw(st.lists(acts(), min_size=1, max_size=9))
    half, known = draw(st.integers(1, SERIALS - 1)), draw(st.booleans())

    def make(world: Any) -> list[Any]:
        inputs = [world.commission("ca", 100, "A", 1, half), world.commission("cb", 0, "B", half + 1, SERIALS)]
        if known:
            inputs.append(world.commission("cc", 50, "A", 1, half, biz_location="plant"))
        # what was said of one event is distinct from what is said of another: versions of reads are per sighting
        for number, act in enumerate(happened):
            inputs += act(world, f"e{number}")
        return unique_versions(inputs)

    return make


def unique_versions(inputs: list[Any]) -> list[Any]:
    """Two acts may read one unit in one slot at one point; smooth would never write two facts of one key."""
    seen: set[Any] = set()
    kept = []
    for item in inputs:
        if item[0] == "sightings.v1":
            (row,) = decode_sightings(item[2])
            key = row.fact, row.version
            if key in seen:
                continue
            seen.add(key)
        kept.append(item)
    return kept


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), seed=st.integers(0, 2**16))
def test_any_order_and_any_copies_give_the_same_answer(
    world: Any, history: Callable[[Any], list[Any]], seed: int
) -> None:
    """Permuted and duplicated events and sightings give the same places, counts and true facts."""
    inputs = history(world)
    assert world.view(world.run(inputs, seed=seed, duplicates=0.5)) == world.view(world.run(inputs))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), replay=st.integers(0, 12), cut=st.integers(0, 12))
def test_a_crash_and_a_replay_change_nothing(
    world: Any, history: Callable[[Any], list[Any]], replay: int, cut: int
) -> None:
    """All cores are lost half-way and read some records again, from the state they had written: the same answer."""
    inputs = history(world)
    loop = world.run(inputs[:cut])
    loop.restart(replay=replay)
    for topic, partition, value in inputs[cut:]:
        loop.log.append(topic, partition, value=value)
    loop.run()
    loop.restart(replay=replay)
    loop.run()
    assert world.view(loop) == world.view(world.run(inputs))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), turn=st.integers(1, 5))
def test_outputs_lost_after_the_state_was_written_are_said_again(
    world: Any, history: Callable[[Any], list[Any]], turn: int
) -> None:
    """Each turn crashes when its state is safe and its outputs are not: the replay says all of it."""
    inputs = history(world)
    assert world.view(world.run_losing(inputs, turn=turn)) == world.view(world.run(inputs))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), turn=st.integers(1, 5), seed=st.integers(0, 2**16))
def test_the_last_movement_of_a_unit_goes_where_it_is(
    world: Any, history: Callable[[Any], list[Any]], turn: int, seed: int
) -> None:
    """Whoever follows movements.v1 ends with the places that the tables hold, also after crashes."""
    inputs = history(world)
    for loop in (world.run(inputs, seed=seed), world.run_losing(inputs, turn=turn)):
        moved = world.moved(loop)
        assert {unit: moved.get(unit) for unit in world.units(loop)} == world.units(loop)


weights = st.tuples(
    steps, st.sampled_from(["make", "ship", "receive", "store", "sell"]), st.integers(1, 9), st.booleans()
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(happened=st.lists(weights, min_size=1, max_size=8), seed=st.integers(0, 2**16), turn=st.integers(1, 4))
def test_sums_do_not_depend_on_the_order(world: Any, happened: list[Any], seed: int, turn: int) -> None:
    """Goods by weight: any order, any copies and any crash give the same stock and the same record of the lot."""
    inputs = []
    for number, (at, kind, amount, wrong) in enumerate(happened):
        step = {
            "make": {"biz_location": "plant"},
            "ship": {"read_point": "plant", **world.shipping("store")},
            "receive": {"action": Action.OBSERVE, "biz_step": "receiving", "biz_location": "store"},
            "store": {"action": Action.OBSERVE, "biz_step": "storing", "read_point": "plant", "biz_location": "shelf"},
            "sell": {"action": Action.OBSERVE, "biz_step": "retail_selling", "biz_location": "store"},
        }[kind]
        name = f"q{number}"
        inputs += [world.amount(name, at, "W", str(amount), wrong=no, **step) for no in ([False, True][: 1 + wrong])]
    expected = world.places(world.run(inputs))
    assert world.places(world.run(inputs, seed=seed, duplicates=0.5)) == expected
    assert world.places(world.run_losing(inputs, turn=turn)) == expected
