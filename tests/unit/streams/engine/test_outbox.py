"""The outbox: few messages, the right order, and an end when nothing is delivered."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import pytest

from lotstream.streams.engine.core import Output
from lotstream.streams.engine.ledger import SourceLedger
from lotstream.streams.engine.outbox import LONGEST_S, Message, Outbox, Place, Sent


@dataclass(frozen=True)
class At:
    offset: int


class Text:
    def __init__(self, text: bytes) -> None:
        self.text = text

    def __len__(self) -> int:
        return len(self.text)

    def extend(self, other: "Text") -> None:
        self.text += other.text

    def encode(self) -> bytes:
        return self.text


class SlowBroker:
    """Takes messages and delivers them when told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, list[bytes | None]]] = []
        self.open: list[asyncio.Future[At]] = []
        self.news: dict[bytes, bytes | None] = {}

    def collect(self) -> Mapping[bytes, bytes | None]:
        news, self.news = self.news, {}
        return news

    async def send(self, place: Place, messages: Sequence[Message]) -> list[Sent]:
        self.sent.append((*place, [value for _, value, _ in messages]))
        delivery: asyncio.Future[At] = asyncio.get_running_loop().create_future()
        self.open.append(delivery)
        return [Sent(delivery, len(messages))]

    async def store(self, changes: Mapping[bytes, bytes | None]) -> list[Sent]:
        return await self.send(("changelog", 0), [(key, value, ()) for key, value in changes.items()])

    def deliver(self) -> None:
        while self.open:
            self.open.pop(0).set_result(At(0))


class Over(Exception):
    """Stands for the end of the process."""


def over(reason: str) -> NoReturn:
    raise Over(reason)


class Running:
    """An outbox whose steps run."""

    def __init__(self, broker: SlowBroker, **settings: object) -> None:
        self.outbox = Outbox(broker, ended=over, **settings)  # type: ignore[arg-type]
        self.tasks = [asyncio.ensure_future(step) for step in self.outbox.steps()]

    async def __aenter__(self) -> Outbox:
        return self.outbox

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()


async def calm() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_one_message_per_partition_and_window() -> None:
    """Rows of several records for one partition leave as one message; changes follow when they are delivered."""

    async def body() -> None:
        broker, source = SlowBroker(), SourceLedger(0)
        async with Running(broker, linger_s=0.0) as outbox:
            for offset in range(3):
                source.receive(offset)
                outputs = [Output("t", 0, Text(b"a")), Output("t", 1, Text(b"b"))]
                broker.news[b"k"] = b"%d" % offset
                outbox.add(source, offset, outputs=outputs, keeper=broker)
            await asyncio.sleep(0.01)
            assert broker.sent == [("t", 0, [b"aaa"]), ("t", 1, [b"bbb"])]
            assert source.first == 0
            broker.deliver()
            await calm()
            assert broker.sent[2:] == [("changelog", 0, [b"2"])]
            assert source.first == 0
            broker.deliver()
            await calm()
            assert source.first == 3
            assert outbox.under_way == 0

    asyncio.run(body())


def test_an_absolute_output_takes_the_place_of_earlier_ones() -> None:
    """What waits to be sent of one key is told once, in its newest state; other keys and other rows stay."""

    async def body() -> None:
        broker, source = SlowBroker(), SourceLedger(0)
        async with Running(broker, linger_s=0.0) as outbox:
            for offset, value in enumerate((b"1", b"2", b"3")):
                source.receive(offset)
                known = Output("t", 0, Text(value), key=b"a" if offset != 1 else b"b", absolute=True)
                outbox.add(source, offset, outputs=[known, Output("t", 1, Text(value))])
            await asyncio.sleep(0.01)
            assert broker.sent == [("t", 0, [b"3", b"2"]), ("t", 1, [b"123"])]

    asyncio.run(body())


def test_what_is_absolute_waits_for_its_state() -> None:
    """Between two writes of state an absolute output waits for the newer one of its key, and leaves before the write;
    where other outputs go to its partition it goes with them, in their order."""

    async def body() -> None:
        broker, source = SlowBroker(), SourceLedger(0)
        async with Running(broker, linger_s=0.0, store_s=60.0) as outbox:
            for offset, value in enumerate((b"1", b"2", b"3")):
                source.receive(offset)
                broker.news[b"k"] = value
                outputs = [Output(topic, 0, Text(value), key=b"a", absolute=True) for topic in ("alone", "mixed")]
                outbox.add(source, offset, outputs=[*outputs, Output("mixed", 0, Text(value))], keeper=broker)
                await calm()
                broker.deliver()
                await calm()
            settled = asyncio.ensure_future(outbox.settled())
            while not settled.done():
                broker.deliver()
                await calm()
            sent = [(topic, values) for topic, _, values in broker.sent if topic != "mixed"]
            assert sent == [("alone", [b"1"]), ("changelog", [b"1"]), ("alone", [b"3"]), ("changelog", [b"3"])]
            mixed = [values for topic, _, values in broker.sent if topic == "mixed"]
            assert mixed == [[b"1", b"1"], [b"2", b"2"], [b"3", b"3"]]
            assert source.first == 3
            assert outbox.under_way == 0

    asyncio.run(body())


