"""Class-level goods in logistic units: they are where their unit is, in whatever order that is told."""

from decimal import Decimal
from typing import Any

import pytest

from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.events import Action, EventType, Quantity, QuantityScan

START = 1_800_000_000_000_000


def kilos(world: Any, amount: str, code: str = "W") -> tuple[Quantity, ...]:
    return (Quantity(epc_class=world.lot(code), quantity=Decimal(amount), uom="KGM"),)


def packing(world: Any, name: str, seconds: int, unit: str, amount: str, **more: Any) -> Any:
    known: dict[str, Any] = {"event_type": EventType.AGGREGATION, "action": Action.ADD, "biz_location": "plant"}
    return world.event(name, seconds, parent=unit, child_quantities=kilos(world, amount), **(known | more))


def label(world: Any, seconds: int, unit: str, amount: str, **more: Any) -> Any:
    """A pallet label that says what is on the pallet, scanned."""
    at = START + seconds * 1_000_000
    scan = QuantityScan(
        scanner="gun", boot="b", sequence=seconds, lot=world.lot("W"), unit=unit, amount=Decimal(amount), uom="KGM",
        cases=4,
        raw="]C100…", biz_step="receiving", read_point="dock", location="plant", time_us=at, device_time_us=at,
        subject="scanner/gun", stamp=Stamp(received_us=at, origin=Origin.LIVE, source="gun", request="r"), **more,
    )  # fmt: skip
    return ("events.v1", 0, scan.encode())


def stock(world: Any, loop: Any, code: str = "W") -> dict[tuple[str, str], str]:
    places = world.places(loop)[world.lot(code)]
    assert not places.units  # a portion is no unit to count
    return {(q.location, q.disposition): f"{q.amount.normalize():f}" for q in places.quantities}


@pytest.mark.parametrize("seed", [None, *range(6)])
def test_goods_go_where_their_pallet_goes(world: Any, seed: int | None) -> None:
    """Packed on a pallet, read at a door, partly unpacked: the amounts are where the pallet is, and the rest stayed."""
    one = world.pallet(1)
    inputs = [
        world.amount("made", 0, "W", "100", biz_location="plant"),
        packing(world, "p1", 60, one, "40"),
        packing(world, "p2", 90, one, "5"),
        world.read(one, 300, "centre"),
        packing(world, "u", 400, one, "10", action=Action.DELETE, biz_location="centre"),
        world.ship("s", 600, [one], "store"),
    ]
    loop = world.run(inputs, seed=seed, duplicates=0.3 if seed else 0.0)
    assert stock(world, loop) == {("plant", ""): "55", ("centre", ""): "10", ("store", "in_transit"): "35"}


@pytest.mark.parametrize("seed", [None, *range(4)])
def test_a_label_says_what_is_on_the_pallet(world: Any, seed: int | None) -> None:
    """Its first scan is what counts, however often it is scanned; what was taken out since stays out."""
    one = world.pallet(1)
    inputs = [
        label(world, 60, one, "40"),
        world.read(one, 61, "dock"),
        packing(world, "u", 400, one, "10", action=Action.DELETE, biz_location="plant"),
        label(world, 900, one, "40"),
        world.read(one, 901, "centre"),
    ]
    loop = world.run(inputs, seed=seed, duplicates=0.3 if seed else 0.0)
    assert stock(world, loop) == {("at centre", ""): "30", ("plant", ""): "10"}


@pytest.mark.parametrize("seed", [None, *range(4)])
def test_what_was_unpacked_follows_no_more(world: Any, seed: int | None) -> None:
    """After everything was taken out, the goods stay where that was while the empty pallet moves on."""
    one = world.pallet(1)
    inputs = [
        packing(world, "p", 60, one, "40"),
        world.read(one, 300, "centre"),
        world.unpack("u", 400, one, biz_location="centre"),
        world.read(one, 600, "dock"),
    ]
    assert stock(world, world.run(inputs, seed=seed)) == {("plant", ""): "-40", ("at centre", ""): "40"}


def test_a_pallet_of_two_lots(world: Any) -> None:
    """Each lot's portion goes with the pallet; amounts of two lots meet nowhere."""
    one = world.pallet(1)
    both = kilos(world, "40") + kilos(world, "7", "V")
    inputs = [
        world.event(
            "p", 60, event_type=EventType.AGGREGATION, action=Action.ADD, parent=one, biz_location="plant",
            child_quantities=both,
        ),
        world.read(one, 300, "centre"),
    ]  # fmt: skip
    loop = world.run(inputs)
    assert stock(world, loop)[("at centre", "")] == "40"
    assert stock(world, loop, "V")[("at centre", "")] == "7"


def test_a_packing_taken_back(world: Any) -> None:
    """An error declaration puts the goods back, also when it comes first."""
    one = world.pallet(1)
    made, right, wrong = (
        world.amount("made", 0, "W", "100", biz_location="plant"),
        packing(world, "p", 60, one, "40"),
        packing(world, "p", 60, one, "40", wrong=True),
    )
    for inputs in ([made, right, wrong], [wrong, made, right]):
        assert stock(world, world.run(inputs)) == {("plant", ""): "100"}
