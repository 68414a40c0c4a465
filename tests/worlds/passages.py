"""Passages through doors as gateways tell them: the same reads cut into batches in more than one way, some late.

A read is (tag, antenna, milliseconds after START). Antenna 1 is inside, 2 outside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

DOORS = {"north": "yard", "south": ""}  # read point -> location before it
GAPS_MS = (100, 400, 1_900, 2_000, 2_001, 9_000)  # two seconds end a run
READER = "portal"  # one for both doors
ReadAt = tuple[str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Reads as one message of a gateway."""

    number: int  # the gateway's count
    point: str
    reads: tuple[ReadAt, ...]
    buffered: bool = False


def passage(chance: Random, tags: Sequence[str], *, at: int, first: int) -> Iterator[Batch]:
    """Tags go through a door together; what the reader is not sure to have delivered it delivers again."""
    point = chance.choice((*DOORS, "north"))
    sides = chance.choice(((1, 2), (2, 1), (1, 2), (2, 1), (1, 1), (2, 2), (0, 0)))
    start = at * 1_000 + chance.choice((0, 27_000, 28_500, 29_900, chance.randrange(30_000)))
    reads: list[ReadAt] = []
    for tag in tags:
        time, count = start, chance.randrange(1, 6)
        for turn in range(count):
            reads.append((tag, sides[turn * 2 >= count], time))
            time += chance.choice(GAPS_MS)
    reads.sort(key=lambda read: read[2])
    number = first
    for again in range(chance.choice((1, 1, 2))):
        size = chance.randrange(1, 5)
        for some in range(0, len(reads), size):
            buffered = chance.random() < (0.5 if again else 0.1)
            yield Batch(number=number, point=point, reads=tuple(reads[some : some + size]), buffered=buffered)
            number += 1
