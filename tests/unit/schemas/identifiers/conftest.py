"""The public GS1 vectors, read in place; each row is judged, or left out with its reason."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lotstream.runtime.errors import Rejected

Row = dict[str, Any]
Judge = Callable[[Row], None]
LeftOut = Callable[[Row], str | None]


@pytest.fixture(scope="session")
def judge_vectors(shared_data: Path) -> Callable[..., Counter[str]]:
    """Run `judge` over every row of a file; rows for which `left_out` gives a reason are counted and printed."""

    def run(name: str, judge: Judge, left_out: LeftOut, *, op: str | None = None) -> Counter[str]:
        failures: list[str] = []
        reasons: Counter[str] = Counter()
        judged = 0
        for line in (shared_data / "gs1" / name).read_text().splitlines():
            row = json.loads(line)
            if op is not None and row["op"] != op:
                continue
            reason = left_out(row)
            if reason is not None:
                reasons[reason] += 1
                continue
            judged += 1
            try:
                judge(row)
            except (AssertionError, Rejected, LookupError, ValueError, TypeError) as error:
                failures.append(f"{type(error).__name__} {error}: {line[:400]}")
        print(f"{name} {op or ''}: {judged} judged, {sum(reasons.values())} left out {dict(reasons)}")
        assert not failures, f"{len(failures)} of {judged}:\n" + "\n".join(failures)
        assert judged > 0
        return reasons

    return run
