"""What a trace reads: the rows of what it asks for, however much there is besides, by the plans of the real engine."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from lotstream.recall.store import History, query_text

SIDES = 20_000
LOT = "'01/90614141000411/10/L'||toString(number)"
ASKED: dict[str, Any] = {
    "lots": ["01/90614141000411/10/L7", "01/90614141000411/10/L9000"],
    "side": "input",
    "steps": ["shipping"],
    "as_of": datetime(2199, 1, 1, tzinfo=UTC),
}


@pytest.fixture
def many(warehouse: Any) -> Any:
    """Many processes, each of a lot that is shipped, and as many of lots that nobody asks for."""
    known = "now64(6), false, now64(6), 0, number"
    filled = {
        "transformations": f"(process, event, side, lot, at, retracted, recorded_at, source_partition, source_offset)"
        f" SELECT 'p'||toString(number), 'e'||toString(number), 'input', {LOT}, {known}",
        "quantities": f"(lot, identity, biz_step, at, retracted, recorded_at, source_partition, source_offset)"
        f" SELECT {LOT}, toString(number), 'shipping', {known}",
        "lots": f"(lot, event, description, at, retracted, recorded_at, source_partition, source_offset)"
        f" SELECT {LOT}, toString(number), 'Food', {known}",
    }
    for table, text in filled.items():
        warehouse.store.command(f"INSERT INTO {warehouse.settings.database}.{table} {text} FROM numbers({SIDES})")
    return warehouse


@pytest.mark.parametrize("name", ["trace_met", "trace_amounts", "trace_names"])
def test_reads_what_it_asks_for(many: Any, name: str) -> None:
    """Every table that holds much is read by its key: at most a granule for each name and part."""
    text = "\n".join(line for line in query_text(name).splitlines() if not line.startswith("--"))
    with History(many.settings) as history:
        history.connect()
        _, rows = history.run(f"EXPLAIN indexes = 1 {text}", ASKED, settings={})
    plan = "\n".join(row[0] for row in rows)
    read = [tuple(map(int, found)) for found in re.findall(r"Granules: (\d+)/(\d+)", plan)]
    assert any(total > 50 for _, total in read), plan
    assert all(chosen <= 4 for chosen, total in read if total > 50), plan
