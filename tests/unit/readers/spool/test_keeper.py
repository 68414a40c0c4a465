"""The reader doors' sender: Kafka first, the disk while it is away, and the way back."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lotstream.readers.batches import Target
from lotstream.readers.messages import Message
from lotstream.readers.producer import Overloaded, Unsendable
from lotstream.readers.spool.facts import Refusals, buffered
from lotstream.readers.spool.keeper import Keeper, Unkept
from lotstream.readers.spool.segments import Limits, Spool
from lotstream.runtime.errors import Transient
from lotstream.runtime.health import Health
from lotstream.runtime.metrics import Metrics

HOUR_US = 3_600_000_000
WINDOWS = Target(topic="blind-windows.v1", partitions=1)


@dataclass
class SwitchedSender:
    """Takes messages, or fails as it is told; ``largest`` is what the brokers take at most."""

    failure: Transient | None = None
    largest: int = 1 << 30
    forbidden: str = ""
    pending_bytes: int = 0
    sent: list[Message] = field(default_factory=list)

    async def send(self, messages: Sequence[Message], *, patient: bool = True) -> None:
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        if any(message.topic == self.forbidden for message in messages):
            raise Transient("TOPIC_AUTHORIZATION_FAILED")
        if any(len(message.value) > self.largest for message in messages):
            raise Unsendable("MSG_SIZE_TOO_LARGE")
        self.sent += messages

    def numbers(self) -> list[int]:
        return [json.loads(message.value)["n"] for message in self.sent if message.topic == "reads.v1"]

    def windows(self) -> list[dict[str, Any]]:
        return [json.loads(message.value) for message in self.sent if message.topic == "blind-windows.v1"]


@dataclass
class SetClock:
    """Goes as it is told."""

    now: int = HOUR_US

    def now_us(self) -> int:
        return self.now


@dataclass
class Bench:
    """A keeper over a sender that can be switched."""

    sender: SwitchedSender
    clock: SetClock
    keeper: Keeper
    health: Health

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(500):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the condition did not come true in time")


def read(number: int, *, point: str = "dock", pad: int = 0) -> Message:
    """A batch as far as the spool looks into it."""
    value = {"kind": "reads", "read_point": point, "stamp": {"origin": "live", "received_us": 7}, "n": number}
    return Message("reads.v1", 0, b"dock", json.dumps(value | {"pad": "x" * pad}).encode())


def scenario(tmp_path: Path, body: Callable[[Bench], Awaitable[None]], *, most_bytes: int = 1 << 20) -> None:
    """Run ``body`` with a keeper that sends on what is kept, and close it."""

    async def run() -> None:
        sender, clock, health = SwitchedSender(), SetClock(), Health()
        spool = Spool(tmp_path, Limits(bytes=most_bytes, age_us=24 * HOUR_US))
        keeper = Keeper(sender, spool, target=WINDOWS, clock=clock, metrics=Metrics(), health=health)  # type: ignore[arg-type]
        running = asyncio.create_task(keeper.run())
        try:
            await body(Bench(sender, clock, keeper, health))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await keeper.close()

    asyncio.run(run())


AWAY = Transient("Expected Kafka to take it, got _MSG_TIMED_OUT.")


def test_kafka_first(tmp_path: Path) -> None:
    """While the brokers take what comes, nothing touches the disk and no byte is changed."""

    async def body(bench: Bench) -> None:
        await bench.keeper.send([read(1)])
        assert bench.sender.sent == [read(1)]
        assert list(tmp_path.glob("*.spool")) == []

    scenario(tmp_path, body)


def test_kept_and_sent_on(tmp_path: Path) -> None:
    """What the brokers do not take is acknowledged all the same and sent on when they are back, marked buffered with
    everything else as it was; programs hear of the outage at once, and new reads go to the brokers again."""

    async def body(bench: Bench) -> None:
        bench.sender.failure = AWAY
        await asyncio.gather(*(bench.keeper.send([read(number)]) for number in range(20)))
        assert bench.keeper.away
        with pytest.raises(Transient):
            await Unkept(bench.sender, bench.keeper).send([read(0)])
        bench.sender.failure = None
        await bench.until(lambda: len(bench.sender.sent) == 20)
        await bench.until(lambda: not list(tmp_path.glob("*.spool")))
        assert not bench.keeper.away
        assert sorted(bench.sender.numbers()) == list(range(20))
        first = json.loads(bench.sender.sent[0].value)
        assert first["stamp"] == {"origin": "buffered", "received_us": 7}
        await bench.keeper.send([read(99)])
        assert bench.sender.sent[-1] == read(99)

    scenario(tmp_path, body)


def test_a_successor_sends_it(tmp_path: Path) -> None:
    """What a process has left on the disk is sent on by the next one."""

    async def kept(bench: Bench) -> None:
        bench.sender.failure = AWAY
        await bench.keeper.send([read(1)])

    async def sent(bench: Bench) -> None:
        await bench.until(lambda: bench.sender.numbers() == [1])

    scenario(tmp_path, kept)
    scenario(tmp_path, sent)


def test_what_is_stuck_stops_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic that nobody may write to keeps its own request on disk; other requests go to the brokers again soon."""
    monkeypatch.setattr("lotstream.readers.spool.keeper.ASK_EVERY_S", 0.05)

    async def body(bench: Bench) -> None:
        bench.sender.forbidden = "dead-letters.v1"
        await bench.keeper.send([Message("dead-letters.v1", 0, b"source", b"\xff")])
        for number in range(20):
            await bench.keeper.send([read(number)])
            await asyncio.sleep(0.02)
        assert not bench.keeper.away
        assert bench.sender.numbers()[-1] == 19
        bench.sender.forbidden = ""
        await bench.until(lambda: len(bench.sender.sent) == 21)

    scenario(tmp_path, body)


