"""Making tables, and how long they keep a row, on the real engine."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lotstream.runtime.errors import Transient
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks import migrate_lock
from lotstream.sinks.migrate import migrate, migrations
from lotstream.sinks.retention import LegalHold, holds, say_hold
from lotstream.sinks.store import ClickhouseStore
from lotstream.sinks.survey import survey

NAMES = [migration.name for migration in migrations()]
NOW = datetime.now(UTC)


@pytest.fixture
def empty(target: Any) -> Iterator[ClickhouseSettings]:
    """A database that is not there yet."""
    settings = ClickhouseSettings(
        url=f"http://{target.host}:{target.port}",
        database=f"tables_{secrets.token_hex(6)}",
        user=target.writer.name,
        password=target.writer.password,
    )
    yield settings
    target.ask(f"DROP DATABASE IF EXISTS {settings.database} SYNC", params={"database": "default"})


@pytest.fixture
def store(empty: ClickhouseSettings) -> Iterator[ClickhouseStore]:
    found = ClickhouseStore(empty)
    yield found
    found.close()


def kept(settings: ClickhouseSettings, **days: int) -> ClickhouseSettings:
    return settings.model_copy(update=days)


def lots(store: ClickhouseStore, settings: ClickhouseSettings) -> list[str]:
    """Codes of the lots that are left after the server has tidied up."""
    store.command(f"OPTIMIZE TABLE {settings.database}.lots FINAL")
    return [code for (code,) in store.query(f"SELECT code FROM {settings.database}.lots ORDER BY code")]


def put_lot(store: ClickhouseStore, code: str, *, days_ago: int) -> None:
    names = ("lot", "code", "event", "recorded_at", "source_offset")
    row = [[f"01/1/10/{code}"], [code], [code], [NOW - timedelta(days=days_ago)], [days_ago]]
    store.insert("lots", row, names=names)


def test_rows_go_when_their_time_is_over(empty: ClickhouseSettings, store: ClickhouseStore) -> None:
    """Without a setting everything stays; with one what is older goes, and a lifted one gives nothing back."""
    migrate(empty)
    for code, days in (("old", 40), ("new", 3)):
        put_lot(store, code, days_ago=days)
    assert lots(store, empty) == ["new", "old"]
    said = migrate(kept(empty, facts_days=30, sightings_days=20))
    assert "lots: kept 30 days" in said and "sightings: kept 20 days" in said
    assert lots(store, empty) == ["new"]
    assert migrate(kept(empty, facts_days=30, sightings_days=20)) == []
    assert "lots: kept for ever" in migrate(empty)


def test_a_legal_hold_stops_deletion(empty: ClickhouseSettings, store: ClickhouseStore) -> None:
    """While any hold is in force nothing is deleted, whatever the settings say; released, what is over goes."""
    migrate(empty)
    settings = kept(empty, facts_days=30, sightings_days=30)
    hold = LegalHold("01/1/10/old", NOW, "counsel", "case 7")
    say_hold(settings, hold, placed=True)
    assert migrate(settings) == []
    put_lot(store, "old", days_ago=40)
    assert lots(store, empty) == ["old"]
    assert [(one.subject, one.by, one.why) for one in holds(empty)] == [("01/1/10/old", "counsel", "case 7")]
    say_hold(settings, LegalHold("01/1/10/old", NOW + timedelta(seconds=1), "counsel", "closed"), placed=False)
    assert holds(empty) == []
    assert lots(store, empty) == []


def started(empty: ClickhouseSettings, **more: str) -> subprocess.Popen[str]:
    """`lotstream migrate` as a process of its own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOTSTREAM_")} | {
        "LOTSTREAM_CLICKHOUSE__URL": empty.url,
        "LOTSTREAM_CLICKHOUSE__DATABASE": empty.database,
        "LOTSTREAM_CLICKHOUSE__USER": empty.user,
        "LOTSTREAM_CLICKHOUSE__PASSWORD": empty.secret(),
        "LOTSTREAM_KAFKA__BOOTSTRAP": "127.0.0.1:1",
    }
    words = [sys.executable, "-m", "lotstream.cli.main", "migrate"]
    return subprocess.Popen(words, env=env | more, stdout=subprocess.PIPE, text=True)


def test_two_migrators_are_one(empty: ClickhouseSettings) -> None:
    """Started at once, one makes the tables and the other finds them."""
    with started(empty) as one, started(empty) as other:
        said = [process.communicate(timeout=60)[0].splitlines() for process in (one, other)]
    assert sorted(said, key=len) == [["Nothing to apply."], [f"applied {name}" for name in NAMES]]


def test_a_migrator_that_died_half_way(empty: ClickhouseSettings) -> None:
    """Killed between two statements, a migration is repeated by the next migrator at once, and then recorded."""
    with started(empty, LOTSTREAM_TEST_CRASH="migrate:statement run:5") as died:
        assert died.wait(60) == -9
    assert survey(empty).missing == tuple(NAMES[1:])
    assert migrate(empty) == NAMES[1:]
    assert survey(empty).missing == ()


def test_a_migrator_that_lives_is_not_disturbed(
    empty: ClickhouseSettings, store: ClickhouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process migrates, nothing is done, and the message names it; it is passed over after long."""
    monkeypatch.setattr(migrate_lock, "WAIT_S", 0.5)
    migrate(empty)
    with (
        subprocess.Popen(["sleep", "60"]) as other,
        migrate_lock.only_migrator(store, empty.database),
    ):
        comment = f"{migrate_lock.socket.gethostname()}:{other.pid}"
        store.command(f"ALTER TABLE {empty.database}.{migrate_lock.LOCK} MODIFY COMMENT '{comment}'")
        with pytest.raises(Transient, match=f"by process {comment} .* DROP TABLE"):
            migrate(empty)
        monkeypatch.setattr(migrate_lock, "STALE_S", -1)
        assert migrate(empty) == []
        other.kill()
    assert migrate(empty) == []
