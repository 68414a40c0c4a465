"""A worker with toy stages on the engine. One argument: its settings as JSON."""

import asyncio
import json
import os
import ssl
import sys
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lotstream.runtime.brokers import Brokers
from lotstream.runtime.crash import VARIABLE, arm, crash_point
from lotstream.runtime.settings import KafkaSettings
from lotstream.streams.engine import app, deviations
from lotstream.streams.engine import run as running
from lotstream.streams.engine.config import EngineConfig, Event
from lotstream.streams.engine.core import Acknowledge, Output, Record, Stage
from lotstream.streams.engine.rocks import RockStore


class Lines:
    """Rows of text."""

    def __init__(self, *lines: bytes) -> None:
        self.lines = list(lines)

    def __len__(self) -> int:
        return len(self.lines)

    def extend(self, other: "Lines") -> None:
        self.lines += other.lines

    def encode(self) -> bytes:
        return b"\n".join(self.lines)


class Chain:
    """Says, for the record number n of a unit, which number came before it: n|previous."""

    def __init__(self, output: str, partition: int, *, units: int) -> None:
        self.output, self.partition, self.units = output, partition, units
        self.last: dict[bytes, int] = {}
        self.changed: set[bytes] = set()

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        self.last = {key: int(value) for key, value in items}

    def apply(self, record: Record) -> Iterable[Output]:
        assert record.value is not None
        if record.value == b"bug":
            raise RuntimeError("Expected no bug, got one.")
        number = int(record.value)
        unit = b"%d" % (number % self.units)
        before = self.last.get(unit, -1)
        if number <= before:
            return
        self.last[unit] = number
        self.changed.add(unit)
        yield Output(self.output, self.partition, Lines(b"%d|%d" % (number, before)))

    def changes(self) -> Mapping[bytes, bytes | None]:
        changed, self.changed = self.changed, set()
        return {unit: b"%d" % self.last[unit] for unit in changed}


class Count(Chain):
    """Counts the records of a unit, wrong as soon as one is applied twice: n|count. Every fourth one is deleted and
    counted from nought."""

    def apply(self, record: Record) -> Iterable[Output]:
        assert record.value is not None
        if record.value == b"tick":
            return
        number = int(record.value)
        unit = b"%d" % (number % self.units)
        self.last[unit] = self.last.get(unit, 0) + 1
        self.changed.add(unit)
        yield Output(self.output, self.partition, Lines(b"%d|%d" % (number, self.last[unit])))
        if self.last[unit] == 4:
            del self.last[unit]

    def changes(self) -> Mapping[bytes, bytes | None]:
        changed, self.changed = self.changed, set()
        return {unit: b"%d" % self.last[unit] if unit in self.last else None for unit in changed}


def stage(settings: dict[str, Any]) -> Stage:
    run_id = str(settings["id"])
    message = settings.get("kind", "message") == "message"
    core = Chain if message else Count
    units = int(str(settings.get("units", 100)))
    tick = settings.get("tick")
    return Stage(
        name=str(settings.get("kind", "message")),
        sources=tuple(settings.get("sources", [f"in-{run_id}"])),
        partitions=4,
        build=lambda number: core(str(settings.get("output", f"out-{run_id}")), number, units=units),
        changelog=f"changelog-{run_id}",
        acknowledge=Acknowledge.MESSAGE if message else Acknowledge.CHECKPOINT,
        idle=(lambda number: Output(f"in-{run_id}", number, b"tick")) if tick else None,
        idle_after_s=float(str(tick or 1.0)),
    )


def put_back(name: str) -> None:
    """Take a deviation out, so that Faust's own method is there again."""
    kind, method = name.split(".")
    delattr(getattr(deviations, kind), method)


async def broken(*_: object) -> bool:
    raise RuntimeError("Expected no failure, got one.")


async def slow_to_connect(*_: object) -> None:
    sys.stdout.write("verified\n")
    sys.stdout.flush()
    await asyncio.sleep(2.0)


def opened(topic: str, settings: dict[str, Any]) -> RockStore:
    """The store of a worker: its directory has its name."""
    brokers = Brokers(KafkaSettings(bootstrap=settings["broker"]))
    directory = Path(settings["stores"]) / topic / (settings.get("instance") or "worker")
    return RockStore(directory, topic_id=lambda: brokers.topic_id(topic))


def main() -> None:
    settings = json.loads(sys.argv[1])
    for name in settings.get("without", ()):
        put_back(name)
    if settings.get("blind"):
        running.STALL_SHARE = 1e6  # it does not notice that it stood still
    if settings.get("breaks") == "verify":
        running.verify_topics = slow_to_connect
    elif settings.get("breaks"):
        setattr(app.FaustBroker, settings["breaks"], broken)
    if settings.get("crash"):
        arm({VARIABLE: f"{settings.get('kind', 'message')}:{settings['crash']}:{settings.get('passes', 1)}"})
    began = time.monotonic()
    secure = settings.get("ca_file") is not None

    def say(event: Event) -> None:
        name = type(event).__name__
        if name not in ("Applied", "Committed"):
            sys.stdout.write(f"{time.monotonic() - began:.3f} {event}\n")
            sys.stdout.flush()

    config = EngineConfig(
        brokers=(settings["broker"],),
        group_prefix=f"{settings['id']}-",
        instance=settings.get("instance"),
        session_timeout_s=settings.get("session", 6.0),
        checkpoint_s=settings.get("checkpoint", 0.3),
        drain_s=3.0,
        commit_s=0.3,
        watch_s=settings.get("watch", 30.0),
        delivery_timeout_s=settings.get("delivery_timeout", 30.0),
        ssl_context=ssl.create_default_context(cafile=settings["ca_file"]) if secure else None,
        sasl_mechanism="SCRAM-SHA-512" if secure else None,
        username=settings.get("username"),
        password=settings.get("password"),
        advice=lambda where: f"to go on: park {where}",
        on_event=say,
        on_step=crash_point,
        store=partial(opened, settings=settings) if "stores" in settings else None,
    )
    sys.stdout.write(f"worker {os.getpid()}\n")
    running.run([stage(settings), *(stage(also) for also in settings.get("also", ()))], config)


if __name__ == "__main__":
    main()
