"""What a question about a place reads: what was there at that time, however much there is elsewhere."""

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


@pytest.fixture
def day_by_day(warehouse: Any) -> Any:
    """Goods of many lots at the dock, two of them a day."""
    at = "toDateTime64('2020-01-01 00:00:00', 6, 'UTC') + toIntervalDay(number % 20000)"
    filled = {
        "lot_sightings": f"(lot, tag, location, first_at, last_at, slot, state, recorded_at, source_partition,"
        f" source_offset) SELECT {LOT}, toString(number), 'dock', {at}, {at}, intDiv(toUnixTimestamp({at}), 30),"
        f" 'observed', {at}, 0, number",
        "quantities": f"(lot, identity, location, amount, at, retracted, recorded_at, source_partition, source_offset)"
        f" SELECT {LOT}, toString(number), 'dock', 1, {at}, false, {at}, 0, number",
    }
    for table, text in filled.items():
        warehouse.store.command(f"INSERT INTO {warehouse.settings.database}.{table} {text} FROM numbers({LOTS})")
    return warehouse


def plan_of(warehouse: Any, name: str, asked: dict[str, Any]) -> tuple[str, list[tuple[int, int]]]:
    """A query's plan, and of each table that it reads the granules chosen and all there are."""
    text = "\n".join(line for line in query_text(name).splitlines() if not line.startswith("--"))
    with History(warehouse.settings) as history:
        history.connect()
        _, rows = history.run(f"EXPLAIN indexes = 1 {text}", asked, settings={})
    plan = "\n".join(row[0] for row in rows)
    steps = [re.findall(r"Granules: (\d+)/(\d+)", step) for step in plan.split("ReadFromMergeTree")[1:]]
    return plan, [(int(found[-1][0]), int(found[0][1])) for found in steps if found]


@pytest.mark.parametrize("name", ["scope_exposed", "scope_exposed_amounts"])
def test_reads_what_was_there(many: Any, name: str) -> None:
    """Of every table some granules are read: those of the place, and of the lots that were there."""
    plan, read = plan_of(many, name, ASKED)
    assert any(total > 50 for _, total in read), plan
    assert all(chosen <= 16 for chosen, total in read if total > 50), plan


def test_what_was_beside_a_lot_reads_what_was_there_meanwhile(day_by_day: Any) -> None:
    """Of goods that were where a lot was, only those of its days are read, and found."""
    lot = "01/90614141000411/10/L700"
    asked = {"lots": [lot], "placed": [], "first_slot": 0, "last_slot": 2**32 - 1, "most": 10, "as_of": ASKED["as_of"]}
    plan, read = plan_of(day_by_day, "report_shared", asked)
    assert sum(total > 100 for _, total in read) >= 2, plan
    assert all(chosen <= 16 for chosen, total in read if total > 100), plan
    with History(day_by_day.settings) as history:
        found = history.ask("report_shared", **{name: value for name, value in asked.items() if name != "as_of"})
    assert {(row["other"], row["items"]) for row in found} == {("01/90614141000411/10/L20700", 1)}
