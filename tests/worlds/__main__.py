"""`make worlds`: many worlds through the stages in disorder, each held against the oracle."""

import argparse
import os
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.worlds.check import AGAIN, faults, shown, shrunk
from tests.worlds.world import Maker


def wrong(seed: int) -> tuple[int, list[str]]:
    """(seed, what is wrong with its world)."""
    return seed, faults(Maker(seed).world(), seed=seed)


def main() -> int:
    """0 when every world came out true, 1 with the first shrunk one that did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.worlds", description=__doc__)
    parser.add_argument("--worlds", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None, help="of the first world; default: by chance, printed")
    parser.add_argument("--go-on", action="store_true", help="count all wrong worlds instead of shrinking the first")
    given = parser.parse_args()
    first = random.randrange(1 << 30) if given.seed is None else given.seed
    began, bad = time.monotonic(), 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for seed, found in pool.map(wrong, range(first, first + given.worlds), chunksize=10):
            if not found:
                continue
            bad += 1
            sys.stdout.write(f"seed {seed}: {found[0]}\n")
            if not given.go_on:
                pool.shutdown(cancel_futures=True)
                _show(seed)
                return 1
    sys.stdout.write(f"{given.worlds} worlds from seed {first}: {bad} wrong, {time.monotonic() - began:.0f} s\n")
    return int(bool(bad))


def _show(seed: int) -> None:
    world = shrunk(Maker(seed).world(), seed=seed)
    lines = next(filter(None, (faults(world, seed=again) for again in range(seed, seed + AGAIN))), [])
    sys.stdout.write(f"shrunk to {len(world)} facts:\n{shown(world)}\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
