"""The alerts that stand, against what they are by definition; in any order, after crashes and restarts."""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.schemas.alerts import ALERT, Alert
from lotstream.schemas.lots import HoldAction, HoldScope
from lotstream.schemas.sightings import Mark, State
from lotstream.streams.locate.alerts import decode_kept

POINTS = ("dock", "gate")
LOTS = {1: "A", 2: "A", 3: "A", 4: "A", 5: "B", 6: "B"}
RANK = {State.GLIMPSED: 1, State.CROSS_READ: 2, State.OBSERVED: 4}
EVER = 10**9

Packing = tuple[str, str, int, int]  # child, parent, from, until


class Hold(NamedTuple):
    """In force, about some of the lot's units."""

    code: str
    name: str
    at: int
    scope: HoldScope


@dataclass
class Plan:
    """What happened, and as it is told."""

    inputs: list[Any] = field(default_factory=list)
    packed: list[Packing] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    reads: dict[tuple[str, int, str], State] = field(default_factory=dict)  # tag, seconds, read point


def plan_of(world: Any, chance: random.Random) -> Plan:
    """Lots A and B in pallets or not, held and released, seen here and there, themselves or by what they are in."""
    plan, case, box = Plan(), world.pallet(2), world.pallet(1)
    plan.inputs += [
        world.commission("a", 0, "A", 1, 4, biz_location="plant"),
        world.commission("b", 0, "B", 5, 6, biz_location="plant"),
    ]
    _pack(plan, world, chance)
    for name in range(chance.randrange(1, 4)):
        code, at = chance.choice("AB"), chance.randrange(0, 300)
        scope = chance.choice([HoldScope(), HoldScope(serials=((1, 2),)), HoldScope(units=(case,))])
        plan.inputs.append(world.hold(f"h{name}", at, code, f"H{name}", action=HoldAction.PLACE, scope=scope))
        if chance.random() < 0.3:
            plan.inputs.append(world.hold(f"r{name}", at + 50, code, f"H{name}", action=HoldAction.RELEASE))
        else:
            plan.holds.append(Hold(code, f"H{name}", at, scope))
    units = [*(world.tag(n) for n in LOTS), box, case]
    for number in range(chance.randrange(1, 10)):
        unit, at, point = chance.choice(units), 30 * chance.randrange(0, 12), chance.choice(POINTS)
        state = chance.choice([State.OBSERVED, State.OBSERVED, State.CROSS_READ, State.GLIMPSED])
        if chance.random() < 0.5:
            plan.inputs.append(world.read(unit, at, point, version=2 * number + 1, marks=Mark.NONE))
        plan.inputs.append(world.read(unit, at, point, version=2 * number + 2, state=int(state)))
        plan.reads[unit, at, point] = state
    return plan


def _pack(plan: Plan, world: Any, chance: random.Random) -> None:
    case, box = world.pallet(2), world.pallet(1)
    places = [{}, {"biz_location": "plant"}]
    into = {case: [world.tag(1), world.tag(5)], box: [case, world.tag(2)]}
    plan.inputs += [
        world.pack("c", 5, case, into[case], **chance.choice(places)),
        world.pack("p", 10, box, into[box], **chance.choice(places)),
    ]
    out = {}
    if chance.random() < 0.4:
        out[box] = chance.randrange(11, 300), into[box]
        plan.inputs.append(world.unpack("u", out[box][0], box, **chance.choice(places)))
    if chance.random() < 0.3:
        out[case] = chance.randrange(11, 300), [world.tag(1)]
        plan.inputs.append(world.unpack("v", out[case][0], case, [world.tag(1)]))
    for parent, since in ((case, 5), (box, 10)):
        until, children = out.get(parent, (EVER, []))
        plan.packed += [(child, parent, since, until if child in children else EVER) for child in into[parent]]


def way_up(plan: Plan, unit: str, at: int) -> list[str]:
    """The unit, and what it is in, the outermost last."""
    found = [unit]
    while above := [parent for child, parent, start, end in plan.packed if child == found[-1] and start <= at < end]:
        found.append(above[0])
    return found


class Stay(NamedTuple):
    """Slots of a unit in one top-level tag at one read point."""

    low: int
    high: int
    rank: int
    until: int
    chain: frozenset[str]  # the unit, and all that it is in

    def near(self, other: "Stay") -> bool:
        return self.low <= other.high + 1 and other.low <= self.high + 1

    def both(self, other: "Stay") -> "Stay":
        return Stay(
            min(self.low, other.low), max(self.high, other.high), max(self.rank, other.rank),
            max(self.until, other.until), self.chain | other.chain,
        )  # fmt: skip


def joined(stays: Iterable[Stay]) -> list[Stay]:
    """Without a whole slot between them they are one."""
    found: list[Stay] = []
    for stay in sorted(stays):
        if found and found[-1].near(stay):
            found[-1] = found[-1].both(stay)
        else:
            found.append(stay)
    return found


