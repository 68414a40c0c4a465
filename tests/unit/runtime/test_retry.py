"""Waiting out an outage."""

import asyncio
import itertools
import threading
import time

import pytest

from lotstream.runtime.errors import Reason, Rejected, Transient
from lotstream.runtime.retry import Backoff, Stopped, persist, persist_async

QUICK = Backoff(first_s=0.001, longest_s=0.004)


class FailingCall:
    """Away `times` times, then there."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise Transient("away", retry_after_s=0.0)
        return "there"

    async def later(self) -> str:
        return self()


def test_waits_grow_with_jitter_and_stay_bounded() -> None:
    """Steps double up to the longest; each wait lies in the upper half of its step, for ever."""
    low = list(itertools.islice(Backoff(first_s=1.0, longest_s=5.0).waits(lambda: 0.0), 5))
    high = list(itertools.islice(Backoff(first_s=1.0, longest_s=5.0).waits(lambda: 1.0), 5))
    assert low == [0.5, 1.0, 2.0, 2.5, 2.5]
    assert high == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_success_after_any_number_of_outages() -> None:
    """Nothing is given up after a number of attempts, and each outage is reported."""
    seen: list[float] = []
    stop = threading.Event()
    answer = persist(FailingCall(30), stop=stop, backoff=QUICK, report=lambda _outage, wait: seen.append(wait))
    assert (answer, len(seen)) == ("there", 30)
    assert asyncio.run(persist_async(FailingCall(30).later, stop=asyncio.Event(), backoff=QUICK)) == "there"


def test_the_outage_s_own_wish_is_respected() -> None:
    """A wait is never shorter than what the other side asked for."""
    waits: list[float] = []
    calls = iter([Transient("away", retry_after_s=0.02), None])

    def call() -> None:
        if (outage := next(calls)) is not None:
            raise outage

    persist(call, stop=threading.Event(), backoff=QUICK, report=lambda _outage, wait: waits.append(wait))
    assert waits[0] >= 0.02


def test_stop_interrupts_a_long_wait() -> None:
    """A process that is asked to stop does not sit out its wait."""
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        persist(FailingCall(9), stop=stop, backoff=Backoff(first_s=60.0, longest_s=60.0))
    assert time.monotonic() - begun < 5.0


def test_stop_interrupts_a_coroutine() -> None:
    """The same for asyncio."""

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, stop.set)
        await persist_async(FailingCall(9).later, stop=stop, backoff=Backoff(first_s=60.0, longest_s=60.0))

    with pytest.raises(Stopped):
        asyncio.run(asyncio.wait_for(run(), 5.0))


def test_budget_hands_the_outage_back() -> None:
    """A caller that must answer gets the outage itself once its time would be used up."""
    with pytest.raises(Transient, match="away"):
        persist(FailingCall(10_000), stop=threading.Event(), backoff=QUICK, within_s=0.05)


def test_bad_data_is_not_waited_for() -> None:
    """Only an outage is tried again."""

    def call() -> None:
        raise Rejected(Reason.JSON_INVALID, "Expected JSON, got ''.")

    with pytest.raises(Rejected):
        persist(call, stop=threading.Event())
