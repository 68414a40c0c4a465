"""What the brokers say of themselves: how many there are, what we may do, and what time they have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AclOperation, AdminClient, OffsetSpec

from lotstream.runtime.errors import Transient
from lotstream.runtime.kafka import client_config
from lotstream.runtime.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class Cluster:
    """The brokers that answer."""

    id: str
    brokers: int
    controller: int


class Brokers:
    """Asks; changes nothing. Every method raises Transient when the brokers do not answer."""

    def __init__(self, kafka: KafkaSettings, *, timeout_s: float = 5.0) -> None:
        # what librdkafka would say of every attempt is in the answer
        self._admin = AdminClient(client_config(kafka, client_id="lotstream-doctor") | {"log_level": 0})
        self._timeout_s = timeout_s

    def cluster(self) -> Cluster:
        """Who they are."""
        try:
            found = self._admin.describe_cluster(request_timeout=self._timeout_s).result(self._timeout_s + 1)
        except (KafkaException, TimeoutError) as error:
            raise Transient(f"Expected the brokers to answer, got {_said(error)}.") from None
        return Cluster(
            found.cluster_id or "", len(found.nodes), -1 if found.controller is None else found.controller.id
        )

    def forbidden(self, topics: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Of READ and WRITE, what the brokers do not allow us; topics with both are left out."""
        asked = TopicCollection(list(topics))
        try:
            answers = self._admin.describe_topics(
                asked, include_authorized_operations=True, request_timeout=self._timeout_s
            )
            found = {name: future.result(self._timeout_s + 1) for name, future in answers.items()}
        except (KafkaException, TimeoutError) as error:
            raise Transient(f"Expected the brokers to tell our rights, got {_said(error)}.") from None
        wanted = {"READ": AclOperation.READ, "WRITE": AclOperation.WRITE}
        lacking = {
            name: tuple(word for word, operation in wanted.items() if operation not in set(topic.authorized_operations))
            for name, topic in found.items()
            if topic.authorized_operations is not None
        }
        return {name: words for name, words in lacking.items() if words}

    def topic_id(self, topic: str) -> str:
        """What tells a topic from every other one that ever had its name. Raises Transient also where there is none."""
        try:
            asked = TopicCollection([topic])
            answer = self._admin.describe_topics(asked, request_timeout=self._timeout_s)[topic]
            found = answer.result(self._timeout_s + 1).topic_id
        except (KafkaException, TimeoutError) as error:
            raise Transient(f"Expected the brokers to tell the id of {topic}, got {_said(error)}.") from None
        if not found.get_most_significant_bits() and not found.get_least_significant_bits():
            raise Transient(f"Expected the brokers to have an id for {topic}, got none: they are too old.")
        return str(found)

    def groups(self) -> frozenset[str]:
        """The consumer groups that there are.

        To be asked before a group's offsets: librdkafka 2.16 ends the process by SIGSEGV when it is asked for the
        offsets of a group on a cluster that has never had one.
        """
        try:
            found = self._admin.list_consumer_groups(request_timeout=self._timeout_s).result(self._timeout_s + 1)
        except (KafkaException, TimeoutError) as error:
            raise Transient(f"Expected the brokers to list groups, got {_said(error)}.") from None
        return frozenset(group.group_id for group in found.valid)

    def newest_us(self, topic: str, *, partitions: int) -> int | None:
        """The newest time that a record of the topic bears, us; None while it is empty."""
        newest = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]  # confluent_kafka leaves it untyped
        asked = {TopicPartition(topic, number): newest for number in range(partitions)}
        try:
            answers = self._admin.list_offsets(asked, request_timeout=self._timeout_s)
            times = [future.result(self._timeout_s + 1).timestamp for future in answers.values()]
        except (KafkaException, TimeoutError) as error:
            raise Transient(f"Expected the brokers to tell times, got {_said(error)}.") from None
        found = [int(time) for time in times if time is not None and time >= 0]
        return max(found) * 1000 if found else None


def _said(error: Exception) -> str:
    return error.args[0].str() if isinstance(error, KafkaException) else "no answer in time"