def visits(plan: Plan, unit: str) -> dict[tuple[str, str], list[Stay]]:
    """By read point and top-level tag. What left its pallet during a visit is of the pallet's visit."""
    seen: dict[tuple[str, str], list[Stay]] = defaultdict(list)
    for (tag, at, point), state in plan.reads.items():
        chain = way_up(plan, unit, at)
        if tag in chain:
            seen[point, chain[-1]].append(Stay(at // 30, at // 30, RANK[state], at, frozenset(chain)))
    found = {place: joined(stays) for place, stays in seen.items()}
    for (point, tag), stays in sorted(found.items(), key=lambda item: -max(len(stay.chain) for stay in item[1])):
        for (other, top), outer in found.items():
            if other == point and top != tag:
                for i, stay in enumerate(outer):
                    inner = [each for each in stays if tag in stay.chain and each.near(stay)]
                    for each in inner:
                        outer[i] = outer[i].both(each)
                        stays.remove(each)
    return found


def is_about(hold: Hold, unit: str, stay: Stay) -> bool:
    """Whether a hold is about a unit during a visit."""
    serial = int(unit.rsplit("/", 1)[1])
    scope = hold.scope
    inside = any(first <= serial <= last for first, last in scope.serials) or bool(stay.chain & set(scope.units))
    return stay.until >= hold.at - 60 and (inside or scope == HoldScope())


def expected(world: Any, plan: Plan) -> list[Any]:
    """The alerts that must stand: (lot, hold, top-level tag, read point, units)."""
    alerts: list[Any] = []
    seen = {unit: visits(plan, unit) for unit in map(world.tag, LOTS)}
    for hold in plan.holds:
        parts: dict[tuple[str, str], list[tuple[Stay, str]]] = defaultdict(list)
        for number, code in LOTS.items():
            unit = world.tag(number)
            for place, stays in seen[unit].items() if code == hold.code else ():
                parts[place] += [(stay, unit) for stay in stays if is_about(hold, unit, stay)]
        for (point, tag), some in parts.items():
            for whole in joined(stay for stay, _ in some):
                here = [(stay, unit) for stay, unit in some if stay.near(whole)]
                if max(stay.rank for stay, _ in here) == 4:
                    inside = sorted({unit for stay, unit in here if stay.rank == 4})
                    alerts.append((world.lot(hold.code), hold.name, tag, point, tuple(inside)))
    return sorted(alerts)


def newest(loop: Any) -> list[Alert]:
    """Each alert at its highest version."""
    found: dict[tuple[str, str], Alert] = {}
    for record in loop.log.topic("alerts.v1"):
        alert = ALERT.validate_json(record.value)
        known = found.get((alert.lot, alert.key))
        if known is None or alert.version >= known.version:
            found[alert.lot, alert.key] = alert
    return list(found.values())


def standing(loop: Any) -> list[Any]:
    """The alerts that stand; the slot in a key may depend on the order."""
    found = [alert for alert in newest(loop) if alert.state in ("raised", "confirmed") and alert.read_point in POINTS]
    assert {alert.state for alert in found} <= {"confirmed"}  # every visit has ended
    return sorted((a.lot, a.hold, a.tag, a.read_point, a.inside) for a in found)


def one_each(world: Any, loop: Any) -> None:
    """No two alerts that stand are about one visit."""
    spans = defaultdict(list)
    for number in range(world.PARTITIONS):
        for key, value in loop.table(world.stages[2], number).items():
            if key[:1] == b"A":
                lot, kept = decode_kept(value)
                if kept.state in ("raised", "confirmed"):
                    spans[lot, kept.place].append((kept.low, kept.high))
    for some in spans.values():
        assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(sorted(some))), some


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_the_same_alerts_stand_whatever_the_order(world: Any, seed: int, order: int) -> None:
    """Permuted and repeated inputs end with the alerts that facts ask for: one for each hold, top-level tag by what is
    packed in what, and visit."""
    plan = plan_of(world, random.Random(seed))
    got = world.run(plan.inputs, seed=order, duplicates=0.3)
    assert standing(got) == expected(world, plan)
    one_each(world, got)


@given(st.integers(0, 2**32), st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_a_crash_loses_no_alert(world: Any, seed: int, turn: int) -> None:
    """Outputs that are lost in a crash after the state was written are told again by the replay."""
    plan = plan_of(world, random.Random(seed))
    assert standing(world.run_losing(plan.inputs, turn=turn)) == expected(world, plan)


@given(st.integers(0, 2**32), st.integers(0, 12))
@settings(max_examples=30, deadline=None)
def test_a_restart_changes_no_key(world: Any, seed: int, replay: int) -> None:
    """After a restart that reads again what was read, no key and no version is new."""
    loop = world.run(plan_of(world, random.Random(seed)).inputs)
    before = {(a.lot, a.key, a.version) for a in newest(loop)}
    loop.restart(replay=replay)
    loop.run()
    assert {(a.lot, a.key, a.version) for a in newest(loop)} == before