def test_outputs_go_at_once_and_state_once_in_a_while() -> None:
    """Between two writes of state outputs leave as ever; their records wait for the write that tells of them all."""

    async def body() -> None:
        broker, source = SlowBroker(), SourceLedger(0)
        async with Running(broker, linger_s=0.0, store_s=0.1) as outbox:
            for offset in range(4):
                source.receive(offset)
                broker.news[b"k"] = b"%d" % offset
                outbox.add(source, offset, outputs=[Output("t", 0, Text(b"a"))], keeper=broker)
                await asyncio.sleep(0.01)
                broker.deliver()
            await calm()
            told = [values for topic, _, values in broker.sent if topic == "t"]
            assert told == [[b"a"]] * 4
            assert source.first == 1  # the first write had nothing to wait for
            await asyncio.sleep(0.15)
            broker.deliver()
            await calm()
            assert [values for topic, _, values in broker.sent if topic == "changelog"] == [[b"0"], [b"3"]]
            assert source.first == 4
            assert outbox.under_way == 0

    asyncio.run(body())


def test_a_window_grows_while_more_records_wait() -> None:
    """Under a backlog many records share a window; it still closes in time."""

    async def body() -> None:
        broker, source = SlowBroker(), SourceLedger(0)
        async with Running(broker, linger_s=0.001, backlog=lambda: True) as outbox:
            for offset in range(3):
                source.receive(offset)
                outbox.add(source, offset, outputs=[Output("t", 0, Text(b"a"))])
                await asyncio.sleep(0.005)
            assert broker.sent == []
            await asyncio.sleep(2 * LONGEST_S)
            assert broker.sent == [("t", 0, [b"aaa"])]

    asyncio.run(body())


def test_state_waits_for_the_windows_before() -> None:
    """Changes of a later window are not stored before the outputs of the earlier one are delivered."""

    async def body() -> None:
        broker, source = SlowBroker(), SourceLedger(0)
        async with Running(broker, linger_s=60.0) as outbox:
            source.receive(0)
            source.receive(1)
            outbox.add(source, 0, outputs=[Output("t", 0, b"x")])
            first = asyncio.ensure_future(outbox.settled())
            await calm()
            broker.news[b"k"] = b"1"
            outbox.add(source, 1, outputs=[], keeper=broker)
            second = asyncio.ensure_future(outbox.settled())
            await calm()
            assert [topic for topic, _, _ in broker.sent] == ["t"]
            broker.deliver()
            await calm()
            assert first.done()
            assert [topic for topic, _, _ in broker.sent] == ["t", "changelog"]
            broker.deliver()
            await calm()
            assert second.done()

    asyncio.run(body())


def test_a_full_window_leaves_at_once() -> None:
    """A window does not wait for its time when it has rows enough."""

    async def body() -> None:
        broker, source = SlowBroker(), SourceLedger(0)
        async with Running(broker, linger_s=60.0, window_rows=4) as outbox:
            source.receive(0)
            outbox.add(source, 0, outputs=[Output("t", 0, Text(b"abcd"))])
            await calm()
            assert broker.sent == [("t", 0, [b"abcd"])]

    asyncio.run(body())


def test_a_window_grows_while_the_one_before_is_handed_over() -> None:
    """When the producer has no room, what comes meanwhile leaves as one window, not as one for each linger."""

    class FullBroker(SlowBroker):
        gate = asyncio.Event()

        async def send(self, place: Place, messages: Sequence[Message]) -> list[Sent]:
            await self.gate.wait()
            return await super().send(place, messages)

    async def body() -> None:
        broker, source = FullBroker(), SourceLedger(0)
        broker.gate = asyncio.Event()
        async with Running(broker, linger_s=0.001) as outbox:
            for offset in range(5):
                source.receive(offset)
                outbox.add(source, offset, outputs=[Output("t", 0, Text(b"a"))])
                await asyncio.sleep(0.005)
            broker.gate.set()
            await asyncio.sleep(0.02)
            assert [values for _, _, values in broker.sent] == [[b"a"], [b"aaaa"]]

    asyncio.run(body())


def test_too_much_under_way_makes_wait() -> None:
    """There is room again when what is under way has been delivered."""

    async def body() -> None:
        broker, source = SlowBroker(), SourceLedger(0)
        async with Running(broker, linger_s=0.0, room_rows=4) as outbox:
            source.receive(0)
            outbox.add(source, 0, outputs=[Output("t", 0, Text(b"abcd"))])
            waits = asyncio.ensure_future(outbox.room())
            await asyncio.sleep(0.01)
            assert not waits.done()
            broker.deliver()
            await calm()
            assert waits.done()

    asyncio.run(body())


@pytest.mark.parametrize("how", ["fails", "never comes"])
def test_a_delivery_that_does_not_come_is_the_end(how: str) -> None:
    """A failed or missing delivery ends the process, with nothing acknowledged."""

    async def body() -> None:
        broker, source = SlowBroker(), SourceLedger(0)
        running = Running(broker, linger_s=0.0, delivery_timeout_s=0.05)
        async with running as outbox:
            source.receive(0)
            outbox.add(source, 0, outputs=[Output("t", 0, b"x")])
            await asyncio.sleep(0.01)
            if how == "fails":
                broker.open[0].set_exception(OSError("gone"))
            await asyncio.sleep(0.1)
            ends = [task for task in running.tasks if task.done()]
            assert [type(task.exception()) for task in ends] == [Over]
            assert source.first == 0

    asyncio.run(body())
