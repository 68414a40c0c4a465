"""reads.v1: read batches in columns, reader events, ticks and ends of a source. Partitioned by door."""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, model_validator

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import LATEST_US, NOT_REPORTED, Micros, Name, Stamp, Wire, decode

MAX_READS = 5_000
PACKED_FROM = 64  # values
Ints = NDArray[np.int64]
Tag = Annotated[str, Field(min_length=1, max_length=400, pattern=r"^(?:(?:[0-9A-F]{2})+|[0-9]{2,4}/[!-~]+)$")]
Column = Annotated[list[int], Field(max_length=MAX_READS)]
_KINDS = {  # of packed values: (bytes, lowest, highest)
    "u1": (1, 0, 2**8 - 1),
    "i2": (2, -(2**15), 2**15 - 1),
    "i4": (4, -(2**31), 2**31 - 1),
    "i8": (8, -(2**63), 2**63 - 1),
}
Packed = Annotated[
    str,
    Field(max_length=MAX_READS * 8 * 4 // 3 + 8, pattern=r"^(?:u1|i2|i4|i8):", description="see schemas.reads.pack"),
]
Numbers = Annotated[Packed | Column, Field(union_mode="left_to_right")]


class ReadBatch(Wire):
    """Reads of one reader at one read point, in columns: row i of every column is read i.

    A column of numbers is a list, or packed: the width of its values (u1, i2, i4, i8), a colon, and the values,
    little-endian, in base64.

    Times are the reader's own, uncorrected: device time = t0_us + last[i]; event time = device time +
    clock_offset_us. A read's identity is (reader, antenna, tag, device time). What the mapping said about
    the reader's antennas when the batch arrived travels with it, so no later stage needs the mapping.
    """

    kind: Literal["reads"] = "reads"
    v: Literal[1] = 1
    reader: Name
    read_point: Name
    door: Name = Field(description="partition key: the read point, or the group of neighbours it belongs to")
    inside: Name = Field(description="location behind the read point, where goods are after moving inward")
    outside: str = Field(default="", max_length=200, description="location before it; empty: not a portal")
    inner: list[int] = Field(default_factory=list, max_length=256, description="antennas on the inner side")
    outer: list[int] = Field(default_factory=list, max_length=256, description="antennas on the outer side")
    mapping: int = Field(ge=0, description="version of the mapping that said so")
    stamp: Stamp
    sequence: int = Field(ge=0, description="gateway's count of batches of this source; a gap is a loss")
    clock_offset_us: int = Field(description="added to device times to make event times")
    t0_us: Micros
    tags: Annotated[list[Tag], Field(min_length=1, max_length=MAX_READS)] = Field(
        description="distinct tags: EPC hex in upper case as read, or the key of a scanned label"
    )
    tag: Numbers = Field(description="index into tags")
    antenna: Numbers = Field(description="1..255; 0: the reader did not say")
    last: Numbers = Field(description="last seen, us after t0_us")
    first: Numbers | None = Field(default=None, description="first seen, us after t0_us")
    count: Numbers | None = Field(default=None, description="reads that this report sums up")
    rssi: Numbers | None = Field(default=None, description="peak RSSI, 0.01 dBm")
    phase: Numbers | None = Field(default=None, description="phase angle, 0.01 degree")
    channel: Numbers | None = Field(default=None, description="carrier frequency, kHz")
    power: Numbers | None = Field(default=None, description="transmit power, 0.01 dBm")
    tid: Annotated[list[str], Field(max_length=MAX_READS)] | None = Field(default=None, description="TID bank, hex")
    pc: Numbers | None = Field(default=None, description="protocol control word")

    @model_validator(mode="after")
    def _same_length(self) -> "ReadBatch":
        n = len(self)
        if not 1 <= n <= MAX_READS:
            raise ValueError(f"columns of 1 to {MAX_READS} values, got {n}")
        for name in ("antenna", "last", "first", "count", "rssi", "phase", "channel", "power", "pc"):
            column = getattr(self, name)
            if column is not None and (got := _length(column)) != n:
                raise ValueError(f"column {name} of {n} values, got {got}")
        if self.tid is not None and len(self.tid) != n:
            raise ValueError(f"column tid of {n} values, got {len(self.tid)}")
        return self

    def __len__(self) -> int:
        return _length(self.tag)


def pack(values: Sequence[int]) -> str | list[int]:
    """A column of 64-bit numbers: short ones as a list, long ones packed, which takes a fifth of the time to read."""
    column = np.array(values, np.int64)
    if len(column) < PACKED_FROM:
        short: list[int] = column.tolist()
        return short
    low, high = _span(column)
    kind = next(kind for kind, (_, lowest, highest) in _KINDS.items() if lowest <= low and high <= highest)
    return f"{kind}:{b64encode(column.astype('<' + kind).tobytes()).decode()}"


def _length(column: str | list[int]) -> int:
    """Values of a column; packed ones must be whole to be read."""
    if isinstance(column, list):
        return len(column)
    size = (len(column) - 3) * 3 // 4 - column.count("=", -2)
    return size // _KINDS[column[:2]][0]


def _unpack(name: str, column: str | list[int]) -> Ints:
    """The values of a column. Raises Rejected (schema_invalid)."""
    try:
        if isinstance(column, list):
            return np.array(column, np.int64)
        return np.frombuffer(a2b_base64(column[3:], strict_mode=True), "<" + column[:2]).astype(np.int64)
    except OverflowError:
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected 64-bit values in {name}, got more.", field=name) from None
    except ValueError as wrong:
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected packed values in {name}, got {wrong}.", field=name) from None


@dataclass(frozen=True, slots=True)
class ReadColumns:
    """The columns that decisions use, as numpy: event times corrected, ranges checked."""

    tag: Ints
    antenna: Ints
    first_us: Ints
    last_us: Ints
    count: Ints
    rssi: Ints | None
    earliest_us: int  # the least and the greatest of last_us
    latest_us: int


_LIMITS = {  # column: (lowest, highest)
    "count": (1, 2**31 - 1),
    "rssi": (-20_000, 5_000),
    "phase": (-36_000, 36_000),
    "channel": (1, 10_000_000),
    "power": (-10_000, 10_000),
    "pc": (0, 0xFFFF),
}


def read_columns(batch: ReadBatch) -> ReadColumns:
    """Columns of a batch, event times in us. Raises Rejected (schema_invalid) naming column, range and value."""
    tag = _column("tag", batch.tag, 0, len(batch.tags) - 1)
    antenna = _column("antenna", batch.antenna, 0, 255)
    shift = batch.t0_us + batch.clock_offset_us
    last = _unpack("last", batch.last)
    earliest, latest = _within("last", last, -shift, LATEST_US - shift)
    first = last if batch.first is None else _column("first", batch.first, -shift, LATEST_US - shift)
    if first is not last and (first > last).any():
        raise Rejected(
            Reason.SCHEMA_INVALID, "Expected first <= last, got a read seen first after last.", field="first"
        )
    for name in ("phase", "channel", "power", "pc"):
        values = getattr(batch, name)
        if values is not None:
            _optional(name, values)
    count = np.ones(len(tag), np.int64) if batch.count is None else _optional("count", batch.count)
    rssi = None if batch.rssi is None else _optional("rssi", batch.rssi)
    last_us = last + shift
    first_us = last_us if first is last else first + shift
    return ReadColumns(
        tag=tag,
        antenna=antenna,
        first_us=first_us,
        last_us=last_us,
        count=count if batch.count is None else np.maximum(count, 1),
        rssi=rssi,
        earliest_us=earliest + shift,
        latest_us=latest + shift,
    )


def _span(column: Ints) -> tuple[int, int]:
    """Least and greatest value; a third of the time that the array's own methods take."""
    return int(np.minimum.reduce(column)), int(np.maximum.reduce(column))


def _column(name: str, values: str | list[int], low: int, high: int) -> Ints:
    column = _unpack(name, values)
    _within(name, column, low, high)
    return column


def _within(name: str, column: Ints, low: int, high: int) -> tuple[int, int]:
    """Least and greatest value of a column that passes no limit."""
    smallest, greatest = _span(column)
    if smallest < low or greatest > high:
        got = smallest if smallest < low else greatest
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected {name} in {low}..{high}, got {got}.", field=name)
    return smallest, greatest


def _optional(name: str, values: str | list[int]) -> Ints:
    low, high = _LIMITS[name]
    column = _unpack(name, values)
    smallest, greatest = _span(column)
    if low <= smallest and greatest <= high:
        return column
    wrong = ((column < low) | (column > high)) & (column != NOT_REPORTED)
    if wrong.any():
        got = int(column[wrong][0])
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected {name} in {low}..{high}, got {got}.", field=name)
    return column


class ReaderEventType(StrEnum):
    """What a reader says besides reads."""

    GPI = "gpi"
    ANTENNA = "antenna"
    HEARTBEAT = "heartbeat"
    OVERFLOW = "overflow"
    STATUS = "status"
    CONNECTION = "connection"
    DIAGNOSTIC = "diagnostic"
    OTHER = "other"


class ReaderEvent(Wire):
    """A reader event with the vendor's own text, kept whole."""

    kind: Literal["reader_event"] = "reader_event"
    v: Literal[1] = 1
    reader: Name
    read_point: str = Field(default="", max_length=200)
    door: Name
    type: ReaderEventType
    vendor_type: str = Field(default="", max_length=200)
    port: int | None = Field(default=None, ge=0, le=255, description="antenna or GPI port")
    state: str = Field(default="", max_length=200)
    lost: int | None = Field(default=None, ge=0, description="reads lost, when the reader counts them")
    time_us: Micros
    text: str = Field(max_length=65_536, description="the vendor's message, untouched")
    stamp: Stamp


class Tick(Wire):
    """Log time went on although nothing came: appended by the partition's owner after a second of silence."""

    kind: Literal["tick"] = "tick"
    v: Literal[1] = 1


class SourceEnd(Wire):
    """A source of origin file or buffered has no more: what it opened at this door closes."""

    kind: Literal["end"] = "end"
    v: Literal[1] = 1
    source: Name
    door: Name


ReadsMessage = ReadBatch | ReaderEvent | Tick | SourceEnd
_ADAPTER: TypeAdapter[ReadsMessage] = TypeAdapter(Annotated[ReadsMessage, Field(discriminator="kind")])


def decode_reads(value: bytes | None) -> ReadsMessage:
    """A message of reads.v1. Raises Rejected."""
    return decode(_ADAPTER, value)
