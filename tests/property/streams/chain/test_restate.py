"""What locate says again when another has written where it alone does."""

from typing import Any

from lotstream.schemas.lots import LOT_RECORD
from lotstream.schemas.movements import LOT_LOCATIONS
from lotstream.streams.engine.core import encode


def test_what_is_said_again_is_what_stands(world: Any) -> None:
    """Of every lot, the newest word about its places and its statements, and of no other."""
    inputs = [
        world.commission("c1", 0, "A", 1, 3),
        world.commission("c2", 1, "B", 11, 12),
        world.amount("q1", 2, "W", "12.5"),
        *(world.read(world.tag(serial), 40 * serial, "dock") for serial in (1, 2, 11)),
        world.pack("p1", 500, world.pallet(1), [world.tag(3), world.tag(12)]),
        world.read(world.pallet(1), 560, "gate"),
    ]
    loop = world.run(inputs)
    stage = world.stages[2]
    said: dict[str, dict[bytes | None, bytes]] = {}
    for number in range(world.PARTITIONS):
        for output in stage.restate(loop.core(stage, number)):
            assert (output.partition, output.absolute) == (number, True)
            said.setdefault(output.topic, {})[output.key] = encode(output)
    assert sorted(said) == sorted(stage.exclusive)
    places = [LOT_LOCATIONS.validate_json(value) for value in said["lot-locations.v1"].values()]
    still = {place.lot: place.model_copy(update={"revision": 0, "as_of_us": 0}) for place in places}
    assert still == world.places(loop) and len(still) == 3
    newest = {record.key: record.value for record in loop.log.topic("lots-latest.v1")}
    assert said["lots-latest.v1"] == newest
    assert {LOT_RECORD.validate_json(value).code for value in newest.values()} >= {"A", "B"}
