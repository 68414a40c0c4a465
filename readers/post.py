"""Messages into Kafka from a command: sent, delivered, and told where they lie."""

import logging
from collections.abc import Callable, Iterable, Sequence

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from lotstream.readers.batches import Target
from lotstream.readers.messages import Message
from lotstream.runtime.errors import Transient
from lotstream.runtime.kafka import client_config
from lotstream.runtime.settings import Settings
from lotstream.runtime.topics import QUIET
from lotstream.schemas.operations import Operation
from lotstream.schemas.topics import OPERATIONS

log = logging.getLogger(__name__)
WITHIN_S = 30.0
_Report = Callable[[KafkaError | None, Delivered], None]


class Post:
    """One idempotent producer (acks=all)."""

    def __init__(self, settings: Settings) -> None:
        self._producer = Producer(
            client_config(settings.kafka, client_id="lotstream-dlq")
            | QUIET
            | {"enable.idempotence": True, "acks": "all", "delivery.timeout.ms": int(WITHIN_S * 1_000)},
            logger=log,
        )
        self._operations = Target(topic=settings.topics.name(OPERATIONS), partitions=settings.topics.partitions)

    def send(self, messages: Sequence[Message]) -> list[str]:
        """topic:partition:offset of each, when all are delivered. Raises Transient when one is not."""
        places = [""] * len(messages)
        failed: list[KafkaError] = []
        for index, message in enumerate(messages):

            def report(error: KafkaError | None, at: Delivered, index: int = index) -> None:
                if error is not None:
                    failed.append(error)
                places[index] = f"{at.topic()}:{at.partition()}:{at.offset()}"

            self._produce(message, report)
        if self._producer.flush(WITHIN_S) or failed:
            said = failed[0].name() if failed else "no answer in time"
            raise Transient(f"Expected Kafka to take {len(messages)} messages, got {said}.")
        return places

    def record(self, operations: Iterable[Operation]) -> None:
        """Into the audit. Raises Transient."""
        self.send([self._operations.message(done.subject, done.encode()) for done in operations])

    def _produce(self, message: Message, report: _Report) -> None:
        try:
            self._producer.produce(
                message.topic,
                message.value,
                message.key or None,
                message.partition,
                on_delivery=report,
                headers=list(message.headers),
            )
        except (BufferError, KafkaException) as error:
            raise Transient(f"Expected Kafka to take a message, got {error}.") from error
        self._producer.poll(0)
