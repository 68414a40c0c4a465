"""Faust where the engine does not do as Faust does: one method each, with its reason. Everything else is Faust's.

Written against faust-streaming 0.15.3 and aiokafka 0.14; private names are pinned by a test.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import aiokafka
import faust
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import ConsumerStoppedError, GroupCoordinatorNotAvailableError, KafkaConnectionError
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers import aiokafka as driver
from mode import ServiceT

from lotstream.streams.engine.exits import code_of
from lotstream.streams.engine.outbox import Message, Place, Sent
from lotstream.streams.engine.shell import StageShell

IDLE_FETCH_MS = 250  # a request for an offset waits behind the fetch: not longer, or taking partitions over is slow


class StageThread(driver.AIOKafkaConsumerThread):
    app: Any

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        """Fetch wait: Faust has 1.5 s in its code. There is one fetch under way per broker, so an idle partition's
        long poll holds up the busy ones of that broker.

        Assignor: without Faust tables Faust takes aiokafka's round robin, which gives partition n of two topics to
        two workers. The engine's state belongs to the number n of all sources.
        """
        consumer = super()._create_worker_consumer(transport)
        consumer._client.coordinator_lookup = _patient_lookup(consumer._client)
        consumer._fetch_max_wait_ms = int(self.app.engine.fetch_wait_s * 1000)
        consumer._partition_assignment_strategy = [self.app.assignor]
        return consumer


def _patient_lookup(client: Any) -> Callable[[int, str], Awaitable[int]]:
    """A broker that is just starting may tell of no broker at all. aiokafka takes that for a mistake of the program,
    and the task that keeps the group ends, unnoticed; an error of this kind it answers by asking again."""
    lookup: Callable[[int, str], Awaitable[int]] = client.coordinator_lookup

    async def patient(kind: int, key: str) -> int:
        if client.get_random_node() is None:
            raise GroupCoordinatorNotAvailableError
        return await lookup(kind, key)

    return patient


class StageFetcher(Fetcher):
    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self._asked: dict[int, set[tuple[str, int, int]]] = {}

    def _get_actions_per_node(self, assignment: Any) -> Any:
        """A fetch of all that a broker has for us holds up none of it: whatever comes first is the answer. Where the
        fetch before brought nothing it waits longer: asking twenty times a second costs a hundredth of a core."""
        requests, *rest = super()._get_actions_per_node(assignment)
        for node, request in requests:
            asked = {(topic, number, offset) for topic, places in request.topics for number, offset, _ in places}
            known, self._asked[node] = self._asked.get(node), asked
            if asked == known and len(asked) == sum(self._select_read_replica(tp) == node for tp in assignment.tps):
                request._max_wait_ms = max(request._max_wait_ms, IDLE_FETCH_MS)
        return (requests, *rest)


class StageConnection(AIOKafkaConnection):
    def send(self, request: Any, expect_response: bool = True) -> Any:
        """A connection that a dying broker closed a moment ago is an outage. uvloop refuses a write to it with
        RuntimeError, which aiokafka lets through: it ends the task that asks for metadata, unnoticed, and whoever asks
        where the group's coordinator is waits for that task for ever."""
        try:
            return super().send(request, expect_response)
        except RuntimeError as closed:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Expected an open connection, got {closed}.") from closed