def test_refused_when_full(tmp_path: Path) -> None:
    """A full spool refuses, keeps what it has, and says of each read point since when and until when it did."""

    async def body(bench: Bench) -> None:
        bench.sender.failure = AWAY
        await bench.keeper.send([read(1)])
        for point in ("dock", "belt", "dock"):
            with pytest.raises(Transient, match="in the spool"):
                await bench.keeper.send([read(2, point=point, pad=2_000)])
        assert not bench.keeper.takes
        bench.clock.now += 60_000_000
        bench.sender.failure = None
        await bench.until(lambda: len(bench.sender.windows()) == 4)
        assert bench.keeper.takes
        assert bench.sender.numbers() == [1]
        windows = bench.sender.windows()
        assert [(one["subject"], one["from_us"], one.get("until_us")) for one in windows] == [
            ("dock", HOUR_US, None),
            ("belt", HOUR_US, None),
            ("dock", HOUR_US, HOUR_US + 60_000_000),
            ("belt", HOUR_US, HOUR_US + 60_000_000),
        ]

    scenario(tmp_path, body, most_bytes=1_000)


def test_what_the_brokers_never_take(tmp_path: Path) -> None:
    """A request that the brokers refuse for its size does not stop those behind it: a window says so, its bytes stay.
    While they answer it is not kept at all."""

    async def body(bench: Bench) -> None:
        bench.sender.failure = AWAY
        for number, pad in ((1, 0), (2, 5_000), (3, 0)):
            await bench.keeper.send([read(number, pad=pad)])
        bench.sender.largest = 1_000
        bench.sender.failure = None
        await bench.until(lambda: bench.sender.numbers() == [1, 3])
        assert [window["cause"] for window in bench.sender.windows()] == ["discarded"]
        assert len(list((tmp_path / "damaged").iterdir())) == 1
        with pytest.raises(Unsendable):
            await bench.keeper.send([read(4, pad=5_000)])

    scenario(tmp_path, body)


def test_too_much_at_once_is_no_outage(tmp_path: Path) -> None:
    """Brokers that are slower than the load are for the readers to feel, not for the disk."""

    async def body(bench: Bench) -> None:
        bench.sender.failure = Overloaded("too many bytes waiting")
        with pytest.raises(Overloaded):
            await bench.keeper.send([read(1)])
        assert not bench.keeper.away

    scenario(tmp_path, body)


def test_a_client_that_goes_away(tmp_path: Path) -> None:
    """A request that is given up while it is written takes nothing from those written with it."""

    async def body(bench: Bench) -> None:
        bench.sender.failure = AWAY
        sends = [asyncio.create_task(bench.keeper.send([read(number)])) for number in range(5)]
        await asyncio.sleep(0.001)
        sends[0].cancel()
        await asyncio.gather(*sends, return_exceptions=True)
        bench.sender.failure = None
        await bench.until(lambda: set(bench.sender.numbers()) >= {1, 2, 3, 4})

    scenario(tmp_path, body)


def test_it_says_that_it_spools(tmp_path: Path) -> None:
    """The check of /readyz names the outage, how much waits and since when."""

    async def body(bench: Bench) -> None:
        await bench.until(lambda: "spool" in bench.health.checks())
        assert bench.health.checks()["spool"].detail == "empty"
        bench.sender.failure = AWAY
        await bench.keeper.send([read(1)])
        bench.clock.now += 90_000_000
        await bench.until(lambda: bench.health.checks()["spool"].detail != "empty")
        check = bench.health.checks()["spool"]
        assert check.ok
        assert check.detail == "spools, Kafka is away: 1 requests, 0.0 MB, the oldest 90 s old"

    scenario(tmp_path, body)


@pytest.mark.parametrize(
    "value",
    [
        b"not JSON \xff",
        b'{"kind": "reads", "stamp": {"origin": "file"}}',
        b'{"kind": "mapping", "stamp": {"origin": "live"}}',
        b"[1]",
    ],
)
def test_what_is_not_marked(value: bytes) -> None:
    """Untouched bytes of dead letters, files and the mapping are sent on as they were kept."""
    message = Message("t", 0, b"k", value)
    assert buffered(message) is message


def test_subjects_are_bounded() -> None:
    """However many read points are refused, the windows are not more than can be remembered."""
    refusals = Refusals()
    opened = [refusals.refuse([read(0, point=f"p{n}")], now_us=1, why="full") for n in range(10_050)]
    assert sum(map(len, opened)) == 10_001
    assert opened[10_000][0].subject == "gateway"
    assert len(refusals.end(now_us=2)) == 10_001
