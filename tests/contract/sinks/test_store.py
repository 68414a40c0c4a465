"""The writing side against the real engine: columns, fates of failures, migrations, repetition."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lotstream.runtime.errors import Rejected, Transient
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.schemas.sightings import Context, LotSighting, LotSightingRows, sighting_of
from lotstream.sinks.loop import OFFSET_COLUMNS
from lotstream.sinks.migrate import migrate, migrations, preparation, render
from lotstream.sinks.rows import COLUMNS, Message, columns_of, lot_sighting_rows
from lotstream.sinks.store import ClickhouseStore

GENERATED = {"first", "lot_key"}  # the table's own defaults


@dataclass
class Place:
    """One database of the server under test."""

    settings: ClickhouseSettings
    store: ClickhouseStore

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.store.query(sql.replace("$", self.settings.database))

    def command(self, sql: str) -> None:
        self.store.command(sql.replace("$", self.settings.database))

    @property
    def shapes(self) -> list[tuple[Any, ...]]:
        """Every table and view as the server would create it again."""
        return self.query("SELECT name, create_table_query FROM system.tables WHERE database = '$' ORDER BY name")


def _place(target: Any) -> Place:
    settings = ClickhouseSettings(
        url=f"http://{target.host}:{target.port}",
        database=f"sinks_{secrets.token_hex(6)}",
        user=target.writer.name,
        password=target.writer.password,
    )
    return Place(settings, ClickhouseStore(settings))


@pytest.fixture
def place(target: Any) -> Iterator[Place]:
    """A database that does not exist yet."""
    found = _place(target)
    yield found
    found.command("DROP DATABASE IF EXISTS $")
    found.store.close()


@pytest.fixture(scope="module")
def ready(target: Any) -> Iterator[Place]:
    """A migrated database."""
    found = _place(target)
    migrate(found.settings)
    yield found
    found.command("DROP DATABASE $")
    found.store.close()


@pytest.mark.parametrize("table", [*COLUMNS, "sink_offsets"])
def test_columns_are_those_of_the_table(ready: Place, table: str) -> None:
    """A sink fills every column of its table but those that the table computes."""
    described = ready.query(f"DESCRIBE TABLE $.{table}")
    stored = {name for name, _, kind, *_ in described if kind != "ALIAS"}
    names = COLUMNS.get(table, OFFSET_COLUMNS)
    assert sorted(stored - GENERATED) == sorted(names)


def rows(tag: str = "tag") -> list[Any]:
    """Rows of one lot sighting."""
    sighting = sighting_of(
        tag,
        context=Context("p", "r", 1, 1),
        location="l",
        slot=58_779_000,
        version=(0, 1),
        first_us=1,
        last_us=2,
        recorded_us=4,
        reads=3,
    )
    value = LotSightingRows([LotSighting("a lot", 1, -1, sighting)]).encode()
    return lot_sighting_rows(Message("lot-sightings.v1", 0, 0, value))["lot_sightings"]


def insert(place: Place, found: list[Any]) -> None:
    place.store.insert("lot_sightings", columns_of(found), names=COLUMNS["lot_sightings"])


@pytest.mark.parametrize(
    "given",
    [{"slot": 2**32}, {"slot": -1}, {"version": (0, 2**64)}, {"version": (0, -1)}, {"tag": "\ud800"}],
)
def test_values_that_no_column_holds(ready: Place, given: dict[str, Any]) -> None:
    """A value beyond its column is the row's fault: rejected at once, never waited for, and the next row goes in."""
    found = rows(tag="bad")
    columns = dict(zip(COLUMNS["lot_sightings"], (list(column) for column in zip(*found, strict=True)), strict=True))
    for name, value in given.items():
        columns[name] = [value]
    with pytest.raises(Rejected):
        ready.store.insert("lot_sightings", list(columns.values()), names=COLUMNS["lot_sightings"])
    insert(ready, rows(tag="good"))
    assert ready.query("SELECT count() FROM $.lot_sightings WHERE tag = 'bad'") == [(0,)]


