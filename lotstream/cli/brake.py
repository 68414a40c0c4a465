"""A process that ends by a mistake of ours again and again waits before it goes on: the brake of a crash loop.

What is remembered is a file of instants beside the process' address. Only an end by a bug is written there: to be
killed, told to stop or without a broker leaves no trace, so that nothing heals slower.
"""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from lotstream.cli.exits import EXIT_BUG, exit_code
from lotstream.deploy.embedded.rundir import write_json
from lotstream.runtime.clock import Clock, SystemClock
from lotstream.runtime.health import Health

log = logging.getLogger(__name__)
WINDOW_S = 600.0
LONGEST_S = 60.0
KEPT = 20
CHECK = "brake"
_BEAT_S = 0.2
_SECOND = 1_000_000


class Brake:
    """The brake of one process; as a context it remembers a bug that ends the process."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or SystemClock()

    def __enter__(self) -> "Brake":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and exit_code(error) == EXIT_BUG:
            self.crashed()

    def crashed(self) -> None:
        """The process ends by a bug, now."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._path, {"crashed_us": [*self._crashes(), self._clock.now_us()][-KEPT:]})

    def wait_s(self) -> float:
        """Seconds to wait from now: after the first crash of late none, then 1, 2, 4 ... from the last crash on."""
        now_us = self._clock.now_us()
        late = [at for at in self._crashes() if 0 <= now_us - at < WINDOW_S * _SECOND]
        if len(late) < 2:
            return 0.0
        step_s = min(LONGEST_S, 2.0 ** (len(late) - 2))
        return max(0.0, step_s - (now_us - late[-1]) / _SECOND)

    def hold(self, health: Health, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Wait, alive and not ready."""
        wait_s = self.wait_s()
        if not wait_s:
            return
        detail = f"ended by a bug more than once within {WINDOW_S / 60:.0f} minutes: goes on in {wait_s:.0f} s"
        log.warning("brake: %s; what it said at its end is in its log", detail)
        health.set(CHECK, ok=False, detail=detail)
        while self.wait_s():
            health.beat()
            sleep(_BEAT_S)
        health.set(CHECK, ok=True)

    def _crashes(self) -> list[int]:
        try:
            return [int(at) for at in json.loads(self._path.read_text(encoding="utf-8"))["crashed_us"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []  # a brake that cannot remember must not keep a process from its work
