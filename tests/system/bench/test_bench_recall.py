"""The bench of recalls fills the product's own schema, and the plans of what it asks read what was asked for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BIG = ("sightings", "lot_sightings", "quantities", "bindings", "events")


@pytest.mark.system
def test_plans_read_what_is_asked_for(tmp_path: Path) -> None:
    """Of a world of a million movements no question reads more granules than its lots, units and processes have."""
    out, page = tmp_path / "recall.json", tmp_path / "recall.md"
    asked = ["--movements", "1000000", "--times", "0", "--out", str(out), "--report", str(page)]
    command = [sys.executable, "-m", "bench.recall", *asked]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["loaded"]["movements"] == 1_080_000
    assert set(BIG) <= set(found["loaded"]["tables"])
    assert all(plan["granules"] for plan in found["plans"])
    assert "Bytes on disk per movement" in page.read_text(encoding="utf-8")
