"""A disk is full to the last byte, and later is not."""

import time

from tests.faults.brokers import spooling
from tests.faults.fault import fault
from tests.faults.ground import Ground
from tests.faults.history import waits


@fault()
def kafka_disk_full(ground: Ground) -> str:
    """Not a byte is left where the broker's logs are: it ends; readers are kept meanwhile."""
    with ground.full("kafka"):
        spooling(ground)
        time.sleep(2.0)
        ended = not ground.kafka.running
    ground.kafka.restart()
    return f"the broker {'ended' if ended else 'refused'}, the gateway spooled; with room again a restart was all"


@fault()
def clickhouse_disk_full(ground: Ground) -> str:
    """No room is left where ClickHouse keeps its parts: less than it sets aside before it writes one."""
    with ground.full("clickhouse", but=512 << 10):
        return waits(ground, "NOT_ENOUGH_SPACE")
