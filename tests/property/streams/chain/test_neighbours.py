"""Reads at doors that overhear each other, through all stages: where the goods are, and whose alert stands."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.schemas.alerts import ALERT
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.identifiers.tag import tag_key
from lotstream.schemas.lots import HoldAction
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.reads import ReadBatch, Tick
from lotstream.streams.engine.plain import PlainLog, PlainLoop
from lotstream.streams.smooth.stage import build_stage as build_smooth

CLEAR, FAINT = -4_000, -6_500
STANDING = ("raised", "confirmed")
LENGTH_S = 90
Reads = list[tuple[float, str, int]]  # seconds, tag, RSSI


def batch(world: Any, point: str, reads: Reads, *, door: str = "docks", sequence: int = 0) -> Any:
    """Reads of one door, by a reader of its own."""
    tags = sorted({tag for _, tag, _ in reads})
    said = ReadBatch(
        reader=f"reader of {point}",
        read_point=point,
        door=door,
        inside=f"at {point}",
        mapping=1,
        stamp=Stamp(received_us=world.START, origin=Origin.LIVE, source=point, request="r"),
        sequence=sequence,
        clock_offset_us=0,
        t0_us=world.START,
        tags=tags,
        tag=[tags.index(tag) for _, tag, _ in reads],
        antenna=[1] * len(reads),
        last=[round(time * world.SECOND) for time, _, _ in reads],
        rssi=[rssi for *_, rssi in reads],
    )
    return "reads.v1", partition_of(door, world.PARTITIONS), said.encode()


def play(world: Any, inputs: list[Any], *, chance: random.Random | None = None) -> PlainLoop:
    """All of it in this order, or in some disorder with copies, a bit at a time; then everything becomes final."""
    loop = PlainLoop([build_smooth(world.settings), *world.stages], log=PlainLog(now_us=world.START))
    order = list(inputs)
    if chance is not None:
        order += [each for each in inputs if chance.random() < 0.3]
        chance.shuffle(order)
    for i, (topic, partition, value) in enumerate(order):
        loop.log.now_us = world.START + LENGTH_S * world.SECOND * (i + 1) // len(order)
        loop.log.append(topic, partition, value=value)
        if chance is None or chance.random() < 0.5:
            loop.run()
        if chance is not None and chance.random() < 0.2:
            loop.restart(replay=chance.randrange(3))
    loop.log.now_us += 60 * world.SECOND
    for partition in range(world.PARTITIONS):
        loop.log.append("reads.v1", partition, value=Tick().encode())
    loop.run()
    return loop


def alerts(loop: PlainLoop, *states: str) -> list[Any]:
    """Those of some states, at their highest versions."""
    newest: dict[Any, Any] = {}
    for record in loop.log.topic("alerts.v1"):
        alert = ALERT.validate_json(record.value)
        newest[alert.key, alert.lot] = max(newest.get((alert.key, alert.lot), alert), alert, key=lambda a: a.version)
    return sorted((a.tag, a.read_point, a.state, a.inside) for a in newest.values() if a.state in states)


def epc(number: int) -> str:
    """A pallet's SSCC-96: company prefix 9521234, as it is read by radio."""
    return f"{0x31 << 88 | 5 << 82 | 9521234 << 58 | number << 24:024X}"


def start(world: Any, boxes: int) -> list[Any]:
    """A held lot, a unit of it in each pallet."""
    packed = [world.pack(f"p{n}", 0, tag_key(epc(n)), [world.tag(n)]) for n in range(1, boxes + 1)]
    held = world.hold("h", 0, "A", "H1", action=HoldAction.PLACE)
    return [world.commission("c", 0, "A", 1, 9), held, *packed]


def test_the_alert_of_the_door_that_overheard_is_moved(world: Any) -> None:
    """A pallet passes one door and is heard at the next: both raise it, one stands, and its contents are there."""
    box, unit = tag_key(epc(1)), world.tag(1)
    clear, faint = ([(time, epc(1), rssi) for time in (20.0, 21.0, 22.0)] for rssi in (CLEAR, FAINT))
    loop = play(world, [*start(world, 1), batch(world, "far", faint), batch(world, "near", clear)])
    assert alerts(loop, "raised", "confirmed", "moved") == [
        (box, "far", "moved", (unit,)),
        (box, "near", "confirmed", (unit,)),
    ]
    assert world.units(loop)[unit] == "at near"
    alone = [batch(world, "far", faint, door="far"), batch(world, "near", clear, door="near")]
    assert len(alerts(play(world, [*start(world, 1), *alone]), "confirmed")) == 2


times = st.lists(st.floats(0, 80).map(lambda time: round(time, 1)), min_size=2, max_size=5)
heard = st.tuples(st.integers(1, 3), st.integers(1, 2), times, st.sampled_from([CLEAR, CLEAR - 100, FAINT]))


@settings(max_examples=25, deadline=None)
@given(st.lists(heard, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_the_same_alerts_stand_whatever_the_order(world: Any, heard: list[Any], chance: random.Random) -> None:
    """Two pallets before three doors that overhear each other: any order, copies and restarts of all stages end with
    the same alerts and the same places."""
    reads = [
        batch(world, f"dock-{door}", [(time, epc(box), rssi) for time in times], sequence=i)
        for i, (door, box, times, rssi) in enumerate(heard)
    ]
    inputs = [*start(world, 2), *reads]
    plain, other = play(world, inputs), play(world, inputs, chance=chance)
    assert alerts(other, *STANDING) == alerts(plain, *STANDING)
    assert world.view(other)[0] == world.view(plain)[0]
