"""One stage as a Faust app: the agent, and the brokers as the shell wants to see them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import TP
from yarl import URL

from lotstream.streams.engine.config import EngineConfig, ExitCode
from lotstream.streams.engine.core import Record, Stage
from lotstream.streams.engine.deviations import StageApp, StageTables
from lotstream.streams.engine.ledger import SourcePartition
from lotstream.streams.engine.loader import Take, load_changelog
from lotstream.streams.engine.outbox import Message, Place, Sent
from lotstream.streams.engine.pulse import Pulse
from lotstream.streams.engine.shell import StageShell

GROUP_LOOK_S = 1.0


class EngineApp(StageApp):
    """Everything that the deviations ask of their app."""

    def __init__(self, stage: Stage, *, config: EngineConfig, pulse: Pulse) -> None:
        self.engine = config
        self.stage = stage
        self.pulse = pulse
        super().__init__(config.group_prefix + stage.name, TableManager=StageTables, **_faust_settings(stage, config))
        self.shell = StageShell(stage, config=config, broker=FaustBroker(self), backlog=lambda: not self.inbox.empty())
        self.positions: dict[TP, int] = {}
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        topic = self.topic(
            *stage.sources,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            partitions=stage.partitions,
        )
        self.agent(topic, name=stage.name, concurrency=1)(self._body)

    async def _body(self, stream: Any) -> None:
        self.inbox = stream.channel.queue
        self.unobserve()
        receive = self.shell.receive
        async for event in stream.noack().events():
            await receive(to_record(event.message))

    async def take_over(self) -> None:
        """Let the shell own what is assigned now, and remember where to read from."""
        assigned = {(tp.topic, tp.partition) for tp in self.consumer.assignment()}
        numbers = {partition for _, partition in assigned}
        wanted = {(topic, number) for number in numbers for topic in self.stage.sources}
        if assigned != wanted:
            self.shell.end(ExitCode.BUG, f"Expected to be assigned {sorted(wanted)}, got {sorted(assigned)}.")
        positions = await self.shell.take_over(numbers)
        self.positions = {TP(*place): offset for place, offset in positions.items()}

    def clockwork(self) -> list[asyncio.Task[None]]:
        """The tasks beside the agent; they run until the process ends."""
        bodies = [*self.shell.outbox.steps(), self.shell.checkpoint_for_ever(), self.shell.idle_for_ever()]
        bodies += [self.shell.watch_for_ever(), self._watch_group()]
        return [asyncio.ensure_future(body) for body in bodies]

    async def _watch_group(self) -> None:
        """The client's task that keeps the membership says nothing when it ends."""
        while True:
            await asyncio.sleep(GROUP_LOOK_S)
            driver: Any = self.consumer
            consumer = driver._thread._consumer
            task = None if consumer is None else getattr(consumer._coordinator, "_coordination_task", None)
            if task is not None and task.done() and not task.cancelled() and task.exception() is not None:
                self.shell.end(ExitCode.AWAY, f"Expected to stay in the group, got {task.exception()!r}.")


def to_record(message: Any) -> Record:
    """A Faust message as a record; Faust keeps the time in seconds, Kafka gave it in milliseconds."""
    return Record(
        message.topic,
        message.partition,
        message.offset,
        round(message.timestamp * 1000) * 1000,
        message.key,
        message.value,
        tuple(message.headers or ()),
    )


