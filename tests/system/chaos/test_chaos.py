"""The crash proof, small."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.system, pytest.mark.alone]
ROOT = Path(__file__).parents[3]


def test_nothing_is_lost_whatever_dies() -> None:
    """Eight deaths and freezes of broker, history and processes under load: every read is answered once in effect."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--kills", "8", "--seed", "4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:] + done.stdout
    answer = json.loads(done.stdout)
    assert answer["answered"] == answer["obligations"] > 5_000
    assert (answer["lost"], answer["double"], answer["invented"]) == (0, 0, 0)
