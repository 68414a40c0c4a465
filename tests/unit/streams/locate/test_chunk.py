"""Chunks: which units are neighbours, and what they cost."""

from typing import Any

import pytest

from lotstream.streams.locate.chunk import chunk_place, decode_chunk, encode_chunk, encode_news, merge_chunks
from lotstream.streams.locate.chunks import Chunks
from lotstream.streams.locate.unit import Entry, Unit

G = "09521234543213"
LOT = f"01/{G}/10/A"
SLOT = 60_000_000


def entry(slot: int, point: str, serial: int = 0) -> Entry:
    at = (SLOT + slot) * 30_000_000 + serial
    by, word = (point, "", "", ()), (1, f"site/{point}", "", ())
    return Entry(SLOT + slot, by, (0, 123_456 + slot), 99, word, at, at + 5_000)


@pytest.mark.parametrize(
    ("tag", "block"),
    [(f"01/{G}/21/0", 0), (f"01/{G}/21/63", 0), (f"01/{G}/21/64", 1), (f"01/{G}/21/{10**18 - 1}", (10**18 - 1) // 64)],
)
def test_neighbouring_serials_share_a_chunk(tag: str, block: int) -> None:
    """64 serials are one chunk, from a multiple of 64 on; block and position are the serial."""
    assert chunk_place(LOT, tag) == (block, int(tag.rpartition("/")[2]) - 64 * block)


@pytest.mark.parametrize("tag", [f"01/{G}/21/007", f"01/{G}/21/B1", "01/09521234543220/21/7", "8003/9521234543213"])
def test_other_units_lie_in_buckets_under_their_whole_key(tag: str) -> None:
    """A serial with letters or leading zeros, and a unit of another GTIN, collide with nobody."""
    block, position = chunk_place(LOT, tag)
    assert str(block).startswith("h")
    assert position == tag


def test_a_lone_unit_costs_little() -> None:
    """A unit with a random serial, alone in its chunk and seen once, takes less than 150 bytes."""
    assert len(encode_chunk({17: Unit((entry(0, "dock-3"),), changed=123_456)})) < 150


def test_a_pallet_is_written_once() -> None:
    """64 units that travelled together share the words of their sightings."""
    shared = tuple(entry(slot, f"dock-{slot}")._replace(by=(f"dock-{slot}", "", "P", ("P",))) for slot in range(4))
    together = encode_chunk({n: Unit(shared, changed=123_456, source="site/a") for n in range(64)})
    apart = {n: Unit(tuple(entry(s, f"dock-{s}", n) for s in range(4)), changed=123_456) for n in range(64)}
    assert len(together) < 64 * 30
    assert len(encode_chunk(apart)) < 64 * 250


def test_news_without_sightings_merge() -> None:
    """A unit of which only whose it is has changed is written without an entry, by two owners too."""
    news = encode_news([(7, [], Unit(changed=9, source="dock"))])
    whole = merge_chunks(news, encode_news([(7, [], Unit(changed=8))]), depth=4)
    assert decode_chunk(whole) == {7: Unit(changed=9, source="dock")}


def test_a_small_change_is_a_small_record() -> None:
    """One unit of a full chunk moves: what is written is its news, not the chunk."""
    store, key = Chunks(depth=4), (LOT, 3)
    written: list[dict[bytes, Any]] = []
    for turn in range(3):
        chunk = store.open(key)
        for position in range(64) if turn == 0 else (7,):
            news = entry(turn, "dock", position)
            unit = chunk.units.setdefault(position, Unit())
            unit.entries = (news, *unit.entries)
            chunk.tell(position, news)
        store.note(key)
        written.append(store.changes())
    sizes = [sum(len(value) for value in part.values()) for part in written]
    assert sizes[0] > 2_000
    assert max(sizes[1:]) < 200
    assert len({key for part in written for key in part}) == 3
