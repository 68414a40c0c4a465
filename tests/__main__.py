"""The whole suite: two runs of pytest at once, then the tests that are marked `alone`.

Tests of the system mostly wait; two runs share two processors well. What a clock judges has the machine to itself.
"""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
INTERRUPTED = 2  # pytest's own code
WIDEST = 400  # characters of a failure that is told again at the end
SLOWEST = "--durations=25"
# no stack is started in these; every other folder, a new one too, is of the second run
ROOMS = (
    "tests/unit",
    "tests/property",
    "tests/contract",
    "tests/system/bench",
    "tests/system/engine",
    "tests/system/readers",
)
BESIDE = {
    "rooms": (*ROOMS, "-m", "not alone", SLOWEST),
    "stacks": ("tests", *(f"--ignore={room}" for room in ROOMS), "-m", "not alone", SLOWEST),
}
# only what starts something has to be alone: a test of the house holds that the mark is found nowhere else
ALONE = {"alone": ("tests/system", "-m", "alone", SLOWEST)}


@dataclass(slots=True)
class Told:
    """What runs came to: the exit code of each, and the lines in which pytest sums up what failed."""

    codes: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def run(lanes: Mapping[str, Sequence[str]], *, directory: Path = ROOT) -> Told:
    """One pytest for each, all at once; each line that they print has the name of its run."""
    result = Told()
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest"]
    running = {
        name: subprocess.Popen(
            [*command, *arguments], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name, arguments in lanes.items()
    }
    told = [
        threading.Thread(target=_tell, args=(name, process.stdout, result.failed)) for name, process in running.items()
    ]
    with _ended_in_order(running.values()):
        for thread in told:
            thread.start()
        for thread in told:
            thread.join()
        result.codes = {name: process.wait() for name, process in running.items()}
    said = ", ".join(f"{name} {'passed' if code == 0 else f'FAILED ({code})'}" for name, code in result.codes.items())
    print(f"== {said} in {time.monotonic() - began:.0f} s", flush=True)
    return result


@contextmanager
def _ended_in_order(running: Iterable[subprocess.Popen[str]]) -> Iterator[None]:
    """A Ctrl-C reaches the runs by itself, a SIGTERM is handed on as one; they clean up, and their end is awaited."""

    def end(*_: object) -> None:
        for process in running:
            process.send_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, lambda *_: None), signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])


def _tell(name: str, lines: IO[str] | None, failed: list[str]) -> None:
    for line in lines or ():
        print(f"{name:>6} | {line}", end="", flush=True)
        if line.startswith(("FAILED ", "ERROR ")):
            failed.append(line.strip())


def verdict(codes: Mapping[str, int]) -> int:
    """The exit code of all: a run that was killed has a negative one, and fails like any other."""
    return next((abs(code) for code in codes.values() if code), 0)


def main() -> int:
    told = run(BESIDE)
    codes, failed = told.codes, told.failed
    if INTERRUPTED not in codes.values():
        told = run(ALONE)
        codes, failed = codes | told.codes, failed + told.failed
    # where only the end of a long log is shown, this is it
    for line in failed:
        print(shorten(line, WIDEST, placeholder=" ..."), flush=True)
    return verdict(codes)


if __name__ == "__main__":
    sys.exit(main())
