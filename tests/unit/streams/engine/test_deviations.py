"""The deviations from Faust that need no broker to show what they are for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvloop
from aiokafka import TopicPartition
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaConnectionError, KafkaTimeoutError
from aiokafka.protocol.admin import ApiVersionRequest
from faust.transport.drivers import aiokafka as driver

from lotstream.streams.engine.app import EngineApp
from lotstream.streams.engine.config import EngineConfig, ExitCode
from lotstream.streams.engine.core import Acknowledge, Stage
from lotstream.streams.engine.deviations import (
    IDLE_FETCH_MS,
    StageConnection,
    StageConsumer,
    StageFetcher,
    StageProducer,
    StageThread,
)
from lotstream.streams.engine.pulse import Pulse


def build_app(**settings: Any) -> EngineApp:
    stage = Stage(
        name="s",
        sources=("a", "b"),
        partitions=2,
        build=lambda number: pytest.fail("Expected no core, got asked for one."),
        changelog="c",
        acknowledge=Acknowledge.MESSAGE,
    )
    config = EngineConfig(brokers=("127.0.0.1:1",), group_prefix="g-", **settings)
    return EngineApp(stage, config=config, pulse=Pulse(1e9, stalled=print))


class Deliveries:
    """Stands for a consumer with three messages fetched, and counts the tasks that delivering them takes."""

    consumer_stopped_errors = ()
    suspend_flow = asyncio.Event()
    should_stop = False
    _commit_every = None

    def __init__(self) -> None:
        self.app: Any = self
        self.topics = self
        self.diag: Any = self
        self.flow_control = self
        self.inbox: asyncio.Queue[int] = asyncio.Queue()
        self.delivered: list[Any] = []
        self._read_offset: dict[Any, int] = {}
        self._stopped = asyncio.Event()
        self.tasks = 0

    def acks_enabled_for(self, topic: str) -> bool:
        return True

    def set_flag(self, flag: str) -> None: ...

    def unset_flag(self, flag: str) -> None: ...

    def is_active(self) -> bool:
        return True

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def callback(self, message: Any) -> None:
        self.delivered.append(message)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[Any, Any]]:
        for number in range(3):
            yield "tp", number
        self.should_stop = True

    async def wait_first(self, *waits: Any) -> None:
        self.tasks += len(waits) + 2
        await waits[0]
        for wait in waits[1:]:
            wait.close()


def test_a_message_is_delivered_without_tasks() -> None:
    """A message that can be delivered at once costs no task; one that must wait is watched as Faust does."""

    async def body(full: bool) -> Deliveries:
        consumer: Any = Deliveries()
        consumer.inbox = asyncio.Queue(1)
        if full:
            consumer.inbox.put_nowait(0)
        await StageConsumer._drain_messages(consumer, consumer)
        assert consumer.delivered == [0, 1, 2]
        return consumer  # type: ignore[no-any-return]

    assert asyncio.run(body(False)).tasks == 0
    assert asyncio.run(body(True)).tasks == 12


def test_the_producer_is_idempotent() -> None:
    """Without the deviation Faust's producer may send an older message after a newer one when it retries."""

    class App:
        in_transaction = False

    class Double:
        app = App()

    double: Any = Double()
    assert StageProducer._settings_extra(double) == {"acks": "all", "enable_idempotence": True}
    assert driver.Producer._settings_extra(double) == {}


def test_an_idle_partition_holds_up_no_other() -> None:
    """A fetch waits 50 ms at the broker, not Faust's 1.5 s."""

    async def body() -> None:
        app = build_app()
        thread = app.consumer._thread
        assert thread._create_worker_consumer(app.transport)._fetch_max_wait_ms == 50
        faust_own = super(StageThread, thread)._create_worker_consumer(app.transport)
        assert faust_own._fetch_max_wait_ms == 1500
        assert faust_own._partition_assignment_strategy != [app.assignor]

    asyncio.run(body())


