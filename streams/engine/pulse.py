"""Notices that the process stood still: stopped, swapped out, paused with its machine.

Whoever stands still for longer than his session may have been replaced. What he sends afterwards comes from an owner
that is none any more, so he must not send. A thread looks at the clock a few times a second; a gap between two looks
is time in which nothing ran. `check` looks too: no message leaves between waking up and the thread's first look.
"""

import threading
import time
from collections.abc import Callable

LOOK_EVERY_S = 0.1


def seconds_passed() -> tuple[float, float]:
    """Two clocks, as one of them may stand still with the machine: since boot, and of the wall."""
    return time.clock_gettime(time.CLOCK_BOOTTIME), time.time()


class Pulse:
    """`stalled(seconds)` is called, from any thread, when more than `limit_s` passed between two looks."""

    def __init__(
        self,
        limit_s: float,
        *,
        stalled: Callable[[float], None],
        clocks: Callable[[], tuple[float, float]] = seconds_passed,
    ) -> None:
        self._limit_s = limit_s
        self._stalled = stalled
        self._clocks = clocks
        self._last = clocks()
        self._stopped = threading.Event()

    def check(self) -> None:
        """Say so when nothing has looked for too long."""
        self._look(self._last)

    def beat(self) -> None:
        """One look: the gap since the last one counts, and a new one begins."""
        last, self._last = self._last, self._clocks()
        self._look(last)

    def _look(self, last: tuple[float, float]) -> None:
        gap = max(now - then for now, then in zip(self._clocks(), last, strict=True))
        if gap > self._limit_s:
            self._stalled(gap)

    def start(self) -> None:
        threading.Thread(target=self._run, name="pulse", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        self.beat()
        while not self._stopped.wait(LOOK_EVERY_S):
            self.beat()
