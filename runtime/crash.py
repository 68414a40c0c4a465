"""Named points between the numbered steps of every process, where a test may let it die.

`LOTSTREAM_TEST_CRASH=smooth:snapshot delivered:3` ends the process by SIGKILL when `smooth` has reached the point
`snapshot delivered` for the third time. Off, a point costs a look at an empty dictionary.
"""

import os
import signal
from collections.abc import Mapping

VARIABLE = "LOTSTREAM_TEST_CRASH"
_armed: dict[tuple[str, str], int] = {}


def arm(env: Mapping[str, str]) -> None:
    """Arm the point that the environment names, if any. Raises ValueError for what is no point."""
    said = env.get(VARIABLE)
    if said is None:
        return
    room, _, rest = said.partition(":")
    step, _, passes = rest.rpartition(":")
    if not room or not step or not passes.isdecimal() or int(passes) < 1:
        raise ValueError(f"Expected ROOM:STEP:PASSES with passes >= 1 in {VARIABLE}, got {said!r}.")
    _armed[room, step] = int(passes)


def crash_point(room: str, step: str) -> None:
    """A place where a process may die; nothing, unless armed."""
    if _armed and (room, step) in _armed:
        _armed[room, step] -= 1
        if not _armed[room, step]:
            os.kill(os.getpid(), signal.SIGKILL)
