"""Promise 2 at a door: any order and any copies of the same batches give the same sightings; so does any restart."""

import random
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.runtime.settings import Settings
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.reads import ReadBatch, SourceEnd, Tick
from lotstream.schemas.sightings import Mark, Sighting, SightingRows
from lotstream.streams.engine.core import Record, encode
from lotstream.streams.smooth.core import SmoothCore
from lotstream.streams.smooth.policy import Rule, SmoothPolicy
from lotstream.streams.smooth.stage import build_stage

SECOND = 1_000_000
START = 1_795_000_020 * SECOND
TAGS = [
    "3034257BF7194E4000001A85",
    "01/80614141123458/21/6789",
    "3034257BF7194E4000001A86",
    "E2801160",
    "00/106141412345678908",
]
POLICY = SmoothPolicy(
    rule=Rule(silence_us=5 * SECOND, observe_count=3), points={"dock-2": Rule(silence_us=30 * SECOND)}
)
STAGE = build_stage(Settings(), policy=POLICY)

# times on a grid, so that equal times, slot boundaries and silences at their limit are met often
tenths = st.sampled_from([0, 50, 100, 299, 300, 301, 350]) | st.integers(0, 890)
read = st.tuples(tenths, st.sampled_from([0, 0, 1, 2, 3, 4]), st.sampled_from([1, 1, 2, 3]), st.integers(-70, -40))


