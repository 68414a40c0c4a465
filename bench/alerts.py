"""`python -m bench.alerts`: how soon held goods that are read raise an alert, at half load, on a real broker.

Measured from Kafka's own append time of the read batch to the instant at which a client has read the alert that it
raised: the whole way through smooth, resolve and locate, and one fetch more than is promised.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.measure import percentile_ms
from bench.pipeline import LIVE_POINTS, SENT_AFTER_S, Broker, commission, running
from bench.portal import SECOND, Portal, gtin, message, world
from lotstream.runtime.settings import Settings, TopicSettings
from lotstream.schemas.alerts import ALERT, Alert, AlertState
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.events import HoldDecision
from lotstream.schemas.lots import HoldAction
from lotstream.schemas.reads import ReadBatch, decode_reads

PROMISED_MS = 250.0
LOTS = 400  # small ones, so that held goods come all the time
SETTLED_S = 1.0


def hold(broker: Broker, portal: Portal, *, every: int) -> None:
    """Hold every so many lots, and wait until locate knows. Lots pass the doors one after the other."""
    producer = broker.producer()
    for number in range(0, portal.lots, every):
        said = HoldDecision(
            hold="H1",
            lot=f"01/{gtin()}/10/L{number:04d}",
            action=HoldAction.PLACE,
            by="bench",
            reason="bench",
            at_us=portal.start_us,
            decision=f"hold {number}",
            subject=gtin(),
            stamp=Stamp(received_us=portal.start_us, origin=Origin.LIVE, source="bench", request="hold"),
        )
        broker.send(producer, "events.v1", key=said.subject, value=said.encode())
    producer.flush()
    broker.wait_committed("register", "events.v1", ends=broker.ends("events.v1"))
    broker.wait_committed("locate", "lots.v1", ends=broker.ends("lots.v1"))


@contextmanager
def followed(broker: Broker) -> Iterator[list[tuple[Alert, float]]]:
    """Alerts as a client reads them, each with the instant at which it has it."""
    consumer, found, done = broker.follow("alerts.v1"), [], threading.Event()

    def listen() -> None:
        while not done.is_set():
            for each in consumer.consume(100, 0.05):
                found.append((ALERT.validate_json(each.value() or b""), time.time()))

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield found
    finally:
        done.set()
        listener.join()
        consumer.close()


def play(broker: Broker, portal: Portal) -> None:
    """All batches in real time, each at its own instant of the half second."""
    producer = broker.producer()
    for place, batch in enumerate(world(portal)):
        door = f"dock-{batch.point}"
        due_us = int(batch.time_us[-1]) + SENT_AFTER_S * SECOND + (place % portal.points) * 500_000 / portal.points
        time.sleep(max(0.0, (due_us - time.time() * SECOND) / SECOND))
        broker.send(producer, "reads.v1", key=door, value=message(portal, batch, received_us=int(time.time() * SECOND)))
    producer.flush()


def settle(broker: Broker) -> None:
    """Return when every stage has worked off what came in."""
    for stage, topic in (("smooth", "reads.v1"), ("resolve", "sightings.v1"), ("locate", "lot-sightings.v1")):
        broker.wait_committed(stage, topic, ends=broker.ends(topic))
    time.sleep(SETTLED_S)


def latencies(broker: Broker, found: list[tuple[Alert, float]]) -> list[float]:
    """Seconds from the append of the batch that raised each alert; the batch is known by its receive stamp."""
    appended: dict[int, float] = {}
    for record in broker.records("reads.v1"):
        batch = decode_reads(record.value)
        if isinstance(batch, ReadBatch):
            appended[batch.stamp.received_us] = record.timestamp_us / SECOND
    return [at - appended[alert.recorded_us] for alert, at in found if is_raised(alert)]


def is_raised(alert: Alert) -> bool:
    """Whether this version is the first word of an alert."""
    return alert.version == 1 and alert.state is AlertState.RAISED


def main() -> int:
    """Print the percentiles; exit 1 when the promise is not kept."""
    parser = argparse.ArgumentParser(prog="bench.alerts", description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="of live load, after 5 s to warm up")
    parser.add_argument("--points", type=int, default=LIVE_POINTS, help="read points, 1,000 reads a second each")
    parser.add_argument("--every", type=int, default=20, help="of so many lots one is held")
    given = parser.parse_args()
    portal = Portal(points=given.points, batches=10, lots=LOTS, start_us=int(time.time()) * SECOND)
    settings = Settings(topics=TopicSettings(partitions=4))
    with tempfile.TemporaryDirectory() as directory, running(settings, Path(directory)) as (broker, _):
        commission(broker, portal)
        hold(broker, portal, every=given.every)
        play(broker, replace(portal, start_us=int((time.time() + 1.0) * SECOND)))
        settle(broker)
        live = replace(portal, start_us=int((time.time() + 1.0) * SECOND), batches=2 * given.seconds, seed=2)
        with followed(broker) as found:
            play(broker, live)
            settle(broker)
        seconds = latencies(broker, found)
    print(json.dumps(told(seconds, reads_s=live.reads // given.seconds), indent=1))
    p99 = percentile_ms(seconds, 0.99)
    return 0 if p99 is not None and p99 <= PROMISED_MS else 1


def told(seconds: list[float], *, reads_s: int) -> dict[str, float | int | None]:
    """What was measured."""
    return {
        "reads_s": reads_s,
        "alerts_raised": len(seconds),
        "p50_ms": percentile_ms(seconds, 0.5),
        "p99_ms": percentile_ms(seconds, 0.99),
        "max_ms": percentile_ms(seconds, 1.0),
    }


if __name__ == "__main__":
    sys.exit(main())
