"""The reading side of ClickHouse: a query is a file, its parameters are bound by the server."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from types import TracebackType
from typing import Any, Self

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lotstream.recall.known import table_filters
from lotstream.recall.placed import asks_units, lots_in, over_told
from lotstream.runtime.clickhouse import client_arguments
from lotstream.runtime.errors import Transient
from lotstream.runtime.settings import ClickhouseSettings

Row = dict[str, Any]

AT_ONCE = 4  # questions that one answer asks beside each other
CONNECT_S = 5  # a person waits
ALWAYS = datetime(2199, 12, 31, tzinfo=UTC)  # what has happened by then is everything; DateTime64 ends with 2299
_SILENT = logging.NullHandler()
_NOT_MIGRATED = frozenset({36, 47, 60, 81})  # a column, table or database is not there
_NOT_ALLOWED = frozenset({192, 193, 194, 497, 516})  # unknown user, wrong password, no rights
_BUG = frozenset({42, 43, 46, 53, 62, 184, 215, 386, 457})  # the query itself is wrong


class ClickhouseAway(Transient):
    """The history cannot be read now; the message says what to do."""


@cache
def query_text(name: str) -> str:
    """The SQL of a question, by the name of its file."""
    return resources.files("lotstream.recall.queries").joinpath(f"{name}.sql").read_text(encoding="utf-8")


class History:
    """Asks ClickHouse with the reading user; connects once, at the first question. Safe for threads.

    With ``known_at`` (aware) every question is answered as it would have been at that instant; with ``as_of`` (aware)
    by what had happened by then. Both together: by what was known at the one of what had happened by the other.
    """

    def __init__(
        self, settings: ClickhouseSettings, *, known_at: datetime | None = None, as_of: datetime | None = None
    ) -> None:
        self._settings = settings
        self.known_at = known_at
        self.as_of = as_of
        self._filters: dict[str, str] = {}
        self._client: Client | None = None
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="recall")
        self._places: tuple[Row, ...] | None = None
        # without a handler of its own the driver's errors go to standard error, beside what we say of them
        logging.getLogger("clickhouse_connect").addHandler(_SILENT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, name: str, *, placed: Sequence[str] | None = None, **parameters: Any) -> list[Row]:
        """Rows of a query of recall/queries. Raises ClickhouseAway.

        ``placed`` are lots of which units are placed by their sightings (recall.placed); by default those of the lots
        asked for that were told that they need it.
        """
        text = query_text(name)
        lots = lots_in(parameters) if placed is None and asks_units(text) else ()
        if lots:  # nothing was told of nearly all lots: the question is asked beside
            self.connect()
            told = self._pool.submit(self.told, lots)
            rows = self._ask(text, (), parameters)
            placed = told.result()
            if not placed:
                return rows
        return self._ask(over_told(text) if placed else text, placed or (), parameters)

    def _ask(self, text: str, placed: Sequence[str], parameters: Row) -> list[Row]:
        try:
            asked = {"as_of": self.as_of or ALWAYS, "placed": placed, **parameters}
            return _rows(self._connected(), text, asked, settings=self._filters)
        except (ClickHouseError, OSError) as error:
            if getattr(error, "code", None) in _BUG:
                raise
            raise self._away(error) from error

    def run(self, text: str, parameters: Row, *, settings: Row) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        """Columns and rows of somebody's own query. Raises ClickHouseError when it is refused, ClickhouseAway."""
        try:
            client = self._connected()
            result = client.query(text, parameters=parameters, settings={**settings, **self._filters}, tz_mode="aware")
        except OSError as error:
            raise self._away(error) from error
        return result.column_names, result.result_rows

    def bound(self, text: str, parameters: Mapping[str, Any]) -> Row:
        """Parameters of a query, with the time that it is asked of where it names that."""
        return {**({"as_of": self.as_of or ALWAYS} if "{as_of:" in text else {}), **parameters}

    def ask_all(self, *names: str, **parameters: Any) -> dict[str, list[Row]]:
        """Rows of several queries by name, with the same parameters, asked at once. Raises ClickhouseAway."""
        self.connect()
        if "placed" not in parameters and any(asks_units(query_text(name)) for name in names):
            parameters["placed"] = self.told(lots_in(parameters))
        return dict(zip(names, self._pool.map(lambda name: self.ask(name, **parameters), names), strict=True))

    def told(self, lots: Sequence[str]) -> list[str]:
        """Those of the lots of which units are to be placed when asked. Raises ClickhouseAway."""
        return [row["lot"] for row in self.ask("lots_told", placed=(), lots=lots)] if lots else []

    def all_told(self, gtin: str = "") -> list[str]:
        """All lots, or those of a GTIN-14, of which units are to be placed when asked. Raises ClickhouseAway."""
        return [row["lot"] for row in self.ask("all_told", gtin=gtin)]

    def places(self) -> tuple[Row, ...]:
        """The locations of the newest mapping, read once. Raises ClickhouseAway."""
        if self._places is None:
            self._places = tuple(self.ask("locations"))
        return self._places

    def passed(self) -> list[Row]:
        """The vector of offsets that the sinks had passed: `topic`, `partition`, `next`. Raises ClickhouseAway."""
        return self.ask("offsets_passed", instant=self.known_at or ALWAYS)

    def close(self) -> None:
        """Give the connections back."""
        self._pool.shutdown()
        if self._client is not None:
            self._client.close()
            self._client = None

    def connect(self) -> None:
        """Connect, if that is still to be done. Raises ClickhouseAway."""
        try:
            self._connected()
        except (ClickHouseError, OSError) as error:
            raise self._away(error) from error

    def _connected(self) -> Client:
        if self._client is None:
            client = clickhouse_connect.get_client(
                **client_arguments(self._settings, "reader"),
                database=self._settings.database,
                connect_timeout=CONNECT_S,
                query_retries=0,
            )
            if self.known_at is not None:
                passed = _rows(client, query_text("offsets_passed"), {"instant": self.known_at}, settings={})
                self._filters = {"additional_table_filters": table_filters(self._settings.database, passed)}
            self._client = client
        return self._client

    def _away(self, error: Exception) -> ClickhouseAway:
        code = getattr(error, "code", None)
        where = f"ClickHouse at {self._settings.url}"
        if code in _NOT_MIGRATED:
            wanted = f"the tables of this version in database {self._settings.database!r}"
            return ClickhouseAway(f"Expected {wanted} of {where}, got none. Make them: lotstream migrate.")
        if code in _NOT_ALLOWED:
            user = self._settings.reader_user
            hint = "Look at clickhouse.reader_user and clickhouse.reader_password_file in the settings."
            return ClickhouseAway(f"Expected {where} to let user {user!r} read, got a refusal. {hint}")
        said = f"error {code}" if code is not None else "no answer"
        hint = "Is it up? See: lotstream status, lotstream doctor; the address is the setting clickhouse.url."
        return ClickhouseAway(f"Expected {where} to answer, got {said}. {hint}")


def _rows(client: Client, text: str, parameters: dict[str, Any], *, settings: dict[str, str]) -> list[Row]:
    result = client.query(text, parameters=parameters, settings=settings, tz_mode="aware")
    return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