@st.composite
def batches(draw: st.DrawFn, *, frozen_clock: bool = False) -> ReadBatch:
    rows = draw(st.lists(read, min_size=1, max_size=12))
    summed = draw(st.booleans())
    lasts = [tenth * SECOND // 10 for tenth, *_ in rows]
    spans = [draw(st.sampled_from([0, 0, 100_000, 7 * SECOND])) if summed else 0 for _ in rows]
    return ReadBatch(
        reader=draw(st.sampled_from(["r1", "r2"])),
        read_point=draw(st.sampled_from(["dock-1", "dock-2"])),
        door="dock",
        inside="hall",
        outside=draw(st.sampled_from(["", "yard"])),
        inner=[1],
        outer=[2],
        mapping=draw(st.integers(1, 2)),
        stamp=Stamp(
            received_us=START + draw(st.integers(0, 3)),
            origin=draw(st.sampled_from([Origin.LIVE, Origin.LIVE, Origin.BUFFERED])),
            source="s",
            request="q",
        ),
        sequence=draw(st.integers(0, 10_000)),
        clock_offset_us=0 if frozen_clock else draw(st.sampled_from([0, 0, 0, 400_000, -31 * SECOND])),
        t0_us=START,
        tags=TAGS,
        tag=[tag for _, tag, *_ in rows],
        antenna=[antenna for _, _, antenna, _ in rows],
        last=lasts,
        first=[max(last - span, -START) for last, span in zip(lasts, spans, strict=True)] if summed else None,
        count=[draw(st.integers(1, 4)) for _ in rows] if summed else None,
        rssi=[rssi * 100 for *_, rssi in rows] if draw(st.booleans()) else None,
    )


def record(value: bytes, *, offset: int, at_us: int) -> Record:
    return Record("reads.v1", 0, offset, at_us, b"dock", value)


def new_core() -> SmoothCore:
    core = STAGE.build(0)
    assert isinstance(core, SmoothCore)
    return core


def sightings(outputs: Iterable[Any]) -> list[Sighting]:
    return [row for out in outputs if isinstance(out.rows, SightingRows) for row in out.rows.rows]


def final_words(values: list[bytes], *, steps: list[int]) -> dict[Any, Any]:
    """The newest version of each sighting when all is over, versions aside; log time goes on by the steps."""
    core, now, newest = new_core(), START + 40 * SECOND, {}
    closing = [SourceEnd(source="s", door="dock").encode(), *[Tick().encode()] * 6]
    for offset, value in enumerate([*values, *closing]):
        now += steps[offset % len(steps)] if offset < len(values) else 100 * SECOND
        rows = sightings(core.apply(record(value, offset=offset, at_us=now)))
        assert len({row.fact for row in rows}) == len(rows)
        for row in rows:
            newest[row.fact] = row
    assert not any(point.books or point.frames for point in core.state.points.values())
    assert all(row.marks & Mark.FINAL for row in newest.values())
    return {fact: row._replace(version=()) for fact, row in newest.items() if not row.marks & Mark.RETRACTED}


def naive(messages: list[ReadBatch]) -> dict[tuple[str, str, int], tuple[int, list[tuple[int, int]]]]:
    """Reads and runs per tag, read point and slot, said the slow and obvious way (one clock offset for all)."""
    keys = {text: new_core()._labels.read([text])[0].keys[0] for text in TAGS}
    known: dict[Any, tuple[Any, ...]] = {}
    for message in messages:
        rank = (message.stamp.received_us, message.clock_offset_us, message.stamp.source, message.sequence)
        for i in range(len(message)):
            device = message.t0_us + message.last[i]
            first = device if message.first is None else message.t0_us + message.first[i]
            count = 1 if message.count is None else message.count[i]
            key = keys[message.tags[message.tag[i]]]
            identity = (message.read_point, key, message.reader, message.antenna[i], device)
            value = (rank, -count, first)
            known[identity] = min(known.get(identity, value), value)
    groups: dict[tuple[str, str, int], list[tuple[int, int, int]]] = {}
    for (point, key, _, _, last), (_, count, first) in known.items():
        groups.setdefault((key, point, last // (30 * SECOND)), []).append((first, last, -count))
    result = {}
    for group, rows in groups.items():
        silence = POLICY.at(group[1]).silence_us
        runs: list[list[int]] = []
        for first, last, _ in sorted(rows):
            if runs and first - runs[-1][1] <= silence:
                runs[-1][1] = max(runs[-1][1], last)
            else:
                runs.append([first, last])
        start = group[2] * 30 * SECOND
        result[group] = (sum(row[2] for row in rows), [(max(first, start), last) for first, last in runs])
    return result


@settings(max_examples=60, deadline=None)
@given(
    st.lists(batches(), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=4),
)
def test_order_and_copies_leave_no_trace(messages: list[ReadBatch], chance: random.Random, steps: list[int]) -> None:
    """A permuted and partly repeated log of the same batches ends in the same sightings."""
    messages = _one_rank_each(messages)
    values = [message.encode() for message in messages]
    disturbed = values + [value for value in values if chance.random() < 0.5]
    chance.shuffle(disturbed)
    expected = final_words(values, steps=[SECOND // 10])
    assert final_words(disturbed, steps=steps) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(batches(frozen_clock=True), min_size=1, max_size=6))
def test_runs_are_what_the_obvious_way_says(messages: list[ReadBatch]) -> None:
    """Counts and runs equal those of a sort over the set of reads."""
    messages = _one_rank_each(messages)
    words = final_words([message.encode() for message in messages], steps=[SECOND])
    got = {
        (row.tag, row.context.read_point, row.slot): (row.reads, [(run[0], run[1]) for run in row.runs])
        for row in words.values()
    }
    assert got == naive(messages)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(batches(), min_size=1, max_size=8),
    st.lists(st.sampled_from([0, SECOND // 2, 8 * SECOND, 61 * SECOND]), min_size=1, max_size=5),
    st.data(),
)
def test_a_restart_at_any_record_changes_nothing(
    messages: list[ReadBatch], steps: list[int], data: st.DataObject
) -> None:
    """Crash at any record, load the last snapshot, apply what follows: the same bytes come out again."""
    closing = [SourceEnd(source="s", door="dock").encode(), *[Tick().encode()] * 6]
    values = [message.encode() for message in messages] + closing
    crash = data.draw(st.integers(0, len(values)))
    snapshots = data.draw(st.sets(st.integers(0, len(values)), max_size=4))
    table: dict[bytes, bytes] = {}
    core, now, saved = new_core(), START + 40 * SECOND, 0
    written: list[list[tuple[str, int, bytes]]] = []
    records = []
    for offset, value in enumerate(values):
        now += steps[offset % len(steps)]
        records.append(record(value, offset=offset, at_us=now))
    for each in records:
        if each.offset in snapshots and each.offset <= crash:
            _save(core, table)
            saved = each.offset
        written.append([(out.topic, out.partition, encode(out)) for out in core.apply(each)])
    again = new_core()
    again.load(table.items())
    for each in records[saved:]:
        assert [(out.topic, out.partition, encode(out)) for out in again.apply(each)] == written[each.offset]
        if data.draw(st.booleans()):
            _save(again, table)
            again = new_core()
            again.load(table.items())


def _save(core: SmoothCore, table: dict[bytes, bytes]) -> None:
    for key, value in core.changes().items():
        if value is None:
            del table[key]
        else:
            table[key] = value


def _one_rank_each(messages: list[ReadBatch]) -> list[ReadBatch]:
    """Two batches of one source have two numbers, as the gateway gives them."""
    return [message.model_copy(update={"sequence": i}) for i, message in enumerate(messages)]