def test_a_missing_table_is_waited_for(place: Place) -> None:
    """Before the migrations have run, and while a server starts, an insert is an outage, and succeeds afterwards."""
    with pytest.raises(Transient):
        insert(place, rows())
    migrate(place.settings)
    insert(place, rows())
    assert place.query("SELECT count() FROM $.lot_sightings") == [(1,)]


def test_a_server_that_is_not_there(place: Place) -> None:
    """No connection is an outage, and its message one line."""
    away = ClickhouseStore(place.settings.model_copy(update={"url": "http://127.0.0.1:9"}))
    with pytest.raises(Transient) as caught:
        insert(Place(place.settings, away), rows())
    assert "\n" not in str(caught.value)


def test_a_type_that_changed(ready: Place) -> None:
    """What the server itself refuses in a row, by code, is rejected; types known from before are learnt anew."""
    ready.command("CREATE TABLE $.changing (a String) ENGINE = MergeTree ORDER BY a")
    ready.store.insert("changing", [["x"]], names=("a",))
    ready.command("DROP TABLE $.changing")
    ready.command("CREATE TABLE $.changing (a UInt8) ENGINE = MergeTree ORDER BY a")
    with pytest.raises(Rejected):
        ready.store.insert("changing", [["x"]], names=("a",))
    ready.store.insert("changing", [[7]], names=("a",))
    assert ready.query("SELECT a FROM $.changing") == [(7,)]


def test_an_import_of_many_years(ready: Place) -> None:
    """One insert may touch more months than the server allows by default."""
    names = ("tag", "slot", "version", "source_partition", "source_offset")
    slots = [month * 87_600 for month in range(150)]
    many = len(slots)
    columns = [["old"] * many, slots, [[0, 1]] * many, [0] * many, [0] * many]
    ready.store.insert("sightings", columns, names=names)
    assert ready.query("SELECT count() FROM $.sightings WHERE tag = 'old'") == [(many,)]


def test_the_first_copy_stays(ready: Place) -> None:
    """Of a row delivered twice the merge keeps the first: an older question loses nothing."""
    for offset in (5, 9, 7):
        again = [(*rows(tag="twice")[0][:-1], offset)]
        insert(ready, again)
    ready.command("OPTIMIZE TABLE $.lot_sightings FINAL")
    assert ready.query("SELECT source_offset FROM $.lot_sightings WHERE tag = 'twice'") == [(5,)]


def test_migrating_twice(place: Place) -> None:
    """The second time nothing is applied and nothing changes."""
    assert migrate(place.settings) == [migration.name for migration in migrations()]
    shapes = place.shapes
    assert migrate(place.settings) == []
    assert place.shapes == shapes


def test_migrating_after_a_stop(place: Place, ready: Place) -> None:
    """Stopped before a statement, whichever, the migrations go on and end as if nothing had happened."""
    database = place.settings.database
    statements = [*preparation(database), *(one for found in migrations() for one in found.statements(database))]
    expected = [(name, query.replace(ready.settings.database, database)) for name, query in ready.shapes]
    for stop in range(0, len(statements), 11):
        place.command("DROP DATABASE IF EXISTS $")
        for statement in statements[:stop]:
            place.command(statement)
        migrate(place.settings)
        assert [shape for shape in place.shapes if shape[0] != "changing"] == [
            shape for shape in expected if shape[0] != "changing"
        ]


def test_what_is_printed_is_what_runs(place: Place, ready: Place) -> None:
    """The printed script, run by hand on an empty server, leaves nothing for `migrate` to do."""
    for part in render(place.settings).split(";\n"):
        statement = part.strip().removesuffix(";")
        if statement:
            place.command(statement)
    assert migrate(place.settings) == []
    expected = [(name, query.replace(ready.settings.database, place.settings.database)) for name, query in ready.shapes]
    assert place.shapes == [shape for shape in expected if shape[0] != "changing"]
