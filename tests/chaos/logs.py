"""What the broker holds in the end, read from the first offset on."""

from collections import defaultdict

from confluent_kafka import Consumer, TopicPartition

from lotstream.streams.engine.changelog import ChangelogRecord, ItemReplay, parse_owner
from lotstream.streams.engine.core import Record, Stage
from lotstream.streams.engine.plain import PlainLog
from lotstream.streams.engine.snapshot import SnapshotReplay

Log = dict[int, list[Record]]


class Logs:
    """Topics of the run, each read once."""

    def __init__(self, bootstrap: str, *, partitions: int) -> None:
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._read: dict[str, Log] = {}

    def topic(self, name: str) -> Log:
        """All records of a topic by partition."""
        if name not in self._read:
            self._read[name] = self._fetch(name)
        return self._read[name]

    def records(self, name: str) -> list[Record]:
        """All records of a topic, partition after partition."""
        return [record for _, records in sorted(self.topic(name).items()) for record in records]

    def plain(self, *names: str) -> PlainLog:
        """Sources as the plain loop reads them, at the same offsets and append times."""
        log = PlainLog()
        for name in names:
            for number, records in sorted(self.topic(name).items()):
                for record in records:
                    log.now_us = record.timestamp_us
                    copy = log.append(name, number, value=record.value, key=record.key, headers=record.headers)
                    assert copy.offset == record.offset, f"Expected no hole in {name}, got {record.offset}."
        return log

    def items(self, stage: Stage, number: int) -> tuple[dict[bytes, bytes], dict[str, int]]:
        """State of a partition as its next owner would load it, and for snapshots the offsets that it stands at."""
        assert stage.changelog is not None
        snapshots = stage.name == "smooth"
        replay: ItemReplay | SnapshotReplay = SnapshotReplay() if snapshots else ItemReplay(stage.merge)
        for record in self.topic(stage.changelog).get(number, []):
            replay.take(ChangelogRecord(record.offset, record.key or b"", record.value, parse_owner(record.headers)))
        if isinstance(replay, ItemReplay):
            return replay.items, {}
        items, _, _ = replay.finish()
        return items, {} if replay.marker is None else dict(replay.marker.through)

    def _fetch(self, name: str) -> Log:
        consumer = Consumer(
            {"bootstrap.servers": self._bootstrap, "group.id": "chaos-oracle", "enable.auto.commit": False}
        )
        ends = {
            number: consumer.get_watermark_offsets(TopicPartition(name, number), timeout=10)[1]
            for number in range(self._partitions)
        }
        left = {number: end for number, end in ends.items() if end > 0}
        consumer.assign([TopicPartition(name, number, 0) for number in left])
        found: Log = defaultdict(list)
        while left:
            for each in consumer.consume(500, 0.1):
                if each.error() is not None:
                    continue
                number, offset = each.partition(), each.offset()
                headers = tuple((key, value or b"") for key, value in each.headers() or ())
                time_us = each.timestamp()[1] * 1_000
                found[number].append(Record(name, number, offset, time_us, each.key(), each.value(), headers))
            # a compacted topic may end in a hole: its position says so
            for at in consumer.position([TopicPartition(name, number) for number in left]):
                if at.offset >= ends[at.partition]:
                    left.pop(at.partition, None)
        consumer.close()
        return found
