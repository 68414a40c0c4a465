"""The demo as a newcomer runs it: the answer is the truth, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

COMMAND = [sys.executable, "-m", "lotstream.cli.main", "demo", "--scale", "0.1"]
WHOLE = ("--scale", "1")  # long enough to be ended in the middle
WITHIN_S = 240


def ours(run: Path) -> list[int]:
    """Processes that belong to a telling in this directory: its path is in their command or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(run).encode() in words and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """A directory of its own; afterwards no process of it is left."""
    yield tmp_path
    until = time.monotonic() + 15
    while (left := ours(tmp_path)) and time.monotonic() < until:
        time.sleep(0.2)
    assert left == []


def told(run: Path, *arguments: str) -> subprocess.Popen[str]:
    """The demo, in that directory."""
    env = {**os.environ, "LOTSTREAM_RUN_DIR": str(run / "run")}
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=run, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_answer_is_the_truth_though_the_worker_is_killed(run: Path) -> None:
    """A worker killed -9 half-way changes nothing: every lot is where the world says, and the exit code says so."""
    demo = told(run, "--kill", "--json")
    out, story = demo.communicate(timeout=WITHIN_S)
    assert demo.returncode == 0, story[-3000:]
    said = json.loads(out)
    assert said["right"] is True
    assert said["killed"] is True


def test_a_second_telling_works_and_people_read_it(run: Path) -> None:
    """Where one telling was, another begins anew; its story names lots, places, documents and the verdict."""
    for _ in range(2):
        demo = told(run)
        out, errors = demo.communicate(timeout=WITHIN_S)
        assert demo.returncode == 0, out[-2000:] + errors[-2000:]
    for word in ("Where it is now", "Who received some", "Accounted for", "equal the world's own truth", "reads/s"):
        assert word in " ".join(out.split())


def test_kept_the_stack_outlives_the_command(run: Path) -> None:
    """With --keep the command ends with the answer; the stack answers on, until `down` leaves nothing of it."""
    demo = told(run, "--keep")
    out, errors = demo.communicate(timeout=WITHIN_S)
    assert demo.returncode == 0, out[-2000:] + errors[-2000:]
    env = {**os.environ, "LOTSTREAM_RUN_DIR": str(run / "run" / "demo")}
    for command in ("status", "affected B251101", "down"):
        words = [*COMMAND[:3], *command.split()]
        said = subprocess.run(words, cwd=run, env=env, capture_output=True, text=True, timeout=60)
        assert said.returncode == 0, command + said.stdout + said.stderr


@pytest.mark.parametrize(
    ("number", "after_s", "options"),
    [
        (signal.SIGINT, 1.0, ()),
        (signal.SIGINT, 7.0, ("--keep", *WHOLE)),
        (signal.SIGKILL, 1.0, ("--keep",)),
        (signal.SIGKILL, 7.0, WHOLE),
    ],
)
def test_ended_at_any_point_it_leaves_nothing_behind(
    run: Path, number: signal.Signals, after_s: float, options: tuple[str, ...]
) -> None:
    """Ctrl-C, or a kill -9, early or in the middle, also with --keep: no process stays, and the next telling starts."""
    demo = told(run, *options)
    time.sleep(after_s)
    demo.send_signal(number)
    demo.communicate(timeout=60)
    # a Ctrl-C before Python has its handler ends it by the signal itself; a shell says 130 for both
    assert demo.returncode in ({130, -number} if number == signal.SIGINT else {-number})
