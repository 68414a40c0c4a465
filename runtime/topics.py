"""Topics on the broker against the topics wanted: what is missing, what differs, and making it so."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from lotstream.runtime.errors import Transient
from lotstream.runtime.kafka import client_config
from lotstream.runtime.settings import KafkaSettings

QUIET: dict[str, str | int | bool | float] = {"log_level": 0}  # failures are raised; librdkafka need not print them too
LOOK_S = 5.0  # one look at the leaders of new topics


@dataclass(frozen=True, slots=True)
class WantedTopic:
    """A topic as it should be on the broker."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """What stands between the broker and the topics wanted."""

    create: tuple[WantedTopic, ...]
    differ: tuple[str, ...]  # one line each: "reads.v1: Expected 24 partitions, got 4."

    @property
    def done(self) -> bool:
        """Whether nothing is missing and nothing differs."""
        return not self.create and not self.differ


class TopicAdmin:
    """The administration of topics; needs create and describe rights, which no process has to have at run time."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._admin = AdminClient(client_config(kafka, client_id="lotstream-topics") | QUIET)

    def plan(self, wanted: Iterable[WantedTopic], *, timeout_s: float = 10.0) -> TopicPlan:
        """Compare. Raises Transient when the broker does not answer."""
        there = self._metadata(timeout_s)
        topics = list(wanted)
        present = [topic for topic in topics if topic.name in there]
        differ = [
            f"{topic.name}: Expected {topic.partitions} partitions, got {there[topic.name]}."
            for topic in present
            if there[topic.name] != topic.partitions
        ]
        for topic, config in self._configs(present, timeout_s):
            differ += [
                f"{topic.name}: Expected {key}={value}, got {config.get(key)}."
                for key, value in topic.config.items()
                if config.get(key) != value
            ]
        return TopicPlan(tuple(topic for topic in topics if topic.name not in there), tuple(differ))

    def apply(self, plan: TopicPlan, *, timeout_s: float = 30.0) -> None:
        """Create what is missing; what differs is left to a person. Raises Transient, KafkaException."""
        if not plan.create:
            return
        made = self._admin.create_topics([
            NewTopic(topic.name, topic.partitions, topic.replication, config=dict(topic.config))
            for topic in plan.create
        ], request_timeout=timeout_s)  # fmt: skip
        for future in made.values():
            try:
                future.result(timeout_s)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
        self._await(plan.create, timeout_s)

    def _await(self, topics: Iterable[WantedTopic], timeout_s: float) -> None:
        """The brokers answer before every new partition has a leader that takes requests."""
        until = time.monotonic() + timeout_s
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # confluent_kafka leaves it untyped
        asked = {TopicPartition(topic.name, number): latest for topic in topics for number in range(topic.partitions)}
        while failed := self._unled(asked):
            if time.monotonic() > until:
                raise Transient(f"Expected leaders of the new topics, got none: {failed}")
            time.sleep(0.05)

    def _unled(self, asked: dict[TopicPartition, OffsetSpec]) -> str:
        """Why not all have a leader, '' when they have."""
        try:
            # the client may wait its whole time on what it learnt before the topics were there: it learns anew
            self._metadata(LOOK_S)
            for future in self._admin.list_offsets(asked, request_timeout=LOOK_S).values():
                future.result(2 * LOOK_S)
        except (KafkaException, Transient, TimeoutError) as error:
            return str(error)
        return ""

    def _metadata(self, timeout_s: float) -> dict[str, int]:
        try:
            topics = self._admin.list_topics(timeout=timeout_s).topics
        except KafkaException as error:
            raise Transient(f"Kafka does not answer: {error.args[0].str()}") from error
        return {name: len(topic.partitions) for name, topic in topics.items()}

    def _configs(self, topics: list[WantedTopic], timeout_s: float) -> Iterable[tuple[WantedTopic, dict[str, Any]]]:
        if not topics:
            return
        resources = {ConfigResource(ResourceType.TOPIC, topic.name): topic for topic in topics}
        for resource, future in self._admin.describe_configs(list(resources), request_timeout=timeout_s).items():
            entries = future.result(timeout_s)
            yield resources[resource], {name: entry.value for name, entry in entries.items()}


@contextmanager
def first_producer(kafka: KafkaSettings) -> Iterator[None]:
    """Around what can be done meanwhile: has a new broker prepare the numbers of idempotent producers.

    It refuses the first producer that asks for one, which asks again after half a second; here nothing waits for that.
    """
    refused = Producer(client_config(kafka, client_id="lotstream-first") | QUIET | {"enable.idempotence": True})
    yield
    refused.flush(0)
