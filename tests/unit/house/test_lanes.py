"""The runs that `make test` consists of."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.__main__ import ALONE, ROOT, run, verdict

SLOW = """
import time
from pathlib import Path

def test_slow():
    try:
        Path("begun").touch()
        time.sleep(60)
    finally:
        Path("ended").touch()
"""
STARTS = """
from pathlib import Path
from tests.__main__ import run
print(run({"slow": ["test_slow.py"]}, directory=Path.cwd()).codes)
"""


def test_one_failure_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each run tells its summary under its name; one that fails is seen in the codes, and what failed is named."""
    (tmp_path / "test_good.py").write_text("def test_good(): pass\n")
    (tmp_path / "test_bad.py").write_text("def test_bad(): assert False\n")
    told = run({"good": ["test_good.py"], "bad": ["test_bad.py"]}, directory=tmp_path)
    assert told.codes == {"good": 0, "bad": 1}
    assert [line.split(" - ")[0] for line in told.failed] == ["FAILED test_bad.py::test_bad"]
    said = capsys.readouterr().out
    assert re.search(r"^  good \| .*\b1 passed", said, re.MULTILINE)
    assert re.search(r"^   bad \| .*\b1 failed", said, re.MULTILINE)
    assert "good passed, bad FAILED (1)" in said


def test_a_killed_run_fails(tmp_path: Path) -> None:
    """A run that the machine ended, for want of memory say, is no success."""
    (tmp_path / "test_killed.py").write_text("import os\ndef test_killed(): os.kill(os.getpid(), 9)\n")
    (tmp_path / "test_good.py").write_text("def test_good(): pass\n")
    assert verdict(run({"good": ["test_good.py"], "killed": ["test_killed.py"]}, directory=tmp_path).codes) == 9
    assert verdict({"good": 0}) == 0


def test_ended_early_the_runs_clean_up(tmp_path: Path) -> None:
    """A SIGTERM ends each run as a Ctrl-C does, and all are waited for."""
    (tmp_path / "test_slow.py").write_text(SLOW)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    runner = subprocess.Popen([sys.executable, "-c", STARTS], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + 90
    while not (tmp_path / "begun").exists() and time.monotonic() < until:
        time.sleep(0.05)
    runner.send_signal(signal.SIGTERM)
    said, _ = runner.communicate(timeout=90)
    assert (tmp_path / "ended").exists()
    assert said.endswith("{'slow': 2}\n")


def test_what_is_to_be_alone_is_run() -> None:
    """A test that is marked `alone`, which the first two runs leave out, lies where the third looks for it."""
    (folder, *_) = ALONE["alone"]
    files = (ROOT / "tests").rglob("*.py")
    marked = [path for path in files if re.search(r"mark\.alone\b", path.read_text(encoding="utf-8"))]
    assert marked
    assert all(path.is_relative_to(ROOT / folder) for path in marked)
