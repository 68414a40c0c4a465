"""A world through the product: the stages in disorder, the sinks' own rows, the real engine."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User
from lotstream.recall.store import History
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks.migrate import migrate
from lotstream.sinks.rows import COLUMNS, SINKS, Message, Row, columns_of
from lotstream.sinks.store import ClickhouseStore
from tests.worlds.check import disordered, tell
from tests.worlds.stack import PARTITIONS, Stack
from tests.worlds.world import World

DATABASE = "worlds"
FED = ("lot_names", "lot_events", "lot_places", "process_sides", "masters")  # by what goes into other tables
KNOWN_AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


class Warehouse:
    """One database of one server, for one world after the other."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        self.settings = settings
        self.store, self.history = ClickhouseStore(settings), History(settings)
        self._filled = set(FED)

    def play(self, world: World, *, seed: int) -> None:
        """Nothing is left but what the stages made of this world, in inserts of any size; of every other world by
        stages with little memory."""
        for table in self._filled:
            self.store.command(f"TRUNCATE TABLE {self.settings.database}.{table}")
        chance = random.Random(seed)
        stack = disordered(world[: known(world, seed)], seed=seed, forgetful=seed % 2 == 0)
        self._pass(stack)
        tell(stack, world[known(world, seed) :], chance)
        self._fill(stack, chance)

    def at(self, *, known_at: datetime | None, as_of: datetime | None) -> History:
        """Who asks at other times."""
        return History(self.settings, known_at=known_at, as_of=as_of)

    def close(self) -> None:
        """Give the connections back."""
        self.history.close()
        self.store.close()

    def _pass(self, stack: Stack) -> None:
        """What there is by now is what is known at an instant."""
        at = int(KNOWN_AT.timestamp() * 1_000_000)
        rows = [
            (sink.topic, number, at, len(stack.log.partition(sink.topic, number)))
            for sink in SINKS
            for number in range(PARTITIONS)
        ]
        self.store.insert("sink_offsets", columns_of(rows), names=("topic", "partition", "at", "next"))

    def _fill(self, stack: Stack, chance: random.Random) -> None:
        tables = rows_of(stack)
        self._filled = {*FED, "sink_offsets", *tables}
        for table, rows in tables.items():
            cut = chance.randint(0, len(rows))
            for some in (rows[:cut], rows[cut // 2 :]):  # two inserts, of which the second repeats some
                if some:
                    self.store.insert(table, columns_of(some), names=COLUMNS[table])


def known(world: World, seed: int) -> int:
    """How many facts of a world were known before the others."""
    return random.Random(seed).randint(0, len(world))


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


def rows_of(stack: Stack) -> dict[str, list[Row]]:
    """What the sinks make of a log, by table."""
    tables: dict[str, list[Row]] = {}
    for sink in SINKS:
        for record in stack.log.topic(sink.topic):
            message = Message(sink.topic, record.partition, record.offset, record.value, record.headers)
            for table, rows in sink.rows(message).items():
                tables.setdefault(table, []).extend(rows)
    return tables