@pytest.mark.parametrize(("buffered", "waits_ms"), [([], IDLE_FETCH_MS), ([0], 50)])
def test_a_fetch_of_everything_may_wait(buffered: list[int], waits_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a fetch that asks again for every partition of its broker waits longer: none can be held up by it."""

    class Assigned:
        tps = tuple(TopicPartition("a", number) for number in range(3))
        has_valid_position, paused, position = True, False, 7

        def state_value(self, place: TopicPartition) -> Any:
            return self

    class Buffered:
        def calculate_backoff(self) -> float:
            return 0.0

    async def body() -> None:
        thread = build_app().consumer._thread
        consumer = thread._create_worker_consumer(build_app().transport)
        monkeypatch.setattr(StageFetcher, "_fetch_requests_routine", lambda self: asyncio.sleep(0))
        monkeypatch.setattr(StageFetcher, "_select_read_replica", lambda self, place: 1)
        fetcher = StageFetcher(consumer._client, consumer._subscription, fetch_max_wait_ms=50)
        fetcher._records.update({TopicPartition("a", number): Buffered() for number in buffered})
        ((_, first),), *_ = fetcher._get_actions_per_node(Assigned())
        ((_, again),), *_ = fetcher._get_actions_per_node(Assigned())
        assert (first._max_wait_ms, again._max_wait_ms) == (50, waits_ms)

    asyncio.run(body())


def test_a_group_without_a_known_broker_asks_again() -> None:
    """A broker that is starting may name none: for the client that is an outage, no mistake of ours."""

    async def body() -> None:
        app = build_app()
        thread = app.consumer._thread
        client = thread._create_worker_consumer(app.transport)._client
        with pytest.raises(GroupCoordinatorNotAvailableError):
            await client.coordinator_lookup(0, "group")
        stock = super(StageThread, thread)._create_worker_consumer(app.transport)._client
        with pytest.raises(AssertionError):
            await stock.coordinator_lookup(0, "group")

    assert GroupCoordinatorNotAvailableError.retriable
    asyncio.run(body())


def test_a_write_to_a_closed_connection_is_an_outage() -> None:
    """What a connection refuses that has just gone is an error that clients try again after."""

    async def body(kind: type[AIOKafkaConnection]) -> None:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = kind("127.0.0.1", port)
        connection._reader, connection._writer = await asyncio.open_connection("127.0.0.1", port)
        connection._read_task = connection._create_reader_task()
        connection._writer.transport.abort()
        await asyncio.sleep(0.05)
        try:
            connection.send(ApiVersionRequest())
        finally:
            server.close()

    for kind, error in ((StageConnection, KafkaConnectionError), (AIOKafkaConnection, RuntimeError)):
        with pytest.raises(error):
            uvloop.run(body(kind))


def test_nothing_counts_messages_for_a_page_that_is_not_there() -> None:
    """Faust's monitor is no sensor of the app any more."""

    async def body() -> None:
        app = build_app()
        app.sensors.add(app.monitor)
        app.unobserve()
        app.unobserve()
        assert list(app.sensors) == []

    asyncio.run(body())


def test_faust_does_not_complain_of_acknowledgements_it_does_not_get() -> None:
    """The look at Faust's own acknowledgements is off; on, it would need the consumer thread running."""

    async def body() -> None:
        consumer = build_app().consumer
        await consumer.verify_all_partitions_active()
        with pytest.raises(Exception, match="not yet started"):
            await driver.Consumer.verify_all_partitions_active(consumer)

    asyncio.run(body())


def test_an_outage_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service of Faust's that found no broker ends the process as an outage does, any other as a bug."""
    ends: list[ExitCode] = []

    async def body() -> None:
        app = build_app()
        monkeypatch.setattr(app.shell, "end", lambda code, reason: ends.append(code))
        app._crash(KafkaConnectionError("Unable to bootstrap"))
        app._crash(KafkaTimeoutError("Failed to get offsets by times"))
        app._crash(RuntimeError())

    asyncio.run(body())
    assert ends == [ExitCode.AWAY, ExitCode.AWAY, ExitCode.BUG]


def test_every_send_looks_at_the_clock_first() -> None:
    """No message leaves a process that stood still for too long."""

    class Asleep(Exception):
        pass

    class Double:
        class app:  # noqa: N801 - stands where Faust has an instance
            class pulse:  # noqa: N801
                @staticmethod
                def check() -> None:
                    raise Asleep

    async def body() -> None:
        double: Any = Double()
        with pytest.raises(Asleep):
            await StageProducer.post(double, ("t", 0), [(None, b"x", ())])

    asyncio.run(body())
