"""`python -m bench.poison`: what 1 % of poison costs, beside the same load without it, in one run.

At the door one item in a hundred is not understood, of as many with poison as without, spread evenly: two of every
request, so that none is without. In reads.v1 one message more comes with every hundred. The door is the gateway's own
process with HTTP before it, sixteen readers at once and a broker behind it: the CPU time of its threads counts, that of
the client does not. A round with and one without are neighbours, now the one first, now the other, so that both meet
the same machine; the median of what each pair says counts. Exits 1 when poison costs 5 % of the throughput or more,
when a read is missing, or when a poisoned one left no dead letter.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median, quantiles

import orjson

from bench.door import Door, running_door
from bench.portal import Portal, message, world
from lotstream.runtime.garbage import spare_garbage_collection
from lotstream.runtime.settings import Settings, TopicSettings
from lotstream.schemas.partitions import partition_of
from lotstream.streams.engine.plain import PlainLog, PlainLoop
from lotstream.streams.smooth.stage import build_stage as build_smooth

EVERY = 100
DOORS = 16  # requests under way at once, as of so many readers
ITEMS = 200  # in a request at the door
ALLOWED = 0.05
SETTINGS = Settings(topics=TopicSettings(partitions=4))
DEAD_LETTERS = SETTINGS.topics.name("dead-letters.v1")


@dataclass(frozen=True, slots=True)
class Round:
    """CPU seconds of a round, the reads that were answered for, and the letters among them or beside them."""

    cpu_s: float
    reads: int
    letters: int


def requests(count: int, *, poison: bool) -> list[bytes]:
    """Bodies as an Impinj reader sends them, as many items with poison as without."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    portal = Portal()

    def item(number: int, *, bad: bool) -> dict[str, object]:
        event = {
            "epcHex": f"no tag {number}" if bad else portal.epc(number),
            "antennaPort": 1,
            "peakRssiCdbm": -5_000,
            "lastSeenTime": now,
        }
        return {"timestamp": now, "hostname": reader, "eventType": "tagInventory", "tagInventoryEvent": event}

    bodies = []
    for first in range(0, count * ITEMS, ITEMS):
        reader = f"r{first // ITEMS % DOORS}"
        items = [item(number, bad=poison and number % EVERY == 0) for number in range(first, first + ITEMS)]
        bodies.append(orjson.dumps(items))
    return bodies


def door(gateway: Door, bodies: Sequence[bytes]) -> Round:
    """One round at the door."""
    before, letters = gateway.cpu_s(), gateway.sent(DEAD_LETTERS)
    with ThreadPoolExecutor(DOORS) as doors:
        answers = list(doors.map(lambda body: gateway.post("/readers/impinj", body), bodies))
    cpu_s = gateway.cpu_s() - before
    counts = [orjson.loads(answer.content) for answer in answers]
    reads = sum(count["accepted"] + count["rejected"] for count in counts)
    return Round(cpu_s, reads, gateway.sent(DEAD_LETTERS) - letters)


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
    """Print both beside each other; whether everything was accounted for, at an allowed cost."""
    pairs = [_pair(run, poisoned_first=bool(number % 2)) for number in range(rounds)]
    whole = all(poisoned.reads == clean.reads and poisoned.letters == letters for clean, poisoned in pairs)
    clean, poisoned = (median(each.cpu_s / each.reads for each in halves) for halves in zip(*pairs, strict=True))
    least, costs, most = quantiles((1 - clean.cpu_s / poisoned.cpu_s for clean, poisoned in pairs), n=4)
    row = {
        "workload": "poison",
        "stage": name,
        "clean_reads_s_core": round(1 / clean),
        "poisoned_reads_s_core": round(1 / poisoned),
        "letters": letters,
        "costs_percent": round(100 * costs, 1),
        "quartiles_percent": [round(100 * least, 1), round(100 * most, 1)],
        "whole": whole,
    }
    print(orjson.dumps(row).decode(), flush=True)
    return whole and costs < ALLOWED


def _pair(run: Callable[[bool], Round], *, poisoned_first: bool) -> tuple[Round, Round]:
    first, second = run(poisoned_first), run(not poisoned_first)
    return (second, first) if poisoned_first else (first, second)


def main() -> int:
    """Both comparisons; the exit code."""
    parser = argparse.ArgumentParser(prog="bench.poison", description=__doc__)
    parser.add_argument("--requests", type=int, default=64, help=f"requests of {ITEMS} reads in a round at the door")
    parser.add_argument("--batches", type=int, default=5, help="batches of 500 reads per read point (40) in a round")
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    bodies = {poison: requests(given.requests, poison=poison) for poison in (False, True)}
    portal = Portal(batches=given.batches)
    with running_door(GATEWAY__DEAD_LETTERS_BURST="0") as gateway:  # the flood is wanted
        held = compare(
            "door",
            lambda poison: door(gateway, bodies[poison]),
            rounds=given.rounds,
            letters=given.requests * ITEMS // EVERY,
        )
    spare_garbage_collection()  # as every process of ours
    held &= compare(
        "smooth",
        lambda poison: smooth(portal, poison=poison),
        rounds=given.rounds,
        letters=-(-portal.points * portal.batches // EVERY),
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
