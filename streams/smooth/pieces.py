"""From a batch to blocks, and from blocks to pieces: reads of one tag in one slot without a silence. All by columns."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.reads import Ints, ReadBatch, ReadColumns
from lotstream.schemas.sightings import Context
from lotstream.streams.smooth.state import (
    ANTENNA_BITS,
    FRAME_BITS,
    FRAME_MASK,
    NO_RSSI,
    TAG_SHIFT,
    Block,
    Place,
    Rank,
)
from lotstream.streams.smooth.table import Table, weighted

Mask = NDArray[np.bool_]
_ANTENNAS = (1 << ANTENNA_BITS) - 1


class Labels(NamedTuple):
    """The distinct tags of a batch: their keys, which were scanned, and where a text's key stands among the keys."""

    keys: tuple[str, ...]
    scanned: frozenset[int]
    key_of: Ints | None  # None: text i is key i
    kept: Mask | None  # None: every text has a key


class Pieces(NamedTuple):
    """Row i of every column is piece i; ``sums`` has its row for the table."""

    tag: list[int]
    slot: list[int]
    first: list[int]
    last: list[int]
    reads: list[int]
    sums: Ints


def blocks_of(batch: ReadBatch, columns: ReadColumns, *, labels: Labels, clock: str, policy: int) -> list[Block]:
    """The reads of a batch as blocks, one per frame of the reader's time; a read twice in the batch comes once."""
    tag = columns.tag if labels.key_of is None else labels.key_of[columns.tag]
    device = columns.last_us - batch.clock_offset_us
    codes = (tag << TAG_SHIFT) | ((device & FRAME_MASK) << ANTENNA_BITS) | columns.antenna
    low = (columns.earliest_us - batch.clock_offset_us) >> FRAME_BITS
    high = (columns.latest_us - batch.clock_offset_us) >> FRAME_BITS
    kept = None if labels.kept is None else labels.kept[columns.tag]
    frame = device >> FRAME_BITS if low != high else np.zeros(0, np.int64)
    blocks = []
    for number in [low] if low == high else sorted(set(frame.tolist())):
        mask = kept if low == high else (frame == number if kept is None else (frame == number) & kept)
        rows = _sorted(codes, columns, mask=mask, summed=batch.first is not None or batch.count is not None)
        if len(rows):
            blocks.append(
                _block(batch, columns, labels=labels, frame=number, clock=clock, codes=codes, rows=rows, policy=policy)
            )
    return blocks


def _sorted(codes: Ints, columns: ReadColumns, *, mask: Mask | None, summed: bool) -> Ints:
    """Rows by code; of equal codes only the one that says most, whatever their order was."""
    rows: Ints = codes.argsort()
    if mask is not None:
        rows = rows[mask[rows]]
    order = codes[rows]
    if len(order) < 2 or np.minimum.reduce(order[1:] - order[:-1]):
        return rows
    rssi = np.zeros(len(codes), np.int64) if columns.rssi is None else columns.rssi
    keys = [-rssi[rows], order]
    if summed:
        keys[:1] = [-rssi[rows], columns.first_us[rows], -columns.count[rows]]
    rows = rows[np.lexsort(keys)]
    order = codes[rows]
    return rows[np.concatenate(([True], order[1:] != order[:-1]))]


def _block(
    batch: ReadBatch,
    columns: ReadColumns,
    *,
    labels: Labels,
    frame: int,
    clock: str,
    codes: Ints,
    rows: Ints,
    policy: int,
) -> Block:
    context = Context(batch.read_point, batch.reader, policy, batch.mapping)
    codes = codes[rows]
    low_us, high_us = span(codes)
    rssi = None
    if columns.rssi is not None:
        rssi = np.maximum(columns.rssi[rows], NO_RSSI).astype(np.int16)  # NOT_REPORTED is below all others
    return Block(
        reader=batch.reader,
        frame=frame,
        shift_us=batch.clock_offset_us,
        clock=clock,
        place=_place(batch.mapping, batch.reader, batch.inside, batch.outside, context, batch.door),
        inner=tuple(batch.inner),
        outer=tuple(batch.outer),
        rank=Rank(batch.stamp.received_us, batch.clock_offset_us, batch.stamp.source, batch.sequence),
        keys=labels.keys,
        scanned=labels.scanned,
        codes=codes,
        low_us=low_us,
        high_us=high_us,
        lag=None if batch.first is None else (columns.last_us - columns.first_us)[rows],
        count=None if batch.count is None else columns.count[rows],
        rssi=rssi,
    )


@lru_cache(maxsize=4_096)
def _place(
    mapping: int, reader: str, inside: str, outside: str, context: Context, door: str
) -> Place:  # one object for all batches
    return Place(mapping, reader, inside, outside, context, door)


