"""The worker process: one or more stages on the engine, their events turned into metrics and health."""

import importlib
import importlib.util
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from lotstream.runtime.brokers import Brokers
from lotstream.runtime.clock import SystemClock
from lotstream.runtime.crash import crash_point
from lotstream.runtime.errors import Rejected, Transient
from lotstream.runtime.garbage import spare_garbage_collection
from lotstream.runtime.health import Health
from lotstream.runtime.kafka import access
from lotstream.runtime.log import read_log
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.retry import persist
from lotstream.runtime.settings import Settings, SettingsInvalid, StateStore
from lotstream.schemas.operations import park_command, parked
from lotstream.schemas.topics import DEAD_LETTERS, OPERATIONS
from lotstream.streams.engine.config import (
    Applied,
    Assigned,
    Committed,
    Ended,
    EngineConfig,
    Event,
    ExitCode,
    Jumped,
    Loaded,
    Ready,
    Revoked,
    StoreLeft,
)
from lotstream.streams.engine.core import Stage
from lotstream.streams.engine.run import TopicsUnfit, run
from lotstream.streams.engine.store import Store
from lotstream.streams.gone import blind_window_of
from lotstream.streams.letters import passing
from lotstream.streams.locate.stage import build_stage as build_locate
from lotstream.streams.locate.stage import watched as watched_locate
from lotstream.streams.register.stage import build_stage as build_register
from lotstream.streams.resolve.stage import build_stage as build_resolve
from lotstream.streams.resolve.stage import watched as watched_resolve
from lotstream.streams.smooth.stage import build_stage as build_smooth

log = logging.getLogger(__name__)
WATCHED: Mapping[str, Callable[[Stage, Metrics], Stage]] = {"resolve": watched_resolve, "locate": watched_locate}
STAGES: Mapping[str, Callable[[Settings], Stage]] = {
    "register": build_register,
    "smooth": build_smooth,
    "resolve": build_resolve,
    "locate": build_locate,
}


class StageUnknown(LookupError):
    """No stage has that name."""


def stages_named(names: Iterable[str]) -> list[str]:
    """The stages of these names; 'all' means every one. Raises StageUnknown."""
    wanted = list(names)
    if wanted == ["all"]:
        return list(STAGES)
    for name in wanted:
        if name not in STAGES:
            raise StageUnknown(f"Expected one of {', '.join(STAGES)} or all, got {name!r}.")
    return wanted


def run_stages(
    names: Iterable[str], settings: Settings, *, health: Health, metrics: Metrics, crashed: Callable[[], None]
) -> None:
    """Run stages until SIGTERM or SIGINT, then drain. The process ends by itself when something is wrong; ``crashed``
    is called before that when it was a bug, or a hole in a log."""
    wanted = list(names)
    for name in wanted:
        health.set(name, False, "no partitions yet")
    parks = _parks(settings, health)
    letters = settings.topics.name(DEAD_LETTERS)
    gone = blind_window_of(settings.topics, SystemClock())
    built = [STAGES[name](settings) for name in wanted]
    built = [WATCHED[stage.name](stage, metrics) if stage.name in WATCHED else stage for stage in built]
    stages = [replace(passing(stage, parks, topic=letters), gone=gone) for stage in built]
    try:
        config = engine_config(settings, health=health, metrics=metrics, crashed=crashed)
        run(stages, replace(config, store=store_of(settings)))
    except TopicsUnfit as unfit:
        raise SettingsInvalid(f"{unfit} See: lotstream topics plan.") from None


def _parks(settings: Settings, health: Health) -> Mapping[str, Rejected]:
    """The records that people have parked, however long the brokers are away."""
    topic = settings.topics.name(OPERATIONS)

    def waits(outage: Transient, wait_s: float) -> None:
        health.beat()
        log.warning("brokers_awaited", extra={"cause": outage.detail, "wait_s": round(wait_s, 1)})

    return persist(
        lambda: parked(record.value for record in read_log(settings.kafka, topic)), stop=threading.Event(), report=waits
    )


