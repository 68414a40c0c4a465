"""A whole stack, started by its commands, for tests that send what readers send and ask the history for it."""

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

LOTSTREAM = [sys.executable, "-m", "lotstream.cli.main"]
READY_S = 180.0
SETTLED_S = 180.0
NO_RSSI = -(2**31)
SLOT_US = 30_000_000
SITE = """
[[locations]]
id = "hall"
name = "Hall"

[[locations]]
id = "yard"

[[locations]]
id = "shop"

[[read_points]]
id = "dock"
inside = "hall"
outside = "yard"

[[read_points]]
id = "belt"
inside = "hall"

[[antennas]]
reader = "impinj-01-23-45"
read_point = "dock"

[[antennas]]
reader = "C4:7D:CC:FF:FF:FF"
antenna = [1, 2]
read_point = "belt"

[[antennas]]
reader = "portal"
antenna = [1, 2]
read_point = "dock"
side = "inside"

[[antennas]]
reader = "portal"
antenna = [3, 4]
read_point = "dock"
side = "outside"

[[antennas]]
reader = "aisle"
read_point = "dock"

[[antennas]]
reader = "shelf"
read_point = "belt"

[[scanners]]
id = "handheld"
read_point = "belt"
biz_step = "shipping"
source = "hall"
location = "shop"

[[field_maps]]
name = "wms"
format = "json"
rows = "report.tags"
tag = "epc"
time = "seen"
time_format = "ms"
antenna = "port"
reader = "device"
rssi = "dbm"

[[field_maps]]
name = "table"
format = "csv"
delimiter = ";"
tag = "tag"
time = "time"
reader = "reader"
count = "times"
"""

# who works off which topic: what is in a topic has its effect when all of them have passed it
WORK = {
    "register": ("events.v1",),
    "smooth": ("reads.v1",),
    "resolve": ("sightings.v1", "identity.v1"),
    "locate": ("lot-sightings.v1", "lots.v1", "documents.v1"),
    "sink-sightings": ("sightings.v1",),
    "sink-lot-sightings": ("lot-sightings.v1",),
    "sink-identity": ("identity.v1",),
    "sink-lots": ("lots.v1",),
    "sink-documents": ("documents.v1",),
    "sink-events": ("events.v1",),
    "sink-reader-events": ("reads.v1",),
    "sink-dead-letters": ("dead-letters.v1",),
    "sink-blind-windows": ("blind-windows.v1",),
    "sink-alerts": ("alerts.v1",),
    "sink-operations": ("operations.v1",),
}
Ends = dict[tuple[str, int], int]


def micros(instant: str) -> int:
    """us since the epoch of an ISO 8601 instant, or of a count of ms; what is finer than a microsecond is dropped."""
    if instant.isdigit():
        return int(instant) * 1_000
    at = datetime.fromisoformat(instant)
    return int(at.replace(microsecond=0).timestamp()) * 1_000_000 + at.microsecond


@dataclass(frozen=True, kw_only=True)
class Read:
    """One read as a test expects it: who saw what, when, on which antenna, how strong (0.01 dBm), how often."""

    reader: str
    tag: str
    time: str
    antenna: int = 0
    rssi: int = NO_RSSI
    count: int = 1


@dataclass
class Seen:
    """A tag at a reader, over its runs: when, how often, and for each antenna (reads, mean RSSI in 0.01 dBm)."""

    first_us: int
    last_us: int
    reads: int = 0
    antennas: dict[int, tuple[int, int]] = field(default_factory=dict)