class StageConsumer(driver.Consumer):
    app: Any

    def _new_consumer_thread(self) -> StageThread:
        return StageThread(self, loop=self.loop, beacon=self.beacon)

    async def commit(self, topics: object = None, start_new_transaction: bool = True) -> bool:
        """Offsets come from the ledger. Faust's come from acknowledged messages in lists and a weak set; it commits
        past what is unfinished or undelivered, and moves its bookkeeping when Kafka refused (issues 312, 606)."""
        return bool(await self.app.shell.commit())

    async def wait_empty(self) -> None:
        """Bounded. Faust waits until each message it knows of is acknowledged, without an end; while an
        acknowledgement is held back that hangs at every revocation."""
        await self.app.shell.drain()

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        """Delivers at once while the agent's queue has room. Faust makes four tasks per message to watch, beside the
        delivery, for the flow to be suspended, which matters only when the delivery must wait: 60 us of 200.
        """
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for _, message in self.getmany(timeout=1.0):
                    if self.app.flow_control.is_active() and not self.app.inbox.full():
                        await self.callback(message)
                    else:
                        await self.wait_first(self.callback(message), self.suspend_flow.wait())
                await asyncio.sleep(0)
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def perform_seek(self) -> None:
        """To where the state stands, not to where Kafka's commit stands: a checkpoint knows better, and Faust also
        seeks when a fetch returns while the flow is stopped (issue 596)."""
        assigned = self.assignment()
        await self.seek_wait({tp: offset for tp, offset in self.app.positions.items() if tp in assigned})

    async def verify_all_partitions_active(self) -> None:
        """Nothing. Faust looks at its own acknowledgements, of which there are none; lag and age are in the events."""


class StageProducer(driver.Producer):
    app: Any

    def _settings_extra(self) -> Mapping[str, Any]:
        """Idempotent, with acks from all replicas. Faust turns it on for exactly_once only; without it a retry may
        put an older message behind a newer one."""
        return {"acks": "all", "enable_idempotence": True}

    async def post(self, place: Place, messages: Sequence[Message]) -> list[Sent]:
        """Straight to the client, as batches: Faust's own way builds a future and a message object per send, signals
        it, and costs three times as much."""
        self.app.pulse.check()
        client = self._ensure_producer()
        sent: list[Sent] = []
        batch = client.create_batch()
        for key, value, headers in messages:
            if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
                sent.append(await self._submit(batch, place))
                batch = client.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=list(headers))
        if batch.record_count():
            sent.append(await self._submit(batch, place))
        return sent

    async def _submit(self, batch: BatchBuilder, place: Place) -> Sent:
        batch.close()
        delivery = await self._ensure_producer().send_batch(batch, place[0], partition=place[1])
        return Sent(delivery, batch.record_count())


class StageTransport(driver.Transport):
    Consumer = StageConsumer
    Producer = StageProducer


class StageRecovery(Recovery):
    app: Any

    async def _resume_streams(self, generation_id: int = 0) -> None:
        """Flow stopped first, state loaded, then sources sought and resumed. Faust resumes sources, seeks, and then
        clears its queues; what was fetched during the seek is gone and later taken for a compaction gap (issue 596).
        """
        app = self.app
        app.consumer.stop_flow()
        app.flow_control.suspend()
        rebalances = app.rebalancing_count
        await self._wait(app.take_over())
        if app.rebalancing_count == rebalances:
            await super()._resume_streams(generation_id)
        if app.rebalancing_count == rebalances:
            app.shell.flow()
        else:
            app.consumer.stop_flow()


class StageTables(TableManager):
    app: Any

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = StageRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """At once. Faust waits a second for tables to register; there are none, and a restart is that much longer."""
        await self._update_channels()
        await self.recovery.start()


class StageApp(faust.App):
    """A Faust app that leaves acknowledgement, state and recovery to a shell."""

    shell: StageShell

    def _new_transport(self) -> StageTransport:
        return StageTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> StageTransport:
        return StageTransport(self.conf.broker_producer, self)

    def _create_directories(self) -> None:
        """None. State is in memory and in the changelog; the file system may be read-only."""

    def unobserve(self) -> None:
        """Take Faust's monitor away: it counts each message four times over, for a web page that is not there."""
        if self.monitor in set(self.sensors):
            self.sensors.remove(self.monitor)

    def _crash(self, reason: BaseException) -> None:
        """A crashed service of Faust's ends the process: Faust would go on with what is left."""
        self.shell.end(code_of(reason), f"Expected Faust to go on, got {reason!r}.")
