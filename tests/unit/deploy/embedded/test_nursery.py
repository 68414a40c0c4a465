"""Forks of one process are processes of their own, and end with their parent, however it ends."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lotstream.deploy.embedded.nursery import Forked, Nursery, NurseryFailed

PROGRAM = textwrap.dedent("""
    import os, signal, sys, time
    imported = os.getpid()

    def main():
        if "stubborn" in sys.argv:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(imported == os.getppid(), sys.argv[1:], os.environ["WORD"], "PATH" in os.environ, flush=True)
        if "raise" in sys.argv:
            raise RuntimeError("said aloud")
        time.sleep(0 if "short" in sys.argv else 60)
""")
PARENT = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from lotstream.deploy.embedded.nursery import Nursery

    nursery = Nursery([], main="program:main", log=Path("log"))
    nursery.start()
    child = nursery.spawn("one", [], log=Path("child.log"), env={"WORD": "w"})
    print(child.pid, flush=True)
    time.sleep(60)
""")


@pytest.fixture
def nursery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nursery]:
    """One whose children run `PROGRAM`."""
    (tmp_path / "program.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    found = Nursery(["program"], main="program:main", log=tmp_path / "log")
    found.start()
    yield found
    found.close()


def spawned(nursery: Nursery, directory: Path, *arguments: str) -> Forked:
    return nursery.spawn("name", arguments, log=directory / "child.log", env={"WORD": "w"})


def said(directory: Path) -> str:
    """The child's log, once there is something in it."""
    log, until = directory / "child.log", time.monotonic() + 20
    while not (log.exists() and log.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    return log.read_text()


def test_a_child_is_a_program_of_its_own(nursery: Nursery, tmp_path: Path) -> None:
    """It has its arguments, its environment and no other, and its log, and imports nothing anew."""
    spawned(nursery, tmp_path, "short", "x").wait(20)
    assert said(tmp_path) == "True ['short', 'x'] w False\n"


def test_a_child_tells_why_it_failed(nursery: Nursery, tmp_path: Path) -> None:
    """What a child raises is in its log, and ends it alone."""
    spawned(nursery, tmp_path, "raise").wait(20)
    assert "RuntimeError: said aloud" in said(tmp_path)
    spawned(nursery, tmp_path, "short").wait(20)


def test_signals_reach_the_child_and_nobody_after_it(nursery: Nursery, tmp_path: Path) -> None:
    """A signal ends the child; one that comes later reaches nothing."""
    child = spawned(nursery, tmp_path)
    assert child.running
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.05)
    child.send(signal.SIGKILL)
    child.wait(20)
    child.send(signal.SIGKILL)
    assert not child.running


def test_many_that_ended_leave_nothing(nursery: Nursery, tmp_path: Path) -> None:
    """A child that comes again and again costs no descriptor, however early it ended."""
    held = sum(1 for _ in Path("/proc/self/fd").iterdir())
    for _ in range(20):
        child = spawned(nursery, tmp_path, "short")
        child.wait(20)
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == held


def test_children_end_with_their_parent(nursery: Nursery, tmp_path: Path) -> None:
    """A parent that is killed -9 leaves no child behind."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = Forked(int(parent.stdout.readline()))
    assert child.running
    parent.kill()
    parent.communicate()
    child.wait(20)


def test_children_end_with_the_nursery_and_come_again(nursery: Nursery, tmp_path: Path) -> None:
    """A nursery that is killed -9 takes its children along; the next child gets another nursery."""
    child = spawned(nursery, tmp_path)
    os.kill(int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    child.wait(20)
    assert spawned(nursery, tmp_path).running


def test_closing_ends_what_does_not_want_to(nursery: Nursery, tmp_path: Path) -> None:
    """A child that takes no notice of SIGTERM is killed after the grace."""
    child = spawned(nursery, tmp_path, "stubborn")
    said(tmp_path)
    started = time.monotonic()
    pid = child.pid
    nursery.close()
    assert not Path(f"/proc/{pid}").exists()
    assert time.monotonic() - started < 15


def test_a_module_that_cannot_be_imported_is_told(tmp_path: Path) -> None:
    """The message names the log that has the reason."""
    nursery = Nursery(["no_such_module"], main="no_such_module:main", log=tmp_path / "log")
    nursery.start()
    with pytest.raises(NurseryFailed, match="log"):
        spawned(nursery, tmp_path)
    assert "no_such_module" in (tmp_path / "log").read_text()
    nursery.close()
