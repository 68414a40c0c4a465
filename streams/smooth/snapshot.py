"""The changelog of smooth: only what changed, in records that are written once and deleted as a whole.

``core``: log time and clocks. ``p/{read point}``: its forgotten slots. ``s/{read point}/{number}``: a segment, the
blocks of reads and the published states since the segment before. Runs are not in it: they follow from the blocks.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from lotstream.schemas.sightings import Context
from lotstream.streams.smooth.gone import Gone
from lotstream.streams.smooth.pieces import span
from lotstream.streams.smooth.point import point_of, rebuild, remember
from lotstream.streams.smooth.policy import SmoothPolicy
from lotstream.streams.smooth.state import Block, Clock, Frame, Place, Point, Rank, Segment, SmoothState, Visit

_LENGTH = struct.Struct("<I")
_CODES, _COUNT, _RSSI = "<i8", "<i8", "<i2"
PART_BYTES, PART_CELLS = 200_000, 1_000
_READ_BYTES = 16
Cells = list[tuple[int, str, int, str, bool, list[str] | None]]


class Snapshot:
    """What of a partition's state the changelog does not have yet."""

    def __init__(self, state: SmoothState, policy: SmoothPolicy) -> None:
        self._state = state
        self._policy = policy
        self._written = b""

    def changes(self) -> Mapping[bytes, bytes | None]:
        """New segments, forgotten ones (None), and the small records that differ."""
        records: dict[bytes, bytes | None] = {}
        for point in self._state.points.values():
            _point_changes(point, records)
        core = orjson.dumps({"log_us": self._state.log_us, "clocks": _clocks(self._state)})
        if core != self._written:
            records[b"core"] = self._written = core
        return records

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """The state of which these are all records."""
        segments: list[tuple[str, int, bytes]] = []
        for key, value in items:
            kind, _, rest = key.decode().partition("/")
            if kind == "core":
                self._load_core(value)
            elif kind == "p":
                self._point(rest).gone = Gone(orjson.loads(value))
            else:
                name, _, number = rest.rpartition("/")
                segments.append((name, int(number), value))
        cells: dict[str, Cells] = {}
        for name, serial, value in sorted(segments):
            cells.setdefault(name, []).extend(_load_segment(self._point(name), value, number=serial))
        for name, point in self._state.points.items():
            _finish(point, cells.get(name, []))

    def _load_core(self, value: bytes) -> None:
        self._written = value
        core = orjson.loads(value)
        self._state.log_us = core["log_us"]
        self._state.clocks.update({name: Clock(*clock) for name, clock in core["clocks"].items()})

    def _point(self, name: str) -> Point:
        return point_of(self._state, self._policy, name=name)


def _clocks(state: SmoothState) -> dict[str, list[int]]:
    return {name: [clock.time_us, clock.heard_us, clock.ended_us] for name, clock in state.clocks.items()}


def _point_changes(point: Point, records: dict[bytes, bytes | None]) -> None:
    name = point.name
    for number in point.dropped:
        records[f"s/{name}/{number}".encode()] = None
    point.dropped.clear()
    if point.gone_changed:
        records[f"p/{name}".encode()] = orjson.dumps(point.gone.pairs())
        point.gone_changed = False
    for blocks, cells in _parts(point.new_blocks, _cells(point)):
        number = point.next_segment
        point.next_segment += 1
        records[f"s/{name}/{number}".encode()] = _segment(blocks, cells)
        point.segments[number] = Segment({cell[0] for cell in cells}, {(block.reader, block.frame) for block in blocks})
    point.new_blocks = []
    point.changed.clear()


def _parts(blocks: list[Block], cells: Cells) -> Iterator[tuple[list[Block], Cells]]:
    """What one record holds: a broker takes no message of more than a megabyte."""
    part: list[Block] = []
    size = 0
    for block in blocks:
        if size > PART_BYTES:
            yield part, []
            part, size = [], 0
        part.append(block)
        size += _READ_BYTES * len(block.codes) + sum(map(len, block.keys))
    for start in range(0, len(cells), PART_CELLS):
        yield part, cells[start : start + PART_CELLS]
        part = []
    if part:
        yield part, []


