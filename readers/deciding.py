"""Decisions of a command: sent to the gateway, and the answer to a claim waited for."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from confluent_kafka import Consumer, KafkaException, TopicPartition

from lotstream.runtime.errors import Reason, Rejected, Transient
from lotstream.runtime.kafka import client_config
from lotstream.runtime.retry import persist
from lotstream.runtime.settings import Settings
from lotstream.runtime.topics import QUIET
from lotstream.schemas.base import decode
from lotstream.schemas.decisions import DecisionContent
from lotstream.schemas.lots import LOTS_MESSAGE, LotNumber
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.topics import LOTS

PATH = "/decisions"
ANSWERED_S = 30.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where decisions are sent, and as whom."""

    url: str
    token: str = ""

    def send(self, contents: Sequence[DecisionContent], *, within_s: float = ANSWERED_S) -> None:
        """Returns when they are in the log. Raises Rejected; Transient when the gateway does not take them in time."""
        body = b"[" + b",".join(content.encode() for content in contents) + b"]"
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"

        def attempt() -> httpx.Response:
            try:
                response = httpx.post(self.url + PATH, content=body, headers=headers, timeout=within_s)
            except httpx.TransportError as error:
                hint = "Is it up? See: lotstream status."
                raise Transient(
                    f"Expected the gateway at {self.url} to answer, got {type(error).__name__}. {hint}"
                ) from None
            if response.status_code in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS):
                raise Transient(f"Expected the gateway to take it, got {response.status_code}.")
            return response

        response = persist(attempt, stop=threading.Event(), within_s=within_s)
        if response.is_error:
            raise _refused(response)


def _refused(response: httpx.Response) -> Rejected:
    try:
        said = response.json()
    except ValueError:
        said = {}
    detail = said.get("detail") or f"Expected the gateway to take it, got {response.status_code}."
    return Rejected(Reason.SCHEMA_INVALID, str(detail), field=said.get("field") or None)


class Answers:
    """What the register says from now on to claims of one GTIN."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def wait(self, claim: str, *, within_s: float = ANSWERED_S) -> LotNumber:
        """The answer to a claim. Raises Transient when there is none in time."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            for message in self._consumer.consume(100, _POLL_S):
                if message.error() is None:
                    said = _parsed(message.value())
                    if said is not None and said.claim == claim:
                        return said
        again = f"It may come yet: the same command with --claim {claim} asks for the same number."
        raise Transient(f"Expected an answer of the register within {within_s:.0f} s, got none. {again}")


def _parsed(value: bytes | None) -> LotNumber | None:
    try:
        said = decode(LOTS_MESSAGE, value)
    except Rejected:
        return None  # of a later version
    return said if isinstance(said, LotNumber) else None


@contextmanager
def answers(settings: Settings, gtin: str) -> Iterator[Answers]:
    """Listens where the answers to claims of a GTIN-14 come, before they are sent. Raises Transient."""
    topic = settings.topics.name(LOTS)
    place = TopicPartition(topic, partition_of(f"01/{gtin}", settings.topics.partitions))
    config = client_config(settings.kafka, client_id="lotstream-lot") | QUIET
    never_used = {"group.id": "lotstream-lot", "enable.auto.commit": False}
    consumer = Consumer(config | never_used | {"fetch.wait.max.ms": 50})
    try:
        _, end = consumer.get_watermark_offsets(place, timeout=10.0)
        consumer.assign([TopicPartition(topic, place.partition, end)])
        yield Answers(consumer)
    except KafkaException as error:
        raise Transient(f"Expected the brokers to give {topic}, got {error.args[0].str()}.") from error
    finally:
        consumer.close()
