"""Item rows from facts alone, against what the chain made of them on their way."""

import random
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.schemas.identity import decode_bindings
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.sightings import LotSighting, LotSightingRows, decode_sightings
from lotstream.streams.engine.plain import PlainLog
from lotstream.streams.resolve.again import Lots

POINTS = ("dock", "belt", "gate")


def derived(world: Any, loop: Any) -> Any:
    """The lot facts that follow from identity.v1 and sightings.v1."""
    lots = Lots(
        (row, record.offset) for record in loop.log.topic("identity.v1") for row in decode_bindings(record.value)
    )
    log = PlainLog()
    for record in loop.log.topic("sightings.v1"):
        for row in decode_sightings(record.value):
            for lot, retracted in lots.of(row.tag, slot=row.slot, last_us=row.last_us):
                said = LotSighting(lot, 0, -1, row.retracted() if retracted else row)
                partition = partition_of(lot, world.PARTITIONS)
                log.append("lot-sightings.v1", partition, value=LotSightingRows([said]).encode())
    return world.lot_facts(SimpleNamespace(log=log))


def bindings(world: Any, chance: random.Random, *, change: bool) -> list[Any]:
    """Lots of serials 1 to 9, some packed for a while; with ``change``, some in two lots or in none."""
    first = 4 if change else 7
    found = [
        world.commission("a", 0, "A", 1, 6, biz_location="plant"),
        world.commission("b", 100, "B", first, 9),
        world.pack("p", chance.randrange(0, 300), world.pallet(1), [world.tag(n) for n in (1, 5)]),
        world.unpack("u", chance.randrange(200, 500), world.pallet(1)),
    ]
    return found + ([world.commission("b", 100, "B", first, 9, wrong=True)] if change and chance.random() < 0.3 else [])


def reads(world: Any, chance: random.Random) -> list[Any]:
    units = [*(world.tag(n) for n in range(1, 10)), world.pallet(1)]
    return [
        world.read(chance.choice(units), chance.randrange(0, 500), chance.choice(POINTS), version=number + 1)
        for number in range(chance.randrange(1, 12))
    ]


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_facts_alone_give_what_the_stream_gave(world: Any, seed: int, order: int) -> None:
    """In whatever order things were said and read, and however often, the item rows follow from the facts."""
    chance = random.Random(seed)
    inputs = bindings(world, chance, change=False) + reads(world, chance)
    loop = world.run(inputs, seed=order, duplicates=0.2)
    assert derived(world, loop) == world.lot_facts(loop)


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_units_of_two_lots(world: Any, seed: int) -> None:
    """Units that went from one lot to another are in each for its time, where that was known before they were read."""
    chance = random.Random(seed)
    loop = world.run(bindings(world, chance, change=True) + reads(world, chance))
    assert derived(world, loop) == world.lot_facts(loop)
