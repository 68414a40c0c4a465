"""Waiting out an outage: the same call again after jittered, growing, bounded waits, until it succeeds.

Only `Transient` is waited for. Nothing is ever dropped after a number of attempts; a caller that must answer
somebody gives a time `within_s` instead and gets the last `Transient` back.
"""

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from lotstream.runtime.errors import Transient


class Stopped(Exception):
    """The process was asked to stop while it waited; the call has not succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits double from `first_s` up to `longest_s`; each is drawn from the upper half of its step."""

    first_s: float = 0.1
    longest_s: float = 15.0

    def waits(self, draw: Callable[[], float] = random.random) -> Iterator[float]:
        """Seconds to wait before each further attempt, without end. `draw` gives numbers of [0, 1)."""
        step = min(self.first_s, self.longest_s)
        while True:
            yield step * (0.5 + 0.5 * draw())
            step = min(step * 2, self.longest_s)


T = TypeVar("T")
DEFAULT_BACKOFF = Backoff()
Report: TypeAlias = Callable[[Transient, float], None]


def _ignore(_outage: Transient, _wait_s: float) -> None: ...


def persist(
    call: Callable[[], T],
    *,
    stop: threading.Event,
    backoff: Backoff = DEFAULT_BACKOFF,
    within_s: float | None = None,
    report: Report = _ignore,
) -> T:
    """What `call` returns, however long that takes.

    `report` hears of each outage and the wait in seconds. Raises `Stopped` when `stop` is set, and the last
    `Transient` once `within_s` would be used up.
    """
    waits = _Waits(backoff, within_s)
    while True:
        if stop.is_set():
            raise Stopped("Expected to go on, got asked to stop.")
        try:
            return call()
        except Transient as outage:
            wait_s = waits.after(outage)
            report(outage, wait_s)
            stop.wait(wait_s)


async def persist_async(
    call: Callable[[], Awaitable[T]],
    *,
    stop: asyncio.Event,
    backoff: Backoff = DEFAULT_BACKOFF,
    within_s: float | None = None,
    report: Report = _ignore,
) -> T:
    """`persist` for a coroutine function."""
    waits = _Waits(backoff, within_s)
    while True:
        if stop.is_set():
            raise Stopped("Expected to go on, got asked to stop.")
        try:
            return await call()
        except Transient as outage:
            wait_s = waits.after(outage)
            report(outage, wait_s)
            await _sleep(wait_s, stop)


class _Waits:
    """One call's way through its waits."""

    def __init__(self, backoff: Backoff, within_s: float | None) -> None:
        self._waits = backoff.waits()
        self._until = None if within_s is None else time.monotonic() + within_s

    def after(self, outage: Transient) -> float:
        """Seconds to wait now: what the outage asks for and a jitter. Raises the outage when time is up."""
        wait_s = outage.retry_after_s + next(self._waits)
        if self._until is not None and time.monotonic() + wait_s > self._until:
            raise outage
        return wait_s


async def _sleep(wait_s: float, stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), wait_s)
    except TimeoutError:
        return
