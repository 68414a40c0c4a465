"""A child process that never outlives its parent.

The parent starts a keeper (this module run as a program), the keeper starts the child. The keeper looks whether
its parent is still there, and ends the child when it is not, however the parent ended. Linux' own parent-death
signal is tied to the *thread* that forked, so a parent with threads cannot rely on it; between the keeper, which has
one thread, and the child it holds, and covers the keeper's own death.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
LOOK_EVERY_S = 0.1
GRACE_S = 5.0
_KEEPER = (sys.executable, "-I", "-S", __file__)


@dataclass(frozen=True, slots=True)
class Child:
    """A running child: `pid` is its own process id, `keeper` the process between it and us."""

    pid: int
    keeper: subprocess.Popen[bytes]

    @property
    def running(self) -> bool:
        return self.keeper.poll() is None

    def wait(self, timeout_s: float) -> int:
        """The child's exit code, negative for a signal. Raises TimeoutExpired (subprocess)."""
        return _code(self.keeper.wait(timeout_s))

    def send(self, number: signal.Signals) -> None:
        """Signal the child; nothing happens when it has ended."""
        if self.running:
            os.kill(self.pid, number)


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    keep: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
    grace_s: float = GRACE_S,
) -> Child:
    """Start `command` with its output appended to `log`; file descriptors in `keep` stay open as long as it runs.

    An orphaned child is asked to end (SIGTERM), and killed when it has not after `grace_s` seconds.

    The child has its own session: a Ctrl-C at the terminal reaches the parent only, which stops it in its own order.
    Raises OSError when the command cannot be executed.
    """
    with log.open("ab") as output:
        keeper = subprocess.Popen(
            [*_KEEPER, str(os.getpid()), str(grace_s), ",".join(map(str, keep)), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            pass_fds=tuple(keep),
            start_new_session=True,
            env=env,
        )
    with _pipe(keeper) as announcement:
        said = announcement.readline().decode().strip()
    if not said.isdecimal():
        keeper.wait()
        raise OSError(f"Expected {command[0]!r} to start, got {said or 'no process'!r}.")
    return Child(int(said), keeper)


def _pipe(keeper: subprocess.Popen[bytes]) -> IO[bytes]:
    assert keeper.stdout is not None
    return keeper.stdout


def _code(status: int) -> int:
    return 128 - status if status > 128 else status


def keep_child(parent: int, command: Sequence[str], *, keep: Sequence[int], grace_s: float) -> int:
    """Run `command` until it ends or `parent` does; the exit code, 128 + n for signal n. Runs in the keeper only."""
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            pass_fds=tuple(keep),
            preexec_fn=_die_with_keeper,  # safe here: the keeper has a single thread
        )
    except OSError as error:
        _announce(error.strerror or type(error).__name__)
        return 127
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _: child.send_signal(received))
    _announce(str(child.pid))
    while os.getppid() == parent:
        try:
            status = child.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            continue
        return status if status >= 0 else 128 - status
    return _end(child, grace_s=grace_s)


def _end(child: subprocess.Popen[bytes], *, grace_s: float) -> int:
    child.terminate()
    try:
        child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    return 128 + signal.SIGTERM


def _die_with_keeper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _announce(text: str) -> None:
    os.write(sys.stdout.fileno(), f"{text}\n".encode())
    os.close(sys.stdout.fileno())


def main(arguments: Sequence[str]) -> int:
    """`process.py PARENT_PID GRACE_S KEEP_FDS COMMAND...`"""
    parent, grace, keep, *command = arguments
    kept = [int(number) for number in keep.split(",") if number]
    return keep_child(int(parent), command, keep=kept, grace_s=float(grace))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
