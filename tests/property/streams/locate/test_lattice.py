"""State of units is a lattice: what is known depends on the set of sightings, never on their order or on copies."""

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lotstream.schemas.unit_lots import Life, UnitLots
from lotstream.streams.locate.belongings import Belongings, merge_told
from lotstream.streams.locate.chunk import decode_chunk, encode_chunk, merge_chunks, union_of
from lotstream.streams.locate.chunks import Chunks
from lotstream.streams.locate.unit import NO_FLOOR, RETRACTED, Entry, Unit, add, union, where_now

DEPTH = 3
LOT = "01/09521234543213/10/A"

keys = st.tuples(
    st.integers(60_000_000, 60_000_005),
    st.sampled_from(["dock", "gate"]),
    st.sampled_from(["", "late:5", "late:6", "late:7", "event:a", "event:b"]),
    st.sampled_from([("", ()), ("P", ("P",))]),
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    slot, point, lane, (origin, path) = draw(keys)
    version = draw(st.integers(0, 3))
    # what a version says is a function of key and version, as with real sightings
    chance = random.Random(f"{slot}{point}{lane}{origin}{version}")
    how = 2 if lane.startswith("event") else 1 if origin else 0
    bits = chance.choice([1, 1, 1, 0, 2]) | how << 4 | (RETRACTED if chance.random() < 0.2 else 0)
    at = slot * 30_000_000 + chance.randrange(30_000_000)
    word = (bits, chance.choice("abc"), "", ("event", "shipping", "", "", "") if how == 2 else ())
    return Entry(slot, (point, lane, origin, path), (0, version), 7, word, at, at + version)


def told(news: Sequence[Entry]) -> Unit:
    unit = Unit()
    for entry in news:
        unit.entries, dropped = add(unit.entries, entry, depth=DEPTH)
        unit.floor = max(unit.floor, dropped or NO_FLOOR)
    return unit


@given(st.lists(entries(), max_size=14), st.randoms(use_true_random=False))
def test_order_and_copies_do_not_matter(news: list[Entry], chance: random.Random) -> None:
    """Any permutation with any copies leaves the same entries, the same floor and the same place."""
    again = news + [entry for entry in news if chance.random() < 0.4]
    chance.shuffle(again)
    one, other = told(news), told(again)
    assert (one.entries, one.floor) == (other.entries, other.floor)
    assert where_now(one.entries) == where_now(other.entries)


@given(st.lists(entries(), max_size=9), st.lists(entries(), max_size=9), st.lists(entries(), max_size=9))
def test_union_joins_what_several_owners_knew(a: list[Entry], b: list[Entry], c: list[Entry]) -> None:
    """Union is commutative, associative and idempotent, and the union of parts knows what the whole log says."""
    one, two, three = told(a), told(b), told(c)
    assert union(one, two, depth=DEPTH) == union(two, one, depth=DEPTH)
    assert union(one, one, depth=DEPTH) == one
    left = union(union(one, two, depth=DEPTH), three, depth=DEPTH)
    assert left == union(one, union(two, three, depth=DEPTH), depth=DEPTH)
    assert (left.entries, left.floor) == (told(a + b + c).entries, told(a + b + c).floor)


@given(st.lists(entries(), min_size=1, max_size=14))
def test_where_now_is_exact_above_the_floor(news: list[Entry]) -> None:
    """While the place found lies above what was dropped, it is the place that all sightings together give."""
    unit, all_ = told(news), Unit()
    for entry in news:
        all_.entries, _ = add(all_.entries, entry, depth=10_000)
    now = where_now(unit.entries)
    if now is not None and now.slot > unit.floor[0]:
        assert now == where_now(all_.entries)


units = st.builds(
    lambda news, changed, source: _with(told(news), changed, source),
    st.lists(entries(), min_size=1, max_size=6),
    st.integers(-1, 99),
    st.sampled_from(["", "plant"]),
)


def _with(unit: Unit, changed: int, source: str) -> Unit:
    unit.changed, unit.source = changed, source
    return unit


@given(st.dictionaries(st.integers(0, 63), units, min_size=1, max_size=8))
def test_chunks_survive_their_encoding(chunk: dict[Any, Unit]) -> None:
    """A chunk decodes to what was encoded, entry for entry."""
    assert decode_chunk(encode_chunk(chunk)) == chunk


@given(
    st.dictionaries(st.integers(0, 63), units, min_size=1, max_size=4),
    st.dictionaries(st.integers(0, 63), units, min_size=1, max_size=4),
)
def test_copies_of_chunks_merge_in_either_order(one: dict[Any, Unit], other: dict[Any, Unit]) -> None:
    """Two owners' copies of a chunk have one union."""
    a, b = encode_chunk(one), encode_chunk(other)
    assert merge_chunks(a, b, depth=DEPTH) == merge_chunks(b, a, depth=DEPTH)
    assert union_of((a, b, a), depth=DEPTH) == decode_chunk(merge_chunks(a, b, depth=DEPTH))


@given(
    st.lists(st.tuples(st.integers(0, 63), entries(), st.booleans()), min_size=1, max_size=60),
    st.integers(0, 60),
)
def test_chunks_written_as_news_load_as_a_whole(news: list[tuple[int, Entry, bool]], crash: int) -> None:
    """Segments and wholes, overtaken ones too, load to the state that was written, also after a reload between."""
    table: dict[bytes, bytes] = {}
    store, expected = Chunks(depth=DEPTH), dict[Any, Unit]()
    for number, (position, entry, written) in enumerate(news):
        if number == crash:
            _flush(store, table)
            store = Chunks(depth=DEPTH)
            list(store.load(table.items()))
        chunk = store.open((LOT, 5))
        unit = chunk.units.setdefault(position, Unit())
        unit.entries, dropped = add(unit.entries, entry, depth=DEPTH)
        unit.floor = max(unit.floor, dropped or NO_FLOOR)
        if not chunk.news:
            store.note((LOT, 5))
        chunk.tell(position, entry)
        expected[position] = unit
        if written:
            _flush(store, table)
    _flush(store, table)
    ((_, loaded),) = Chunks(depth=DEPTH).load(table.items())
    assert loaded == store.open((LOT, 5)).units


def _flush(store: Chunks, table: dict[bytes, bytes]) -> None:
    table.update({key: value for key, value in store.changes().items() if value is not None})


statements = st.builds(
    lambda binding, horizon, first, last: UnitLots(
        LOT, "01/09521234543213", min(first, last), max(first, last), binding, horizon,
        tuple(Life(*life) for life in random.Random(binding).choice([[(0, 9, LOT)], [(0, 9, "B")], []])),
    ),
    st.integers(0, 5), st.integers(-1, 2), st.integers(0, 3), st.integers(0, 3),
)  # fmt: skip


@given(st.lists(statements, max_size=8), st.randoms(use_true_random=False))
def test_whose_a_unit_is_does_not_depend_on_the_order(said: list[UnitLots], chance: random.Random) -> None:
    """Statements in any order, with copies, and as the union of what two owners have written, say the same."""
    one, other, early = Belongings(), Belongings(), Belongings()
    again = said + [row for row in said if chance.random() < 0.4]
    chance.shuffle(again)
    for row in said:
        one.put(row)
    for row in again:
        other.put(row)
    for row in again[: len(again) // 2]:
        early.put(row)
    older, newer = early.changes(), other.changes()
    merged = Belongings()
    for key in older.keys() | newer.keys():
        values = [value for value in (older.get(key), newer.get(key)) if value is not None]
        assert merge_told(values[0], values[-1]) == merge_told(values[-1], values[0])
        merged.load(key, merge_told(values[0], values[-1]))
    for serial in range(4):
        tag = f"01/09521234543213/21/{serial}"
        assert one.of(LOT, tag) == other.of(LOT, tag) == merged.of(LOT, tag)
