"""What a request becomes: batches, reader events, dead letters. The gateway's own state is here, all of it bounded."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from lotstream.readers.batches import Arrival, Group, Target, by_place, encode, pieces
from lotstream.readers.blind import BlindWindows
from lotstream.readers.clocks import ReaderClocks, plausible
from lotstream.readers.formats.items import Label, Parsed, Refused, VendorEvent
from lotstream.readers.labels import quantity_scan
from lotstream.readers.mapping import Mapping, Place
from lotstream.readers.messages import Message
from lotstream.runtime.errors import Reason
from lotstream.runtime.settings import TopicSettings
from lotstream.schemas.base import LATEST_US, Origin
from lotstream.schemas.operations import BlindWindow, Headers, letter_headers
from lotstream.schemas.reads import MAX_READS, ReaderEvent, ReaderEventType, SourceEnd
from lotstream.schemas.topics import BLIND_WINDOWS, DEAD_LETTERS, EVENTS, READS

MAX_SOURCES = 10_000
MAX_VALUE_BYTES = 900_000  # below the 1 MB that brokers take by default
MAX_TEXT = 65_536


@dataclass(slots=True)
class Taken:
    """What a request gave: ``groups`` are still to be put into batches, ``messages`` are ready, and so are ``letters``,
    which may go out together with others."""

    groups: list[tuple[Group, Arrival]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    letters: list[Message] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    reads: int = 0
    read_at: list[tuple[Place, int, int]] = field(default_factory=list)  # reads and clock offset in us of each group
    events: int = 0
    event_places: list[Place] = field(default_factory=list)
    quantities: int = 0
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Source:
    sequence: int = 0
    doors: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Correction:
    """What is added to the times of one reader in one request."""

    reader: str
    offset_us: int
    arrival: Arrival

    def holds(self, *times_us: int) -> bool:
        return all(plausible(time + self.offset_us, received_us=self.arrival.received_us) for time in times_us)

    def refusal(self, parsed: Parsed, *, index: int, time_us: int) -> Refused:
        detail = (
            f"Expected a time between 2003 and the receipt at {self.arrival.received_us}, "
            f"got {time_us} and a clock offset of {self.offset_us} us."
        )
        return Refused(index, parsed.raw(index), Reason.TIME_IMPLAUSIBLE, detail, "time", self.reader)


class Intake:
    """Stamps what comes in. Not safe for threads: it lives on the event loop."""

    def __init__(self, topics: TopicSettings, mapping: Mapping, *, batch_reads: int) -> None:
        self.mapping = mapping
        self.clocks = ReaderClocks()
        self._blind = BlindWindows()
        self._batch_reads = min(batch_reads, MAX_READS)
        self._sources: OrderedDict[str, _Source] = OrderedDict()
        self.reads = Target(topic=topics.name(READS), partitions=topics.partitions)
        self.events = Target(topic=topics.name(EVENTS), partitions=topics.partitions)
        self.blind_windows = Target(topic=topics.name(BLIND_WINDOWS), partitions=topics.partitions)
        self.dead_letters = Target(topic=topics.name(DEAD_LETTERS), partitions=topics.partitions)

    def take(self, parsed: Parsed, *, arrival: Arrival, reader: str) -> Taken:
        """Everything of a parsed payload. ``reader`` names the reader of items that do not."""
        taken = Taken(refused=list(parsed.refused), events=len(parsed.events), warnings=parsed.warnings)
        for name, rows in _by_reader(parsed, reader).items():
            self._take_reads(taken, parsed, name=name, at=rows, arrival=arrival)
        for label in parsed.labels:
            self._take_label(taken, parsed, label=label, arrival=arrival.by(label.scanner))
        for event, raw in parsed.events:
            name = event.reader or reader
            places = self._places(event, name)
            taken.event_places += places
            offset_us = self._known_offset(name, arrival.origin)
            corrected = replace(event, time_us=min(max(0, event.time_us + offset_us), LATEST_US - 1))
            taken.messages += self._event(corrected, raw, places=places, reader=name, arrival=arrival.by(name))
            windows = self._blind.of_event(
                event, reader=name, places=places, received_us=arrival.received_us, clock_offset_us=offset_us
            )
            taken.messages += map(self._blind_window, windows)
        taken.refused.sort(key=lambda refused: refused.index)
        return taken

    def batches(self, group: Group, *, arrival: Arrival) -> list[Message]:
        """The group as messages of reads.v1."""
        source = self._source(arrival.source)
        source.doors.add(group.place.door)
        return [
            message
            for rows in pieces(group.rows, self._batch_reads)
            for message in self._messages(replace(group, rows=rows), source, arrival=arrival)
        ]

    def _messages(self, group: Group, source: "_Source", *, arrival: Arrival) -> list[Message]:
        value = encode(group, arrival=arrival, mapping=self.mapping.version, sequence=source.sequence)
        if len(value) > MAX_VALUE_BYTES and len(group.rows) > 1:
            middle = len(group.rows) // 2
            halves = (replace(group, rows=group.rows[:middle]), replace(group, rows=group.rows[middle:]))
            return [message for half in halves for message in self._messages(half, source, arrival=arrival)]
        source.sequence += 1
        return [self.reads.message(group.place.door, value)]

    def doors_of(self, source: str) -> set[str]:
        """The doors that a source has touched, as far as this gateway remembers."""
        known = self._sources.get(source)
        return set() if known is None else set(known.doors)

    def ends(self, source: str, doors: Sequence[str]) -> list[Message]:
        """The end of a source at each of its doors."""
        return [self.reads.message(door, SourceEnd(source=source, door=door).encode()) for door in doors]

    def forget(self, source: str) -> None:
        """To be called when a source's ends are delivered."""
        self._sources.pop(source, None)

    def letters(
        self, refused: Refused, *, arrival: Arrival, source: str, door: str, said: Headers
    ) -> Iterator[Message]:
        """The untouched bytes with their reason and what the caller said; in several messages when one would be too
        large for a broker."""
        parts = -(-len(refused.raw) // MAX_VALUE_BYTES) or 1
        for part in range(parts):
            headers = letter_headers(
                reason=refused.reason,
                detail=refused.detail,
                field=refused.field,
                source=source,
                stage="gateway",
                origin=f"{door}:{arrival.request}:{refused.index}" + (f":{part + 1}/{parts}" if parts > 1 else ""),
                received_us=arrival.received_us,
            )
            value = refused.raw[part * MAX_VALUE_BYTES : (part + 1) * MAX_VALUE_BYTES]
            yield self.dead_letters.message(source, value, headers=headers + said)

    def _take_reads(self, taken: Taken, parsed: Parsed, *, name: str, at: Sequence[int], arrival: Arrival) -> None:
        rows = parsed.reads if len(at) == len(parsed.reads) else [parsed.reads[i] for i in at]
        last = [row.last_us for row in rows]
        offset_us = self._offset(taken, name, last_us=last, arrival=arrival)
        correction = _Correction(name, offset_us, arrival)
        if not correction.holds(min(last), max(last)):
            bad = [i for i in at if not correction.holds(parsed.reads[i].last_us)]
            taken.refused += [
                correction.refusal(parsed, index=parsed.at[i], time_us=parsed.reads[i].last_us) for i in bad
            ]
            rows = [row for row in rows if correction.holds(row.last_us)]
        if rows:
            taken.reads += len(rows)
            groups = by_place(name, rows, mapping=self.mapping, clock_offset_us=offset_us)
            taken.groups += [(group, arrival.by(name)) for group in groups]
            taken.read_at += [(group.place, len(group.rows), offset_us) for group in groups]

    def _offset(self, taken: Taken, reader: str, *, last_us: Sequence[int], arrival: Arrival) -> int:
        if arrival.origin is not Origin.LIVE:
            return self._known_offset(reader, arrival.origin)
        offset_us = self.clocks.learn(reader, last_us, received_us=arrival.received_us)
        windows = self._blind.of_clock(
            offset_us, reader=reader, places=self.mapping.places(reader), received_us=arrival.received_us
        )
        taken.messages += map(self._blind_window, windows)
        return offset_us

    def _known_offset(self, reader: str, origin: Origin) -> int:
        """A file is taken at its word; what a reader kept has the clock that it is known by."""
        return 0 if origin is Origin.FILE else self.clocks.offset_us(reader)

    def _blind_window(self, window: BlindWindow) -> Message:
        return self.blind_windows.message(window.subject, window.encode())

    def _take_label(self, taken: Taken, parsed: Parsed, *, label: Label, arrival: Arrival) -> None:
        offset_us = self._offset(taken, label.scanner, last_us=[label.device_time_us], arrival=arrival)
        correction = _Correction(label.scanner, offset_us, arrival)
        if not correction.holds(label.device_time_us):
            taken.refused.append(correction.refusal(parsed, index=label.index, time_us=label.device_time_us))
            return
        record = quantity_scan(label, mapping=self.mapping, arrival=arrival, clock_offset_us=offset_us)
        taken.messages.append(self.events.message(record.subject, record.encode()))
        taken.quantities += 1

    def _places(self, event: VendorEvent, reader: str) -> list[Place]:
        if event.port is None or event.type is not ReaderEventType.ANTENNA:
            return self.mapping.places(reader)
        return [self.mapping.place(reader, event.port)]

    def _event(
        self, event: VendorEvent, raw: bytes, *, places: Sequence[Place], reader: str, arrival: Arrival
    ) -> list[Message]:
        self._source(arrival.source).doors.update(place.door for place in places)
        text = raw.decode("utf-8", "backslashreplace")[:MAX_TEXT]
        return [self._event_at(event, text, place=place, reader=reader, arrival=arrival) for place in places]

    def _event_at(self, event: VendorEvent, text: str, *, place: Place, reader: str, arrival: Arrival) -> Message:
        record = ReaderEvent.model_validate(
            {
                "reader": reader,
                "read_point": place.read_point,
                "door": place.door,
                "type": event.type,
                "vendor_type": event.vendor_type,
                "port": event.port,
                "state": event.state,
                "lost": None if event.lost is None else event.lost.count,
                "time_us": event.time_us,
                "text": text,
                "stamp": arrival.stamp() | {"origin": arrival.origin},
            }
        )
        return self.reads.message(place.door, record.encode())

    def _source(self, name: str) -> _Source:
        source = self._sources.get(name)
        if source is None:
            source = self._sources[name] = _Source()
            if len(self._sources) > MAX_SOURCES:
                self._sources.popitem(last=False)
        else:
            self._sources.move_to_end(name)
        return source


def _by_reader(parsed: Parsed, default: str) -> dict[str, Sequence[int]]:
    names = {row.reader for row in parsed.reads}
    if len(names) <= 1:
        return {(names.pop() or default): range(len(parsed.reads))} if names else {}
    found: dict[str, list[int]] = {}
    for i, row in enumerate(parsed.reads):
        found.setdefault(row.reader or default, []).append(i)
    return dict(found)
