"""Runs stages in this process until it is told to stop."""

import asyncio
import logging
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import aiokafka.conn
import aiokafka.consumer.consumer
import uvloop
from aiokafka.client import AIOKafkaClient

from lotstream.streams.engine.app import EngineApp, client_settings
from lotstream.streams.engine.config import EngineConfig, ExitCode
from lotstream.streams.engine.core import Stage
from lotstream.streams.engine.deviations import StageConnection, StageFetcher
from lotstream.streams.engine.exits import OUTAGES, code_of, end_process
from lotstream.streams.engine.pulse import Pulse

STOP_S = 10.0  # for the clients to say good-bye
STALL_SHARE = 0.8  # of a session: beyond it the group may have given the partitions to somebody else


def run(stages: Iterable[Stage], config: EngineConfig) -> None:
    """Run one or more stages in one event loop until SIGTERM or SIGINT, then drain and return.

    Raises TopicsUnfit at the start; later it does not return when something is wrong: see `ExitCode`. Debug logging
    is turned off for the whole process: Faust and aiokafka build their debug messages whether or not anybody reads
    them.
    """
    logging.disable(logging.DEBUG)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    # there is no other way to give a client one of these
    aiokafka.conn.AIOKafkaConnection = StageConnection
    aiokafka.consumer.consumer.Fetcher = StageFetcher
    asyncio.run(_run(tuple(stages), config))


async def _run(stages: tuple[Stage, ...], config: EngineConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(stages, config, stop=stop)


class TopicsUnfit(Exception):
    """A topic that a stage needs is missing or has another number of partitions."""


async def verify_topics(stages: Iterable[Stage], config: EngineConfig) -> None:
    """Sources and changelogs are there with the stage's number of partitions; nothing here ever creates a topic.
    Raises TopicsUnfit."""
    client = AIOKafkaClient(**client_settings(config))
    await client.bootstrap()
    try:
        cluster = await client.fetch_all_metadata()
    finally:
        await client.close()
    for stage in stages:
        for topic in (*stage.sources, *((stage.changelog,) if stage.changelog else ())):
            found = len(cluster.partitions_for_topic(topic) or ())
            if found != stage.partitions:
                raise TopicsUnfit(f"Expected {stage.partitions} partitions of {topic!r}, got {found}.")


async def serve(stages: Iterable[Stage], config: EngineConfig, *, stop: asyncio.Event) -> None:
    """Run stages in the running event loop until `stop` is set, then drain. Raises TopicsUnfit."""
    stages = tuple(stages)
    with _connecting(config):
        await verify_topics(stages, config)
    pulse = _pulse(config)
    apps = [EngineApp(stage, config=config, pulse=pulse) for stage in stages]
    pulse.start()
    tasks = [task for app in apps for task in app.clockwork()]
    for task in tasks:
        task.add_done_callback(lambda done: _end_of_task(done, config))
    try:
        with _connecting(config):
            await asyncio.gather(*(app.start() for app in apps))
        await stop.wait()
        await _stop(apps, config)
    finally:
        pulse.stop()
        for task in tasks:
            task.cancel()


async def _stop(apps: list[EngineApp], config: EngineConfig) -> None:
    """Bounded. What was under way is finished within `drain_s` or left to the next owner; after that nothing is lost by
    an end, while aiokafka's consumer can take a minute over one when its broker is away."""
    stopping = [asyncio.ensure_future(app.stop()) for app in apps]
    _, late = await asyncio.wait(stopping, timeout=config.drain_s + STOP_S)
    if late:
        reason = f"Expected to have stopped in {config.drain_s + STOP_S:.0f} s, {len(late)} stages have not."
        end_process(ExitCode.STUCK, reason, stage="*", on_event=config.on_event)
    await asyncio.gather(*stopping)


@contextmanager
def _connecting(config: EngineConfig) -> Iterator[None]:
    try:
        yield
    except OUTAGES as away:
        reason = f"Expected an answer of {', '.join(config.brokers)}, got {away!r}."
        end_process(ExitCode.AWAY, reason, stage="*", on_event=config.on_event)


def _pulse(config: EngineConfig) -> Pulse:
    def stalled(seconds: float) -> None:
        reason = f"Expected the process to run on, got a standstill of {seconds:.1f} s."
        end_process(ExitCode.STALLED, reason, stage="*", on_event=config.on_event)

    return Pulse(STALL_SHARE * config.session_timeout_s, stalled=stalled)


def _end_of_task(task: asyncio.Task[None], config: EngineConfig) -> None:
    if not task.cancelled() and (bug := task.exception()) is not None:
        end_process(code_of(bug), f"Expected the engine to go on, got {bug!r}.", stage="*", on_event=config.on_event)
