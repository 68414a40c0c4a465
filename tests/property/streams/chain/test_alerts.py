"""Alerts of held, recalled and expired goods, from events and sightings to alerts.v1."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotstream.schemas.alerts import ALERT, Alert, alert_key
from lotstream.schemas.events import Quantity
from lotstream.schemas.lots import HoldAction, HoldPurpose, HoldScope
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.portions import portion_of
from lotstream.schemas.sightings import Mark, State

POINTS = ("dock", "gate")
OPEN = Mark.NONE
PLACE, RELEASE = HoldAction.PLACE, HoldAction.RELEASE


def go_on(loop: Any, *inputs: Any) -> None:
    """Each input through the whole chain before the next one."""
    for topic, partition, value in inputs:
        loop.log.append(topic, partition, value=value)
        loop.run()


def one_by_one(world: Any, inputs: list[Any]) -> Any:
    loop = world.run([])
    go_on(loop, *inputs)
    return loop


def told(loop: Any) -> list[Alert]:
    """Everything on alerts.v1, in the order of each key."""
    return [ALERT.validate_json(record.value) for record in loop.log.topic("alerts.v1")]


def newest(loop: Any) -> list[Alert]:
    """Each alert at its highest version of each lot."""
    found: dict[tuple[str, str], Alert] = {}
    for alert in told(loop):
        name = alert.key, alert.lot
        if name not in found or alert.version >= found[name].version:
            found[name] = alert
    return list(found.values())


def standing(loop: Any) -> list[Any]:
    """What does not depend on any order: the alerts that stand; the slot in a key may."""
    return sorted(
        (a.lot, a.hold, a.tag, a.read_point, a.state, a.cause, a.inside, a.location)
        for a in newest(loop)
        if a.state in ("raised", "confirmed")
    )


def life(loop: Any) -> list[tuple[str, ...]]:
    """What was told, as (top-level tag, read point, state or why it was cleared)."""
    return [(alert.tag, alert.read_point, alert.end or alert.state) for alert in told(loop)]


@pytest.fixture
def lot_a(world: Any) -> Any:
    return world.commission("a", 0, "A", 1, 9, biz_location="plant")


@pytest.fixture
def held(world: Any) -> Any:
    return world.hold("h", 100, "A", "H1", action=PLACE)


def test_held_goods_raise_an_alert_that_is_confirmed_and_cleared(world: Any, lot_a: Any, held: Any) -> None:
    """Provisional reads raise it under the key of its first slot, final ones confirm it, a release clears it."""
    unit = world.tag(3)
    loop = one_by_one(world, [
        lot_a, held,
        world.read(unit, 120, "dock", marks=OPEN),
        world.read(unit, 121, "dock", version=2),
        world.hold("r", 300, "A", "H1", action=RELEASE),
    ])  # fmt: skip
    assert life(loop) == [(unit, "dock", "raised"), (unit, "dock", "confirmed"), (unit, "dock", "released")]
    alerts = told(loop)
    slot = (world.START + 120 * world.SECOND) // 30_000_000
    key = alert_key(hold="H1", tag=unit, read_point="dock", slot=slot)
    assert {alert.key for alert in alerts} == {key}
    assert [alert.version for alert in alerts] == [1, 2, 3]
    assert {(a.cause, a.reason, a.units, a.inside) for a in alerts} == {("held", "a reason", 1, (unit,))}


def test_an_alert_lies_in_the_partition_of_its_read_point_under_its_key(world: Any, lot_a: Any, held: Any) -> None:
    """Whoever follows one door reads one partition, and the versions of an alert come in their order."""
    loop = one_by_one(
        world, [lot_a, held, world.read(world.tag(1), 120, "dock"), world.read(world.tag(2), 120, "gate")]
    )
    for record in loop.log.topic("alerts.v1"):
        alert = ALERT.validate_json(record.value)
        assert record.partition == partition_of(alert.read_point, world.PARTITIONS)
        assert record.key == alert.key.encode()


def test_goods_in_a_pallet_are_one_alert_of_the_pallet(world: Any, lot_a: Any, held: Any) -> None:
    """One alert of the pallet lists what is held in it, and items that are read themselves raise none that stays."""
    units = [world.tag(n) for n in (1, 2, 3)]
    box = world.pallet(1)
    loop = one_by_one(world, [
        lot_a, held, world.pack("p", 10, box, units, biz_location="plant"),
        world.read(box, 130, "dock", marks=OPEN),
        world.read(units[0], 131, "dock", marks=OPEN),
    ])  # fmt: skip
    (alert,) = [alert for alert in newest(loop) if alert.state != "cleared"]
    assert (alert.tag, alert.units, alert.inside, alert.evidence) == (box, 3, tuple(units), "inferred")


def test_an_item_whose_pallet_is_seen_after_it_gives_its_alert_up(world: Any, lot_a: Any, held: Any) -> None:
    """The item's own alert is cleared as inside, and the pallet's stands."""
    unit, box = world.tag(1), world.pallet(1)
    loop = one_by_one(world, [
        lot_a, held, world.read(unit, 131, "dock", marks=OPEN), world.pack("p", 10, box, [unit], biz_location="plant"),
        world.read(box, 130, "dock", marks=OPEN),
    ])  # fmt: skip
    assert standing(loop)[0][2:5] == (box, "dock", "raised")
    assert (unit, "dock", "inside") in life(loop)


@pytest.mark.parametrize("packed_first", [True, False])
def test_items_of_a_pallet_that_is_never_read_are_one_alert(
    world: Any, lot_a: Any, held: Any, packed_first: bool
) -> None:
    """Its tag is by what events say is packed in what: one alert, whose list grows; items that were read before their
    packing lists came give theirs up."""
    case, box, units = world.pallet(2), world.pallet(1), [world.tag(n) for n in (1, 2, 3)]
    packing = [world.pack("p", 20, box, [case]), world.pack("c", 10, case, units)]
    reads = [world.read(unit, 130, "dock", marks=OPEN) for unit in units]
    loop = one_by_one(world, [lot_a, held, *(packing + reads if packed_first else reads + packing)])
    (alert,) = [alert for alert in newest(loop) if alert.state != "cleared"]
    assert (alert.tag, alert.inside, alert.evidence, alert.state) == (box, tuple(units), "confirmed", "raised")
    if packed_first:
        assert [(alert.tag, alert.units) for alert in told(loop)] == [(box, 1), (box, 2), (box, 3)]
    else:
        assert {alert.end for alert in newest(loop) if alert.tag != box} == {"inside"}


def test_what_was_unpacked_has_alerts_of_its_own(world: Any, lot_a: Any, held: Any) -> None:
    """Also when the event names no child and no place; what is read before, or after it was packed again, is inside."""
    box, unit = world.pallet(1), world.tag(1)
    loop = one_by_one(world, [
        lot_a, held, world.pack("p", 10, box, [unit]), world.unpack("u", 200, box), world.pack("q", 400, box, [unit]),
        world.read(unit, 130, "dock"), world.read(unit, 300, "dock"), world.read(unit, 500, "dock"),
    ])  # fmt: skip
    assert [row[:1] for row in life(loop)] == [(box,), (unit,), (box,)]


def test_a_hold_of_a_pallet_meets_its_items(world: Any, lot_a: Any) -> None:
    """A scope names the pallet: what is in it and is read itself raises the pallet's alert."""
    box, unit = world.pallet(1), world.tag(1)
    held = world.hold("h", 100, "A", "H1", action=PLACE, scope=HoldScope(units=(box,)))
    reads = [world.read(world.tag(n), 130, "dock") for n in (1, 2)]
    loop = one_by_one(world, [lot_a, world.pack("p", 10, box, [unit]), held, *reads])
    assert [(a.tag, a.inside) for a in newest(loop)] == [(box, (unit,))]


