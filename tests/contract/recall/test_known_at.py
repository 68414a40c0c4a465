"""As known at an instant: an older answer comes back, whatever has come since."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lotstream.recall import ask
from lotstream.recall.store import History

LOT = "01/10614141073464/10/B251101"
EARLY = datetime(2026, 3, 1, 10, tzinfo=UTC)
LATE = EARLY + timedelta(hours=1)


@pytest.fixture
def moved(warehouse: Any, make: Any) -> Any:
    """A unit at the plant, which the sinks had passed early, and in the store, which they had passed late."""
    for at, place, slot in ((EARLY, "plant", 58_779_000), (LATE, "store", 58_779_001)):
        warehouse.lot_sightings([make.lot_sighting(lot=LOT, slot=slot, location=place)])
        passed = warehouse.offsets["lot-sightings.v1"] + 1
        row = (["lot-sightings.v1"], [0], [int(at.timestamp() * 1_000_000)], [passed])
        warehouse.store.insert("sink_offsets", row, names=("topic", "partition", "at", "next"))
    return warehouse


@pytest.mark.parametrize(
    ("known_at", "places"),
    [
        (EARLY - timedelta(seconds=1), []),
        (EARLY, ["plant"]),
        (LATE - timedelta(seconds=1), ["plant"]),
        (LATE, ["store"]),
        (None, ["store"]),
    ],
)
def test_answers_are_those_of_their_instant(moved: Any, known_at: datetime | None, places: list[str]) -> None:
    """affected, where and stock say what they would have said then, and that they do."""
    with History(moved.settings, known_at=known_at) as history:
        affected, where, stock = ask.affected(history, LOT), ask.where(history, LOT), ask.stock(history)
    assert [place.location for place in affected.places] == places
    assert [unit.location for unit in where.units] == places
    assert [row.location for row in stock.rows] == places
    assert {affected.known_at, where.known_at, stock.known_at} == {known_at}
