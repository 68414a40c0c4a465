"""The machine's clock."""

import time

from lotstream.runtime.clock import Clock, SystemClock


def test_system_clock_counts_microseconds() -> None:
    """Now is a whole number of microseconds since the epoch."""
    clock: Clock = SystemClock()
    before = int(time.time() * 1_000_000)
    now = clock.now_us()
    assert isinstance(now, int)
    assert before - 1_000 <= now <= before + 5_000_000
