"""What a read point could not see: reads that its reader lost, and times of a clock that is off.

Counters of dropped messages run since the reader's start: what they grew by since the message before was lost
between the two. After a restart of the gateway the first growth reaches back to the reader's start.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from lotstream.readers.formats.items import Lost, VendorEvent
from lotstream.readers.mapping import Place
from lotstream.schemas.operations import BlindWindow

MAX_READERS = 10_000


@dataclass(slots=True)
class _Reader:
    dropped: int = 0
    heard_us: int | None = None
    clock_off_since_us: int | None = None


@dataclass(slots=True)
class BlindWindows:
    """Remembers each reader's counters. Bounded: the readers longest unheard of are forgotten."""

    _readers: OrderedDict[str, _Reader] = field(default_factory=OrderedDict)

    def of_event(
        self, event: VendorEvent, *, reader: str, places: Sequence[Place], received_us: int, clock_offset_us: int
    ) -> list[BlindWindow]:
        """A window per read point for what the event says is lost."""
        lost, cause = event.lost, "overflow"
        if event.dropped is not None:
            lost, cause = self._grown(self._reader(reader), event, dropped=event.dropped), "discarded"
        if lost is None:
            return []
        return [
            BlindWindow.model_validate(
                {
                    "subject": place.read_point,
                    "cause": cause,
                    "from_us": max(0, lost.from_us + clock_offset_us),
                    "until_us": max(0, lost.until_us + clock_offset_us),
                    "lost": lost.count,
                    "detail": f"{event.vendor_type} of reader {reader}",
                    "recorded_us": received_us,
                }
            )
            for place in places
        ]

    def of_clock(
        self, clock_offset_us: int, *, reader: str, places: Sequence[Place], received_us: int
    ) -> list[BlindWindow]:
        """A window per read point when a reader's clock begins to be off, and again when it is right."""
        state = self._reader(reader)
        since = state.clock_off_since_us
        if (since is None) == (clock_offset_us == 0):
            return []
        state.clock_off_since_us = received_us if since is None else None
        seconds = clock_offset_us / 1e6
        return [
            BlindWindow(
                subject=place.read_point,
                cause="clock",
                from_us=received_us if since is None else since,
                until_us=None if since is None else received_us,
                detail=f"clock of reader {reader} corrected by {seconds:.1f} s" if since is None else "right again",
                recorded_us=received_us,
            )
            for place in places
        ]

    def _grown(self, state: _Reader, event: VendorEvent, *, dropped: int) -> Lost | None:
        before, heard_us = state.dropped, state.heard_us
        state.dropped, state.heard_us = dropped, event.time_us
        if heard_us is None or dropped < before:
            before, heard_us = 0, event.time_us if event.since_us is None else event.since_us
        if dropped <= before:
            return None
        return Lost(from_us=min(heard_us, event.time_us), until_us=event.time_us, count=dropped - before)

    def _reader(self, name: str) -> _Reader:
        state = self._readers.get(name)
        if state is None:
            state = self._readers[name] = _Reader()
            if len(self._readers) > MAX_READERS:
                self._readers.popitem(last=False)
        else:
            self._readers.move_to_end(name)
        return state
