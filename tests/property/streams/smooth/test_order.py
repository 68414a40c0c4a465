"""Promise 2 at a door: any order and any copies of the same batches give the same sightings; so does any restart."""

import math
import random
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.runtime.settings import Settings
from lotstream.schemas.base import NOT_REPORTED, Origin, Stamp
from lotstream.schemas.reads import ReadBatch, SourceEnd, Tick
from lotstream.schemas.sightings import Direction, Mark, Sighting, SightingRows
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
    used = list(dict.fromkeys(tag for _, tag, *_ in rows))
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
        tags=[TAGS[tag] for tag in used],
        tag=[used.index(tag) for _, tag, *_ in rows],
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
    return {
        fact: row._replace(edition=row.edition._replace(version=()))
        for fact, row in newest.items()
        if not row.marks & Mark.RETRACTED
    }


Read = tuple[int, int, int, int, int | None, int, bool]
"""Last, first, antenna, count, RSSI, -1 outside or 1 inside, of a batch that names the tag by its label."""


def distinct(messages: list[ReadBatch]) -> dict[tuple[str, str, int], list[Read]]:
    """Each read once, the copy of the lowest rank, by tag, read point and slot."""
    keys = {text: new_core()._labels.read([text])[0].keys[0] for text in TAGS}
    known: dict[Any, tuple[Any, ...]] = {}
    for batch in messages:
        rank = (batch.stamp.received_us, batch.clock_offset_us, batch.stamp.source, batch.sequence)
        for i in range(len(batch)):
            device = batch.t0_us + batch.last[i]
            first = device if batch.first is None else batch.t0_us + batch.first[i]
            count = 1 if batch.count is None else batch.count[i]
            rssi = None if batch.rssi is None else batch.rssi[i]
            identity = (batch.read_point, keys[batch.tags[batch.tag[i]]], batch.reader, batch.antenna[i], device)
            label = any("/" in text and keys[text] == keys[batch.tags[batch.tag[i]]] for text in batch.tags)
            value = (rank, -count, first, 0 if rssi is None else -rssi, rssi, label)
            known[identity] = min(known.get(identity, value), value)
    groups: dict[tuple[str, str, int], list[Read]] = {}
    for (point, key, _, antenna, last), (_, count, first, _, rssi, label) in known.items():
        read = (last, first, antenna, -count, rssi, {1: 1, 2: -1}.get(antenna, 0), label)
        groups.setdefault((key, point, last // (30 * SECOND)), []).append(read)
    return groups


def naive(messages: list[ReadBatch]) -> dict[tuple[str, str, int], tuple[Any, ...]]:
    """Runs, state, direction and marks said the slow and obvious way (one clock offset for all)."""
    runs = {group: naive_runs(reads, POLICY.at(group[1]).silence_us) for group, reads in distinct(messages).items()}
    result = {}
    for (key, point, slot), own in runs.items():
        rule = POLICY.at(point)
        first, last = own[0], own[-1]
        visit, at = first, slot
        whole = list(first)
        while (earlier := runs.get((key, point, at - 1))) is not None and starts(visit) - ends(
            earlier[-1]
        ) <= rule.silence_us:
            visit, at = earlier[-1], at - 1
            whole += visit
            if len(earlier) > 1:
                break
        later = runs.get((key, point, slot + 1))
        goes_on = later is not None and starts(later[0]) - ends(last) <= rule.silence_us
        observed = any(sum(read[3] for read in reads) >= rule.observe_count for reads in (whole, *own[1:]))
        marks = Mark.FINAL | (Mark.CONTINUES_BEFORE if at != slot else 0) | (Mark.CONTINUES_AFTER if goes_on else 0)
        direction = 0 if goes_on else naive_direction(whole if len(own) == 1 else last)
        observed = observed or any(read[6] for run in own for read in run)
        result[key, point, slot] = ([naive_flat(run, slot) for run in own], int(observed), direction, marks)
    return naive_cross_reads(result, runs)


def naive_cross_reads(words: dict[Any, tuple[Any, ...]], runs: dict[Any, list[list[Read]]]) -> dict[Any, Any]:
    """Both read points are of one door: which of them only overheard a tag."""
    aside = {
        (key, point, slot)
        for key, point, slot in words
        for other in {"dock-1", "dock-2"} - {point}
        if words[key, point, slot][1] and words.get((key, other, slot), (0, 0))[1]
        if naive_beats(runs[key, other, slot], runs[key, point, slot], names=(other, point))
    }
    result = {}
    for (key, point, slot), (flat, state, direction, marks) in words.items():
        if (key, point, slot) in aside:
            state, direction = 2, 0
        elif (key, point, slot - 1) in aside:
            marks &= ~Mark.CONTINUES_BEFORE
        result[key, point, slot] = (flat, state, direction, marks)
    return result


def naive_beats(theirs: list[list[Read]], own: list[list[Read]], *, names: tuple[str, str]) -> bool:
    silence = POLICY.at(names[0]).silence_us
    for run in own:
        if not any(starts(their) - silence <= starts(run) and ends(run) <= ends(their) + silence for their in theirs):
            return False
    (scanned, *one), (own_scanned, *other) = naive_evidence(theirs), naive_evidence(own)
    if scanned or own_scanned:
        return not own_scanned
    if (one[0] is None) is not (other[0] is None):
        return False
    return ((one[0] or 0), one[1], names[0]) > ((other[0] or 0), other[1], names[1])


def naive_evidence(runs: list[list[Read]]) -> tuple[bool, int | None, int]:
    reads = [read for run in runs for read in run]
    told = [read[4] for read in reads if read[4] is not None]
    mean = math.floor(Fraction(sum(told), len(told)) + Fraction(1, 2)) if told else None
    return any(read[6] for read in reads), mean, sum(read[3] for read in reads)


def naive_runs(reads: list[Read], silence_us: int) -> list[list[Read]]:
    runs: list[list[Read]] = []
    for read in sorted(reads, key=lambda read: (read[1], read[0])):
        if runs and read[1] - ends(runs[-1]) <= silence_us:
            runs[-1].append(read)
        else:
            runs.append([read])
    return runs


def starts(run: list[Read]) -> int:
    return min(read[1] for read in run)


def ends(run: list[Read]) -> int:
    return max(read[0] for read in run)


def naive_flat(run: list[Read], slot: int) -> list[int]:
    row = [max(starts(run), slot * 30 * SECOND), ends(run), sum(read[3] for read in run)]
    for antenna in sorted({read[2] for read in run}):
        mine = [read for read in run if read[2] == antenna]
        told = [read[4] for read in mine if read[4] is not None]
        mean = math.floor(Fraction(sum(told), len(told)) + Fraction(1, 2)) if told else NOT_REPORTED
        row += [antenna, sum(read[3] for read in mine), mean]
    return row


def naive_direction(run: list[Read]) -> int:
    inner = [read[0] + read[1] for read in run if read[5] == 1]
    outer = [read[0] + read[1] for read in run if read[5] == -1]
    if not inner or not outer:
        return Direction.UNKNOWN
    difference = Fraction(sum(inner), len(inner)) - Fraction(sum(outer), len(outer))
    return Direction.UNKNOWN if not difference else Direction.INWARD if difference > 0 else Direction.OUTWARD


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
    """Runs, strengths, states, directions and marks equal those of a plain pass over the set of reads."""
    messages = _one_rank_each(messages)
    words = final_words([message.encode() for message in messages], steps=[SECOND])
    got = {
        (row.tag, row.form.context.read_point, row.slot): (row.runs, row.form.state, row.form.direction, row.marks)
        for row in words.values()
    }
    assert got == naive(messages)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(batches(), min_size=1, max_size=8),
    st.lists(st.sampled_from([0, SECOND // 2, 8 * SECOND, 61 * SECOND, 20_000, 470_000]), min_size=1, max_size=5),
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
