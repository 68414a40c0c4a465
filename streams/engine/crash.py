"""Named points between the numbered steps, where a test may let the process die. Off, they cost one comparison."""

import os
import signal

_armed: dict[str, int] = {}


def arm(name: str, *, passes: int = 1) -> None:
    """Die by SIGKILL when the point `name` is reached for the `passes`-th time."""
    if passes < 1:
        raise ValueError(f"Expected passes >= 1, got {passes!r}.")
    _armed[name] = passes


def disarm() -> None:
    _armed.clear()


def crash_point(name: str) -> None:
    """A place where a process may die; nothing, unless armed."""
    if _armed and name in _armed:
        _armed[name] -= 1
        if _armed[name] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
