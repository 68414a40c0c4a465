"""Sightings kept for later: which ones, how many, and what is known of those that went."""

from typing import Any

from lotstream.schemas.sightings import Context, Sighting, sighting_of
from lotstream.streams.resolve.kept import SETTLED, Kept, decode_row, encode_row, merge_row

TAG = "01/09521234543213/21/"


def row(serial: int | str, slot: int = 1, version: int = 1, **more: Any) -> Sighting:
    at = slot * 30_000_000
    given = {"slot": slot, "version": (0, version), "first_us": at, "last_us": at, "recorded_us": at, "reads": 3}
    given |= {"runs": [[at, at, 3, 1, 3, -5_000]], **more}
    return sighting_of(f"{TAG}{serial}", context=Context("dock", "r", 1, 2), location="dc", **given)


def slots(kept: Kept, serial: int) -> list[int]:
    return sorted(found.slot for found in kept.rows(f"{TAG}{serial}"))


def reloaded(kept: Kept, **bounds: int) -> Kept:
    other = Kept(b"U", **bounds)
    other.load((key, value) for key, value in kept.changes().items() if value is not None)
    return other


def test_rows_survive_their_encoding() -> None:
    """A kept sighting comes back with all that it carried."""
    original = row(1, path=("P", "Q"), origin="P")
    assert decode_row(encode_row(original)).fact == original.fact
    assert encode_row(decode_row(encode_row(original))) == encode_row(original)


def test_the_newest_slots_of_a_tag_are_kept() -> None:
    """Beyond its depth a tag keeps its newest slots, whatever came first."""
    for order in ([1, 2, 3, 4], [4, 3, 2, 1], [3, 1, 4, 2]):
        kept = Kept(b"U", depth=2, limit=10)
        for slot in order:
            kept.put(row(1, slot))
        assert slots(kept, 1) == [3, 4] == slots(reloaded(kept, depth=2, limit=10), 1)


def test_the_highest_version_of_a_fact_is_kept() -> None:
    """A lower version neither replaces a higher one nor counts as kept; an equal one is a replay and does."""
    kept = Kept(b"U", depth=2, limit=10)
    assert kept.put(row(1, version=2))
    assert not kept.put(row(1, version=1))
    assert kept.put(row(1, version=2))
    assert [found.version for found in kept.rows(f"{TAG}1")] == [(0, 2)]
    assert decode_row(merge_row(encode_row(row(1, version=2)), encode_row(row(1)))).version == (0, 2)


def test_tags_are_found_by_range() -> None:
    """A binding finds the kept units of its range, across neighbourhoods, and no others."""
    kept = Kept(b"U", depth=2, limit=100)
    for serial in (1, 4_095, 4_096, 9_000, "B1"):
        kept.put(row(serial))
    assert kept.tags_of("01/09521234543213", first=2, last=5_000) == [f"{TAG}4095", f"{TAG}4096"]
    assert kept.tags_of(f"{TAG}B1", first=-1, last=-1) == [f"{TAG}B1"]
    assert kept.tags_of(f"{TAG}C1", first=-1, last=-1) == []


def test_the_oldest_go_first_and_leave_a_horizon() -> None:
    """Beyond the limit the tags not seen for longest go; the partition remembers the newest of what it dropped."""
    kept = Kept(b"U", depth=2, limit=20)
    for serial in range(21):
        kept.put(row(serial, slot=100 + serial))
    assert [serial for serial in range(21) if f"{TAG}{serial}" not in kept] == [0, 1, 2]
    assert kept.horizon_us == 102 * 30_000_000
    assert reloaded(kept, depth=2, limit=20).horizon_us == kept.horizon_us


def test_what_found_its_lot_goes_before_what_still_waits() -> None:
    """Released tags make room first and leave no horizon, though not before their release is certainly delivered."""
    kept = Kept(b"U", depth=2, limit=20)
    for serial in range(20):
        kept.put(row(serial, slot=100 + serial))
    for serial in (10, 11, 12):
        kept.release(f"{TAG}{serial}")
    for _ in range(SETTLED + 1):
        kept.tick(0)
    kept.put(row(99, slot=200))
    assert [serial for serial in range(20) if f"{TAG}{serial}" not in kept] == [10, 11, 12]
    assert kept.horizon_us == -1


def test_a_fresh_release_is_kept() -> None:
    """A release that may not be delivered yet stays, so that a replay finds it."""
    kept = Kept(b"U", depth=2, limit=20)
    for serial in range(20):
        kept.put(row(serial, slot=100 + serial))
    kept.release(f"{TAG}19")
    kept.put(row(99, slot=200))
    assert f"{TAG}19" in kept


def test_what_is_too_old_is_given_up() -> None:
    """A tag that nobody has named for longer than the age goes, whatever room there is; the horizon tells."""
    kept = Kept(b"U", depth=2, limit=20, age_us=3_600_000_000)
    kept.put(row(1, slot=100))
    kept.put(row(2, slot=100))
    received = row(1, slot=100).edition.recorded_us
    kept.put(row(2, slot=300)._replace(edition=row(2).edition._replace(recorded_us=received + 3_000_000_000)))
    kept.tick(received + 3_600_000_000)
    assert len(kept) == 2
    kept.tick(received + 4_000_000_000)
    assert (f"{TAG}1" in kept, f"{TAG}2" in kept) == (False, True)
    assert kept.horizon_us == row(1, slot=100).last_us
