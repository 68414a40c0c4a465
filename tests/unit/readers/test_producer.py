"""The bridge to librdkafka, without a broker."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from lotstream.readers.messages import Message
from lotstream.readers.producer import KafkaSender
from lotstream.runtime.errors import Transient
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import KafkaSettings

NOWHERE = KafkaSettings(bootstrap="127.0.0.1:1")
MESSAGES = [Message("t", 0, b"k", b"v" * 1_000)] * 3


class FatalProducer:
    """Takes nothing ever again."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.purged = False

    def produce(self, *_: Any, **__: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._FATAL))

    def poll(self, seconds: float) -> None: ...

    def purge(self) -> None:
        self.purged = True

    def flush(self, seconds: float) -> None: ...


class FullProducer(FatalProducer):
    """Its queue has no room."""

    def produce(self, *_: Any, **__: Any) -> None:
        raise BufferError


def _send(build: Callable[..., Any] = Producer, **limits: Any) -> list[str]:
    """What two sends end in."""

    async def scenario() -> list[str]:
        sender = KafkaSender(NOWHERE, metrics=Metrics(), within_s=0.3, build=build, **limits)
        sender.start()
        failures = []
        for _ in range(2):
            try:
                await sender.send(MESSAGES)
            except Transient as outage:
                failures.append(outage.detail)
        assert sender.pending_bytes == 0
        await sender.close()
        return failures

    return asyncio.run(scenario())


def test_brokers_that_are_away_are_an_outage() -> None:
    """A message that is not taken in time fails its send, and nothing stays counted as pending."""
    assert len(_send()) == 2


def test_a_full_queue_is_an_outage() -> None:
    """When librdkafka has no room the sender hears it."""
    assert _send(FullProducer) == ["Expected Kafka to take it, got _QUEUE_FULL."] * 2


def test_a_fatal_producer_is_replaced() -> None:
    """After a fatal error another producer is built, and the old one gives up what it holds."""
    built: list[FatalProducer] = []

    def build(*words: Any, **names: Any) -> FatalProducer:
        built.append(FatalProducer() if len(built) < 1 else FullProducer())
        return built[-1]

    assert _send(build) == [
        "Expected Kafka to take it, got _FATAL.",
        "Expected Kafka to take it, got _QUEUE_FULL.",
    ]
    assert len(built) == 2
    assert built[0].purged


def test_more_than_may_wait_is_refused_at_once() -> None:
    """While too many bytes wait for the brokers, a further send fails without waiting."""

    async def scenario() -> None:
        sender = KafkaSender(NOWHERE, metrics=Metrics(), within_s=0.5, max_pending_bytes=4_000)
        sender.start()
        first = asyncio.create_task(sender.send(MESSAGES))
        await asyncio.sleep(0)
        with pytest.raises(Transient, match="too many bytes"):
            await asyncio.wait_for(sender.send(MESSAGES), 0.2)
        with pytest.raises(Transient, match="take it"):
            await first
        await sender.close()

    asyncio.run(scenario())


def test_an_impatient_send_hears_of_the_outage_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose data can be kept elsewhere is not held until the brokers' own time is over."""
    monkeypatch.setattr("lotstream.readers.producer.PATIENCE_S", 0.2)

    async def scenario() -> None:
        sender = KafkaSender(NOWHERE, metrics=Metrics(), within_s=3.0)
        sender.start()
        patient = asyncio.create_task(sender.send(MESSAGES))
        with pytest.raises(Transient, match="_TIMED_OUT"):
            await asyncio.wait_for(sender.send(MESSAGES, patient=False), 2.0)
        assert not patient.done()
        assert sender.pending_bytes == 2 * 3_000
        with pytest.raises(Transient, match="_MSG_TIMED_OUT"):
            await patient
        await sender.close()

    asyncio.run(scenario())
