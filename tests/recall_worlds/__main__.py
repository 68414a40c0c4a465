"""`make recall-worlds`: many worlds into the real engine, and every recall of each held against the oracle."""

import argparse
import os
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.recall_worlds.check import faults, shrunk
from tests.recall_worlds.maker import RecallMaker
from tests.recall_worlds.play import warehouse
from tests.worlds.check import shown


def wrong(seeds: range) -> list[tuple[int, list[str]]]:
    """(seed, what is wrong with its world), of those that are wrong."""
    with warehouse() as here:
        found = [(seed, faults(here, RecallMaker(seed).world(), seed=seed)) for seed in seeds]
    return [(seed, lines) for seed, lines in found if lines]


def main() -> int:
    """0 when every world came out true, 1 with the wrong ones, the first of them shrunk."""
    parser = argparse.ArgumentParser(prog="python -m tests.recall_worlds", description=__doc__)
    parser.add_argument("--worlds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None, help="of the first world; default: by chance, printed")
    given = parser.parse_args()
    first = random.randrange(1 << 30) if given.seed is None else given.seed
    began, workers = time.monotonic(), min(given.worlds, os.cpu_count() or 1)
    seeds = range(first, first + given.worlds)
    with ProcessPoolExecutor(workers) as pool:
        bad = sorted(
            one for some in pool.map(wrong, [seeds[start::workers] for start in range(workers)]) for one in some
        )
    for seed, lines in bad[:10]:
        sys.stdout.write(f"seed {seed}: {len(lines)} differences: {lines[0]}\n")
    if bad:
        _show(bad[0][0])
    sys.stdout.write(f"{given.worlds} worlds from seed {first}: {len(bad)} wrong, {time.monotonic() - began:.0f} s\n")
    return int(bool(bad))


def _show(seed: int) -> None:
    with warehouse() as here:
        world = shrunk(RecallMaker(seed).world(), wrong=lambda some: faults(here, some, seed=seed))
        lines = faults(here, world, seed=seed)
    sys.stdout.write(f"shrunk to {len(world)} facts:\n{shown(world)}\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
