"""What the demo says as it goes: lines with the time since its command."""

import os
import time
from pathlib import Path

from rich.console import Console


class Teller:
    """Made once, by the process that was started by the command."""

    def __init__(self, out: Console) -> None:
        self.out = out
        self._started = time.perf_counter() - _age_s()

    @property
    def seconds(self) -> float:
        """Since the command."""
        return time.perf_counter() - self._started

    def say(self, text: str) -> None:
        """A line of the story."""
        self.out.print(f"[dim]{self.seconds:5.1f} s[/dim] {text}")


def _age_s() -> float:
    """For how long this process has been there; its imports took their time too (proc_pid_stat(5), field 22)."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
