"""Reads changelog partitions in bulk, each from its start, or from behind a copy of it, up to the owner's own fence.

Faust reads a changelog record by record through its stream machinery, 16 k records a second. This is a private
consumer without a group whose fetches go straight into the replay.
"""

from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from lotstream.streams.engine.changelog import ChangelogRecord, parse_owner

BATCH_RECORDS = 4_000
READ_TIMEOUT_MS = 200
PARTITION_FETCH_BYTES = 4 << 20

Take = Callable[[ChangelogRecord], None]


async def load_changelog(
    topic: str,
    fences: Mapping[int, int],
    *,
    takes: Mapping[int, Take],
    starts: Mapping[int, int],
    client: Mapping[str, object],
) -> int:
    """Give the records of each partition in `fences` (number -> offset of the own fence) to its `takes`.

    `starts` are the offsets to begin at, 0 for whatever is there first. `client` are the connection settings of an
    aiokafka client. Returns the number of records read.
    """
    consumer = AIOKafkaConsumer(
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=20,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        **client,
    )
    await consumer.start()
    try:
        left = {TopicPartition(topic, number): fence for number, fence in fences.items()}
        consumer.assign(list(left))
        await consumer.seek_to_beginning(*(place for place in left if not starts[place.partition]))
        for place in left:
            if starts[place.partition]:
                consumer.seek(place, starts[place.partition])
        return await _read(consumer, left, takes=takes)
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, left: dict[TopicPartition, int], *, takes: Mapping[int, Take]) -> int:
    read = 0
    while left:
        fetched = await consumer.getmany(*left, timeout_ms=READ_TIMEOUT_MS, max_records=BATCH_RECORDS)
        for place, records in fetched.items():
            take, fence = takes[place.partition], left[place]
            for record in records:
                if record.offset > fence:
                    break
                if record.key is not None:
                    take(ChangelogRecord(record.offset, record.key, record.value, parse_owner(record.headers)))
                    read += 1
            if records[-1].offset >= fence:
                del left[place]
                consumer.pause(place)
    return read
