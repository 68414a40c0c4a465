"""Tables of the history to Parquet files and back, written and read by ClickHouse itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from lotstream.runtime.clickhouse import client_arguments
from lotstream.runtime.errors import Transient
from lotstream.runtime.settings import ClickhouseSettings

LONGEST_S = 3600
_INSERT = {"max_partitions_per_insert_block": 0, "deduplicate_blocks_in_dependent_materialized_views": 1}


class ParquetStore:
    """Files, whole tables and figures of one database, as the writing user. Raises Transient for every failure."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        self.database = settings.database
        try:
            self._client = clickhouse_connect.get_client(
                **client_arguments(settings, "writer"), send_receive_timeout=LONGEST_S, query_retries=0
            )
        except (ClickHouseError, OSError) as error:
            raise _away(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        try:
            return [tuple(row) for row in self._client.query(statement).result_rows]
        except (ClickHouseError, OSError) as error:
            raise _away(error) from error

    def rows(self, statement: str) -> Iterator[Sequence[Any]]:
        """Rows of a query of which there may be many."""
        try:
            with self._client.query_rows_stream(statement) as rows:
                yield from rows
        except (ClickHouseError, OSError) as error:
            raise _away(error) from error

    def write(self, statement: str, file: Path) -> None:
        """The rows of a query as a Parquet file."""
        try:
            with file.open("wb") as output, self._client.raw_stream(statement, fmt="Parquet") as pieces:
                for piece in pieces:
                    output.write(piece)
        except ClickHouseError as error:
            raise _away(error) from error

    def insert(self, table: str, file: Path, *, columns: Sequence[str]) -> None:
        """The rows of a Parquet file into a table."""
        try:
            with file.open("rb") as data:
                self._client.raw_insert(
                    f"{self.database}.{table}", column_names=columns, insert_block=data, fmt="Parquet", settings=_INSERT
                )
        except ClickHouseError as error:
            raise _away(error) from error


def _away(error: Exception) -> Transient:
    return Transient(f"ClickHouse: {' '.join(str(error).split())}")
