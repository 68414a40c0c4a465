"""`make chaos`: kill, freeze, stop and move everything under load, heal, and hold the answers against the questions."""

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lotstream.cli.drain import drain
from lotstream.runtime.passage import Passage
from lotstream.runtime.settings import Settings, StateStore
from lotstream.schemas.topics import READS, TOPICS
from tests.chaos.load import Load
from tests.chaos.logs import Logs
from tests.chaos.oracle import Oracle
from tests.chaos.plan import Fault, plan
from tests.chaos.stack import Stack
from tests.chaos.world import Account

QUIET_S = 5.0  # a visit ends with the silence after it, and log time may stand for a second
QUIET_WITHIN_S = 90.0
FRESH_ROUNDS = 3


class Timeline:
    """What happened when, on stderr as it happens."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def now(self) -> float:
        return time.monotonic() - self._began

    def say(self, what: str) -> None:
        sys.stderr.write(f"{self.now:7.2f} {what}\n")
        sys.stderr.flush()


def attack(stack: Stack, faults: list[Fault], timeline: Timeline) -> None:
    """Every fault at its time, each on a thread of its own; returns when all are over."""
    began = time.monotonic()
    one_at_a_time = {target: threading.Lock() for target in {fault.target for fault in faults}}

    def strike(fault: Fault) -> None:
        with one_at_a_time[fault.target]:
            timeline.say(str(fault))
            stack.strike(fault)

    with ThreadPoolExecutor(16) as pool:
        running = []
        for fault in faults:
            time.sleep(max(0.0, began + fault.at_s - time.monotonic()))
            running.append(pool.submit(strike, fault))
        for done in running:
            done.result()


def settle(settings: Settings) -> None:
    """Return when all that came in has passed every stage and sink, and nothing more comes of it."""
    passage, until = Passage(settings.kafka), time.monotonic() + QUIET_WITHIN_S
    # reads.v1 never rests: ticks go on in it
    names = [settings.topics.name(topic.name) for topic in TOPICS if topic.kept is not None and topic.name != READS]
    while time.monotonic() < until:
        drain(settings)
        before = passage.ends(names, partitions=settings.topics.partitions)
        time.sleep(QUIET_S)
        if passage.ends(names, partitions=settings.topics.partitions) == before:
            return
    raise RuntimeError(f"Expected rest within {QUIET_WITHIN_S:.0f} s, got none.")


def run(arguments: argparse.Namespace, directory: Path) -> bool:
    """One run; whether everything held."""
    timeline = Timeline()
    faults = plan(arguments.seed, kills=arguments.kills, seconds=arguments.minutes and arguments.minutes * 60)
    account = Account()
    with Stack(directory, timeline.say, arguments.store) as stack:
        timeline.say("the stack is ready")
        load = Load(stack.url, seed=arguments.seed, account=account)
        load.start()
        attack(stack, faults, timeline)
        timeline.say("no more faults")
        healed_from = timeline.now
        load.stop()
        timeline.say(f"{len(account.acknowledged)} requests acknowledged, {account.retried} sent again")
        stack.wait_ready()
        stack.wait_sent_on()
        drain(stack.settings)
        heal_s = timeline.now - healed_from
        timeline.say("healed; fresh reads")
        load.once(FRESH_ROUNDS)
        load.end()
        settle(stack.settings)
        timeline.say("the oracle reads")
        logs = Logs(stack.kafka.bootstrap, partitions=stack.settings.topics.partitions)
        verdict = Oracle(logs, stack.settings).judge(account.posts.values(), account.obliged())
    for detail in verdict.details:
        timeline.say(detail)
    answer = {
        "seed": arguments.seed,
        "kills": len(faults),
        "store": arguments.store,
        "obligations": verdict.obligations,
        "answered": verdict.answered,
        "lost": verdict.lost,
        "double": verdict.double,
        "invented": verdict.invented,
        "heal_s": round(heal_s, 1),
        "differs": verdict.differs,
        "ends": dict(stack.ends),
        "failures": load.failures,
        "seconds": round(timeline.now, 1),
    }
    print(json.dumps(answer))
    return verdict.clean and not load.failures


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=12, help="faults")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    parser.add_argument("--minutes", type=float, help="spread the faults over so many minutes")
    parser.add_argument("--store", type=StateStore, choices=list(StateStore), default=StateStore.MEMORY)
    parser.add_argument("--keep", type=Path, help="leave logs and data in this directory")
    arguments = parser.parse_args()
    directory = arguments.keep or Path(tempfile.mkdtemp(prefix="lotstream-chaos-"))
    try:
        held = run(arguments, directory)
    finally:
        if arguments.keep is None:
            shutil.rmtree(directory, ignore_errors=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
