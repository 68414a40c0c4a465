"""The words of ALE (unknown, glimpsed, observed, lost) against public scenarios, in event time."""

import json
from pathlib import Path
from typing import Any

import pytest

from lotstream.streams.smooth.decide import join, observed
from lotstream.streams.smooth.policy import Rule
from lotstream.streams.smooth.state import Run
from lotstream.streams.smooth.table import Table

OWN = [
    {"id": "count", "policy": (None, 3), "reads": [(0, 0), (0, 0), (0, 1), (0, 1)]},
    {"id": "exactly at the duration", "policy": (25, 9), "reads": [(0, 0), (25, 1)]},
    {"id": "exactly at the silence", "policy": (None, 2), "reads": [(0, 0), (50, 1), (101, 0)]},
    {"id": "out of order", "policy": (None, 3), "reads": [(60, 0), (0, 0), (30, 1)]},
]


class Tag:
    """Runs of one tag; tells whether a read's run is observed."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.runs: list[Run] = []
        self.table = Table()

    def read(self, time_us: int) -> bool:
        return observed(
            join(
                self.runs,
                Run(time_us, time_us, reads=1, row=self.table.take()),
                silence_us=self.rule.silence_us,
                table=self.table,
            ),
            self.rule,
        )


@pytest.mark.parametrize("row", OWN, ids=lambda row: row["id"])
def test_own_scenarios(row: dict[str, Any]) -> None:
    """Thresholds and silence are inclusive, and the order of arrival is indifferent."""
    duration, count = row["policy"]
    tag = Tag(_rule(50, count=count, duration_ms=duration))
    assert [int(tag.read(time_ms * 1_000)) for time_ms, _ in row["reads"]] == [expected for _, expected in row["reads"]]


def test_every_ale_scenario(shared_data: Path) -> None:
    """All rows of dialect `ale` pass; `rf_common` is left out: its thresholds are exclusive and run on the wall clock.

    ALE has one timeout for glimpsed and one for observed tags, we have one silence for both: the shorter, glimpsed
    one. No row has a pause between the two, so none is left out for it.
    """
    rows = [json.loads(line) for line in (shared_data / "smoothing" / "ale_smoothing.jsonl").open()]
    chosen = [row for row in rows if row["dialect"] == "ale"]
    assert len(chosen) == 6
    assert {row["dialect"] for row in rows} == {"ale", "rf_common"}
    for row in chosen:
        policy = row["policy"]
        rule = _rule(
            policy["glimpsed_timeout_ms"],
            count=policy["observed_count_threshold"],
            duration_ms=policy["observed_time_threshold_ms"],
        )
        tags: dict[str, Tag] = {}
        for step in row["steps"]:
            reported = [tag for tag in step["read"] if tags.setdefault(tag, Tag(rule)).read(step["t_ms"] * 1_000)]
            assert reported == step["expect"]["reported"], row["id"]


def _rule(silence_ms: int, *, count: int, duration_ms: int | None) -> Rule:
    duration_us = None if duration_ms is None else duration_ms * 1_000
    return Rule(silence_us=silence_ms * 1_000, observe_count=count, observe_duration_us=duration_us)
