"""A rolling restart under load: `python -m tests.chaos.rolling` ends every process in turn, as an upgrade does.

Prints JSON: what was lost, doubled and invented, and the longest time that any partition of any stage or sink had
something to do and did not move.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

from lotstream.cli.drain import drain
from lotstream.runtime.errors import Transient
from lotstream.runtime.passage import Passage
from lotstream.runtime.settings import Settings
from lotstream.schemas.topics import DOCUMENTS, EVENTS, IDENTITY, LOT_SIGHTINGS, LOTS, READS, SIGHTINGS
from lotstream.sinks.rows import SINKS
from tests.chaos.__main__ import QUIET_S, Timeline, settle
from tests.chaos.load import Load
from tests.chaos.logs import Logs
from tests.chaos.oracle import Oracle
from tests.chaos.plan import WORKERS, Fault, Kind
from tests.chaos.stack import Process, Stack
from tests.chaos.world import Account

SECOND_SINK = "sink-2"
ORDER = ("gateway", *WORKERS, "sink", SECOND_SINK)
BETWEEN_S = 1.5
EVERY_S = 0.2
SOURCES = {
    "register": (EVENTS,),
    "smooth": (READS,),
    "resolve": (SIGHTINGS, IDENTITY),
    "locate": (LOT_SIGHTINGS, LOTS, DOCUMENTS),
    **{f"sink-{sink.name}": (sink.topic,) for sink in SINKS},
}
Place = tuple[str, str, int]  # group, topic, partition


class Watch:
    """Looks at what every group has committed; on a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._passage = Passage(settings.kafka)
        self._moved: dict[Place, tuple[int, float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.longest: dict[Place, float] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def pauses(self) -> dict[str, float]:
        """By group, the longest that any partition stood, in seconds."""
        return {
            stage: round(max((pause for place, pause in self.longest.items() if place[0] == stage), default=0.0), 2)
            for stage in SOURCES
        }

    def _run(self) -> None:
        while not self._over.wait(EVERY_S):
            for stage, topics in SOURCES.items():
                try:
                    self._look(stage, topics)
                except Transient:
                    continue

    def _look(self, stage: str, topics: tuple[str, ...]) -> None:
        names = [self._settings.topics.name(topic) for topic in topics]
        ends = self._passage.ends(names, partitions=self._settings.topics.partitions)
        done = self._passage.committed(self._settings.group(stage))
        now = time.monotonic()
        for (topic, number), end in ends.items():
            place, at = (stage, topic, number), done.get((topic, number), 0)
            known, since = self._moved.get(place, (-1, now))
            if at != known or at >= end:
                since = now
            self._moved[place] = at, since
            self.longest[place] = max(self.longest.get(place, 0.0), now - since)


class Rolled(Stack):
    """Two of each, without a name that stays: when one ends, the other has its partitions at once."""

    def __enter__(self) -> Self:
        super().__enter__()
        self._processes[SECOND_SINK] = Process(("sink", "--name", SECOND_SINK, "all"), {})
        self._start(SECOND_SINK)
        self.wait_ready()
        return self

    def _worker(self, name: str, *, fixed: bool) -> Process:
        return super()._worker(name, fixed=False)


def roll(stack: Stack, timeline: Timeline) -> None:
    """Every process ends by SIGTERM and comes back before the next one goes."""
    for name in ORDER:
        ends = sum(stack.ends.values())
        began = time.monotonic()
        stack.strike(Fault(0.0, Kind.TERM, name, 0.0))
        while sum(stack.ends.values()) == ends:
            time.sleep(0.05)
        stack.wait_ready()
        timeline.say(f"{name} was away for {time.monotonic() - began:.1f} s")
        time.sleep(BETWEEN_S)


def run(directory: Path, *, seed: int) -> dict[str, object]:
    """One roll; what came of it."""
    timeline, account = Timeline(), Account()
    with Rolled(directory, timeline.say) as stack:
        load = Load(stack.url, seed=seed, account=account)
        load.start()
        time.sleep(QUIET_S)
        watch = Watch(stack.settings)
        watch.start()
        time.sleep(QUIET_S)
        calm = watch.pauses()
        roll(stack, timeline)
        watch.stop()
        load.stop()
        drain(stack.settings)
        settle(stack.settings)
        logs = Logs(stack.kafka.bootstrap, partitions=stack.settings.topics.partitions)
        verdict = Oracle(logs, stack.settings).judge(account.posts.values(), account.obliged())
    for detail in verdict.details:
        timeline.say(detail)
    pauses = watch.pauses()
    return {
        "seed": seed,
        "restarted": list(ORDER),
        "obligations": verdict.obligations,
        "lost": verdict.lost,
        "double": verdict.double,
        "invented": verdict.invented,
        "differs": verdict.differs,
        "failures": load.failures,
        "pause_s": max(pauses.values()),
        "pauses": pauses,
        "calm_pause_s": max(calm.values()),
        "seconds": round(timeline.now, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="rolling", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=5.0, help="longest pause of a partition, in seconds")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lotstream-rolling-") as name:
        answer = run(Path(name), seed=arguments.seed)
    print(json.dumps(answer))
    broken = any(answer[word] for word in ("lost", "double", "invented", "failures"))
    return 1 if broken or answer["pause_s"] > arguments.pause else 0


if __name__ == "__main__":
    sys.exit(main())
