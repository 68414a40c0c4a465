"""A local store shortens a restart and changes nothing else, whatever has become of its directory."""

import asyncio
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lotstream.streams.engine.changelog import FENCE, ITEM, owner_headers
from lotstream.streams.engine.config import EngineConfig, Event, Loaded, StoreLeft
from lotstream.streams.engine.core import Acknowledge, Record
from lotstream.streams.engine.rocks import RockStore
from lotstream.streams.engine.store import Contents, Store, StoreFailed
from tests.property.streams.engine.conftest import STAGES, Chain, Client, Logs, Shelf, Shell

FED = 40  # numbers of 3 units: partition 0 has the even ones of 6


@dataclass
class Life:
    """What one process found, and what it held at its end."""

    loaded: dict[bytes, int] = field(default_factory=dict)
    held: dict[bytes, int] = field(default_factory=dict)
    read: int = 0
    left: list[str] = field(default_factory=list)


def live(logs: Logs, kind: Acknowledge, opening: Callable[[str], Store] | None, *, feed: int) -> Life:
    """A process that owns partition 0: it loads, takes `feed` more numbers, and dies."""
    life, cores = Life(), list[Chain]()

    def hear(event: Event) -> None:
        if isinstance(event, Loaded):
            life.read = event.records
            life.loaded = dict(cores[-1].last)
        elif isinstance(event, StoreLeft):
            life.left.append(event.reason)

    def build(number: int) -> Chain:
        core = STAGES[kind].build(number)
        assert isinstance(core, Chain)
        cores.append(core)
        return core

    async def run() -> None:
        client = Client(logs, random.Random(1))
        logs.owners[0] = client
        config = EngineConfig(brokers=("-",), group_prefix="-", linger_s=0.0, on_event=hear, store=opening)
        shell = Shell(replace(STAGES[kind], build=build), config=config, broker=client)
        steps = [asyncio.ensure_future(step) for step in shell.outbox.steps()]
        position = (await shell.take_over([0]))["in", 0]
        shell.flow()
        source = logs.records["in", 0]
        source += [(None, b"%d" % (2 * number), ()) for number in range(len(source), len(source) + feed)]
        for offset in range(position, len(source)):
            await shell.receive(Record("in", 0, offset, 0, None, source[offset][1]))
            await asyncio.sleep(0)
        await shell.outbox.settled()
        await shell.checkpoint()
        await shell.commit()
        life.held = dict(cores[-1].last)
        for step in steps:
            step.cancel()

    asyncio.run(run())
    return life


