"""Reads and their stamps into ReadBatch columns: grouped by read point, at most so many a message."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from lotstream.readers.formats.items import VendorRead
from lotstream.readers.mapping import Mapping, Place
from lotstream.readers.messages import Message
from lotstream.schemas.base import NOT_REPORTED, Origin, dump
from lotstream.schemas.operations import Headers
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.reads import pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What is the same for everything in one request, fixed when it arrives."""

    received_us: int
    origin: Origin
    source: str
    request: str

    def by(self, reader: str) -> "Arrival":
        """With its source: as declared, else the reader itself."""
        return self if self.source else replace(self, source=reader)

    def stamp(self) -> dict[str, object]:
        """The Stamp of the contracts."""
        return {
            "received_us": self.received_us,
            "origin": self.origin.value,
            "source": self.source,
            "request": self.request,
        }


_partition = lru_cache(maxsize=1 << 12)(partition_of)  # doors and sources, over and over


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A topic under its full name, and its partitions."""

    topic: str
    partitions: int

    def message(self, key: str, value: bytes, *, headers: Headers = ()) -> Message:
        """A message in the partition of ``key``."""
        return Message(self.topic, _partition(key, self.partitions), key.encode(), value, headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Reads of one reader at one read point, not yet in messages."""

    reader: str
    place: Place
    clock_offset_us: int
    rows: Sequence[VendorRead]


def by_place(reader: str, rows: Sequence[VendorRead], *, mapping: Mapping, clock_offset_us: int) -> list[Group]:
    """Reads of one reader, grouped by the read point of their antenna."""
    places = {antenna: mapping.place(reader, antenna) for antenna in {row.antenna for row in rows}}
    distinct = list(dict.fromkeys(places.values()))
    if len(distinct) == 1:
        return [Group(reader=reader, place=distinct[0], clock_offset_us=clock_offset_us, rows=rows)]
    return [
        Group(
            reader=reader,
            place=place,
            clock_offset_us=clock_offset_us,
            rows=[row for row in rows if places[row.antenna] is place],
        )
        for place in distinct
    ]


def encode(group: Group, *, arrival: Arrival, mapping: int, sequence: int) -> bytes:
    """A ReadBatch of the group's rows, of which there is at least one."""
    tag, antenna, last, _, first, count, rssi, phase, channel, power, tid, pc = zip(*group.rows, strict=True)
    t0_us = min(last)
    index: dict[str, int] = {}
    place = group.place
    batch: dict[str, object] = {
        "kind": "reads",
        "v": 1,
        "reader": group.reader,
        "read_point": place.read_point,
        "door": place.door,
        "inside": place.inside,
        "outside": place.outside,
        "inner": place.inner,
        "outer": place.outer,
        "mapping": mapping,
        "stamp": arrival.stamp(),
        "sequence": sequence,
        "clock_offset_us": group.clock_offset_us,
        "t0_us": t0_us,
        "tag": pack([index.setdefault(word, len(index)) for word in tag]),
        "tags": list(index),
        "antenna": pack(antenna),
        "last": pack([time - t0_us for time in last]),
    }
    if max(first) != NOT_REPORTED:
        starts = [(end if start == NOT_REPORTED else start) - t0_us for start, end in zip(first, last, strict=True)]
        batch["first"] = pack(starts)
    for name, column in (
        ("count", count),
        ("rssi", rssi),
        ("phase", phase),
        ("channel", channel),
        ("power", power),
        ("pc", pc),
    ):
        if max(column) != NOT_REPORTED:
            batch[name] = pack(column)
    if any(tid):
        batch["tid"] = tid
    return dump(batch)


def pieces(rows: Sequence[VendorRead], size: int) -> Iterator[Sequence[VendorRead]]:
    """Rows in messages of at most ``size``."""
    if len(rows) <= size:
        yield rows
        return
    rest = iter(rows)
    while piece := list(islice(rest, size)):
        yield piece
