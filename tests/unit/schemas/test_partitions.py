"""Placing data: every producer must agree for ever."""

import itertools

import pytest

from lotstream.schemas.partitions import (
    murmur2,
    partition_of,
    range_partitions,
    tag_neighbourhood,
    tag_partition,
)

GTIN = "09506000134352"


@pytest.mark.parametrize(
    ("data", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_kafkas(data: bytes, signed: int) -> None:
    """A plain Java producer puts the same key bytes into the same partition (vectors of Kafka's own UtilsTest)."""
    assert murmur2(data) == signed % 2**32


def test_a_production_run_stays_together() -> None:
    """4,096 consecutive serials share a partition, whatever their number of digits."""
    assert len({tag_partition(f"01/{GTIN}/21/{serial}", 24) for serial in range(4096)}) == 1
    assert tag_neighbourhood(f"01/{GTIN}/21/4096") != tag_neighbourhood(f"01/{GTIN}/21/4095")


@pytest.mark.parametrize("serial", ["007", "-1", "1e3", "٣", "1234567890123456789", "A1", "%2B1"])
def test_what_is_no_number_is_hashed_whole(serial: str) -> None:
    """A serial that only looks like a number keeps its own key: '007' is another unit than '7'."""
    assert tag_neighbourhood(f"01/{GTIN}/21/{serial}") == f"01/{GTIN}/21/{serial}"


def test_logistic_units_are_hashed_whole() -> None:
    """An SSCC's partition is the Java default of its key."""
    assert tag_partition("00/106141412345678908", 24) == partition_of("00/106141412345678908", 24)


def test_a_range_meets_each_of_its_serials() -> None:
    """The pieces of a serial range cover it exactly, each in the partition of its own serials."""
    first, last = 4_000, 20_500
    pieces = range_partitions(GTIN, first, last, count=24)
    covered = sorted((low, high, partition) for partition, parts in pieces.items() for low, high in parts)
    assert covered[0][0] == first
    assert covered[-1][1] == last
    assert all(after[0] == before[1] + 1 for before, after in itertools.pairwise(covered))
    for low, high, partition in covered:
        assert {tag_partition(f"01/{GTIN}/21/{serial}", 24) for serial in (low, (low + high) // 2, high)} == {partition}