def span(codes: Ints) -> tuple[int, int]:
    """Least and greatest time in the frame."""
    times = (codes >> ANTENNA_BITS) & FRAME_MASK
    return int(np.minimum.reduce(times)), int(np.maximum.reduce(times))


def event_times(block: Block) -> Ints:
    """Event time of each read of a block, us."""
    return ((block.codes >> ANTENNA_BITS) & FRAME_MASK) + block.base_us


def select(block: Block, mask: Mask, *, contested: bool = False) -> Block:
    """The reads of a block where the mask is set: at least one."""
    codes = block.codes[mask]
    low_us, high_us = span(codes)
    return Block(
        reader=block.reader,
        frame=block.frame,
        shift_us=block.shift_us,
        clock=block.clock,
        place=block.place,
        inner=block.inner,
        outer=block.outer,
        rank=block.rank,
        keys=block.keys,
        scanned=block.scanned,
        codes=codes,
        low_us=low_us,
        high_us=high_us,
        lag=None if block.lag is None else block.lag[mask],
        count=None if block.count is None else block.count[mask],
        rssi=None if block.rssi is None else block.rssi[mask],
        contested=contested,
    )


def pieces_of(block: Block, table: Table, *, silence_us: int) -> Pieces:
    """Pieces of a block with at least one read. Pieces of one tag may still join: by a report that sums up a time."""
    times = event_times(block)
    tag = block.codes >> TAG_SHIFT
    low, high = block.slots()
    first = times if block.lag is None else times - block.lag
    new = np.empty(len(tag), np.bool_)
    new[0] = True
    np.not_equal(tag[1:], tag[:-1], out=new[1:])
    if low != high:
        slot = times // SLOT_US
        new[1:] |= slot[1:] != slot[:-1]
    if block.lag is not None or block.high_us - block.low_us > silence_us:
        new[1:] |= first[1:] - times[:-1] > silence_us
    start = new.nonzero()[0]
    stop = np.empty_like(start)
    stop[:-1] = start[1:]
    stop[-1] = len(tag)
    begin = first[start] if block.lag is None else np.minimum.reduceat(first, start)
    reads = stop - start if block.count is None else np.add.reduceat(block.count, start)
    slots = [low] * len(start) if low == high else slot[start].tolist()
    middle = first + times - 2 * SLOT_US * (low if low == high else slot)
    return Pieces(
        tag[start].tolist(),
        slots,
        begin.tolist(),
        times[stop - 1].tolist(),
        reads.tolist(),
        _sums(block, table, piece=new.cumsum() - 1, pieces=len(start), middle=middle),
    )


def _sums(block: Block, table: Table, *, piece: Ints, pieces: int, middle: Ints) -> Ints:
    """Rows for the table; a side's times are sums of first + last - 2 x slot start."""
    antenna = block.codes & _ANTENNAS
    column = table.columns_of(antenna)
    width = table.width
    row = piece * width
    at = row + column
    ones: list[Ints] = []  # where to add one
    sums: list[tuple[Ints, NDArray[Any]]] = []  # where to add how much
    if block.count is None:
        ones.append(at)
    else:
        sums.append((at, block.count))
    if block.rssi is not None:
        rssi = block.rssi
        if int(np.minimum.reduce(rssi)) == NO_RSSI:
            told = rssi != NO_RSSI
            at, rssi = at[told], rssi[told]
        sums.append((at + 1, rssi))
        ones.append(at + 2)
    if block.inner and block.outer:
        side = _side_columns(block.inner, block.outer)[antenna]
        if int(np.minimum.reduce(side)) < 0:
            known = side >= 0
            row, side, middle = row[known], side[known], middle[known]
        side = row + side
        ones.append(side)
        sums.append((side + 1, middle))
    return _added(ones, sums, size=pieces * width).reshape(pieces, width)


def _added(ones: list[Ints], sums: list[tuple[Ints, NDArray[Any]]], *, size: int) -> Ints:
    """How often each place stands in ``ones``, and the sums of what ``sums`` gives it."""
    total = np.bincount(np.concatenate(ones), minlength=size) if ones else np.zeros(size, np.int64)
    if sums:
        at, what = zip(*sums, strict=True)
        total += weighted(np.concatenate(at), np.concatenate(what), size=size)
    return total


@lru_cache(maxsize=1_024)
def _side_columns(inner: tuple[int, ...], outer: tuple[int, ...]) -> Ints:
    """Antenna -> first column of its side; -1 when it has none."""
    side = np.full(_ANTENNAS + 1, -1, np.int64)
    side[list(outer)] = 2
    side[list(inner)] = 0
    return side
