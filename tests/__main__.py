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
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
INTERRUPTED = 2  # pytest's own code
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
ALONE = {"alone": ("tests", "-m", "alone", SLOWEST)}


def run(lanes: Mapping[str, Sequence[str]], *, directory: Path = ROOT) -> dict[str, int]:
    """One pytest for each, all at once; each line that they print has the name of its run. Their exit codes."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest"]
    running = {
        name: subprocess.Popen(
            [*command, *arguments], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name, arguments in lanes.items()
    }
    told = [threading.Thread(target=_tell, args=(name, process.stdout)) for name, process in running.items()]
    with _ended_in_order(running.values()):
        for thread in told:
            thread.start()
        for thread in told:
            thread.join()
        codes = {name: process.wait() for name, process in running.items()}
    said = ", ".join(f"{name} {'passed' if code == 0 else f'FAILED ({code})'}" for name, code in codes.items())
    print(f"== {said} in {time.monotonic() - began:.0f} s", flush=True)
    return codes


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


def _tell(name: str, lines: IO[str] | None) -> None:
    for line in lines or ():
        print(f"{name:>6} | {line}", end="", flush=True)


def verdict(codes: Mapping[str, int]) -> int:
    """The exit code of all: a run that was killed has a negative one, and fails like any other."""
    return next((abs(code) for code in codes.values() if code), 0)


def main() -> int:
    codes = run(BESIDE)
    if INTERRUPTED not in codes.values():
        codes |= run(ALONE)
    return verdict(codes)


if __name__ == "__main__":
    sys.exit(main())
