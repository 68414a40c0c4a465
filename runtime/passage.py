"""How far consumer groups are: offsets at the end of topics, and whether a group has committed beyond them."""

import time
from collections.abc import Iterable, Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from lotstream.runtime.errors import Transient
from lotstream.runtime.kafka import client_config
from lotstream.runtime.settings import KafkaSettings
from lotstream.runtime.topics import QUIET

Vector = dict[tuple[str, int], int]


class Passage:
    """Reads offsets; changes nothing."""

    def __init__(self, kafka: KafkaSettings, *, timeout_s: float = 10.0) -> None:
        self._admin = AdminClient(client_config(kafka, client_id="lotstream-passage") | QUIET)
        self._timeout_s = timeout_s

    def ends(self, topics: Iterable[str], *, partitions: int) -> Vector:
        """End offset of every partition of the topics. Raises Transient."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # confluent_kafka leaves it untyped
        asked = {TopicPartition(topic, number): latest for topic in topics for number in range(partitions)}
        try:
            found = self._admin.list_offsets(asked, request_timeout=self._timeout_s)
            return {(at.topic, at.partition): future.result().offset for at, future in found.items()}
        except KafkaException as error:
            raise Transient(f"Kafka does not tell the ends of topics: {error.args[0].str()}") from error

    def committed(self, group: str) -> Vector:
        """What a group has committed. Raises Transient."""
        try:
            # librdkafka 2.16 ends the process by SIGSEGV when it is asked for offsets on a cluster without any group
            listed = self._admin.list_consumer_groups(request_timeout=self._timeout_s).result(self._timeout_s + 1)
            if group not in {known.group_id for known in listed.valid}:
                return {}
            asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
            found = asked[group].result(self._timeout_s).topic_partitions
        except KafkaException as error:
            raise Transient(f"Kafka does not tell the offsets of {group}: {error.args[0].str()}") from error
        return {(at.topic, at.partition): at.offset for at in found if at.offset >= 0}

    def behind(self, group: str, ends: Mapping[tuple[str, int], int]) -> int:
        """Records of ``ends`` that the group has not committed."""
        done = self.committed(group)
        return sum(max(0, end - done.get(at, 0)) for at, end in ends.items())

    def await_passed(self, group: str, ends: Mapping[tuple[str, int], int], *, within_s: float) -> None:
        """Return when the group has committed everything below ``ends``. Raises Transient when time is up."""
        until = time.monotonic() + within_s
        while left := self.behind(group, ends):
            if time.monotonic() > until:
                raise Transient(f"Expected {group} to pass what was sent within {within_s:.0f} s, got {left} left.")
            time.sleep(0.05)
