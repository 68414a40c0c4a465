"""How a process notices that it stood still, and how it ends."""

import subprocess
import sys

import pytest

from lotstream.streams.engine.config import EngineConfig, ExitCode
from lotstream.streams.engine.pulse import Pulse


class Clocks:
    """Two clocks that stand where they are put."""

    def __init__(self) -> None:
        self.boot, self.wall = 100.0, 1000.0

    def __call__(self) -> tuple[float, float]:
        return self.boot, self.wall


@pytest.mark.parametrize(("boot", "wall", "stalls"), [(4.0, 4.0, False), (6.0, 6.0, True), (0.1, 6.0, True)])
def test_a_gap_between_two_looks_is_a_standstill(boot: float, wall: float, stalls: bool) -> None:
    """More than the limit on either clock counts: one of them may stand still with the machine."""
    clocks, said = Clocks(), list[float]()
    pulse = Pulse(5.0, stalled=said.append, clocks=clocks)
    clocks.boot += boot
    clocks.wall += wall
    pulse.check()
    pulse.beat()
    assert bool(said) is stalls
    said.clear()
    pulse.check()
    pulse.beat()
    assert not said


def test_the_end_runs_nothing_more() -> None:
    """The process ends with the code at once: the reason is said, the listener told, no clean-up runs."""
    script = (
        "import atexit; from lotstream.streams.engine import exits, config\n"
        "atexit.register(print, 'clean-up')\n"
        "say = lambda event: print(event, flush=True)\n"
        "try: exits.end_process(config.ExitCode.HOLE, 'Expected x.', stage='s', on_event=say)\n"
        "finally: print('finally')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.HOLE == 71
    assert "stage s ends with exit code 71 (HOLE): Expected x." in done.stderr
    assert done.stdout.startswith("Ended(")
    assert "clean-up" not in done.stdout
    assert "finally" not in done.stdout


def test_a_listener_that_raises_does_not_keep_the_process() -> None:
    """Whoever listens cannot stop the end."""
    script = (
        "from lotstream.streams.engine import exits, config\n"
        "exits.end_process(config.ExitCode.BUG, 'x', stage='s', on_event=lambda e: 1 / 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 70


def test_settings_that_cannot_be() -> None:
    """No broker and a drain longer than the session are refused."""
    with pytest.raises(ValueError, match="at least one broker"):
        EngineConfig(brokers=(), group_prefix="p")
    with pytest.raises(ValueError, match="drain_s"):
        EngineConfig(brokers=("b:1",), group_prefix="p", drain_s=20.0)


def test_a_password_is_not_shown() -> None:
    """The printed settings do not hold the secret."""
    assert "hush" not in repr(EngineConfig(brokers=("b:1",), group_prefix="p", password="hush"))