class FaustBroker:
    """The brokers, through the clients that the Faust app owns."""

    def __init__(self, app: EngineApp) -> None:
        self._app: Any = app

    async def send(self, place: Place, messages: Sequence[Message]) -> list[Sent]:
        try:
            sent: list[Sent] = await self._app.producer.post(place, messages)
        except KafkaError as failure:
            self._app.shell.end(
                ExitCode.UNDELIVERED, f"Expected {place[0]}:{place[1]} to take a message, got {failure!r}."
            )
        return sent

    async def commit(self, offsets: Mapping[SourcePartition, int]) -> bool:
        return bool(await self._app.consumer._commit({TP(*place): offset for place, offset in offsets.items()}))

    async def committed(self, sources: Iterable[SourcePartition]) -> Mapping[SourcePartition, int | None]:
        thread = self._app.consumer._thread
        coordinator = thread._ensure_consumer()._coordinator
        places = _places(sources)
        found = await thread.call_thread(coordinator.fetch_committed_offsets, places)
        offsets = _by_place({place: at.offset for place, at in found.items() if at.offset >= 0})
        return {(topic, partition): offsets.get((topic, partition)) for topic, partition in places}

    async def log_starts(self, sources: Iterable[SourcePartition]) -> Mapping[SourcePartition, int]:
        return _by_place(await self._app.consumer.earliest_offsets(*_places(sources)))

    async def log_ends(self, sources: Iterable[SourcePartition]) -> dict[SourcePartition, int]:
        return _by_place(await self._app.consumer.highwaters(*_places(sources)))

    async def load(
        self, topic: str, fences: Mapping[int, int], *, takes: Mapping[int, Take], starts: Mapping[int, int]
    ) -> int:
        client = client_settings(self._app.engine)
        return await load_changelog(topic, fences, takes=takes, starts=starts, client=client)

    def behind(self, expected: Mapping[SourcePartition, int]) -> int:
        # Read without the consumer's own checks: the assignment may change in its thread while we look.
        subscription = self._app.consumer._thread._ensure_consumer()._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        if assignment is None:
            return 0
        states = {place: assignment.state_value(TopicPartition(*place)) for place in expected}
        ends = {place: state.highwater for place, state in states.items() if state is not None}
        return sum(max(0, (end or 0) - expected[place]) for place, end in ends.items())


def _places(sources: Iterable[SourcePartition]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for topic, partition in sources]


def _by_place(offsets: Mapping[TopicPartition, int]) -> dict[SourcePartition, int]:
    return {(place.topic, place.partition): offset for place, offset in offsets.items()}


def client_settings(config: EngineConfig) -> dict[str, Any]:
    """Connection settings of an aiokafka client."""
    settings: dict[str, Any] = {"bootstrap_servers": list(config.brokers), "ssl_context": config.ssl_context}
    if config.sasl_mechanism is None:
        settings["security_protocol"] = "SSL" if config.ssl_context else "PLAINTEXT"
        return settings
    return settings | {
        "security_protocol": "SASL_SSL" if config.ssl_context else "SASL_PLAINTEXT",
        "sasl_mechanism": config.sasl_mechanism,
        "sasl_plain_username": config.username,
        "sasl_plain_password": config.password,
    }


def _credentials(config: EngineConfig) -> SASLCredentials | SSLCredentials | None:
    if config.sasl_mechanism is not None:
        return SASLCredentials(
            username=config.username,
            password=config.password,
            mechanism=config.sasl_mechanism,
            ssl_context=config.ssl_context,
        )
    return None if config.ssl_context is None else SSLCredentials(context=config.ssl_context)


def _faust_settings(stage: Stage, config: EngineConfig) -> dict[str, Any]:
    session = config.session_timeout_s
    return {
        "broker": [URL(f"kafka://{broker}") for broker in config.brokers],
        "broker_credentials": _credentials(config),
        # Faust waits 90 s: a request that a dying broker took holds up the group, and every commit, for so long
        "broker_request_timeout": session + 5.0,
        "broker_session_timeout": session,
        "broker_rebalance_timeout": session,
        "broker_heartbeat_interval": session / 5,
        "broker_commit_interval": config.commit_s,
        "consumer_group_instance_id": f"{config.group_prefix}{stage.name}-{config.instance}"
        if config.instance
        else None,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": config.fetch_bytes,
        "producer_acks": -1,
        "producer_linger": 0,
        "producer_max_batch_size": 256 << 10,
        "producer_max_request_size": 4 << 20,
        "producer_compression_type": config.compression,
        "stream_buffer_maxsize": config.buffered_records,
        "stream_wait_empty": True,
        "store": "memory://",
        "table_standby_replicas": 0,
        "topic_partitions": stage.partitions,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": False,
        "autodiscover": False,
    }
