"""`python -m bench.poison`: what 1 % of poison costs, beside the same load without it, in one run.

At the door one item in a hundred is not understood; in reads.v1 one message in a hundred. Rounds with and without take
turns, and the median of the pairs counts. Exits 1 when a good read is missing or a poisoned one left no dead letter,
never for a time.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx
import orjson

from bench.portal import Portal, message, world
from lotstream.readers.gateway import build_app
from lotstream.readers.mapping import Mapping
from lotstream.readers.messages import Message
from lotstream.readers.site_file import SiteFile
from lotstream.runtime.clock import SystemClock
from lotstream.runtime.garbage import spare_garbage_collection
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import GatewaySettings, Settings, TopicSettings
from lotstream.schemas.partitions import partition_of
from lotstream.streams.engine.plain import PlainLog, PlainLoop
from lotstream.streams.smooth.stage import build_stage as build_smooth

EVERY = 100
ITEMS = 200  # in a request at the door
SETTINGS = Settings(
    topics=TopicSettings(partitions=4),
    gateway=GatewaySettings(dead_letters_burst=0, batch_ms=0),  # the flood is wanted
)


@dataclass(frozen=True, slots=True)
class Round:
    """CPU seconds of a round, and how much was good and how much was refused."""

    cpu_s: float
    reads: int
    letters: int


@dataclass(slots=True)
class Delivered:
    """Delivers at once, and counts dead letters."""

    letters: int = 0

    async def send(self, messages: Sequence[Message]) -> None:
        self.letters += sum(message.topic == SETTINGS.topics.name("dead-letters.v1") for message in messages)


def requests(count: int, *, poison: bool) -> list[bytes]:
    """Bodies as an Impinj reader sends them; poisoned items are beside the good ones, not in their place."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    portal = Portal()

    def item(number: int, *, bad: bool) -> dict[str, object]:
        event = {
            "epcHex": "no tag" if bad else portal.epc(number),
            "antennaPort": 1,
            "peakRssiCdbm": -5_000,
            "lastSeenTime": now,
        }
        return {"timestamp": now, "hostname": "r1", "eventType": "tagInventory", "tagInventoryEvent": event}

    bodies = []
    for first in range(0, count * ITEMS, ITEMS):
        items = [item(number, bad=False) for number in range(first, first + ITEMS)]
        if poison:
            items += [item(number, bad=True) for number in range(ITEMS // EVERY)]
        bodies.append(orjson.dumps(items))
    return bodies


async def door(bodies: Sequence[bytes]) -> Round:
    """One round at the door, everything but HTTP's own bytes."""
    sender = Delivered()
    app = build_app(SETTINGS, producer=sender, mapping=Mapping(SiteFile()), clock=SystemClock(), metrics=Metrics())
    reads, costs = 0, list[float]()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        for body in bodies:
            started = time.process_time()
            answer = await client.post("/readers/impinj", content=body)
            costs.append(time.process_time() - started)
            reads += orjson.loads(answer.content)["accepted"]
    return Round(statistics.median(costs) * len(costs), reads, sender.letters)


def log_of(portal: Portal, *, poison: bool) -> PlainLog:
    """reads.v1 of the portal load; behind every hundredth message a copy that is cut short."""
    log = PlainLog(now_us=portal.start_us)
    topic, count = SETTINGS.topics.name("reads.v1"), SETTINGS.topics.partitions
    for number, batch in enumerate(world(portal)):
        log.now_us = max(log.now_us, int(batch.time_us[-1]) + 60_000)
        value = message(portal, batch, received_us=log.now_us - 10_000)
        partition = partition_of(f"dock-{batch.point}", count)
        log.append(topic, partition, value=value)
        if poison and number % EVERY == 0:
            log.append(topic, partition, value=value[:-9])
    return log


def smooth(portal: Portal, *, poison: bool) -> Round:
    """One round of the first stage in the plain loop."""
    log = log_of(portal, poison=poison)
    loop = PlainLoop([build_smooth(SETTINGS)], log=log, turn=8)
    started = time.process_time()
    loop.run()
    cpu_s = time.process_time() - started
    return Round(cpu_s, portal.reads, sum(1 for _ in log.topic(SETTINGS.topics.name("dead-letters.v1"))))


def compare(name: str, run: Callable[[bool], Round], *, rounds: int, letters: int) -> bool:
    """Print both beside each other; whether everything was accounted for."""
    pairs = [(run(False), run(True)) for _ in range(rounds)]
    whole = all(poisoned.reads == clean.reads and poisoned.letters == letters for clean, poisoned in pairs)
    # of each pair, then the median: both halves of a pair meet the same machine
    share = statistics.median(clean.cpu_s / poisoned.cpu_s for clean, poisoned in pairs)
    clean = statistics.median(pair[0].reads / pair[0].cpu_s for pair in pairs)
    row = {
        "workload": "poison",
        "stage": name,
        "clean_reads_s_core": round(clean),
        "poisoned_reads_s_core": round(clean * share),
        "letters": letters,
        "costs_percent": round(100 * (1 - share), 1),
        "whole": whole,
    }
    print(orjson.dumps(row).decode(), flush=True)
    return whole


def main() -> int:
    """Both comparisons; the exit code."""
    parser = argparse.ArgumentParser(prog="bench.poison", description=__doc__)
    parser.add_argument("--requests", type=int, default=20, help=f"requests of {ITEMS} reads in a round at the door")
    parser.add_argument("--batches", type=int, default=5, help="batches of 500 reads per read point (40) in a round")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    bodies = {poison: requests(given.requests, poison=poison) for poison in (False, True)}
    portal = Portal(batches=given.batches)
    spare_garbage_collection()  # as every process of ours
    whole = [
        compare(
            "door",
            lambda poison: asyncio.run(door(bodies[poison])),
            rounds=given.rounds,
            letters=given.requests * ITEMS // EVERY,
        ),
        compare(
            "smooth",
            lambda poison: smooth(portal, poison=poison),
            rounds=given.rounds,
            letters=-(-portal.points * portal.batches // EVERY),
        ),
    ]
    return 0 if all(whole) else 1


if __name__ == "__main__":
    sys.exit(main())
