"""An analyst's own query over the history: as the reading user, within limits."""

import re
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from clickhouse_connect.driver.exceptions import ClickHouseError
from pydantic import Field

from lotstream.recall.answers import Answer
from lotstream.recall.store import History

MOST_ROWS, MOST_SECONDS, MOST_BYTES = 100_000, 60, 2_000_000_000


class QueryRefused(ValueError):
    """The server refuses a query: it is not understood, not allowed, or asks for too much."""


class SqlAnswer(Answer):
    """`lotstream sql QUERY`: what the server answered."""

    kind: Literal["sql"] = "sql"
    v: Literal[1] = 1
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...] = Field(description="values by column; decimals as text, times in UTC")
    truncated: bool = Field(description="there are more rows than the limit")
    milliseconds: float


def run_sql(
    history: History, text: str, *, parameters: Mapping[str, str] = MappingProxyType({}), limit: int = MOST_ROWS
) -> SqlAnswer:
    """Rows of a query, ``limit`` of them at most; ``parameters`` are bound by the server to its {name:Type}.

    Raises QueryRefused, ClickhouseAway.
    """
    unbound = [name for name in parameters if not re.search(rf"\{{\s*{re.escape(name)}\s*:", text)]
    if unbound:
        raise QueryRefused(f"Expected a query with {{{unbound[0]}:Type}}, got one without.")
    history.connect()
    started = time.perf_counter()
    limits = {
        "max_execution_time": MOST_SECONDS,
        "max_memory_usage": MOST_BYTES,
        "max_result_rows": limit + 1,
        "result_overflow_mode": "break",  # ends with the block that reaches the limit
    }
    try:
        columns, rows = history.run(text, history.bound(text, parameters), settings=limits)
    except ClickHouseError as error:
        said = " ".join(str(error).split()).removeprefix("Received ClickHouse exception, ")
        raise QueryRefused(f"Expected a query that the server answers, got {said}") from None
    return SqlAnswer(
        columns=tuple(columns),
        rows=tuple(tuple(row) for row in rows[:limit]),
        truncated=len(rows) > limit,
        milliseconds=round((time.perf_counter() - started) * 1000, 3),
    )
