"""Limits per source: a flood of dead letters from one reader, feed or producer stops that one, and no other.

A bucket that leaks: so many dead letters at once, so many a minute in the long run. A source whose bucket runs over is
stopped until it has leaked half empty: its requests are answered 429, and a blind window says from when until when it
could not be seen. What it had sent before is kept, every dead letter included.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lotstream.readers.batches import Target
from lotstream.readers.mapping import Mapping
from lotstream.readers.messages import Message
from lotstream.runtime.clock import Clock
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import GatewaySettings
from lotstream.schemas.operations import BlindWindow

log = logging.getLogger(__name__)
MAX_SOURCES = 10_000
LONGEST_STOP_S = 600.0
_SECOND = 1_000_000


class SourceStopped(Exception):
    """The source has sent so much that was not understood that nothing more of it is taken for a while."""

    def __init__(self, source: str, *, retry_after_s: float) -> None:
        super().__init__(
            f"Expected data that is understood from {source!r}, got a flood of dead letters: this source alone is "
            f"stopped for {retry_after_s:.0f} s. See: lotstream dlq list --source {source}"
        )
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class _Bucket:
    level: float = 0.0
    at_us: int = 0
    stopped_until_us: int = 0


class Limits:
    """The sources of one gateway. Bounded: the source longest unheard of is forgotten."""

    def __init__(self, gateway: GatewaySettings) -> None:
        self._burst = gateway.dead_letters_burst
        self._per_us = gateway.dead_letters_per_minute / 60 / _SECOND
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def stopped_s(self, source: str, now_us: int) -> float:
        """Seconds for which a source is still stopped; 0 when it is not."""
        bucket = self._buckets.get(source)
        return 0.0 if bucket is None else max(0, bucket.stopped_until_us - now_us) / _SECOND

    def charge(self, source: str, letters: int, *, now_us: int) -> float:
        """Count dead letters of a source; seconds for which it is stopped from now on, 0 when it is not."""
        bucket = self._bucket(source)
        leaked = max(0, now_us - bucket.at_us) * self._per_us
        bucket.level = max(0.0, bucket.level - leaked) + letters
        bucket.at_us = max(now_us, bucket.at_us)
        if not self._burst or bucket.level <= self._burst or now_us < bucket.stopped_until_us:
            return 0.0
        half = self._burst / 2
        stop_us = min(round((bucket.level - half) / self._per_us), round(LONGEST_STOP_S * _SECOND))
        bucket.level, bucket.at_us, bucket.stopped_until_us = half, now_us + stop_us, now_us + stop_us
        return stop_us / _SECOND

    def stopped(self, now_us: int) -> int:
        """How many sources are stopped."""
        return sum(now_us < bucket.stopped_until_us for bucket in self._buckets.values())

    def _bucket(self, source: str) -> _Bucket:
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = self._buckets[source] = _Bucket()
            if len(self._buckets) > MAX_SOURCES:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(source)
        return bucket


class Floodgate:
    """The limits at the doors: who is let in, and what is told when a source is stopped."""

    def __init__(
        self, gateway: GatewaySettings, *, mapping: Mapping, blind_windows: Target, clock: Clock, metrics: Metrics
    ) -> None:
        self._limits = Limits(gateway)
        self._mapping = mapping
        self._blind_windows = blind_windows
        self._stops = metrics.counter("lotstream_source_stops_total")
        now: Callable[[], int] = clock.now_us
        metrics.gauge("lotstream_stopped_sources").set_function(lambda: self._limits.stopped(now()))
        self._until_us = 0  # before it some source is stopped

    def shut(self, now_us: int) -> bool:
        """Whether some source is stopped."""
        return now_us < self._until_us

    def admit(self, sources: Iterable[str], *, now_us: int) -> None:
        """Raise SourceStopped when all of the sources are stopped; a request that others share is let in."""
        waits = {source: self._limits.stopped_s(source, now_us) for source in sources}
        if waits and all(waits.values()):
            source = max(waits, key=lambda name: waits[name])
            raise SourceStopped(source, retry_after_s=waits[source])

    def charge(self, sources: Iterable[str], *, door: str, now_us: int) -> list[Message]:
        """Count a dead letter for each; blind windows of those that are stopped by it, to be sent beside them."""
        messages = []
        for source, letters in Counter(sources).items():
            stop_s = self._limits.charge(source, letters, now_us=now_us)
            if stop_s:
                self._until_us = max(self._until_us, now_us + round(stop_s * _SECOND))
                self._stops.labels(door).inc()
                log.warning("source_stopped", extra={"source": source, "door": door, "seconds": round(stop_s)})
                messages += self._windows(source, now_us=now_us, stop_s=stop_s)
        return messages

    def _windows(self, source: str, *, now_us: int, stop_s: float) -> list[Message]:
        """Of the read points of a reader; of any other source, of the feed. Its end is known from the start."""
        places = [place.read_point for place in self._mapping.places(source) if place.mapped] or [source]
        windows = [
            BlindWindow(
                subject=subject,
                cause="stopped",
                from_us=now_us,
                until_us=now_us + round(stop_s * _SECOND),
                detail=f"too many dead letters of source {source}",
                recorded_us=now_us,
            )
            for subject in places
        ]
        return [self._blind_windows.message(window.subject, window.encode()) for window in windows]
