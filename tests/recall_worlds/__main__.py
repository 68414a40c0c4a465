"""`make recall-worlds`: many worlds into the real engine, and every recall of each held against the oracle."""

import argparse
import json
import multiprocessing
import os
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from math import ceil
from pathlib import Path
from typing import Protocol

from tests.recall_worlds.apart import MOST
from tests.recall_worlds.beside import Beside, Lines, faults
from tests.recall_worlds.check import faults as faults_alone
from tests.recall_worlds.check import shrunk
from tests.recall_worlds.maker import RecallMaker
from tests.recall_worlds.play import warehouse
from tests.worlds.check import shown
from tests.worlds.world import World


class Count(Protocol):
    """A number that processes share."""

    value: int

    def get_lock(self) -> AbstractContextManager[object]: ...


class Progress:
    """How many worlds are done, by all processes, with the rate and the rest of the time on standard error."""

    def __init__(self, done: Count, worlds: int, began: float) -> None:
        self._done, self._worlds, self._began = done, worlds, began

    def add(self, worlds: int) -> None:
        with self._done.get_lock():
            self._done.value += worlds
            done = self._done.value
        rate = done / (time.monotonic() - self._began)
        left = (self._worlds - done) / rate
        sys.stderr.write(f"{done}/{self._worlds} worlds, {rate:.1f}/s, {left:.0f} s left\n")


_progress: list[Progress] = []  # of a process that plays


def wrong(batches: list[range], *, moments: bool) -> Lines:
    """What is wrong, by seed, with worlds of which each range stands in one history, or (``moments``) each alone."""
    found: Lines = {}
    with warehouse() as here:
        beside = Beside(here.settings)
        for seeds in batches:
            worlds = {seed: RecallMaker(seed).world() for seed in seeds}
            if moments:
                alone = {seed: faults_alone(here, world, seed=seed) for seed, world in worlds.items()}
                found |= {seed: lines for seed, lines in alone.items() if lines}
            else:
                found |= faults(beside, worlds)
            for progress in _progress:
                progress.add(len(seeds))
        beside.close()
    return found


def main() -> int:
    """0 when every world came out true, 1 with the wrong ones, the first of them shrunk."""
    parser = argparse.ArgumentParser(prog="python -m tests.recall_worlds", description=__doc__)
    parser.add_argument("--worlds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None, help="of the first world; default: by chance, printed")
    parser.add_argument("--report", type=Path, default=None, help="where the summary goes, as JSON")
    parser.add_argument("--moments", action="store_true", help="each alone, also as of and as known at other instants")
    given = parser.parse_args()
    first = random.randrange(1 << 30) if given.seed is None else given.seed
    began = time.monotonic()
    bad = _played(range(first, first + given.worlds), began, moments=given.moments)
    told = {"worlds": given.worlds, "seed": first, "seconds": round(time.monotonic() - began, 1), "wrong": bad}
    if given.report:
        given.report.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    for seed, lines in sorted(bad.items())[:10]:
        sys.stdout.write(f"seed {seed}: {len(lines)} differences: {lines[0]}\n")
    if bad:
        _show(min(bad), moments=given.moments)
    sys.stdout.write(f"{given.worlds} worlds from seed {first}: {len(bad)} wrong, {told['seconds']} s\n")
    return int(bool(bad))


def _played(seeds: range, began: float, *, moments: bool) -> Lines:
    workers = os.cpu_count() or 1
    beside = ceil(len(seeds) / (workers * ceil(len(seeds) / (workers * MOST))))  # as many as can be, as many for each
    batches = [seeds[start : start + beside] for start in range(0, len(seeds), beside)]
    progress = multiprocessing.Value("l", 0), len(seeds), began
    with ProcessPoolExecutor(workers, initializer=_begin, initargs=progress) as pool:
        found = list(
            pool.map(partial(wrong, moments=moments), filter(None, (batches[k::workers] for k in range(workers))))
        )
    return {seed: lines for one in found for seed, lines in one.items()}


def _begin(done: Count, worlds: int, began: float) -> None:
    _progress.append(Progress(done, worlds, began))


def _show(seed: int, *, moments: bool) -> None:
    """A wrong world alone, with as few facts as are as wrong."""
    with warehouse() as here:
        beside = Beside(here.settings)

        def alone(some: World) -> list[str]:
            return faults_alone(here, some, seed=seed) if moments else faults(beside, {seed: some}).get(seed, [])

        world = RecallMaker(seed).world()
        if not alone(world):
            sys.stdout.write(f"seed {seed} alone is not wrong: it is beside the others.\n")
            return
        world = shrunk(world, wrong=alone)
        lines = alone(world)
        beside.close()
    again = f"alone: python -m tests.recall_worlds --worlds 1 --seed {seed}{' --moments' * moments}\n"
    sys.stdout.write(f"shrunk to {len(world)} facts:\n{shown(world)}\n" + "\n".join(lines) + "\n" + again)


if __name__ == "__main__":
    sys.exit(main())
