"""Crash points: armed by the environment alone, and deadly at the pass that it names."""

import signal
import subprocess
import sys

import pytest

from lotstream.runtime.crash import VARIABLE, arm, crash_point

SCRIPT = """
import os
from lotstream.runtime.crash import arm, crash_point
arm(os.environ)
for n in range(5):
    crash_point("smooth", "snapshot delivered")
    print(n, flush=True)
"""


def test_the_process_dies_at_the_named_pass() -> None:
    """The third time that the point is reached ends the process by SIGKILL, and not before."""
    env = {VARIABLE: "smooth:snapshot delivered:3"}
    died = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, check=False)
    assert (died.returncode, died.stdout) == (-signal.SIGKILL, b"0\n1\n")


def test_unarmed_nothing_happens() -> None:
    """Without the variable, and at any other point, a process goes on."""
    arm({})
    crash_point("smooth", "decided")
    lived = subprocess.run([sys.executable, "-c", SCRIPT], env={VARIABLE: "smooth:decided:1"}, check=False)
    assert lived.returncode == 0


@pytest.mark.parametrize("said", ["", "smooth", "smooth:decided", "smooth:decided:0", "smooth:decided:x", "::1"])
def test_what_is_no_point_is_refused(said: str) -> None:
    """A point that could never be reached is an error, and no silent success of a test."""
    with pytest.raises(ValueError, match="Expected ROOM:STEP:PASSES"):
        arm({VARIABLE: said})
