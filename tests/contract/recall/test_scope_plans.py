"""What a question about a place reads: granules that have the place, however much there is elsewhere."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from lotstream.recall.store import History, query_text

LOTS = 40_000
LOT = "'01/90614141000411/10/L'||toString(number)"
COLD = "if(number IN (7, 9000), 'cold', 'dock')"
ASKED: dict[str, Any] = {
    "locations": ["cold"],
    "lot": "",
    "since": datetime(2026, 1, 1, tzinfo=UTC),
    "until": datetime(2027, 1, 1, tzinfo=UTC),
    "opening": datetime(2026, 1, 1, tzinfo=UTC),
    "as_of": datetime(2199, 1, 1, tzinfo=UTC),
}


@pytest.fixture
def many(warehouse: Any) -> Any:
    """Goods of many lots at the dock, of two in the cold store."""
    at = "toDateTime64('2026-03-01 00:00:00', 6, 'UTC')"
    filled = {
        "lot_sightings": f"(lot, tag, location, first_at, last_at, recorded_at, source_partition, source_offset)"
        f" SELECT {LOT}, toString(number), {COLD}, {at}, {at}, {at}, 0, number",
        "quantities": f"(lot, identity, location, amount, at, retracted, recorded_at, source_partition, source_offset)"
        f" SELECT {LOT}, toString(number), {COLD}, 1, {at}, false, {at}, 0, number",
    }
    for table, text in filled.items():
        warehouse.store.command(f"INSERT INTO {warehouse.settings.database}.{table} {text} FROM numbers({LOTS})")
    return warehouse


@pytest.mark.parametrize("name", ["scope_exposed", "scope_exposed_amounts"])
def test_reads_what_was_there(many: Any, name: str) -> None:
    """Of every table some granules are read: those of the place, and of the lots that were there."""
    text = "\n".join(line for line in query_text(name).splitlines() if not line.startswith("--"))
    with History(many.settings) as history:
        history.connect()
        _, rows = history.run(f"EXPLAIN indexes = 1 {text}", ASKED, settings={})
    plan = "\n".join(row[0] for row in rows)
    steps = [re.findall(r"Granules: (\d+)/(\d+)", step) for step in plan.split("ReadFromMergeTree")[1:]]
    read = [(int(found[-1][0]), int(found[0][1])) for found in steps if found]
    assert any(total > 50 for _, total in read), plan
    assert all(chosen <= 16 for chosen, total in read if total > 50), plan
