"""A partition of smooth in hand: batches in short words, sightings as they stand."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from lotstream.runtime.settings import Settings
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.reads import ReadBatch, ReaderEvent, ReaderEventType, SourceEnd, Tick
from lotstream.schemas.sightings import Sighting, SightingRows
from lotstream.streams.engine.core import Output, Record
from lotstream.streams.smooth.core import SmoothCore
from lotstream.streams.smooth.policy import Rule, SmoothPolicy
from lotstream.streams.smooth.stage import build_stage

SECOND = 1_000_000
START = 1_795_000_020 * SECOND  # a multiple of 30 s


class Door:
    """One partition: sends messages at log times, keeps every version that comes out."""

    def __init__(self, policy: SmoothPolicy) -> None:
        self.policy = policy
        self.now_us = START
        self.offset = 0
        self.outputs: list[Output] = []
        self.versions: list[Sighting] = []
        self.core = self.build()

    def build(self) -> SmoothCore:
        core = build_stage(Settings(), policy=self.policy).build(0)
        assert isinstance(core, SmoothCore)
        return core

    def apply(self, value: bytes | None, *, at_s: float | None = None) -> list[Sighting]:
        if at_s is not None:
            self.now_us = START + round(at_s * SECOND)
        record = Record("reads.v1", 0, self.offset, self.now_us, b"dock", value)
        self.offset += 1
        outputs = list(self.core.apply(record))
        self.outputs += outputs
        rows = [row for output in outputs if isinstance(output.rows, SightingRows) for row in output.rows.rows]
        assert len({row.fact for row in rows}) == len(rows), "one version of a key per message"
        self.versions += rows
        return rows

    def reads(
        self, *reads: tuple[float, str] | tuple[float, str, int], at_s: float | None = None, **more: Any
    ) -> list[Sighting]:
        last = max(read[0] for read in reads)
        return self.apply(batch(reads, **more).encode(), at_s=last if at_s is None else at_s)

    def tick(self, at_s: float) -> list[Sighting]:
        return self.apply(Tick().encode(), at_s=at_s)

    def end(self, source: str, *, at_s: float | None = None) -> list[Sighting]:
        return self.apply(SourceEnd(source=source, door="dock").encode(), at_s=at_s)

    def newest(self) -> dict[tuple[Any, ...], Sighting]:
        newest: dict[tuple[Any, ...], Sighting] = {}
        for row in self.versions:
            if row.fact not in newest or tuple(row.version) >= tuple(newest[row.fact].version):
                newest[row.fact] = row
        return newest


def batch(reads: Sequence[Sequence[Any]], **more: Any) -> ReadBatch:
    """Reads (seconds after START, tag[, antenna[, rssi]]) as a batch; anything else of it by name."""
    tags = list(dict.fromkeys(read[1] for read in reads))
    stamp = {
        "received_us": more.pop("received_us", START),
        "origin": more.pop("origin", "live"),
        "source": more.pop("source", "r1"),
        "request": "q",
    }
    fields: dict[str, Any] = {
        "reader": "r1",
        "read_point": "dock-1",
        "door": "dock",
        "inside": "hall",
        "outside": "yard",
        "inner": [1],
        "outer": [2],
        "mapping": 1,
        "sequence": 0,
        "clock_offset_us": 0,
        "t0_us": START,
        "tags": tags,
        "tag": [tags.index(read[1]) for read in reads],
        "antenna": [read[2] if len(read) > 2 else 1 for read in reads],
        "last": [round(read[0] * SECOND) for read in reads],
        "rssi": [read[3] if len(read) > 3 else -5_000 for read in reads],
    }
    return ReadBatch.model_validate({**fields, **more, "stamp": Stamp.model_validate_json(_json(stamp))})


def _json(stamp: dict[str, Any]) -> str:
    return Stamp.model_construct(**stamp).model_dump_json(warnings=False)


@pytest.fixture
def make_door() -> Callable[..., Door]:
    def make(*, rule: Rule | None = None, **policy: Any) -> Door:
        return Door(SmoothPolicy(rule=rule or Rule(silence_us=5 * SECOND), **policy))

    return make


@pytest.fixture
def door(make_door: Callable[..., Door]) -> Door:
    return make_door()


@pytest.fixture
def make_batch() -> Callable[..., ReadBatch]:
    return batch


@pytest.fixture
def summary() -> Callable[[Iterable[Sighting]], Any]:
    """Sightings without versions."""

    def strip(rows: Iterable[Sighting]) -> Any:
        return sorted(row._replace(edition=row.edition._replace(version=())) for row in rows)

    return strip


@pytest.fixture
def make_event() -> Callable[..., bytes]:
    def make(*, type: str, lost: int | None, at_s: float) -> bytes:  # noqa: A002 - the name on the wire
        at_us = START + round(at_s * SECOND)
        stamp = Stamp(received_us=at_us, origin=Origin.LIVE, source="r1", request="q")
        return ReaderEvent(
            reader="r1",
            read_point="dock-1",
            door="dock",
            type=ReaderEventType(type),
            lost=lost,
            time_us=at_us,
            text="{}",
            stamp=stamp,
        ).encode()

    return make
