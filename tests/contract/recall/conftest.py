"""A history on the real engine, filled through the sinks' own rows."""

import random
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from lotstream.recall.store import History
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.schemas.sightings import Context, LotSighting, LotSightingRows, Sighting, SightingRows, sighting_of
from lotstream.sinks.migrate import migrate
from lotstream.sinks.rows import COLUMNS, SINKS, Message, Row, columns_of
from lotstream.sinks.store import ClickhouseStore

NOW_US = 1_763_370_000_000_000
LOT = "01/10614141073464/10/B251101"


def sighting(**given: Any) -> Sighting:
    """A sighting of a unit, with what is given."""
    values: dict[str, Any] = {
        "tag": "01/10614141073464/21/1",
        "context": Context("dock", "reader", 1, 1),
        "slot": NOW_US // 30_000_000,
        "version": (0, 1),
        "location": "plant",
        "first_us": NOW_US,
        "last_us": NOW_US + 1_000_000,
        "reads": 3,
        "state": 1,
        "marks": 1,
        "recorded_us": NOW_US + 2_000_000,
    }
    return sighting_of(**(values | given))


def lot_sighting(lot: str = LOT, binding: int = 1, relabelled: int = -1, **given: Any) -> LotSighting:
    """A sighting of a unit of a lot."""
    return LotSighting(lot, binding, relabelled, sighting(**given))


@dataclass
class Warehouse:
    """One database of one server."""

    settings: ClickhouseSettings
    store: ClickhouseStore
    history: History
    offsets: dict[str, int] = field(default_factory=dict)

    def put(self, sink: str, values: Iterable[bytes], *, cuts: random.Random | None = None, headers: Any = ()) -> None:
        """Messages of a sink's topic, as the sink writes them; `cuts` sets the boundaries of the inserts."""
        found = next(found for found in SINKS if found.name == sink)
        messages = []
        for value in values:
            offset = self.offsets[found.topic] = self.offsets.get(found.topic, -1) + 1
            messages.append(Message(found.topic, 0, offset, value, headers))
        self.insert(found.rows, messages, cuts=cuts)

    def insert(
        self, rows: Callable[[Message], Any], messages: Sequence[Message], *, cuts: random.Random | None = None
    ) -> None:
        """Rows of messages, in inserts of their own or all at once."""
        tables: dict[str, list[Row]] = {}
        for message in messages:
            for table, some in rows(message).items():
                tables.setdefault(table, []).extend(some)
        for table, all_rows in tables.items():
            start = 0
            while start < len(all_rows):
                step = cuts.randint(1, 60) if cuts else len(all_rows)
                self.store.insert(table, columns_of(all_rows[start : start + step]), names=COLUMNS[table])
                start += step

    def lot_sightings(self, rows: Sequence[LotSighting]) -> None:
        """Rows of one message of lot-sightings.v1."""
        self.put("lot-sightings", [LotSightingRows(rows).encode()])

    def sightings(self, rows: Sequence[Sighting]) -> None:
        """Rows of one message of sightings.v1."""
        self.put("sightings", [SightingRows(rows).encode()])

    def passed(self, at: datetime) -> None:
        """The sinks have everything that was put, and say so."""
        at_us = int(at.timestamp() * 1_000_000)
        rows = [(topic, 0, at_us, offset + 1) for topic, offset in self.offsets.items()]
        self.store.insert("sink_offsets", columns_of(rows), names=("topic", "partition", "at", "next"))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows, with the writing user."""
        return self.store.query(sql)

    def clear(self) -> None:
        """Empty every table."""
        for (table,) in self.query(
            f"SELECT name FROM system.tables WHERE database = '{self.settings.database}' AND engine LIKE '%MergeTree'"
        ):
            if table != "schema_migrations":
                self.store.command(f"TRUNCATE TABLE {self.settings.database}.{table}")

    def merge(self) -> None:
        """Merge every table down to one part."""
        for (table,) in self.query(
            f"SELECT name FROM system.tables WHERE database = '{self.settings.database}' AND engine LIKE '%MergeTree'"
        ):
            self.store.command(f"OPTIMIZE TABLE {self.settings.database}.{table} FINAL")


@pytest.fixture(scope="session")
def server_settings(target: Any) -> ClickhouseSettings:
    """The server under test, with both users; a database that is not made yet."""
    reader = target.reader or target.writer
    return ClickhouseSettings(
        url=f"http://{target.host}:{target.port}",
        database=f"recall_{secrets.token_hex(6)}",
        user=target.writer.name,
        password=target.writer.password,
        reader_user=reader.name,
        reader_password=reader.password,
    )


@pytest.fixture(scope="session")
def migrated(server_settings: ClickhouseSettings) -> Iterator[Warehouse]:
    """A migrated database, with its clients."""
    migrate(server_settings)
    store, history = ClickhouseStore(server_settings), History(server_settings)
    yield Warehouse(server_settings, store, history)
    history.close()
    store.command(f"DROP DATABASE {server_settings.database}")
    store.close()


@pytest.fixture
def warehouse(migrated: Warehouse) -> Warehouse:
    """An empty history."""
    migrated.clear()
    migrated.offsets.clear()
    migrated.history.close()
    migrated.history = History(migrated.settings)
    return migrated


@pytest.fixture
def make() -> Any:
    """Builders of facts by name."""
    return type("Make", (), {"sighting": staticmethod(sighting), "lot_sighting": staticmethod(lot_sighting)})
