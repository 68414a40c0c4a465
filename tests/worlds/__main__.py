"""`make worlds`: many worlds through the stages in disorder, each held against the oracle."""

import argparse
import gc
import json
import os
import random
import signal
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.worlds.check import AGAIN, faults, shown, shrunk
from tests.worlds.features import features
from tests.worlds.tally import Tally
from tests.worlds.world import Maker

AT_ONCE = 10  # worlds that a process is given in one go
INTERRUPTED = 130
Looked = tuple[int, str, tuple[str, ...]]


def looked_at(seed: int) -> Looked:
    """A seed, what is wrong with its world first of all ('' when nothing), and what is in it."""
    world = Maker(seed).world()
    return seed, next(iter(faults(world, seed=seed)), ""), features(world)


def main() -> int:
    """0 when every world came out true, 1 with the first wrong one shrunk, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.worlds", description=__doc__)
    parser.add_argument("--worlds", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None, help="of the first world; default: by chance, printed")
    parser.add_argument("--go-on", action="store_true", help="count all wrong worlds instead of stopping at the first")
    parser.add_argument("--report", type=Path, default=None, metavar="PAGE", help="write the result as a Markdown page")
    given = parser.parse_args()
    first = random.randrange(1 << 30) if given.seed is None else given.seed
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started it in the background
    tally = Tally(seed=first, wanted=given.worlds)
    sys.stderr.write(f"{given.worlds:,} worlds from seed {first}, {os.cpu_count()} processes\n")
    ended = _run(tally, go_on=given.go_on)
    if not ended:
        left = given.worlds - tally.worlds
        sys.stderr.write(f"interrupted; go on with: make worlds SEED={first + tally.worlds} N={left}\n")
    sys.stdout.write(json.dumps(tally.summary()) + "\n")
    if given.report and ended:
        given.report.write_text(tally.page())
    if tally.wrong:
        _show(tally.wrong[0])
    return INTERRUPTED if not ended else int(bool(tally.wrong))


def _run(tally: Tally, *, go_on: bool) -> bool:
    """Worlds by as many processes as there are cores, counted in the order of their seeds; False when interrupted."""
    pool = ProcessPoolExecutor(os.cpu_count(), initializer=_begin)
    seeds = range(tally.seed, tally.seed + tally.wanted)
    try:
        _count(pool.map(looked_at, seeds, chunksize=AT_ONCE), tally, go_on=go_on)
    except KeyboardInterrupt:
        return False
    finally:
        pool.shutdown(cancel_futures=True)
    return True


def _begin() -> None:
    """A process of the pool: Ctrl-C is the parent's, and what was imported is looked at no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()


def _count(looked: Iterable[Looked], tally: Tally, *, go_on: bool) -> None:
    for seed, wrong, contained in looked:
        tally.add(seed, wrong=bool(wrong), contained=contained)
        if wrong:
            sys.stderr.write(f"seed {seed}: {wrong}\n")
            if not go_on:
                return
        if progress := tally.progress():
            sys.stderr.write(progress + "\n")


def _show(seed: int) -> None:
    world = shrunk(Maker(seed).world(), seed=seed)
    lines = next(filter(None, (faults(world, seed=again) for again in range(seed, seed + AGAIN))), [])
    sys.stdout.write(f"seed {seed} shrunk to {len(world)} facts:\n{shown(world)}\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