def test_the_outermost_pallet_has_the_alert(world: Any, lot_a: Any, held: Any) -> None:
    """Cases that are read beside their pallet add nothing."""
    unit, case, box = world.tag(1), world.pallet(2), world.pallet(1)
    loop = one_by_one(world, [
        lot_a, held, world.pack("c", 10, case, [unit]), world.pack("p", 20, box, [case]),
        world.read(case, 130, "dock"), world.read(box, 130, "dock"), world.read(unit, 130, "dock"),
    ])  # fmt: skip
    assert [row[2:5] for row in standing(loop)] == [(box, "dock", "confirmed")]


def test_a_parked_pallet_is_one_alert(world: Any, lot_a: Any, held: Any) -> None:
    """Slices of a visit add nothing: the pallet that stands in the door for minutes is told twice."""
    unit = world.tag(1)
    reads = []
    for i in range(8):
        marks = (Mark.CONTINUES_BEFORE if i else OPEN) | (Mark.CONTINUES_AFTER if i < 7 else OPEN)
        reads += [world.read(unit, 120 + 30 * i, "dock", version=2 * i + 1, marks=marks & Mark.CONTINUES_BEFORE)]
        reads += [world.read(unit, 121 + 30 * i, "dock", version=2 * i + 2, marks=marks | Mark.FINAL)]
    assert [row[2] for row in life(one_by_one(world, [lot_a, held, *reads]))] == ["raised", "confirmed"]


