"""What others see of the spool: metrics, and a check of /readyz that doctor and status repeat."""

from lotstream.readers.spool.segments import State
from lotstream.runtime.health import Health
from lotstream.runtime.metrics import Metrics

SPOOL_CHECK = "spool"
_MB = 1_000_000


class Gauges:
    """Metrics and health of one spool."""

    def __init__(self, metrics: Metrics, health: Health) -> None:
        self._health = health
        self._size = metrics.gauge("lotstream_spool_bytes")
        self._records = metrics.gauge("lotstream_spool_records")
        self._age = metrics.gauge("lotstream_spool_age_seconds")
        self.kept = metrics.counter("lotstream_spool_kept_records_total")
        self.refused = metrics.counter("lotstream_spool_refused_requests_total")

    def show(self, state: State, *, now_us: int, away: bool, full: str) -> None:
        """The state as of now; ``full`` is why requests are refused."""
        age_s = 0.0 if state.oldest_us is None else max(0.0, (now_us - state.oldest_us) / 1e6)
        self._size.set(state.size)
        self._records.set(state.records)
        self._age.set(age_s)
        self._health.set(SPOOL_CHECK, not full, said(state, age_s=age_s, away=away, full=full))


def said(state: State, *, age_s: float, away: bool, full: str) -> str:
    """The check's detail."""
    if not state.records and not full:
        return "empty"
    kept = f"{state.records} requests, {state.size / _MB:.1f} MB, the oldest {age_s:.0f} s old"
    if full:
        return f"refuses: {full} Holds {kept}"
    return f"{'spools, Kafka is away' if away else 'sends on what it kept'}: {kept}"
