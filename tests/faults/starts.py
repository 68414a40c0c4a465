"""What is wrong when a process starts: it says so and ends, or waits, and nothing is harmed."""

import time

from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse
from lotstream.deploy.embedded.kafka import EmbeddedKafka
from lotstream.deploy.embedded.rundir import DirectoryInUse
from tests.faults.fault import Misbehaved, expect, fault
from tests.faults.ground import Ground


@fault(under_load=False)
def wrong_partition_count(ground: Ground) -> str:
    """A gateway that is told of more partitions than there are is not ready, and says what it expected."""
    with ground.extra("gateway", LOTSTREAM_TOPICS__PARTITIONS="6") as extra:
        said = extra.unready()
    expect("Expected 6 partitions" in said, f"Expected the number of partitions to be told, got {said!r}.")
    return f"not ready: {said[:150]}"


@fault(under_load=False)
def worker_with_wrong_partition_count(ground: Ground) -> str:
    """A worker likewise does not start."""
    return ground.refuses("worker", "all", said="partitions", LOTSTREAM_TOPICS__PARTITIONS="6")


@fault(under_load=False)
def missing_topic(ground: Ground) -> str:
    """A gateway of another prefix finds no topic: not ready, with its name."""
    with ground.extra("gateway", LOTSTREAM_TOPICS__PREFIX="nowhere.") as extra:
        said = extra.unready()
    expect("nowhere.reads.v1" in said, f"Expected the missing topic to be told, got {said!r}.")
    return f"not ready: {said[:150]}"


@fault(under_load=False)
def worker_with_missing_topic(ground: Ground) -> str:
    """A worker of another prefix never becomes ready: it waits for its topics, or ends."""
    with ground.extra("worker", "--name", "extra", "all", LOTSTREAM_TOPICS__PREFIX="nowhere.") as extra:
        until = time.monotonic() + 15.0
        while extra.child.running and time.monotonic() < until:
            expect(not extra.ready("extra"), "Expected a worker that is not ready, got one that is.")
            time.sleep(0.5)
        return "ended" if not extra.child.running else "waited, not ready"


def _second(start: "EmbeddedKafka | EmbeddedClickHouse") -> str:
    try:
        start.start()
    except DirectoryInUse as refused:
        return str(refused)
    start.stop()
    raise Misbehaved("Expected the directory to be refused, got a second owner.")


@fault(under_load=False)
def second_owner_of_kafkas_directory(ground: Ground) -> str:
    """Another broker is given the data of the one that runs."""
    return _second(EmbeddedKafka(ground.directory / "kafka")).replace(str(ground.directory), "")


@fault(under_load=False)
def second_owner_of_clickhouses_directory(ground: Ground) -> str:
    """Another engine is given the data of the one that runs."""
    other = EmbeddedClickHouse(ground.directory / "clickhouse", users=[], log_file=ground.run_dir / "second.log")
    return _second(other).replace(str(ground.directory), "")


@fault(under_load=False)
def unknown_setting(ground: Ground) -> str:
    """A setting that nobody knows is never ignored."""
    return ground.refuses("sink", "all", said="Expected a known setting", LOTSTREAM_SINK__BATCH_ROW="1")