def expected(reads: Iterable[Read]) -> dict[tuple[str, str, int], Seen]:
    """What reads come to, by (reader, tag, slot). The same read twice is one; several of an antenna are as strong."""
    found: dict[tuple[str, str, int], Seen] = {}
    for read in dict.fromkeys(reads):
        time_us = micros(read.time)
        key = (read.reader, read.tag, time_us // SLOT_US)
        seen = found.setdefault(key, Seen(time_us, time_us))
        seen.first_us, seen.last_us = min(seen.first_us, time_us), max(seen.last_us, time_us)
        seen.reads += read.count
        times, rssi = seen.antennas.get(read.antenna, (0, read.rssi))
        assert rssi == read.rssi
        seen.antennas[read.antenna] = (times + read.count, rssi)
    return found


@dataclass(frozen=True)
class Letter:
    """A dead letter; one sent again has the same origin."""

    source: str
    stage: str
    reason: str
    field: str
    origin: str
    value: bytes


class Stack:
    """A running stack: its doors, its commands, its history."""

    command = LOTSTREAM
    micros = staticmethod(micros)
    read = Read

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        facts = {name: json.loads((directory / f"run/{name}.json").read_text()) for name in ("gateway", "kafka")}
        self.doors = httpx.Client(base_url=facts["gateway"]["url"], timeout=120.0)
        self._admin = AdminClient({"bootstrap.servers": facts["kafka"]["bootstrap"]})
        said = run(directory, "up").stdout
        dsn = next(word for word in said.split() if word.startswith("clickhouse://"))
        self._history = clickhouse_connect.get_client(dsn=dsn)

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A command of lotstream in the directory of the stack."""
        return run(self.directory, *map(str, words))

    def post(self, door: str, body: bytes | str, *, source: str, **headers: str) -> httpx.Response:
        """One request of origin file at a door; its source is also the reader of items that name none."""
        named = {"Lotstream-Origin": "file", "Lotstream-Source": source, "X-Request-Id": f"{source}:0"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.doors.post(door, content=body.encode() if isinstance(body, str) else body, headers=named)

    def end(self, source: str) -> None:
        """The source has no more."""
        assert self.doors.post(f"/sources/{source}/end").is_success

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """What the history answers, as a reading user."""
        return [tuple(row) for row in self._history.query(query, parameters).result_rows]

    def settle(self) -> None:
        """Return when every stage and sink has worked off everything that came in, and all that it made of it."""
        until = time.monotonic() + SETTLED_S
        before: Ends | None = None
        while True:
            # reads.v1 never rests: ticks go on in it; only the first round waits for what the doors took
            ends = {at: end for at, end in self._ends().items() if before is None or at[0] != "reads.v1"}
            while behind := self._behind(ends):
                assert time.monotonic() < until, f"Expected all worked off, got {behind}"
                time.sleep(0.1)
            after = {at: end for at, end in ends.items() if at[0] != "reads.v1"}
            if after == before:
                return
            before = after

    def _ends(self) -> Ends:
        topics = self._admin.list_topics(timeout=10).topics
        wanted = {name for names in WORK.values() for name in names}
        places = [TopicPartition(name, number) for name in wanted for number in topics[name].partitions]
        asked = self._admin.list_offsets({place: OffsetSpec.latest() for place in places})
        return {(place.topic, place.partition): found.result().offset for place, found in asked.items()}

    def _behind(self, ends: Ends) -> dict[str, Any]:
        behind: dict[str, Any] = {}
        for stage, topics in WORK.items():
            group = f"lotstream.{stage}"
            asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]
            passed = {(one.topic, one.partition): one.offset for one in asked.result().topic_partitions}
            for at, end in ends.items():
                if at[0] in topics and passed.get(at, 0) < end:
                    behind[f"{stage} {at}"] = (passed.get(at, 0), end)
        return behind

    def check_reads(self, reads: Iterable[Read], *, readers: Iterable[str] = ()) -> int:
        """The history has these reads of their readers, and of ``readers``, and no others. How many, each once."""
        wanted = list(dict.fromkeys(reads))
        assert self.seen(readers={*readers, *(read.reader for read in wanted)}) == expected(wanted)
        return len(wanted)

    def seen(self, *, readers: Iterable[str]) -> dict[tuple[str, str, int], Seen]:
        """What the history says of the readers' reads, by (reader, tag, slot): every lane of the facts in force."""
        found: dict[tuple[str, str, int], Seen] = {}
        for reader, tag, slot, reads, final, runs in self.rows(
            """SELECT reader, tag, slot, reads, final, runs FROM (
                 SELECT *, bitTest(marks, 0) AS final, bitTest(marks, 3) AS retracted FROM sightings
                 WHERE reader IN {readers:Array(String)}
                 ORDER BY version DESC LIMIT 1 BY tag, read_point, slot, lane, origin, path)
               WHERE NOT retracted""",
            readers=sorted(readers),
        ):
            assert final, (reader, tag)
            assert reads == sum(run[2] for run in runs)
            seen = found.setdefault((reader, tag, slot), Seen(runs[0][0], runs[-1][1]))
            seen.first_us, seen.last_us = min(seen.first_us, runs[0][0]), max(seen.last_us, runs[-1][1])
            seen.reads += reads
            for run_ in runs:
                for antenna, times, rssi in zip(run_[3::3], run_[4::3], run_[5::3], strict=True):
                    seen.antennas[antenna] = (seen.antennas.get(antenna, (0, 0))[0] + times, rssi)
        return found

    def places(self, *, readers: Iterable[str]) -> dict[str, set[tuple[str, str]]]:
        """reader -> (read point, location) of its sightings."""
        found: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for reader, read_point, location in self.rows(
            """SELECT DISTINCT reader, toString(read_point), toString(location) FROM sightings
               WHERE reader IN {readers:Array(String)}""",
            readers=sorted(readers),
        ):
            found[reader].add((read_point, location))
        return found

    def letters(self, *, sources: Iterable[str]) -> set[Letter]:
        """Dead letters of sources."""
        return {
            Letter(*row[:5], bytes.fromhex(row[5]))
            for row in self.rows(
                """SELECT source, stage, reason, field, origin, hex(bytes) FROM dead_letters
                   WHERE source IN {sources:Array(String)}""",
                sources=sorted(sources),
            )
        }


def run(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a directory, with no setting but that directory's."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOTSTREAM_")}
    return subprocess.run(
        [*LOTSTREAM, *words], cwd=directory, env=env, capture_output=True, text=True, timeout=READY_S, check=False
    )


@contextmanager
def standing(directory: Path) -> Iterator[Stack]:
    """A stack in a directory of its own: real broker, stages and engine."""
    (directory / "site.toml").write_text(SITE)
    (directory / "lotstream.toml").write_text('[gateway]\nport = 0\nsite_file = "site.toml"\n')
    try:
        done = run(directory, "up")
        assert done.returncode == 0, done.stdout + done.stderr
        yield Stack(directory)
    finally:
        assert run(directory, "down").returncode == 0


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for the tests of vendor files and of small vectors."""
    with standing(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for tests that leave behind what others would find."""
    with standing(tmp_path_factory.mktemp("own")) as stack:
        yield stack