def test_the_neighbouring_door_may_win(world: Any, lot_a: Any, held: Any) -> None:
    """The alert of the door that only overheard is moved; that of the door where the goods were is confirmed."""
    unit = world.tag(1)
    loop = one_by_one(world, [
        lot_a, held,
        world.read(unit, 120, "dock", marks=OPEN), world.read(unit, 120, "gate", marks=OPEN),
        world.read(unit, 121, "gate", version=2, state=int(State.CROSS_READ)), world.read(unit, 121, "dock", version=2),
    ])  # fmt: skip
    assert {row[1:] for row in life(loop)} == {
        ("dock", "raised"), ("gate", "raised"), ("gate", "moved"), ("dock", "confirmed"),
    }  # fmt: skip


def test_a_glimpse_is_taken_back(world: Any, lot_a: Any, held: Any) -> None:
    """What remains a glimpse when the visit ends clears the alert that its first read raised."""
    unit = world.tag(1)
    glimpse = {"state": int(State.GLIMPSED), "reads": 1}
    loop = one_by_one(world, [
        lot_a, held, world.read(unit, 120, "dock", marks=OPEN, **glimpse),
        world.read(unit, 120, "dock", version=2, **glimpse),
    ])  # fmt: skip
    assert [row[2] for row in life(loop)] == ["raised", "glimpsed"]


@pytest.mark.parametrize(("seconds", "expected"), [(90, ["confirmed"]), (20, [])])
def test_a_hold_meets_what_stands_in_the_doorway(
    world: Any, lot_a: Any, held: Any, seconds: int, expected: list[str]
) -> None:
    """What was seen within the minute before the hold raises an alert when it comes; what passed earlier does not."""
    loop = one_by_one(world, [lot_a, world.read(world.tag(1), seconds, "dock"), held])
    assert [row[2] for row in life(loop)] == expected


def test_a_hold_meets_a_pallet_that_has_stood_in_the_doorway_for_long(world: Any, lot_a: Any) -> None:
    """Of what is in a pallet that stays, only the first slot is told; it says that the visit goes on."""
    box, late = world.pallet(1), world.hold("h", 1_200, "A", "H1", action=PLACE)
    start = [lot_a, world.pack("p", 10, box, [world.tag(1)])]
    read = world.read(box, 120, "dock", marks=Mark.FINAL | Mark.CONTINUES_AFTER)
    assert [row[:2] for row in life(one_by_one(world, [*start, read, late]))] == [(box, "dock")]
    gone = world.read(box, 600, "gate", version=5)
    assert life(one_by_one(world, [*start, read, gone, late])) == []


def test_a_hold_meets_what_is_on_a_truck_or_at_a_customer(world: Any, lot_a: Any) -> None:
    """However long ago it was shipped: the alert says who has it."""
    box, late = world.pallet(1), world.hold("h", 500_000, "A", "H1", action=PLACE)
    shipped = world.ship("s", 200, [box], "customer", disposition="in_transit")
    loop = one_by_one(world, [lot_a, world.pack("p", 10, box, [world.tag(1), world.tag(2)]), shipped, late])
    (alert,) = told(loop)
    assert (alert.tag, alert.location, alert.disposition, alert.party, alert.evidence, alert.units) == (
        box, "customer", "in_transit", "owner of customer", "declared", 2,
    )  # fmt: skip


