"""Whether the gateway can take anything in: the brokers answer, the topics are there, the mapping is in the log."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from lotstream.runtime.errors import Transient
from lotstream.runtime.health import Health
from lotstream.runtime.kafka import client_config
from lotstream.runtime.settings import Settings
from lotstream.schemas.topics import BLIND_WINDOWS, DEAD_LETTERS, EVENTS, READS

log = logging.getLogger(__name__)
TOPICS_CHECK = "topics"
MAPPING_CHECK = "mapping"
CHECKS = (TOPICS_CHECK, MAPPING_CHECK)
_TIMEOUT_S = 5.0


class TopicsCheck:
    """Asks the brokers for the topics that the gateway writes to."""

    def __init__(self, settings: Settings) -> None:
        # the check's own word says what is wrong; librdkafka's would only repeat it on stderr
        quiet = {"log_level": 0}
        self._admin = AdminClient(client_config(settings.kafka, client_id="lotstream-gateway-check") | quiet)
        self._names = [settings.topics.name(name) for name in (READS, EVENTS, BLIND_WINDOWS, DEAD_LETTERS)]
        self._partitions = settings.topics.partitions

    async def __call__(self) -> str:
        """'' when every topic is there with its partitions, else what was expected and got. Raises Transient."""
        return await asyncio.get_running_loop().run_in_executor(None, self._fault)

    def _fault(self) -> str:
        try:
            found = self._admin.list_topics(timeout=_TIMEOUT_S).topics
        except KafkaException as error:
            raise Transient(f"Expected the brokers to answer, got {error.args[0].name()}.") from error
        return topics_fault(
            {name: len(topic.partitions) for name, topic in found.items()}, self._names, partitions=self._partitions
        )


def topics_fault(found: dict[str, int], names: Sequence[str], *, partitions: int) -> str:
    """What is wrong with the topics found (name -> partitions), or ''."""
    for name in names:
        if name not in found:
            return f"Expected topic {name!r}, got none."
        if found[name] != partitions:
            return f"Expected {partitions} partitions of {name!r}, got {found[name]}."
    return ""


async def keep_checking(
    check: TopicsCheck, health: Health, *, takes: Callable[[], bool], every_s: float = 5.0, retry_s: float = 0.2
) -> None:
    """Set the health check of the topics, for ever; beats as it goes.

    While the brokers do not answer the gateway is as ready as what it ``takes`` without them.
    """
    while True:
        try:
            fault = await check()
            ok = not fault
        except Transient as away:
            fault, ok = away.detail, takes()
        health.set(TOPICS_CHECK, ok, fault)
        health.beat()
        await asyncio.sleep(retry_s if fault else every_s)
