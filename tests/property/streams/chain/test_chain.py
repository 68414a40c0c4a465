"""From events and sightings to the place of every unit, through three stages in the plain loop."""

from typing import Any

from lotstream.schemas.base import Evidence
from lotstream.schemas.documents import DOCUMENTS, DocumentLine
from lotstream.schemas.movements import UnitsAt, decode_movements


def units(location: str, items: int, evidence: Evidence, disposition: str = "") -> UnitsAt:
    return UnitsAt(location=location, disposition=disposition, items=items, logistic=0, evidence=evidence)


def test_commissioned_units_are_found_where_they_are_read(world: Any) -> None:
    """A range is commissioned, one unit is read at a door: the lot is there with one, and the rest as declared."""
    loop = world.run(
        [
            world.commission("c", 0, "A", 1, 100, biz_location="plant"),
            world.read(world.tag(70), 100, "dock"),
        ]
    )
    assert world.places(loop)[world.lot("A")].units == (
        units("at dock", 1, Evidence.CONFIRMED),
        units("plant", 99, Evidence.DECLARED),
    )


def test_a_range_too_wide_to_name_its_units_is_bound_all_the_same(world: Any) -> None:
    """A number range claimed for printing declares no unit to be anywhere, and still gives read units their lot."""
    loop = world.run(
        [world.commission("c", 0, "A", 0, 999_999, biz_location="plant"), world.read(world.tag(54_321), 9, "dock")]
    )
    assert world.places(loop)[world.lot("A")].units == (units("at dock", 1, Evidence.CONFIRMED),)


def test_a_pallet_carries_its_items(world: Any) -> None:
    """A pallet is packed and read: its items are inferred to be where it is, one movement each."""
    items = [world.tag(serial) for serial in range(1, 61)]
    loop = world.run(
        [
            world.commission("c", 0, "A", 1, 80),
            world.pack("p", 60, world.pallet(1), items),
            world.read(world.pallet(1), 120, "dock"),
        ]
    )
    assert world.places(loop)[world.lot("A")].units == (units("at dock", 60, Evidence.INFERRED),)
    rows = [row for record in loop.log.topic("movements.v1") for row in decode_movements(record.value)]
    assert sorted(row.unit for row in rows) == sorted(items)
    assert {row.location for row in rows} == {"at dock"}


def test_what_is_shipped_is_at_its_destination_in_transit_with_its_document(world: Any) -> None:
    """Shipping a pallet puts its items to the destination as declared, on the line of the despatch advice."""
    loop = world.run(
        [
            world.commission("c", 0, "A", 1, 3),
            world.pack("p", 60, world.pallet(1), [world.tag(1), world.tag(2)]),
            world.ship("s", 120, [world.pallet(1)], "store"),
        ]
    )
    assert world.places(loop)[world.lot("A")].units == (units("store", 2, Evidence.DECLARED, "in_transit"),)
    declarations = {fact[6] for fact in world.lot_facts(loop).values()}
    assert [(d.biz_step, d.document, d.line, d.party) for d in declarations] == [
        ("shipping", "desadv:s", "1", "owner of store")
    ]
    lines = [DOCUMENTS.validate_json(record.value or b"") for record in loop.log.topic("documents.v1")]
    assert [line.units for line in lines if isinstance(line, DocumentLine)] == [(world.pallet(1),)]


def test_packing_lists_may_come_late(world: Any) -> None:
    """The pallet was read before its packing list arrived: its items are inferred from the sighting that was kept."""
    loop = world.run(
        [
            world.commission("c", 0, "A", 1, 3),
            world.read(world.pallet(1), 120, "dock"),
            world.pack("p", 60, world.pallet(1), [world.tag(1), world.tag(2)]),
        ]
    )
    assert world.places(loop)[world.lot("A")].units == (units("at dock", 2, Evidence.INFERRED),)


def test_unpacking_may_come_late(world: Any) -> None:
    """What turns out to have been unpacked before the pallet was read was not there: the inference is retracted."""
    loop = world.run(
        [
            world.commission("c", 0, "A", 1, 3, biz_location="plant"),
            world.pack("p", 60, world.pallet(1), [world.tag(1), world.tag(2)]),
            world.read(world.pallet(1), 120, "dock"),
            world.unpack("u", 90, world.pallet(1), [world.tag(2)]),
        ]
    )
    assert world.places(loop)[world.lot("A")].units == (
        units("at dock", 1, Evidence.INFERRED),
        units("plant", 2, Evidence.DECLARED),
    )


def test_pallets_in_containers_carry_their_items(world: Any) -> None:
    """A container is read: its pallets, and the items on them, are inferred hop by hop, with their path."""
    loop = world.run(
        [
            world.commission("c", 0, "A", 1, 3),
            world.pack("p", 60, world.pallet(1), [world.tag(1), world.tag(2)]),
            world.pack("q", 70, world.pallet(2), [world.pallet(1)]),
            world.read(world.pallet(2), 120, "port"),
        ]
    )
    assert world.places(loop)[world.lot("A")].units == (units("at port", 2, Evidence.INFERRED),)
    assert {(fact[4], fact[5]) for _, fact in world.lot_facts(loop)} == {
        (world.pallet(2), (world.pallet(2), world.pallet(1)))
    }


def test_a_pallet_inside_itself_is_told_and_does_not_loop(world: Any) -> None:
    """Two packing lists contradict each other: dead letters say so, and the chain comes to rest."""
    loop = world.run(
        [
            world.pack("p", 60, world.pallet(1), [world.pallet(2)]),
            world.pack("q", 70, world.pallet(2), [world.pallet(1)]),
            world.read(world.pallet(2), 120, "port"),
        ]
    )
    letters = list(loop.log.topic("dead-letters.v1"))
    assert letters
    assert {dict(letter.headers)["reason"] for letter in letters} == {b"cycle"}


def test_units_read_before_their_lot_is_known(world: Any) -> None:
    """A unit is read before its commissioning arrives: the sighting waits and joins its lot."""
    loop = world.run([world.read(world.tag(2), 10, "dock"), world.commission("c", 50, "A", 1, 3)])
    assert world.places(loop)[world.lot("A")].units == (units("at dock", 1, Evidence.CONFIRMED),)


def test_an_event_declared_wrong_places_nothing(world: Any) -> None:
    """A shipment is declared an error: its items are where they were, whichever of the two came first."""
    shipped = {"tags": [world.tag(1)], "location": "store"}
    inputs = [
        world.commission("c", 0, "A", 1, 1, biz_location="plant"),
        world.ship("s", 120, **shipped),
        world.ship("s", 120, wrong=True, **shipped),
    ]
    for order in (inputs, inputs[::-1]):
        assert world.places(world.run(order))[world.lot("A")].units == (units("plant", 1, Evidence.DECLARED),)


def test_amounts_move_between_places(world: Any) -> None:
    """Goods by weight are made in one place and shipped in part to another: the sums follow."""
    loop = world.run(
        [
            world.amount("m", 0, "W", "100.5", biz_location="plant"),
            world.amount("s", 60, "W", "40", read_point="plant", **world.shipping("store")),
        ]
    )
    found = [(q.location, str(q.amount), q.uom) for q in world.places(loop)[world.lot("W")].quantities]
    assert found == [("plant", "60.5", "KGM"), ("store", "40", "KGM")]