def test_what_is_destroyed_raises_nothing(world: Any, lot_a: Any, held: Any) -> None:
    """That is how many a hold ends; goods that are only stored elsewhere raise an alert."""
    acts = [
        world.observe("d", 200, [world.tag(1)], "oven", biz_step="destroying"),
        world.observe("s", 200, [world.tag(2)], "shelf"),
    ]
    assert [(a.tag, a.location) for a in newest(one_by_one(world, [lot_a, held, *acts]))] == [(world.tag(2), "shelf")]


def test_scopes(world: Any, lot_a: Any) -> None:
    """A hold of serials, units or a site is about those alone."""
    reads = [world.read(world.tag(n), 120, "dock") for n in (1, 5)] + [world.read(world.tag(7), 120, "gate")]
    for scope, expected in (
        (HoldScope(serials=((4, 6),)), [5]),
        (HoldScope(units=(world.tag(1),)), [1]),
        (HoldScope(site="at gate"), [7]),
        (HoldScope(), [1, 5, 7]),
    ):
        loop = one_by_one(world, [lot_a, world.hold("h", 100, "A", "H1", action=PLACE, scope=scope), *reads])
        assert sorted(a.tag for a in newest(loop)) == [world.tag(n) for n in expected], scope


def test_two_holds_are_two_alerts(world: Any, lot_a: Any, held: Any) -> None:
    """Each under its own key, and a release clears its own."""
    recall = world.hold("h2", 100, "A", "R1", action=PLACE, purpose=HoldPurpose.RECALL)
    loop = one_by_one(world, [
        lot_a, held, recall, world.read(world.tag(1), 120, "dock"), world.hold("r", 200, "A", "H1", action=RELEASE),
    ])  # fmt: skip
    assert sorted((a.hold, a.cause, a.state) for a in newest(loop)) == [
        ("H1", "held", "cleared"), ("R1", "recalled", "confirmed"),
    ]  # fmt: skip


def test_a_hold_of_two_lots_is_one_alert(world: Any, lot_a: Any, held: Any) -> None:
    """A recall over lots that lie in one pallet has one key there, also where each lot has a partition of its own; each
    lot tells its own units and versions under it."""
    box = world.pallet(1)
    lots = [world.commission(code, 0, code, 10 * n, 10 * n, biz_location="plant") for n, code in enumerate("BCD", 1)]
    holds = [world.hold(f"h{code}", 100, code, "H1", action=PLACE) for code in "BCD"]
    packed = world.pack("p", 10, box, [world.tag(1), *(world.tag(10 * n) for n in (1, 2, 3))])
    loop = one_by_one(world, [lot_a, *lots, held, *holds, packed, world.read(box, 130, "dock", marks=OPEN)])
    go_on(loop, world.read(box, 131, "dock", version=2), world.hold("r", 300, "B", "H1", action=RELEASE))
    assert len({partition_of(world.lot(code), world.PARTITIONS) for code in "ABCD"}) > 1
    assert len({alert.key for alert in told(loop)}) == 1
    assert sorted((a.lot[-1], a.version, a.end or a.state, a.units) for a in newest(loop)) == [
        ("A", 2, "confirmed", 1), ("B", 3, "released", 1), ("C", 2, "confirmed", 1), ("D", 2, "confirmed", 1),
    ]  # fmt: skip


def test_expired_goods(world: Any) -> None:
    """Judged by when they were seen: the whole day on the label is still good, in UTC; a corrected date clears."""
    today = datetime.fromtimestamp(world.START / 1e6, UTC).date()
    midnight = 86_400 - world.START // world.SECOND % 86_400
    claim = world.claim("c", code="A", expires=today)
    made = world.commission("a", 0, "A", 1, 9, biz_location="plant")
    reads = [world.read(world.tag(n), midnight + after, "dock") for n, after in ((1, -1), (2, 0))]
    loop = one_by_one(world, [claim, made, *reads])
    assert [(a.tag, a.cause, a.hold, a.state) for a in told(loop)] == [(world.tag(2), "expired", "", "confirmed")]
    go_on(loop, world.claim("c", code="A", expires=today + timedelta(days=1)))
    assert [(a.tag, a.end) for a in newest(loop)] == [(world.tag(2), "withdrawn")]


