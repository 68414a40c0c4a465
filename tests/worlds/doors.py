"""What was read at doors, by brute force over all reads at once: which sightings they are, and where things went.

A part of the oracle (docs/smooth.md): it shares no code with smooth, and knows no batches, no order, no bound.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.worlds.passages import DOORS, Batch

SLOT_MS = 30_000
SILENCE_MS = 2_000
ENOUGH = 2  # reads that are no glimpse
Times = list[tuple[int, int]]  # (milliseconds, antenna)


class Passed(NamedTuple):
    """A tag at a door in one slot."""

    tag: str
    point: str
    slot: int
    last_ms: int
    location: str
    observed: bool
    continues: bool  # it only goes on with what the slot before has: what is in it need not be told again


def passed(facts: Iterable[object]) -> Iterator[Passed]:
    """Every read once, however often it was told."""
    reads: dict[tuple[str, str], set[tuple[int, int]]] = {}
    for batch in facts:
        if isinstance(batch, Batch):
            for tag, antenna, time in batch.reads:
                reads.setdefault((tag, batch.point), set()).add((time, antenna))
    for (tag, point), times in reads.items():
        runs: dict[int, list[tuple[Times, Times, bool]]] = {}
        for visit in visits(sorted(times)):
            for slot in sorted({time // SLOT_MS for time, _ in visit}):
                own = [read for read in visit if read[0] // SLOT_MS == slot]
                before = [read for read in visit if read[0] // SLOT_MS < slot]
                runs.setdefault(slot, []).append((before, own, visit[-1][0] // SLOT_MS > slot))
        for slot, parts in runs.items():
            scanned = "-" in tag  # of a label: one is enough
            observed = scanned or any(len(before) + len(own) >= ENOUGH for before, own, _ in parts)
            before, own, goes_on = parts[-1]
            outward = not goes_on and went_out([*before, *own])
            inward = not goes_on and went_out([(time, 3 - antenna if antenna else 0) for time, antenna in before + own])
            location = DOORS[point] if outward and DOORS[point] else f"at {point}"
            yield Passed(
                tag, point, slot, own[-1][0], location, observed, bool(parts[0][0]) and not (outward or inward)
            )


def visits(times: Times) -> Iterator[Times]:
    """Reads without a silence between them."""
    visit: Times = []
    for read in times:
        if visit and read[0] - visit[-1][0] > SILENCE_MS:
            yield visit
            visit = []
        visit.append(read)
    if visit:
        yield visit


def went_out(visit: Times) -> bool:
    """Inside first, outside later, by the mean times."""
    inner, outer = ([time for time, antenna in visit if antenna == side] for side in (1, 2))
    return bool(inner and outer) and sum(inner) * len(outer) < sum(outer) * len(inner)
