"""A trace of worlds made by chance equals a brute force that plays them minute by minute, on the real engine."""

import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from lotstream.recall.store import History
from lotstream.recall.trace_answer import Direction, Trace
from lotstream.recall.trace_ask import trace_of
from lotstream.schemas.documents import Transformation
from lotstream.schemas.identity import Binding, BindingRows
from lotstream.schemas.lots import LotRecord

GTIN = "90614141000411"
T0 = 1_763_370_000_000_000
LOTS = [f"01/{GTIN}/10/{code}" for code in "ABCDEF"]
UNITS = {f"01/{GTIN}/21/{number}": LOTS[number % 6] for number in range(12)}
PALLETS = ["00/106141411234567897", "00/106141411234567903"]


@dataclass
class World:
    """Facts, and what was inside each pallet at each minute."""

    bindings: list[Binding] = field(default_factory=list)
    sides: list[Transformation] = field(default_factory=list)
    inside: dict[str, set[str]] = field(default_factory=lambda: {pallet: set() for pallet in PALLETS})
    # process -> side -> lots and units that were in it
    meant: dict[str, dict[str, set[str]]] = field(default_factory=dict)


def play(draw: random.Random) -> World:
    """Minutes in which something is packed, unpacked or made; pallets are reused, and lots reworked."""
    world = World()
    for unit, lot in UNITS.items():
        world.bindings.append(Binding(0, unit, -1, -1, lot, 0, T0, "commissioned", 0, T0))
    for minute in range(1, 30):
        deed, pallet = draw.choice(("pack", "pack", "empty", "make", "make")), draw.choice(PALLETS)
        if deed == "pack":
            child = draw.choice([*UNITS, *(PALLETS if pallet == PALLETS[0] else ())])
            if child != pallet:
                pack(world, minute, pallet, child)
        elif deed == "empty":
            world.bindings.append(bound(2, pallet, "", minute, action=1))
            world.inside[pallet] = set()
        else:
            make(world, minute, draw)
    return world


def bound(relation: int, subject: str, target: str, minute: int, action: int = 0) -> Binding:
    at = T0 + minute * 60_000_000
    return Binding(relation, subject, -1, -1, target, action, at, f"e{minute}", 0, at)


def pack(world: World, minute: int, pallet: str, child: str) -> None:
    world.bindings += [bound(1, child, pallet, minute), bound(2, pallet, child, minute)]
    world.inside[pallet].add(child)


def make(world: World, minute: int, draw: random.Random) -> None:
    """A process of lots and units, some of them on pallets, told with or without a transformation id."""
    at = T0 + minute * 60_000_000
    process = draw.choice((f"e{minute}", "run"))
    for side in ("input", "output"):
        known: dict[str, Any] = {
            "process": process,
            "event": f"e{minute}",
            "side": side,
            "at_us": at,
            "recorded_us": at,
        }
        lots = draw.sample(LOTS, draw.randrange(2))
        units = draw.sample([*UNITS, *PALLETS] if side == "input" else list(UNITS), draw.randrange(3))
        world.sides += [Transformation(lot=lot, amount=Decimal(1), uom="KGM", **known) for lot in lots]
        world.sides += [Transformation(units=tuple(units), items=len(units), **known)] if units else []
        held = [one for unit in units for one in (unit, *everything(world, unit))]
        meant = world.meant.setdefault(process, {"input": set(), "output": set()})
        meant[side].update(lots, held, (UNITS[unit] for unit in held if unit in UNITS))


def everything(world: World, unit: str) -> set[str]:
    """What is inside a unit now, at any depth."""
    direct = world.inside.get(unit, set())
    return direct.union(*(everything(world, child) for child in direct))


def reached(world: World, start: str, near: str, far: str) -> set[str]:
    """Lots on the far side of whatever has the start, or what was reached, on its near side."""
    found, grew = {start}, True
    while grew:
        more = {one for sides in world.meant.values() if sides[near] & found for one in sides[far] if one in LOTS}
        grew, found = not more <= found, found | more
    return found & set(LOTS)


def fill(warehouse: Any, world: World, draw: random.Random) -> None:
    """Facts in any order, some of them twice."""
    facts = [fact.encode() for fact in world.sides]
    rows = [BindingRows([row]).encode() for row in world.bindings]
    for topic, values in (("documents", facts), ("identity", rows)):
        warehouse.put(topic, draw.sample(values, len(values)) + draw.choices(values, k=min(5, len(values))))
    told = [LotRecord(lot=lot, gtin=GTIN, code=lot[21:], event="r", at_us=T0, recorded_us=T0).encode() for lot in LOTS]
    warehouse.put("lots", told)


def lots_of(answer: Trace) -> set[str]:
    return {node.name for node in answer.nodes} & set(LOTS)


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_brute_force(warehouse: Any, seed: int) -> None:
    """From every lot, and from units and pallets, both ways: exactly the lots that playing the world reaches."""
    draw = random.Random(seed)
    world = play(draw)
    fill(warehouse, world, draw)
    with History(warehouse.settings) as history:
        for lot in LOTS:
            forward = trace_of(history, [lot], direction=Direction.FORWARD)
            back = trace_of(history, [lot], direction=Direction.BACK)
            assert lots_of(forward) == reached(world, lot, "input", "output")
            assert lots_of(back) == reached(world, lot, "output", "input")
            assert all(edge.event for edge in (*forward.edges, *back.edges))
        for unit in draw.sample(list(UNITS), 3):
            answer = trace_of(history, [unit], direction=Direction.FORWARD)
            assert lots_of(answer) == reached(world, unit, "input", "output")
            lots = trace_of(history, [unit], direction=Direction.BACK)
            made = reached(world, UNITS[unit], "output", "input") | reached(world, unit, "output", "input")
            assert lots_of(lots) == made