class Disk:
    """A directory in which processes, one after the other, have their store."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.topic: str | None = "topic-1"
        self.open: RockStore | None = None

    def opening(self, _: str) -> Store:
        self.open = RockStore(self.directory, topic_id=lambda: self.topic)
        return self.open

    def live(self, logs: Logs, kind: Acknowledge, *, feed: int = FED) -> Life:
        try:
            return live(logs, kind, self.opening, feed=feed)
        finally:
            if self.open is not None:
                self.open.close()
                self.open = None


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "store")


@pytest.mark.parametrize("kind", Acknowledge)
def test_a_restart_reads_what_came_after_the_copy(disk: Disk, kind: Acknowledge) -> None:
    """A process that comes back to its store reads its own fence of the changelog, and has the state it had."""
    logs = Logs()
    first = disk.live(logs, kind)
    second = disk.live(logs, kind)
    assert (second.read, second.left) == (1, [])
    assert second.loaded == first.held
    elsewhere = live(logs, kind, None, feed=FED)
    assert elsewhere.loaded == second.held
    third = disk.live(logs, kind)
    assert 1 < third.read < elsewhere.read, "what another owner wrote meanwhile, and no more"
    assert third.loaded == elsewhere.held


def lost(disk: Disk) -> None:
    shutil.rmtree(disk.directory)


def foreign(disk: Disk) -> None:
    disk.topic = "topic-2"


def unknown(disk: Disk) -> None:
    disk.topic = None


def flipped(disk: Disk) -> None:
    for file in disk.directory.iterdir():
        if file.suffix in (".sst", ".log") and file.stat().st_size:
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 0xFF
            file.write_bytes(content)


def headless(disk: Disk) -> None:
    (disk.directory / "CURRENT").write_text("nonsense")


def in_the_way(disk: Disk) -> None:
    shutil.rmtree(disk.directory)
    disk.directory.write_text("a file")


def of_another_form(disk: Disk) -> None:
    store = RockStore(disk.directory, topic_id=lambda: disk.topic)
    store._database[b"\0\0\xff"] = b"0" + bytes(8) + b"topic-1"
    store.close()


@pytest.mark.parametrize("kind", Acknowledge)
@pytest.mark.parametrize("harm", [lost, foreign, unknown, flipped, headless, in_the_way, of_another_form])
def test_a_store_that_is_no_good_costs_a_whole_read(
    disk: Disk, kind: Acknowledge, harm: Callable[[Disk], None]
) -> None:
    """Lost, of another topic, damaged or of another form: the changelog is read whole, and nothing is missing."""
    logs = Logs()
    first = disk.live(logs, kind)
    before = sum(key is not None for key, _, _ in logs.records["changelog", 0])
    harm(disk)
    second = disk.live(logs, kind)
    assert second.loaded == first.held
    assert second.read > before
    third = disk.live(logs, kind)
    assert third.loaded == second.held


@pytest.mark.parametrize("kind", Acknowledge)
def test_an_older_store_costs_a_longer_read(disk: Disk, kind: Acknowledge, tmp_path: Path) -> None:
    """A directory that was put back from a copy is read up from where it stands."""
    logs = Logs()
    disk.live(logs, kind)
    shutil.copytree(disk.directory, tmp_path / "older")
    second = disk.live(logs, kind)
    shutil.rmtree(disk.directory)
    (tmp_path / "older").rename(disk.directory)
    third = disk.live(logs, kind)
    assert third.loaded == second.held
    assert 1 < third.read < len(logs.records["changelog", 0])


@pytest.mark.parametrize("kind", Acknowledge)
def test_a_store_ahead_of_its_changelog_is_not_believed(disk: Disk, kind: Acknowledge) -> None:
    """A changelog that was cut off below what the store has seen is read from its start."""
    logs = Logs()
    disk.live(logs, kind)
    kept = logs.records["changelog", 0][:1]
    logs.records["changelog", 0] = kept
    assert disk.live(logs, kind, feed=0).loaded == live(Logs(), kind, None, feed=0).loaded


@pytest.mark.parametrize("kind", Acknowledge)
def test_a_hole_behind_the_copy_costs_a_whole_read(disk: Disk, kind: Acknowledge) -> None:
    """Where compaction took a record behind the copy away, a deletion may have gone with it."""
    logs = Logs()
    disk.live(logs, kind)
    live(logs, kind, None, feed=FED)
    elsewhere = live(logs, kind, None, feed=FED)
    log = logs.records["changelog", 0]
    newest = {key: offset for offset, (key, _, _) in enumerate(log)}
    tombs = {key for key, offset in newest.items() if log[offset][1] is None}
    for offset, (key, _, headers) in enumerate(log):
        if key in tombs or newest[key] != offset:
            log[offset] = (None, None, headers)
    back = disk.live(logs, kind)
    assert back.loaded == elsewhere.held
    assert len(back.left) == 1
    assert back.left[0].startswith("Expected every record behind the copies")


def test_what_a_replaced_owner_wrote_behind_the_copy_is_stale() -> None:
    """The copy remembers whose it is: a late record of the owner before does not pass for a new one."""
    logs, shelf = Logs(), Shelf(random.Random(1))
    shelf.before.clear()
    live(logs, Acknowledge.CHECKPOINT, None, feed=FED)
    second = live(logs, Acknowledge.CHECKPOINT, shelf.open, feed=FED)
    first_fence = next(n for n, (key, _, _) in enumerate(logs.records["changelog", 0]) if key == FENCE)
    late = [record for record in logs.records["changelog", 0] if record[2] == owner_headers(first_fence)]
    assert len(late) > 1
    logs.records["changelog", 0] += late
    shelf.holder = None
    third = live(logs, Acknowledge.CHECKPOINT, shelf.open, feed=0)
    assert third.read == len(late) + 1
    assert third.loaded == second.held


def test_a_store_that_another_process_holds_is_left_alone(disk: Disk) -> None:
    """Two processes with one directory: the second goes without."""
    logs = Logs()
    first = disk.live(logs, Acknowledge.MESSAGE)
    other = RockStore(disk.directory, topic_id=lambda: disk.topic)
    second = disk.live(logs, Acknowledge.MESSAGE)
    other.close()
    assert second.loaded == first.held
    assert len(second.left) == 1
    third = disk.live(logs, Acknowledge.MESSAGE)
    assert third.loaded == second.held
    assert third.left == []


class FullDisk(Shelf):
    """Takes so many writes and no more."""

    room = 4

    def write(self, number: int, records: Contents, *, through: int | None) -> None:
        self.room -= 1
        if self.room < 0:
            raise StoreFailed("Expected room on the disk, got none.")
        super().write(number, records, through=through)


@pytest.mark.parametrize("kind", Acknowledge)
def test_a_disk_that_is_full_stops_the_copy_and_not_the_stage(kind: Acknowledge) -> None:
    """From the first write that fails on the store is left as it is: older, and whole up to there."""
    logs, disk = Logs(), FullDisk(random.Random(1))
    first = live(logs, kind, disk.open, feed=FED)
    again = live(logs, kind, disk.open, feed=FED)
    assert len(first.left) == (kind is Acknowledge.MESSAGE) or len(again.left) == 1
    disk.holder = None
    FullDisk.room = 1_000
    third = live(logs, kind, disk.open, feed=0)
    assert third.loaded == again.held


@pytest.fixture(params=[Shelf, RockStore])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf | RockStore]:
    if request.param is Shelf:
        yield Shelf(random.Random(1))
        return
    rocks = RockStore(tmp_path / "rocks", topic_id=lambda: "topic")
    rocks.begin()
    yield rocks
    rocks.close()


def test_a_store_keeps_partitions_apart(store: Shelf | RockStore) -> None:
    """What every store does: the newest value of each key, whole through an offset or not at all, by partition."""
    assert store.through(7) is None
    store.write(7, [(ITEM + b"a", b"1"), (ITEM + b"b", b""), (FENCE, b"f")], through=None)
    assert store.through(7) is None
    store.write(7, [(ITEM + b"a", b"2"), (ITEM + b"c", b"3"), (ITEM + b"c", None)], through=258)
    store.write(8, [(ITEM + b"a", b"other")], through=1)
    assert store.through(7) == 258
    assert dict(store.items(7)) == {FENCE: b"f", ITEM + b"a": b"2", ITEM + b"b": b""}
    store.clear(7)
    assert (store.through(7), store.through(8)) == (None, 1)
    assert dict(store.items(8)) == {ITEM + b"a": b"other"}
