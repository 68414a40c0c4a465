"""Many rows in messages of a size that Kafka takes."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

ROWS = 500  # some 150 kB of sightings with all that they can carry; the engine may join several


def parts_of(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Rows in parts of at most ROWS, in order."""
    return (rows[start : start + ROWS] for start in range(0, len(rows), ROWS))
