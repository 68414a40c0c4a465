"""The sink process: one thread per named sink, until stopped; the first failure ends all of them."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from lotstream.runtime.clock import SystemClock
from lotstream.runtime.errors import Rejected
from lotstream.runtime.health import Health
from lotstream.runtime.log import read_log
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.retry import Stopped, persist
from lotstream.runtime.settings import Settings
from lotstream.schemas.operations import parked
from lotstream.schemas.topics import OPERATIONS
from lotstream.sinks.held import Pulse
from lotstream.sinks.loop import SinkLoop
from lotstream.sinks.rows import SINKS, Sink
from lotstream.sinks.store import CONNECT_S, LONGEST_INSERT_S, ClickhouseStore, Store
from lotstream.sinks.webhook import WEBHOOK, WebhookStore

STALE_S = 60.0  # a row that is held longer means that the sink is not keeping up
SLOW_S = 15.0  # an insert takes a second: a server that does not answer for so long is frozen or drowning
DEAD_S = CONNECT_S + LONGEST_INSERT_S + 10.0  # longer than any one call of a loop may take


class SinkUnknown(LookupError):
    """No sink has that name."""


def sinks_named(names: Iterable[str]) -> list[Sink]:
    """The sinks of these names, each once; 'all' means every one of the history. Raises SinkUnknown."""
    known = {sink.name: sink for sink in (*SINKS, WEBHOOK)}
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in known and name != "all":
            raise SinkUnknown(f"Expected one of {', '.join(known)} or all, got {name!r}.")
    if "all" in wanted:
        wanted = list(dict.fromkeys([*(sink.name for sink in SINKS), *(name for name in wanted if name != "all")]))
    return [known[name] for name in wanted]


def loop_of(sink: Sink, settings: Settings, *, metrics: Metrics, parks: Mapping[str, Rejected]) -> SinkLoop:
    """The loop of a sink, with where its rows go."""
    clock = SystemClock()
    store: Store = ClickhouseStore(settings.clickhouse)
    if sink is WEBHOOK:
        store = WebhookStore(settings.webhook, clock=clock)
        settings = settings.model_copy(update={"sink": settings.sink.model_copy(update={"batch_ms": 1})})
    return SinkLoop(sink, settings=settings, store=store, clock=clock, metrics=metrics, parks=parks)


def readiness(pulses: Sequence[tuple[str, Pulse]], now: float) -> tuple[bool, str]:
    """(whether every sink has joined its group, waits for nothing and holds nothing for long, what to say of it)."""
    faults = [f"{name}: {fault}" for name, pulse in pulses if (fault := _fault(pulse, now))]
    behind = sum(pulse.behind for _, pulse in pulses)
    newest = min((now - pulse.committed for _, pulse in pulses), default=0.0)
    summary = f"{len(pulses)} sinks, {behind} messages behind, last commit {newest:.0f} s ago"
    return not faults, "; ".join([*faults, summary])


def alive(pulses: Sequence[tuple[str, Pulse]], now: float) -> bool:
    """Whether every loop has gone round lately."""
    return all(now - pulse.beaten < DEAD_S for _, pulse in pulses)


def show(pulses: Sequence[tuple[str, Pulse]], metrics: Metrics, *, now: float) -> None:
    """How long each sink has been waiting for ClickHouse, whether it answers with failures or not at all."""
    waiting = metrics.gauge("lotstream_sink_waiting_seconds")
    for name, pulse in pulses:
        since = pulse.asked_since
        waiting.labels(sink=name).set(now - since if since else 0.0)


def run_sinks(
    sinks: Iterable[Sink], settings: Settings, *, stop: threading.Event, health: Health, metrics: Metrics
) -> None:
    """Run sinks until ``stop`` is set or one of them fails; raises that one's failure after the others drained."""
    topic = settings.topics.name(OPERATIONS)
    try:
        parks = persist(lambda: parked(record.value for record in read_log(settings.kafka, topic)), stop=stop)
    except Stopped:
        return
    loops = [loop_of(sink, settings, metrics=metrics, parks=parks) for sink in sinks]
    pulses = [(loop.name, loop.pulse) for loop in loops]
    with ThreadPoolExecutor(len(loops)) as pool:
        running = [pool.submit(loop.run) for loop in loops]
        while not stop.is_set():
            ended, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            now = time.monotonic()
            ready, detail = readiness(pulses, now)
            health.set("sinks", ready and not ended, detail)
            show(pulses, metrics, now=now)
            if alive(pulses, now):
                health.beat()
            if ended:
                stop.set()
        for loop in loops:
            loop.stop()
    for future in running:
        future.result()


def _fault(pulse: Pulse, now: float) -> str:
    if pulse.waiting:
        return f"waits for {pulse.waiting}"
    if pulse.asked_since and now - pulse.asked_since > SLOW_S:
        return f"has no answer from ClickHouse for {now - pulse.asked_since:.0f} s"
    if not pulse.joined:
        return "has not joined its consumer group yet"
    if pulse.held_since and now - pulse.held_since > STALE_S:
        return f"holds rows since {now - pulse.held_since:.0f} s"
    return ""
