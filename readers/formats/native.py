"""Native batches: the columns of ReadBatch as a program sends them, without what the gateway stamps."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, model_validator

from lotstream.readers.formats.items import VendorRead
from lotstream.schemas.base import NOT_REPORTED, Micros, Name, Wire, decode
from lotstream.schemas.reads import MAX_READS, Column, ReadBatch, Tag, read_columns

_OPTIONAL = ("first", "count", "rssi", "phase", "channel", "power", "tid", "pc")


class NativeBatch(Wire):
    """Reads of one reader in columns; units and ranges as in ReadBatch. The mapping says where its antennas are."""

    kind: Literal["reads"] = "reads"
    v: Literal[1] = 1
    reader: Name
    t0_us: Micros
    tags: Annotated[list[Tag], Field(min_length=1, max_length=MAX_READS)]
    tag: Annotated[list[int], Field(min_length=1, max_length=MAX_READS)]
    antenna: Column
    last: Column
    first: Column | None = None
    count: Column | None = None
    rssi: Column | None = None
    phase: Column | None = None
    channel: Column | None = None
    power: Column | None = None
    tid: Annotated[list[str], Field(max_length=MAX_READS)] | None = None
    pc: Column | None = None

    @model_validator(mode="after")
    def _same_length(self) -> "NativeBatch":
        for name in ("antenna", "last", *_OPTIONAL):
            column = getattr(self, name)
            if column is not None and len(column) != len(self.tag):
                raise ValueError(f"column {name} of {len(self.tag)} values, got {len(column)}")
        return self


_ONE = TypeAdapter(NativeBatch)
_MORE = TypeAdapter(Annotated[list[NativeBatch], Field(min_length=1, max_length=1_000)])


def parse(payload: bytes) -> list[VendorRead]:
    """The reads of one batch, or of an array of them. Raises Rejected with field, expected and got."""
    batches = decode(_MORE, payload) if payload.lstrip()[:1] == b"[" else [decode(_ONE, payload)]
    return [read for batch in batches for read in _reads(batch)]


def _reads(batch: NativeBatch) -> list[VendorRead]:
    _check_ranges(batch)
    n = len(batch.tag)
    absent = [NOT_REPORTED] * n
    t0_us = batch.t0_us
    columns: list[list[Any]] = [absent if (c := getattr(batch, name)) is None else c for name in _OPTIONAL]
    first, count, rssi, phase, channel, power, tid, pc = columns
    return [
        VendorRead(*row)
        for row in zip(
            [batch.tags[i] for i in batch.tag],
            batch.antenna,
            [t0_us + time for time in batch.last],
            [batch.reader] * n,
            first if first is absent else [t0_us + time for time in first],
            count,
            rssi,
            phase,
            channel,
            power,
            [""] * n if tid is absent else tid,
            pc,
            strict=True,
        )
    ]


def _check_ranges(batch: NativeBatch) -> None:
    """The same ranges as the contract of reads.v1, by the contract's own check."""
    fields = {name: getattr(batch, name) for name in NativeBatch.model_fields}
    # named, or pydantic would inspect the factories of these defaults at every call
    stand_in = ReadBatch.model_construct(**fields, clock_offset_us=0, inner=[], outer=[])
    read_columns(stand_in)


class EndOfSource(Wire):
    """Body of the end of a source, when it names the doors itself."""

    doors: Annotated[list[Name], Field(max_length=10_000)]


_END = TypeAdapter(EndOfSource)


def parse_doors(payload: bytes) -> list[str]:
    """The doors that the end of a source names; none in an empty body. Raises Rejected."""
    return decode(_END, payload).doors if payload.strip() else []
