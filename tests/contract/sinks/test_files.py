"""Tables as files and back, on the real engine."""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lotstream.runtime.settings import Settings
from lotstream.sinks import dump
from lotstream.sinks.archive import archive
from lotstream.sinks.backup import backup
from lotstream.sinks.manifest import Kind, ManifestInvalid
from lotstream.sinks.migrate import migrate
from lotstream.sinks.restore import NotEmpty, load
from lotstream.sinks.rows import COLUMNS
from lotstream.sinks.store import ClickhouseStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGES = 7


class Plant:
    """A history with dead letters of two partitions, and others made from it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = ClickhouseStore(settings.clickhouse)
        migrate(settings.clickhouse)

    def other(self) -> Settings:
        name = f"files_{secrets.token_hex(6)}"
        section = self.settings.clickhouse.model_copy(update={"database": name})
        return self.settings.model_copy(update={"clickhouse": section})

    def windows(self, offsets: range, *, copies: int = 1) -> None:
        """Blind windows, one a message, and the vector that says that they are in."""
        names = COLUMNS["blind_windows"]
        for _ in range(copies):
            for partition in (0, 1):
                rows = [
                    (f"door {partition}", "down", 10**15 + n, None, None, "\x00\n ä", 10**15, partition, n)
                    for n in offsets
                ]
                self.store.insert("blind_windows", list(zip(*rows, strict=True)), names=names)
        passed = [("blind-windows.v1", partition, NOW, offsets.stop) for partition in (0, 1)]
        columns = list(zip(*passed, strict=True))
        self.store.insert("sink_offsets", columns, names=("topic", "partition", "at", "next"))

    def rows(self, settings: Settings) -> list[tuple[Any, ...]]:
        store = ClickhouseStore(settings.clickhouse)
        found = store.query(f"SELECT * FROM {settings.clickhouse.database}.blind_windows FINAL ORDER BY ALL")
        store.close()
        return found


@pytest.fixture
def plant(target: Any) -> Iterator[Plant]:
    clickhouse = {
        "url": f"http://{target.host}:{target.port}",
        "database": f"files_{secrets.token_hex(6)}",
        "user": target.writer.name,
        "password": target.writer.password,
    }
    found = Plant(Settings.model_validate({"clickhouse": clickhouse}))
    yield found
    found.store.close()
    databases = target.done("SELECT name FROM system.databases WHERE name LIKE 'files\\_%'")
    for name in databases.split():
        target.ask(f"DROP DATABASE {name} SYNC", params={"database": "default"})


def test_every_table_of_the_sinks_is_kept() -> None:
    """No table of a sink is left out, neither of a backup nor, unless it is derived or a signal, of an archive."""
    assert set(dump.TOPIC_OF) == set(COLUMNS)
    assert set(dump.TOPIC_OF) - set(dump.ARCHIVED) == dump.DERIVED | dump.SIGNALS


def test_a_backup_is_what_the_sinks_had_passed(plant: Plant, tmp_path: Path) -> None:
    """Rows above the vector are not in it, repeated ones are once, and restored it is row for row the same."""
    plant.windows(range(MESSAGES), copies=2)
    before = plant.rows(plant.settings)
    plant.store.insert(
        "blind_windows",
        [["later"], ["down"], [1], [None], [None], [""], [1], [0], [MESSAGES]],
        names=COLUMNS["blind_windows"],
    )
    manifest = backup(plant.settings, tmp_path, product="1", now=NOW)
    assert manifest.rows["blind_windows"] == 2 * MESSAGES == len(before)
    other = plant.other()
    _, tables = load(other, tmp_path, kind=Kind.BACKUP)
    assert all(table.good for table in tables)
    assert plant.rows(other) == before
    with pytest.raises(NotEmpty, match=f"got {2 * MESSAGES} rows in blind_windows"):
        load(other, tmp_path, kind=Kind.BACKUP)


def test_a_fact_said_twice_is_kept_once_below_the_vector(plant: Plant, tmp_path: Path) -> None:
    """Of copies in two partitions the one that the vector covers is kept, though the other has a lower offset."""
    names = COLUMNS["blind_windows"]
    for partition, offset in ((0, 6), (1, 3)):
        row = [["door"], ["down"], [1], [None], [None], [""], [1], [partition], [offset]]
        plant.store.insert("blind_windows", row, names=names)
    passed = [["blind-windows.v1"] * 2, [0, 1], [NOW, NOW], [MESSAGES, 2]]
    plant.store.insert("sink_offsets", passed, names=("topic", "partition", "at", "next"))
    assert backup(plant.settings, tmp_path, product="1", now=NOW).rows["blind_windows"] == 1


def test_a_backup_replaces_the_one_before(plant: Plant, tmp_path: Path) -> None:
    """Files that no manifest names any more are gone after the next run."""
    plant.windows(range(MESSAGES))
    backup(plant.settings, tmp_path, product="1", now=NOW)
    manifest = backup(plant.settings, tmp_path, product="1", now=NOW)
    there = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.parquet")}
    assert there == {part.file for part in manifest.parts}


def test_large_tables_are_cut(plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of more rows than fit in a file becomes several, which hold every row once."""
    monkeypatch.setattr(dump, "ROWS_PER_FILE", 10)
    plant.windows(range(25))
    manifest = backup(plant.settings, tmp_path, product="1", now=NOW)
    parts = [part.rows for part in manifest.parts if part.table == "blind_windows"]
    assert len(parts) >= 5 and max(parts) <= 10 and sum(parts) == 50
    other = plant.other()
    load(other, tmp_path, kind=Kind.BACKUP)
    assert plant.rows(other) == plant.rows(plant.settings)


