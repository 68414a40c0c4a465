"""The writing side of ClickHouse: inserts and statements, with each failure given its fate by its code."""

from collections.abc import Sequence
from typing import Any, Protocol

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DataError

from lotstream.runtime.clickhouse import client_arguments
from lotstream.runtime.errors import Reason, Rejected, Transient
from lotstream.runtime.settings import ClickhouseSettings

# What a row itself can be blamed for: it cannot be parsed, is of another type, out of bounds, an unknown enum
# value, NULL in a plain column. Every other code is the server's state, and is waited for.
ROW_CODES = frozenset({6, 26, 27, 38, 41, 53, 69, 70, 72, 117, 131, 190, 321, 349, 407, 441, 691})

CONNECT_S = 10
LONGEST_INSERT_S = 60  # a server that is frozen, not down, is noticed

# The server knows a repeated block by its content (non_replicated_deduplication_window), which no name of ours could
# say better; a batch of imported history may touch more months than the hundred that the server allows by default.
_INSERT_SETTINGS = {"deduplicate_blocks_in_dependent_materialized_views": 1, "max_partitions_per_insert_block": 0}


class Store(Protocol):
    """Where rows go. Raises Transient for an outage and Rejected for rows that are refused."""

    def insert(self, table: str, columns: Sequence[Sequence[Any]], *, names: Sequence[str]) -> None:
        """Insert columns of equal length."""


class ClickhouseStore:
    """A client of its own per thread; connects at the first use, so that a start does not need the server."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._types: dict[str, list[Any]] = {}

    def insert(self, table: str, columns: Sequence[Sequence[Any]], *, names: Sequence[str]) -> None:
        """Insert columns into a table of the settings' database."""
        full = f"{self._settings.database}.{table}"
        try:
            client = self._connected()
            if table not in self._types:
                context = client.create_insert_context(full, column_names=names)
                self._types[table] = list(context.column_types)
            client.insert(
                full,
                columns,
                column_names=names,
                column_types=self._types[table],
                column_oriented=True,
                settings=_INSERT_SETTINGS,
            )
        except (DataError, ValueError, OverflowError) as error:
            # the client could not write a value in the column's type
            raise Rejected(Reason.ROW_REFUSED, f"Expected values of {full}, got: {error}") from error
        except (ClickHouseError, OSError) as error:
            raise self._fate(error) from error

    def command(self, statement: str) -> None:
        """Run one statement of a migration."""
        try:
            self._connected().command(statement)
        except (ClickHouseError, OSError) as error:
            raise self._fate(error) from error

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        try:
            return [tuple(row) for row in self._connected().query(statement).result_rows]
        except (ClickHouseError, OSError) as error:
            raise self._fate(error) from error

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> Client:
        if self._client is None:
            self._client = clickhouse_connect.get_client(
                **client_arguments(self._settings, "writer"),
                connect_timeout=CONNECT_S,
                send_receive_timeout=LONGEST_INSERT_S,
                query_retries=0,
            )
        return self._client

    def _fate(self, error: Exception) -> Exception:
        self._types.clear()  # a migration may have passed meanwhile
        said = " ".join(str(error).split())
        if getattr(error, "code", None) in ROW_CODES:
            return Rejected(Reason.ROW_REFUSED, said)
        return Transient(f"ClickHouse at {self._settings.url}: {said}")
