"""The sink process: one thread per named sink, until stopped; the first failure ends all of them."""

import threading
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from lotstream.runtime.clock import SystemClock
from lotstream.runtime.health import Health
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings
from lotstream.sinks.loop import SinkLoop
from lotstream.sinks.rows import SINKS, Sink
from lotstream.sinks.store import ClickhouseStore


class SinkUnknown(LookupError):
    """No sink has that name."""


def sinks_named(names: Iterable[str]) -> list[Sink]:
    """The sinks of these names; 'all' means every one. Raises SinkUnknown."""
    known = {sink.name: sink for sink in SINKS}
    wanted = list(names)
    if wanted == ["all"]:
        return list(SINKS)
    for name in wanted:
        if name not in known:
            raise SinkUnknown(f"Expected one of {', '.join(known)} or all, got {name!r}.")
    return [known[name] for name in wanted]


def run_sinks(
    sinks: Iterable[Sink], settings: Settings, *, stop: threading.Event, health: Health, metrics: Metrics
) -> None:
    """Run sinks until ``stop`` is set or one of them fails; raises that one's failure after the others drained."""
    loops = [
        SinkLoop(
            sink, settings=settings, store=ClickhouseStore(settings.clickhouse), clock=SystemClock(), metrics=metrics
        )
        for sink in sinks
    ]
    with ThreadPoolExecutor(len(loops)) as pool:
        running = [pool.submit(loop.run) for loop in loops]
        while not stop.is_set():
            ended, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            age = time.monotonic() - min(loop.last_commit for loop in loops)
            health.set("sinks", not ended, f"oldest commit {age:.0f} s ago")
            health.beat()
            if ended:
                stop.set()
        for loop in loops:
            loop.stop()
    for future in running:
        future.result()