def _cells(point: Point) -> Cells:
    rows: Cells = []
    for cell in point.changed:
        place = (cell.book.slot, cell.tag)
        if not cell.runs:  # retracted: what was known of it is void
            rows.append((*place, -1, "", False, None))
            continue
        carry = None if cell.carry is None else [str(total) for total in cell.carry]  # may pass 64 bits
        rows.append((*place, cell.shown, cell.shown_at, cell.settled, carry))
    return rows


def _segment(blocks: list[Block], cells: Cells) -> bytes:
    head = orjson.dumps({"blocks": [_block_head(block) for block in blocks], "cells": cells})
    parts = [_LENGTH.pack(len(head)), head]
    for block in blocks:
        parts.append(block.codes.astype(_CODES, copy=False).tobytes())
        for column, kind in ((block.lag, _COUNT), (block.count, _COUNT), (block.rssi, _RSSI)):
            if column is not None:
                parts.append(column.astype(kind, copy=False).tobytes())
    return b"".join(parts)


def _block_head(block: Block) -> dict[str, Any]:
    return {
        "reader": block.reader,
        "frame": block.frame,
        "shift_us": block.shift_us,
        "clock": block.clock,
        "place": [*block.place[:4], list(block.place.context), block.place.door],
        "inner": block.inner,
        "outer": block.outer,
        "rank": list(block.rank),
        "keys": block.keys,
        "scanned": sorted(block.scanned),
        "contested": block.contested,
        "n": len(block.codes),
        "columns": [column is not None for column in (block.lag, block.count, block.rssi)],
    }


def _load_segment(point: Point, value: bytes, *, number: int) -> Cells:
    (length,) = _LENGTH.unpack_from(value)
    at = _LENGTH.size + length
    head = orjson.loads(value[_LENGTH.size : at])
    frames = set()
    for block_head in head["blocks"]:
        block, at = _load_block(block_head, value, at=at)
        frames.add((block.reader, block.frame))
        remember(point, block, frame=point.frames.setdefault((block.reader, block.frame), Frame()))
    point.segments[number] = Segment({cell[0] for cell in head["cells"]}, frames)
    point.next_segment = max(point.next_segment, number + 1)
    cells: Cells = head["cells"]
    return cells


def _load_block(head: dict[str, Any], value: bytes, *, at: int) -> tuple[Block, int]:
    n = head.pop("n")
    columns: list[NDArray[Any] | None] = []
    for present, kind in zip((True, *head.pop("columns")), (_CODES, _COUNT, _COUNT, _RSSI), strict=True):
        column = np.frombuffer(value, kind, n, at) if present else None
        columns.append(column)
        at += 0 if column is None else column.nbytes
    codes, lag, count, rssi = columns
    assert codes is not None
    mapping, reader, inside, outside, context, *door = head["place"]  # before cross-reads were decided without a door
    head["place"] = Place(mapping, reader, inside, outside, Context(*context), *(door or context[:1]))
    head["rank"] = Rank(*head["rank"])
    for name in ("inner", "outer", "keys"):
        head[name] = tuple(head[name])
    head["scanned"] = frozenset(head["scanned"])
    low_us, high_us = span(codes)
    return Block(codes=codes, low_us=low_us, high_us=high_us, lag=lag, count=count, rssi=rssi, **head), at


def _finish(point: Point, cells: Cells) -> None:
    """Runs are derived, frames without a remembered slot go, and each sighting knows again what was published."""
    rebuild(point)
    for frame in point.frames.values():
        frame.slots.intersection_update(point.books)
    dead = {key for key, frame in point.frames.items() if not frame.slots}
    for key in dead:
        del point.frames[key]
    for segment in point.segments.values():
        segment.frames -= dead
        segment.slots.intersection_update(point.books)
    for slot, tag, shown, shown_at, settled, carry in cells:
        book = point.books.get(slot)
        cell = None if book is None else book.cells.get(tag)
        if cell is not None:
            cell.shown, cell.shown_at, cell.settled = shown, shown_at, settled
            cell.carry = None if carry is None else Visit(*map(int, carry))
