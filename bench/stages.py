"""Each stage alone, in the plain loop: no Kafka, no Faust, the cost of decisions, decoding and encoding."""

import time
from collections.abc import Iterable

from bench.measure import Row, own_rss_mb, row
from bench.portal import SECOND, Portal, commissionings, message, world
from bench.reference import expected_sightings, standing
from lotstream.runtime.settings import Settings
from lotstream.schemas.movements import decode_movements
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.reads import SourceEnd
from lotstream.schemas.sightings import Sighting, State, decode_lot_sightings, decode_sightings
from lotstream.streams.engine.core import Core, Output, Record, Stage
from lotstream.streams.engine.plain import PlainLog, PlainLoop
from lotstream.streams.locate.stage import build_stage as build_locate
from lotstream.streams.register.stage import build_stage as build_register
from lotstream.streams.resolve.stage import build_stage as build_resolve
from lotstream.streams.smooth.stage import build_stage as build_smooth

ARRIVAL_US = 60_000  # from the last read of a batch to its append time


class Timed:
    """A core whose decisions are timed, one by one."""

    def __init__(self, core: Core, seconds: list[float]) -> None:
        self._core = core
        self._seconds = seconds
        self.load = core.load
        self.changes = core.changes

    def apply(self, record: Record) -> Iterable[Output]:
        start = time.perf_counter()
        outputs = self._core.apply(record)
        self._seconds.append(time.perf_counter() - start)
        return outputs


def timed(stage: Stage, seconds: list[float]) -> Stage:
    """The stage, with its decisions timed."""
    return Stage(
        name=stage.name,
        sources=stage.sources,
        partitions=stage.partitions,
        build=lambda partition: Timed(stage.build(partition), seconds),
        changelog=stage.changelog,
        acknowledge=stage.acknowledge,
        merge=stage.merge,
        idle=stage.idle,
    )


def fill(log: PlainLog, portal: Portal, *, settings: Settings) -> None:
    """Commissionings and all reads, appended when they arrive."""
    name, count = settings.topics.name, settings.topics.partitions
    log.now_us = portal.start_us
    for event in commissionings(portal):
        log.append(name("events.v1"), partition_of(event.subject, count), value=event.encode())
    for batch in world(portal):
        log.now_us = max(log.now_us, int(batch.time_us[-1]) + ARRIVAL_US)
        value = message(portal, batch, received_us=log.now_us - 10_000)
        log.append(name("reads.v1"), partition_of(f"dock-{batch.point}", count), value=value)
    log.now_us += 10 * SECOND


def close(log: PlainLog, portal: Portal, *, settings: Settings) -> None:
    """End every source: what is open closes."""
    name, count = settings.topics.name, settings.topics.partitions
    for point in range(portal.points):
        end = SourceEnd(source=f"reader-{point}", door=f"dock-{point}")
        log.append(name("reads.v1"), partition_of(end.door, count), value=end.encode())


def measure_stages(portal: Portal, settings: Settings) -> list[Row]:
    """One row per stage that reads pass through."""
    log = PlainLog()
    fill(log, portal, settings=settings)
    close(log, portal, settings=settings)
    PlainLoop([build_register(settings)], log=log).run()
    rows = []
    checks = {"smooth": _smooth_equal, "resolve": _resolve_equal, "locate": _locate_equal}
    for build in (build_smooth, build_resolve, build_locate):
        seconds: list[float] = []
        stage = timed(build(settings), seconds)
        loop = PlainLoop([stage], log=log, turn=8)
        start = time.process_time()
        loop.run()
        cpu_s = time.process_time() - start
        if stage.idle is not None:
            loop.idle()
        equal = checks[stage.name](log, portal=portal, settings=settings)
        rows.append(
            row(stage.name, reads=portal.reads, cpu_s=cpu_s, latencies_s=seconds, rss_mb=own_rss_mb(), equal=equal)
        )
    return rows


def sightings_of(log: PlainLog, settings: Settings) -> Iterable[Sighting]:
    """All direct sightings of the log."""
    for record in log.topic(settings.topics.name("sightings.v1")):
        yield from (each for each in decode_sightings(record.value) if not each.form.declaration.event)


def _smooth_equal(log: PlainLog, *, portal: Portal, settings: Settings) -> bool:
    stream = settings.stream
    expected = expected_sightings(
        portal, world(portal), silence_us=round(stream.silence_s * SECOND), observe=stream.observe_count
    )
    return standing(sightings_of(log, settings)) == expected


def _resolve_equal(log: PlainLog, *, portal: Portal, settings: Settings) -> bool:
    rows = [
        each.sighting
        for record in log.topic(settings.topics.name("lot-sightings.v1"))
        for each in decode_lot_sightings(record.value)
    ]
    told = standing(each for each in rows if not each.form.declaration.event)
    seen = standing(sightings_of(log, settings))
    # what runs are made of stays behind: a lot wants to know where and when
    return {fact: word[:-1] for fact, word in told.items()} == {fact: word[:-1] for fact, word in seen.items()}


def where_now(records: Iterable[Record]) -> dict[str, str]:
    """The location that each unit's newest movement tells."""
    newest: dict[str, tuple[int, tuple[int, ...], str]] = {}
    for record in records:
        for each in decode_movements(record.value):
            told = (each.at_us, tuple(each.version), each.location)
            newest[each.unit] = max(newest.get(each.unit, told), told)
    return {unit: location for unit, (_, _, location) in newest.items()}


def where_seen(sightings: Iterable[Sighting]) -> dict[str, str]:
    """The location of each unit's newest observed sighting: of the newest slot the one that was read last."""
    newest: dict[str, tuple[int, int, str]] = {}
    for (tag, _, slot), (location, state, _, _, runs) in standing(sightings).items():
        if state == State.GLIMPSED:
            continue
        seen = (slot, runs[-1][1], location)
        newest[tag] = max(newest.get(tag, seen), seen)
    return {unit: location for unit, (_, _, location) in newest.items()}


def _locate_equal(log: PlainLog, *, portal: Portal, settings: Settings) -> bool:
    seen = where_seen(sightings_of(log, settings))
    moved = where_now(log.topic(settings.topics.name("movements.v1")))
    return {unit: moved.get(unit) for unit in seen} == seen