def store_of(settings: Settings) -> Callable[[str], Store] | None:
    """What opens a local store for a changelog topic. Raises SettingsInvalid without the extra that it needs."""
    if settings.stream.store is StateStore.MEMORY:
        return None
    if importlib.util.find_spec("rocksdict") is None:
        raise SettingsInvalid("stream.store: Expected the extra `rocksdb`, got none: pip install 'lotstream[rocksdb]'.")
    # the core runs without the extra, so its module is imported only where it is there
    rocks = importlib.import_module("lotstream.streams.engine.rocks")
    brokers = Brokers(settings.kafka)

    def topic_id(topic: str) -> str | None:
        try:
            return brokers.topic_id(topic)
        except Transient as unknown:
            log.warning("topic_id_unknown", extra={"cause": unknown.detail})
            return None

    def opening(topic: str) -> Store:
        directory = settings.data_dir / "stores" / topic / (settings.stream.instance_id or "worker")
        store: Store = rocks.RockStore(directory, topic_id=partial(topic_id, topic))
        return store

    return opening


def engine_config(settings: Settings, *, health: Health, metrics: Metrics, crashed: Callable[[], None]) -> EngineConfig:
    """The engine's configuration, from the settings."""
    kafka, stream = access(settings.kafka), settings.stream
    return EngineConfig(
        brokers=kafka.brokers,
        group_prefix=settings.group(""),
        instance=stream.instance_id,
        ssl_context=kafka.ssl_context,
        sasl_mechanism=kafka.sasl_mechanism,
        username=kafka.username,
        password=kafka.password,
        linger_s=stream.linger_ms / 1000,
        checkpoint_s=stream.checkpoint_s,
        commit_s=stream.commit_s,
        session_timeout_s=stream.session_timeout_s,
        advice=park_command,
        on_event=_Listener(health, metrics, crashed),
        on_step=crash_point,
    )


class _Listener:
    """What the engine tells, as metrics and health."""

    def __init__(self, health: Health, metrics: Metrics, crashed: Callable[[], None]) -> None:
        self._health = health
        self._metrics = metrics
        self._crashed = crashed

    def __call__(self, event: Event) -> None:
        self._health.beat()
        stage = event.stage
        match event:
            case Assigned(partitions=partitions):
                self._metrics.gauge("lotstream_stage_assigned_partitions").labels(stage=stage).set(len(partitions))
                self._health.set(stage, False, f"loads {len(partitions)} partitions")
            case Loaded(records=records, seconds=seconds):
                self._metrics.histogram("lotstream_stage_load_seconds").labels(stage=stage).observe(seconds)
                self._metrics.counter("lotstream_stage_load_records_total").labels(stage=stage).inc(records)
            case Ready(partitions=partitions):
                spare_garbage_collection()
                self._health.set(stage, True, f"{len(partitions)} partitions")
            case Revoked():
                self._health.set(stage, False, "partitions given back")
            case Applied(records=records, seconds=seconds):
                self._metrics.counter("lotstream_stage_records_total").labels(stage=stage).inc(records)
                self._metrics.counter("lotstream_stage_apply_seconds_total").labels(stage=stage).inc(seconds)
            case Committed(offsets=offsets, behind=behind):
                self._metrics.gauge("lotstream_stage_lag_records").labels(stage=stage).set(behind)
                self._metrics.gauge("lotstream_stage_commit_timestamp_seconds").labels(
                    stage=stage
                ).set_to_current_time()
                self._health.set(stage, True, f"{behind} records behind, {len(offsets)} partitions committed")
            case Jumped(expected=expected, start=start):
                self._metrics.counter("lotstream_stage_gone_records_total").labels(stage=stage).inc(start - expected)
            case StoreLeft(reason=reason):
                self._metrics.counter("lotstream_stage_store_left_total").labels(stage=stage).inc()
                log.warning("store_left", extra={"stage": stage, "cause": reason})
            case Ended(code=ExitCode.BUG | ExitCode.HOLE):
                self._crashed()
            case _:
                pass
