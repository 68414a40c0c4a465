"""The doctor's questions to the brokers: reachable, topics, rights, groups, time."""

import time
from collections.abc import Iterator, Mapping

from lotstream.cli.findings import Finding, bad, doubtful, good, skipped
from lotstream.cli.wanted import wanted_topics
from lotstream.runtime.brokers import Brokers
from lotstream.runtime.clock import SystemClock
from lotstream.runtime.errors import Transient
from lotstream.runtime.passage import Passage, Vector
from lotstream.runtime.settings import Settings
from lotstream.runtime.topics import TopicAdmin
from lotstream.schemas.topics import READS, TOPICS
from lotstream.sinks.rows import SINKS

STAGES = ("register", "smooth", "resolve", "locate")
CLOCK_AHEAD_US = 2_000_000
SPARE_S = 3.0  # beyond a checkpoint, for a commit to be seen


def kafka_findings(settings: Settings) -> Iterator[Finding]:
    """Everything that the brokers can tell; the rest is skipped once they do not answer."""
    brokers = Brokers(settings.kafka)
    try:
        cluster = brokers.cluster()
    except Transient as away:
        yield bad("kafka", away.detail, action=f"start the brokers, or correct [kafka]: {settings.kafka.bootstrap}")
        yield from (skipped(check, "the brokers do not answer") for check in ("topics", "rights", "groups", "clock"))
        return
    yield good("kafka", f"{cluster.brokers} brokers of cluster {cluster.id} at {settings.kafka.bootstrap}")
    topics = topics_finding(settings)
    yield topics
    if topics.state != "ok" and "missing" in topics.detail:
        yield from (skipped(check, "topics are missing") for check in ("rights", "groups", "clock"))
        return
    yield rights_finding(settings, brokers)
    yield from group_findings(settings, brokers)
    yield clock_finding(settings, brokers)


def topics_finding(settings: Settings) -> Finding:
    """Whether every topic is there with its partitions and configuration."""
    wanted = wanted_topics(settings)
    try:
        plan = TopicAdmin(settings.kafka).plan(wanted)
    except Transient as away:
        return bad("topics", away.detail, action="look at the brokers")
    if plan.create:
        names = ", ".join(topic.name for topic in plan.create)
        return bad("topics", f"{len(plan.create)} missing: {names}", action="lotstream topics apply")
    if plan.differ:
        return bad("topics", "; ".join(plan.differ), action="lotstream topics plan; change them, or the settings")
    return good("topics", f"{len(wanted)} topics of {settings.topics.partitions} partitions")


def rights_finding(settings: Settings, brokers: Brokers) -> Finding:
    """Whether the brokers let us read and write the topics."""
    try:
        lacking = brokers.forbidden(settings.topics.name(topic.name) for topic in TOPICS)
    except Transient as away:
        return doubtful("rights", away.detail, action="grant DESCRIBE on the topics")
    if lacking:
        said = "; ".join(f"{name}: no {' and '.join(words)}" for name, words in lacking.items())
        return doubtful(
            "rights", said, action="a process needs what docs/topics.md lists for it: grant what is missing"
        )
    return good("rights", "read and write on every topic")


def group_findings(settings: Settings, brokers: Brokers) -> Iterator[Finding]:
    """Each consumer group: how far behind, and whether it moves."""
    passage = Passage(settings.kafka)
    sources = groups(settings)
    try:
        ends = {group: passage.ends(topics, partitions=settings.topics.partitions) for group, topics in sources.items()}
        there = brokers.groups()
        before = {
            group: passage.behind(group, ends[group]) if group in there else sum(ends[group].values())
            for group in sources
        }
        standing = {group for group, left in before.items() if left and group not in there}
        standing |= _standing(
            passage,
            {group: before[group] for group in before if group in there},
            ends,
            within_s=settings.stream.checkpoint_s + SPARE_S,
        )
    except Transient as away:
        yield bad("groups", away.detail, action="grant DESCRIBE on the groups, or look at the brokers")
        return
    for group, behind in before.items():
        if group in standing:
            yield bad(
                f"group {group}",
                f"{behind} messages behind, and standing",
                action=f"start or look at {_process(group)}; its log says why it does not commit",
            )
        else:
            yield good(f"group {group}", f"{behind} messages behind, and moving" if behind else "at the end")


def groups(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Consumer group -> full names of the topics it has to pass."""
    found = {
        settings.group(stage): tuple(settings.topics.name(t.name) for t in TOPICS if stage in t.readers and t.kept)
        for stage in STAGES
    }
    return found | {settings.group(f"sink-{sink.name}"): (settings.topics.name(sink.topic),) for sink in SINKS}


def _standing(
    passage: Passage, behind: Mapping[str, int], ends: Mapping[str, Vector], *, within_s: float
) -> frozenset[str]:
    """The groups that have not committed anything of what they lack within the time."""
    standing = {group for group, left in behind.items() if left}
    until = time.monotonic() + within_s
    while standing and time.monotonic() < until:
        time.sleep(0.2)
        standing = {group for group in standing if passage.behind(group, ends[group]) >= behind[group]}
    return frozenset(standing)


def _process(group: str) -> str:
    name = group.rsplit(".", 1)[-1]
    return (
        f"`lotstream sink {name.removeprefix('sink-')}`" if name.startswith("sink-") else f"`lotstream worker {name}`"
    )


def clock_finding(settings: Settings, brokers: Brokers) -> Finding:
    """Whether the brokers' clock is ahead of ours, by the newest append time of reads.v1."""
    try:
        newest = brokers.newest_us(settings.topics.name(READS), partitions=settings.topics.partitions)
    except Transient as away:
        return skipped("clock", away.detail)
    if newest is None:
        return skipped("clock", "nothing is in reads.v1 yet")
    ahead_us = newest - SystemClock().now_us()
    if ahead_us > CLOCK_AHEAD_US:
        return bad(
            "clock",
            f"the brokers' clock is {ahead_us / 1e6:.1f} s ahead of this machine's",
            action="synchronise both (chrony, systemd-timesyncd)",
        )
    return good("clock", f"the newest append was {max(0.0, -ahead_us / 1e6):.1f} s ago by this machine's clock")
