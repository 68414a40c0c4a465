"""A world through the product: the stages in disorder, the sinks' own rows, the real engine."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User
from lotstream.recall.store import History
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks.migrate import migrate
from lotstream.sinks.rows import COLUMNS, SINKS, Message, Row, columns_of
from lotstream.sinks.store import ClickhouseStore
from tests.worlds.check import disordered
from tests.worlds.stack import Stack
from tests.worlds.world import World

DATABASE = "worlds"
FED = ("lot_names", "lot_events", "process_sides", "masters")  # by what goes into other tables


class Warehouse:
    """One database of one server, for one world after the other."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        self._settings = settings
        self.store, self.history = ClickhouseStore(settings), History(settings)
        self._filled = set(FED)

    def play(self, world: World, *, seed: int) -> None:
        """Nothing is left but what the stages made of this world, in inserts of any size."""
        for table in self._filled:
            self.store.command(f"TRUNCATE TABLE {self._settings.database}.{table}")
        self._fill(disordered(world, seed=seed), random.Random(seed))

    def close(self) -> None:
        """Give the connections back."""
        self.history.close()
        self.store.close()

    def _fill(self, stack: Stack, chance: random.Random) -> None:
        tables: dict[str, list[Row]] = {}
        for sink in SINKS:
            for record in stack.log.topic(sink.topic):
                message = Message(sink.topic, record.partition, record.offset, record.value, record.headers)
                for table, rows in sink.rows(message).items():
                    tables.setdefault(table, []).extend(rows)
        self._filled = {*FED, *tables}
        for table, rows in tables.items():
            cut = chance.randint(0, len(rows))
            for some in (rows[:cut], rows[cut // 2 :]):  # two inserts, of which the second repeats some
                if some:
                    self.store.insert(table, columns_of(some), names=COLUMNS[table])


@contextmanager
def warehouse() -> Iterator[Warehouse]:
    """A server of its own, which ends with the block."""
    with tempfile.TemporaryDirectory() as folder:
        users = (User("w", "w", Role.WRITER), User("r", "r", Role.READER))
        with EmbeddedClickHouse(Path(folder) / "data", users=users, log_file=Path(folder) / "log") as server:
            settings = ClickhouseSettings.model_validate(
                {"url": server.url, "database": DATABASE, "user": "w", "password": "w", "reader_user": "r",
                 "reader_password": "r"}
            )  # fmt: skip
            migrate(settings)
            made = Warehouse(settings)
            try:
                yield made
            finally:
                made.close()
