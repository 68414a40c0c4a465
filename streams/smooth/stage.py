"""The stage smooth, from the settings."""

from lotstream.runtime.settings import Settings
from lotstream.schemas import topics
from lotstream.schemas.reads import Tick
from lotstream.streams.engine.core import Acknowledge, Output, Stage
from lotstream.streams.smooth.core import SmoothCore
from lotstream.streams.smooth.policy import Rule, SmoothPolicy
from lotstream.streams.smooth.signals import Signals

_TICK = Tick().encode()


def build_policy(settings: Settings) -> SmoothPolicy:
    """The policy in force at every read point."""
    stream = settings.stream
    rule = Rule(silence_us=round(stream.silence_s * 1e6), observe_count=stream.observe_count)
    return SmoothPolicy(rule=rule, remember_us=round(stream.remember_s * 1e6))


def build_stage(settings: Settings, *, policy: SmoothPolicy | None = None, epoch: int = 0) -> Stage:
    """Smooth over reads.v1. ``epoch`` rises when the offsets of reads.v1 start anew."""
    names, partitions = settings.topics.name, settings.topics.partitions
    rules = build_policy(settings) if policy is None else policy
    reads, sightings = names(topics.READS), names(topics.SIGHTINGS)
    signals = Signals(dead_letters=names(topics.DEAD_LETTERS), partitions=partitions)

    def build(partition: int) -> SmoothCore:
        return SmoothCore(rules, signals=signals, sightings=sightings, partitions=partitions, epoch=epoch)

    def tick(partition: int) -> Output:
        return Output(reads, partition, _TICK)

    return Stage(
        name="smooth",
        sources=(reads,),
        partitions=partitions,
        build=build,
        changelog=names(topics.SMOOTH_CHANGELOG),
        acknowledge=Acknowledge.CHECKPOINT,
        idle=tick,
        idle_after_s=settings.stream.idle_s,
    )
