"""The reading side of ClickHouse: a query is a file, its parameters are bound by the server."""

from functools import cache
from importlib import resources
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lotstream.runtime.clickhouse import client_arguments
from lotstream.runtime.errors import Transient
from lotstream.runtime.settings import ClickhouseSettings

Row = dict[str, Any]


@cache
def query_text(name: str) -> str:
    """The SQL of a question, by the name of its file."""
    return resources.files("lotstream.recall.queries").joinpath(f"{name}.sql").read_text(encoding="utf-8")


class History:
    """Asks ClickHouse with the reading user."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        self._settings = settings
        self._client: Client | None = None

    def ask(self, name: str, **parameters: Any) -> list[Row]:
        """Rows of a query of recall/queries. Raises Transient when ClickHouse does not answer."""
        try:
            if self._client is None:
                self._client = clickhouse_connect.get_client(
                    **client_arguments(self._settings, "reader"), database=self._settings.database
                )
            result = self._client.query(query_text(name), parameters=parameters, tz_mode="aware")
        except (ClickHouseError, OSError) as error:
            raise Transient(f"ClickHouse at {self._settings.url} did not answer {name}: {error}") from error
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()
            self._client = None
