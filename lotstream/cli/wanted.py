"""The topics table and the settings together: the topics that should be on the broker."""

from lotstream.runtime.settings import Settings
from lotstream.runtime.topics import WantedTopic
from lotstream.schemas.topics import TOPICS, topic_config


def wanted_topics(settings: Settings) -> list[WantedTopic]:
    """Every topic of the table, with the prefix, partitions, replication and retention of the settings."""
    topics = settings.topics
    return [
        WantedTopic(
            name=topics.name(topic.name),
            partitions=topics.partitions,
            replication=topics.replication,
            config=topic_config(topic, retention_ms=-1 if topic.kept is None else topics.retention_ms(topic.kept)),
        )
        for topic in TOPICS
    ]
