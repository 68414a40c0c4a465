"""Processes that are forks of one: what they all import is imported once, and before there is a broker to wait for.

The parent starts the nursery (this module run as a program) with the names of modules to import and of the function
that every child runs. It asks for a child by one line of JSON, and is told its process id. The nursery has a single
thread and opens nothing, so that a fork of it is whole. When its standard input ends, because the parent closed it
or has ended in whatever way, every child ends: by SIGTERM, and after a grace by SIGKILL. When the nursery is killed,
the kernel kills its children.
"""

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from lotstream.deploy.embedded.process import GRACE_S, PR_SET_PDEATHSIG

PR_SET_NAME = 15


class NurseryFailed(Exception):
    """The nursery has ended, or a module that it is to import cannot be."""


class Forked:
    """A child of the nursery. While it runs we hold on to it: its process id is then nobody else's."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._lock = threading.Lock()
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._descriptor = None

    @property
    def running(self) -> bool:
        with self._lock:
            return not self._ended(0.0)

    def wait(self, timeout_s: float) -> None:
        """Return when it has ended. Raises TimeoutExpired (subprocess)."""
        with self._lock:
            if not self._ended(timeout_s):
                raise subprocess.TimeoutExpired(str(self.pid), timeout_s)

    def send(self, number: signal.Signals) -> None:
        """Signal the child; nothing happens when it has ended."""
        with self._lock:
            if not self._ended(0.0) and self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, number)

    def _ended(self, within_s: float) -> bool:
        if self._descriptor is not None and _readable(self._descriptor, within_s):
            os.close(self._descriptor)
            self._descriptor = None
        return self._descriptor is None


class Nursery:
    """`modules` are imported at once; every child runs `main`, "module:function", as a program of its own."""

    def __init__(self, modules: Iterable[str], *, main: str, log: Path) -> None:
        self._command = [sys.executable, "-m", __name__, main, *modules]
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin to import; returns at once."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                start_new_session=True,
            )

    def spawn(self, name: str, arguments: Sequence[str], *, log: Path, env: Mapping[str, str]) -> Forked:
        """A child that runs with these arguments and exactly this environment, its output appended to `log`.

        Waits until everything is imported. Raises NurseryFailed.
        """
        if self._process is None or self._process.poll() is not None:
            self.start()
        asked = {"name": name, "arguments": list(arguments), "log": str(log), "env": dict(env)}
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            return Forked(int(self._process.stdout.readline()))
        except (OSError, ValueError):
            raise NurseryFailed(f"Expected a process for {name}, got none; see {self._log}") from None

    def close(self, timeout_s: float = 2 * GRACE_S) -> None:
        """End it and every child that still runs."""
        if self._process is not None:
            try:
                self._process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None


def serve(main: Callable[[], None], requests: Iterable[str]) -> None:
    """Fork a child for every request until they end, then end the children."""
    nursery = os.getpid()
    children: dict[int, int] = {}  # process id: its descriptor
    for line in requests:
        _reap(children)
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            for sibling in children.values():
                os.close(sibling)
            _become(asked, child_of=nursery)
            main()
            sys.exit()
        children[pid] = os.pidfd_open(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    _end(children)


def _reap(children: dict[int, int]) -> None:
    for pid in list(children):
        if os.waitpid(pid, os.WNOHANG)[0]:
            os.close(children.pop(pid))


def _become(asked: Mapping[str, object], *, child_of: int) -> None:
    """Be a process like one that was started by its command."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_NAME, str(asked["name"]).encode()[:15], 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != child_of:  # it ended before the kernel was told
        sys.exit(1)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(str(asked["log"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for ours, theirs in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(ours, theirs)
    env = asked["env"]
    assert isinstance(env, dict)
    os.environ.clear()
    os.environ.update(env)
    arguments = asked["arguments"]
    assert isinstance(arguments, list)
    sys.argv[1:] = arguments


def _end(children: dict[int, int]) -> None:
    until = time.monotonic() + GRACE_S
    for number in (signal.SIGTERM, signal.SIGKILL):
        _reap(children)
        for child in children.values():
            signal.pidfd_send_signal(child, number)
        for child in children.values():
            _readable(child, max(0.0, until - time.monotonic()))
    for pid in children:
        os.waitpid(pid, 0)


def _readable(descriptor: int, within_s: float) -> bool:
    """Whether the process has ended, or does within this time."""
    return bool(select.select([descriptor], [], [], within_s)[0])


def _function(name: str) -> Callable[[], None]:
    module, _, attribute = name.partition(":")
    found: Callable[[], None] = getattr(importlib.import_module(module), attribute)
    return found


if __name__ == "__main__":
    gc.disable()  # imports make no garbage worth a look, and what is frozen is never copied into a child by a look
    for module in sys.argv[2:]:
        importlib.import_module(module)
    function = _function(sys.argv[1])
    gc.freeze()
    gc.enable()
    serve(function, iter(sys.stdin.readline, ""))