def test_goods_by_weight_in_a_pallet(world: Any) -> None:
    """A held lot without serials is known by the pallets that it lies in: the pallet has the alert."""
    box = world.pallet(1)
    goods = (Quantity(epc_class=world.lot("W"), quantity=Decimal(40), uom="KGM"),)
    packed = world.pack("p", 60, box, [], child_quantities=goods, biz_location="plant")
    loop = one_by_one(world, [
        world.amount("made", 0, "W", "100", biz_location="plant"), packed,
        world.hold("h", 200, "W", "H1", action=PLACE), world.read(box, 300, "dock"),
    ])  # fmt: skip
    assert [(a.tag, a.read_point, a.state, a.inside) for a in newest(loop)] == [
        (box, "dock", "confirmed", (portion_of(box, world.lot("W")),))
    ]


def test_a_unit_that_turns_out_to_be_of_another_lot(world: Any, lot_a: Any, held: Any) -> None:
    """Its alert is withdrawn when the label is corrected; where the other lot is held, that has one."""
    unit = world.tag(1)
    wrong = world.commission("a", 0, "A", 1, 9, biz_location="plant", wrong=True)
    right = [world.hold("hb", 100, "B", "H2", action=PLACE), world.commission("b", 0, "B", 1, 9, biz_location="plant")]
    loop = one_by_one(world, [lot_a, held, world.read(unit, 120, "dock"), *right, wrong])
    assert sorted((a.lot[-1], a.hold, a.end or a.state) for a in newest(loop) if a.read_point == "dock") == [
        ("A", "H1", "withdrawn"),
        ("B", "H2", "confirmed"),
    ]


def test_an_alert_stands_until_its_hold_is_released(world: Any, lot_a: Any, held: Any) -> None:
    """However many there are, and wherever the goods went since: they are counted, and the release clears them all."""
    reads = [world.read(world.tag(n), 120 + 300 * i, f"door-{i}") for n in (1, 2, 3) for i in range(6)]
    loop = one_by_one(world, [lot_a, held, *reads])
    counted = [loop.core(world.stages[2], number).standing_alerts for number in range(world.PARTITIONS)]
    assert sum(counted) == len(standing(loop)) == len(reads)
    go_on(loop, world.hold("r", 9_000, "A", "H1", action=RELEASE))
    assert standing(loop) == []
    assert not any(loop.core(world.stages[2], number).standing_alerts for number in range(world.PARTITIONS))


@pytest.mark.parametrize("late", [True, False])
def test_the_lot_that_a_unit_is_relabelled_into_knows_what_it_is_packed_in(world: Any, lot_a: Any, late: bool) -> None:
    """The lot it was packed under passes that on: an item that is read inside its pallet raises the pallet's alert."""
    box, case, units = world.pallet(1), world.pallet(2), [world.tag(n) for n in (1, 2)]
    wrong = world.commission("a", 0, "A", 1, 9, biz_location="plant", wrong=True)
    right = [wrong, world.commission("b", 0, "B", 1, 2, biz_location="plant")]
    packed = [world.pack("c", 10, case, units), world.pack("p", 20, box, [case])]
    reads = [world.hold("hb", 100, "B", "H2", action=PLACE), *(world.read(unit, 120, "dock") for unit in units)]
    loop = one_by_one(world, [lot_a, *packed, *(reads + right if late else right + reads)])
    (alert,) = [a for a in newest(loop) if a.read_point == "dock" and a.state != "cleared"]
    assert (alert.lot[-1], alert.tag, alert.inside) == ("B", box, tuple(units))


def test_one_visit_has_one_key(world: Any, lot_a: Any, held: Any) -> None:
    """The key keeps the slot as it was called when the alert was raised; a late read that makes one visit of two
    clears the younger alert."""
    unit = world.tag(1)
    first, middle, last = (world.read(unit, 120 + 30 * n, "dock", version=n + 1) for n in range(3))
    slot = (world.START + 120 * world.SECOND) // 30_000_000
    assert {a.slot for a in newest(one_by_one(world, [lot_a, held, last, middle, first]))} == {slot + 2}
    joined = newest(one_by_one(world, [lot_a, held, last, first, middle]))
    assert sorted((a.slot, a.end or a.state) for a in joined) == [(slot, "confirmed"), (slot + 2, "joined")]
