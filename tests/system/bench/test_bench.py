"""The bench tells the truth: it runs from a checkout, checks what it measures, and writes the rows it promises."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FIELDS = ["workload", "stage", "reads_s_core", "us_per_read", "p50_ms", "p99_ms", "rss_mb", "equal"]


def test_stages_alone_are_measured_and_equal(tmp_path: Path) -> None:
    """Every stage that reads pass through has a row, and its output is what the naive reference says."""
    out = tmp_path / "bench.json"
    command = [sys.executable, "-m", "bench", "--alone", "--batches", "2", "--out", str(out)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert [row["stage"] for row in rows] == ["smooth", "resolve", "locate"]
    assert all(list(row) == FIELDS and row["equal"] for row in rows)
    assert len(out.read_text(encoding="utf-8").splitlines()) == len(rows)
