"""A command that gives the prompt back while its work goes on: the work is a child's from the start.

Until the child lets go, it is as if there were one process: what ends the command ends the child, also kill -9.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def hand_over(log: Path) -> Callable[[int], None]:
    """Fork. The child returns, in a session of its own; the parent waits for its end or its word, and exits.

    What the child gets is that word: called with an exit code, it ends the parent with it; whatever the child prints
    from then on goes to `log`. Before that, a parent that ends interrupts the child.
    """
    ours, theirs = os.pipe(), os.pipe()
    child = os.fork()
    if child:
        os.close(ours[0])
        os.close(theirs[1])
        sys.exit(_wait(child, theirs[0]))
    os.setsid()
    os.close(ours[1])
    os.close(theirs[0])
    released = threading.Event()
    threading.Thread(target=_watch, args=(ours[0], released), daemon=True).start()

    def release(code: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
            for file, number in ((nothing, 0), (output, 1), (output, 2)):
                os.dup2(file.fileno(), number)
        released.set()
        os.write(theirs[1], bytes([code]))
        os.close(theirs[1])

    return release


def _wait(child: int, words: int) -> int:
    for number in ENDINGS:
        signal.signal(number, lambda received, _: os.kill(child, received))
    if word := os.read(words, 1):
        return word[0]
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _watch(parent: int, released: threading.Event) -> None:
    os.read(parent, 1)  # nothing is ever written: it returns when the parent has ended
    if not released.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
