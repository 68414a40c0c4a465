"""What is sent to Kafka, and the promise of whoever sends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lotstream.schemas.operations import Headers


@dataclass(frozen=True, slots=True)
class Message:
    """One message for an explicit partition; ``topic`` is the full name."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: Headers = ()

    def moved(self, partition: int) -> "Message":
        """The same in a partition of the topic."""
        if partition == self.partition:
            return self
        return Message(self.topic, partition, self.key, self.value, self.headers)


class Sender(Protocol):
    """Hands messages to the brokers."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Returns when the brokers have every message (acks=all). Raises Transient when they did not take one."""
        ...