def test_an_archive_adds_what_came_since(plant: Plant, tmp_path: Path) -> None:
    """Each run writes the offsets since the last one, touches no older file, and nothing new makes no file."""
    plant.windows(range(MESSAGES))
    first = archive(plant.settings, tmp_path, product="1", now=NOW)
    again = archive(plant.settings, tmp_path, product="1", now=NOW)
    plant.windows(range(MESSAGES, 9))
    last = archive(plant.settings, tmp_path, product="1", now=NOW)
    windows = [[p for p in run.parts if p.table == "blind_windows"] for run in (first, again, last)]
    assert windows[0] == windows[1] == windows[2][:-1]
    assert windows[2][-1].start == {0: MESSAGES, 1: MESSAGES} and windows[2][-1].stop == {0: 9, 1: 9}
    other = plant.other()
    load(other, tmp_path, kind=Kind.ARCHIVE)
    assert plant.rows(other) == plant.rows(plant.settings)


def test_an_archive_is_of_one_history(plant: Plant, tmp_path: Path) -> None:
    """A history that has passed less than the archive, or another database, does not add to it."""
    plant.windows(range(MESSAGES))
    archive(plant.settings, tmp_path, product="1", now=NOW)
    plant.store.command(f"TRUNCATE TABLE {plant.settings.clickhouse.database}.sink_offsets")
    with pytest.raises(ManifestInvalid, match=r"blind-windows\.v1:0 to have passed offset 7 as archived, got 0"):
        archive(plant.settings, tmp_path, product="1", now=NOW)
    with pytest.raises(ManifestInvalid, match="Expected an archive of database"):
        archive(plant.other(), tmp_path, product="1", now=NOW)


@pytest.mark.parametrize("write", [archive, backup], ids=lambda write: write.__name__)
def test_a_lost_history_replaces_nothing(plant: Plant, tmp_path: Path, write: Any) -> None:
    """Tables made anew, into which the sinks went on, do not pass for the ones before."""
    plant.windows(range(MESSAGES))
    write(plant.settings, tmp_path, product="1", now=NOW)
    plant.store.command(f"TRUNCATE TABLE {plant.settings.clickhouse.database}.blind_windows")
    plant.windows(range(MESSAGES, 9))
    with pytest.raises(ManifestInvalid, match=rf"got nothing of it.*rebuild --from {write.__name__}"):
        write(plant.settings, tmp_path, product="1", now=NOW)


def test_a_newer_version_is_not_read(plant: Plant, tmp_path: Path) -> None:
    """Tables that this version does not know are refused by name, before anything is made."""
    backup(plant.settings, tmp_path, product="9.0.0", now=NOW)
    file = tmp_path / "manifest.json"
    said = json.loads(file.read_text())
    file.write_text(json.dumps(said | {"migrations": [*said["migrations"], "0999_future.sql"]}))
    with pytest.raises(ManifestInvalid, match=r"9\.0\.0 with 0999_future\.sql"):
        load(plant.other(), tmp_path, kind=Kind.BACKUP)
