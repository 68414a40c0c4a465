"""The gateway's figures: what was taken, by format and read point, once it is delivered."""

from collections import Counter
from functools import cache

from lotstream.readers.intake import Taken
from lotstream.readers.mapping import UNMAPPED, Place
from lotstream.runtime.metrics import Metrics

STAGE = "gateway"


class Counting:
    """Counts what requests gave. Reads of unmapped readers share one label: their names come from outside."""

    def __init__(self, metrics: Metrics) -> None:
        self._reads = metrics.counter("lotstream_reads_received_total")
        self._rejected = cache(metrics.counter("lotstream_reads_rejected_total").labels)
        self._dead = cache(metrics.counter("lotstream_dead_letters_total").labels)
        self._events = metrics.counter("lotstream_reader_events_total")
        self._sizes = metrics.histogram("lotstream_batch_size_reads")
        self._clock = metrics.gauge("lotstream_reader_clock_offset_seconds")

    def batches(self, reads: int, messages: int) -> None:
        """Reads of a group and the messages that they became."""
        for _ in range(messages):
            self._sizes.observe(reads / messages)

    def count(self, taken: Taken, *, door: str) -> None:
        """After delivery: ``door`` is the format."""
        for place, reads, clock_offset_us in taken.read_at:
            label = _label(place)
            self._reads.labels(door, label).inc(reads)
            self._clock.labels(label).set(clock_offset_us / 1e6)
        for place in taken.event_places:
            self._events.labels(_label(place)).inc()
        for reason, times in Counter(one.reason.value for one in taken.refused).items():
            self._rejected(door, reason).inc(times)
            self._dead(STAGE, reason).inc(times)


def _label(place: Place) -> str:
    return place.read_point if place.mapped else UNMAPPED
