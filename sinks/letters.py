"""Dead letters of a sink: the untouched message with the reason, in Kafka before its offset is committed."""

import logging
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from lotstream.runtime.clock import Clock
from lotstream.runtime.errors import Rejected
from lotstream.runtime.settings import Settings
from lotstream.schemas.operations import DeadLetter, carried, park_command
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.topics import DEAD_LETTERS
from lotstream.sinks.rows import Message, Sink

log = logging.getLogger(__name__)

FLUSH_S = 30.0
_DETAIL = 2_000


class Naming:
    """When deciding a message ends the process, the end says which message, and how to go on without it."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, Rejected):
            error.add_note(f"Expected rows of {self._message.where}, got none. {park_command(self._message.where)}")


class Letters:
    """Writes dead letters of one sink."""

    def __init__(self, sink: Sink, *, settings: Settings, clock: Clock, config: Mapping[str, Any]) -> None:
        self._sink = sink
        self._settings = settings
        self._clock = clock
        self._config = {**config, "acks": "all", "enable.idempotence": True}

    def write(self, rejected: Sequence[tuple[Message, Rejected]]) -> None:
        """Return when all are in Kafka. Raises KafkaException."""
        if not rejected:
            return
        if self._sink.topic == DEAD_LETTERS:
            # a dead letter of a dead letter would go round for ever; it stays in its topic
            for message, why in rejected:
                log.error("dead letter %s is not in ClickHouse: %s", message.where, why)
            return
        failed: list[KafkaError] = []
        producer = Producer(self._config)
        for message, why in rejected:
            letter = self._letter(message, why)
            producer.produce(
                self._settings.topics.name(DEAD_LETTERS),
                message.value,
                partition=partition_of(letter.source, self._settings.topics.partitions),
                key=letter.source.encode(),
                headers=list(letter.headers() + carried(message.key, message.headers)),
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )
        if producer.flush(FLUSH_S) or failed:
            raise KafkaException(failed[0] if failed else KafkaError(KafkaError._MSG_TIMED_OUT))

    def _letter(self, message: Message, why: Rejected) -> DeadLetter:
        return DeadLetter(
            reason=why.reason,
            detail=why.detail[:_DETAIL],
            field=why.field or "",
            source=f"sink-{self._sink.name}",
            stage="sink",
            origin=message.where,
            received_us=self._clock.now_us(),
        )
