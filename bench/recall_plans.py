"""What the queries of a recall read, by the engine's own plans: the granules of what was asked for, and few more."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from bench.recall_ask import FINISHED, RAW, UNIT
from lotstream.recall.store import ALWAYS, History, query_text

GRANULE = 256
_GRANULES = re.compile(r"Granules: (\d+)/(\d+)")
_STEPS = ["shipping", "receiving"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Of each table that a query reads, the granules chosen and all there are; ``most`` is how many it may choose."""

    query: str
    most: int
    granules: list[tuple[int, int]]

    def words(self) -> str:
        """read/all of each table."""
        return ", ".join(f"{read}/{all_}" for read, all_ in self.granules)

    def row(self) -> dict[str, Any]:
        return asdict(self)


def plans(history: History, *, campaigns: int) -> list[Plan]:
    """Of the questions that a recall asks of one lot, one unit, and 150 lots."""
    last = campaigns - 1
    lot, unit, raw = f"{FINISHED}{last * 150 + 77:07}", f"{UNIT}{last * 45_000 + 23_101}", f"{RAW}{last * 30:07}"
    many = [f"{FINISHED}{last * 150 + place:07}" for place in range(150)]
    one_lot, many_lots = _granules_of(1920), _granules_of(1920) * 150
    asked: list[tuple[str, int, dict[str, Any]]] = [
        ("units", one_lot, {"lot": lot, "limit": 1000}),
        ("unit_groups", one_lot, {"lot": lot}),
        ("amounts", _granules_of(2400), {"lot": raw}),
        ("lot", 4, {"lot": lot}),
        ("history", 4, {"tag": unit, "limit": 1000}),
        ("trace_met", 8, {"lots": [raw], "side": "input"}),
        ("trace_met", 4 * 150, {"lots": many, "side": "input"}),
        ("trace_deliveries", many_lots, {"lots": many, "steps": _STEPS}),
        ("trace_amounts", _granules_of(2400), {"lots": [raw], "steps": _STEPS}),
        ("lots_places", many_lots, {"lots": many}),
        ("trace_names", 2 * 150, {"lots": many}),
    ]
    return [Plan(name, most, _read(history, name, given)) for name, most, given in asked]


def too_many(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Plans that read more than they may, in words. What is small is read whole."""
    return [
        f"{row['query']}: Expected at most {row['most']} granules of a table, got {read} of {of}."
        for row in rows
        for read, of in row["granules"]
        if read > max(row["most"], 8)
    ]


def _granules_of(rows: int) -> int:
    """Granules of so many rows that lie together, wherever they begin, in two parts."""
    return 2 * (-(-rows // GRANULE) + 2)


def _read(history: History, name: str, given: dict[str, Any]) -> list[tuple[int, int]]:
    text = "\n".join(line for line in query_text(name).splitlines() if not line.startswith("--"))
    _, rows = history.run(f"EXPLAIN indexes = 1 {text}", {"as_of": ALWAYS, **given}, settings={})
    found: list[tuple[int, int]] = []
    for line in (str(row[0]) for row in rows):
        if "ReadFromMergeTree" in line:
            found.append((0, 0))
        elif (match := _GRANULES.search(line)) and found:
            read, of = int(match[1]), int(match[2])
            found[-1] = read, max(of, found[-1][1])  # the last index is what is left
    return [table for table in found if table[1]]
