"""A child ends with its parent, however the parent ends."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lotstream.deploy.embedded.process import Child, spawn

PARENT = textwrap.dedent("""
    import sys, threading, time
    from pathlib import Path
    from lotstream.deploy.embedded.process import spawn

    def start():
        child = spawn(sys.argv[2:], log=Path(sys.argv[1]), grace_s=0.3)
        print(child.pid, child.keeper.pid, flush=True)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    time.sleep(60)
""")
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"]


def gone(pid: int, *, within_s: float) -> bool:
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":  # ended; whoever is its parent now has not asked yet
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def sleeper(tmp_path: Path) -> Child:
    return spawn(["sleep", "60"], log=tmp_path / "log")


def start_parent(log: Path, *command: str) -> tuple[subprocess.Popen[str], int, int]:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(log), *command], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child, keeper = map(int, parent.stdout.readline().split())
    parent.stdout.close()
    return parent, child, keeper


def test_child_of_a_finished_thread_lives(tmp_path: Path) -> None:
    """The end of the thread that started the child does not end the child; kill -9 of the process does."""
    parent, child, keeper = start_parent(tmp_path / "log", "sleep", "60")
    assert not gone(child, within_s=0.5)
    parent.kill()
    parent.wait()
    assert gone(child, within_s=5)
    assert gone(keeper, within_s=5)


def test_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    """An orphan that does not end when asked is killed after the grace."""
    parent, child, _ = start_parent(tmp_path / "log", *STUBBORN)
    parent.kill()
    parent.wait()
    assert gone(child, within_s=10)


def test_child_ends_with_its_keeper(sleeper: Child) -> None:
    """Killing the keeper alone leaves no orphan."""
    sleeper.keeper.kill()
    assert gone(sleeper.pid, within_s=5)


def test_exit_code_is_the_child_s(tmp_path: Path) -> None:
    """The exit code of the child arrives, and its output is in the log, behind what was there."""
    log = tmp_path / "log"
    log.write_bytes(b"before\n")
    child = spawn([sys.executable, "-c", "print('said'); raise SystemExit(3)"], log=log)
    assert child.wait(10) == 3
    assert log.read_bytes() == b"before\nsaid\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_signal_reaches_the_child(sleeper: Child, number: signal.Signals) -> None:
    """A signal sent ends the child itself, and its number is the exit code; a second one is harmless."""
    sleeper.send(number)
    assert sleeper.wait(10) == -number
    assert not sleeper.running
    sleeper.send(number)


def test_terminating_the_keeper_terminates_the_child(sleeper: Child) -> None:
    """A process manager that ends the keeper ends the child in order."""
    sleeper.keeper.terminate()
    assert sleeper.wait(10) == -signal.SIGTERM
    assert gone(sleeper.pid, within_s=1)


def test_missing_program_is_said(tmp_path: Path) -> None:
    """A command that does not exist is an error at once, with the reason."""
    with pytest.raises(OSError, match=r"Expected '/nowhere/java' to start, got 'No such file or directory'"):
        spawn(["/nowhere/java"], log=tmp_path / "log")


def test_child_keeps_what_it_is_given(tmp_path: Path) -> None:
    """Only the descriptors in `keep` are open in the child."""
    kept, other = os.open(tmp_path, os.O_RDONLY), os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(other, False)
    program = f"import os; os.fstat({kept}); print('kept')\ntry: os.fstat({other})\nexcept OSError: print('closed')"
    child = spawn([sys.executable, "-c", program], log=tmp_path / "log", keep=[kept])
    try:
        assert child.wait(10) == 0
    finally:
        os.close(kept)
        os.close(other)
    assert (tmp_path / "log").read_text(encoding="utf-8") == "kept\nclosed\n"
