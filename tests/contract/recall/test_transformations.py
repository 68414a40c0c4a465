"""The table of transformations on the real engine: what trace walks along."""

import random
from decimal import Decimal
from typing import Any

from lotstream.schemas.documents import Transformation

NOW = 1_763_370_000_000_000
RAW, CHEESE = "01/90614141000411/10/RAW", "01/90614141000411/10/CHEESE"


def side(event: str, which: str, lot: str, **given: Any) -> Transformation:
    known: dict[str, Any] = {"process": event, "event": event, "side": which, "lot": lot, "at_us": NOW}
    return Transformation(**(known | {"recorded_us": NOW} | given))


def test_sides_hold_once_and_not_when_taken_back(warehouse: Any) -> None:
    """Sides told twice are one; a retracted one is gone, also when its retraction came first."""
    facts = [
        side("e", "input", RAW, amount=Decimal("9.5"), uom="KGM"),
        side("e", "output", CHEESE, amount=Decimal(8), uom="KGM"),
        side("e", "output", "", units=("00/1", "00/2"), items=2),
        side("x", "output", CHEESE, items=3, retracted=True, recorded_us=NOW + 5),
        side("x", "output", CHEESE, items=3),
    ]
    for seed in range(3):
        random.Random(seed).shuffle(facts)
        warehouse.put("documents", [fact.encode() for fact in facts])
    found = warehouse.query(
        "SELECT process, toString(side), lot, units, items, amount, toString(uom)"
        f" FROM {warehouse.settings.database}.transformation_sides ORDER BY lot, side"
    )
    assert [tuple(row) for row in found] == [
        ("e", "output", "", ["00/1", "00/2"], 2, None, ""),
        ("e", "output", CHEESE, [], 0, Decimal(8), "KGM"),
        ("e", "input", RAW, [], 0, Decimal("9.5"), "KGM"),
    ]
