"""The world of `bench.recall`: campaigns of 360,000 movements into the product's own schema, some at a time."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from lotstream.runtime.clickhouse import client_arguments
from lotstream.runtime.settings import ClickhouseSettings

STATEMENTS = Path(__file__).with_suffix(".sql").with_stem("recall")
MOVEMENTS = 360_000  # of a campaign, a fifth of them of class-level goods
UNITS, LOTS = 45_000, 180
DAYS = 556  # over which campaigns are spread
AT_ONCE = 6  # campaigns of one statement: two million rows, a gigabyte of memory
LONGEST_S = 3600
_BOUNDS = {"max_memory_usage": 6 << 30, "max_partitions_per_insert_block": 0, "max_insert_threads": 2}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is there, how fast it came, and what it takes on disk."""

    movements: int
    units: int
    lots: int
    seconds: float
    movements_s: float
    merge_seconds: float
    bytes_per_movement: float
    tables: dict[str, float]  # bytes per movement of each

    def row(self) -> dict[str, object]:
        return asdict(self)


def writer(settings: ClickhouseSettings) -> Client:
    """A client that waits for long statements."""
    return clickhouse_connect.get_client(
        **client_arguments(settings, "writer"), send_receive_timeout=LONGEST_S, settings=_BOUNDS
    )


def load(settings: ClickhouseSettings, *, movements: int, say: Callable[[str], None]) -> Loaded:
    """At least so many movements, in whole campaigns; then every table merged as a server does in a quiet hour."""
    campaigns = max(1, -(-movements // MOVEMENTS))
    client, started = writer(settings), time.perf_counter()
    _run(client, _LOCATIONS, database=settings.database)
    for first in range(0, campaigns, AT_ONCE):
        last = min(first + AT_ONCE, campaigns)
        statements = STATEMENTS.read_text(encoding="utf-8")
        _run(client, statements, database=settings.database, **{"from": first, "to": last, "days": DAYS})
        rate = last * MOVEMENTS / (time.perf_counter() - started)
        say(f"loaded {last * MOVEMENTS:,} of {campaigns * MOVEMENTS:,} movements, {rate:,.0f}/s")
    seconds = time.perf_counter() - started
    merging = time.perf_counter()
    for table in _tables(client, settings.database):
        say(f"merging {table}")
        client.command(f"OPTIMIZE TABLE {settings.database}.{table} FINAL")
    sizes = _sizes(client, settings.database)
    client.close()
    total = campaigns * MOVEMENTS
    return Loaded(
        movements=total,
        units=campaigns * UNITS,
        lots=campaigns * LOTS,
        seconds=round(seconds, 1),
        movements_s=round(total / seconds),
        merge_seconds=round(time.perf_counter() - merging, 1),
        bytes_per_movement=round(sum(sizes.values()) / total, 2),
        tables={table: round(size / total, 3) for table, size in sizes.items() if size > total / 1000},
    )


_LOCATIONS = """
INSERT INTO ${database}.locations (id, name, kind, mapping, recorded_at, source_partition, source_offset)
SELECT concat('414/06141410', leftPad(toString(number), 5, '0')), concat('Place ', toString(number)), 'zone', 1,
       toDateTime64(1763370000, 6, 'UTC'), 0, 1
FROM numbers(5);
INSERT INTO ${database}.locations (id, name, kind, mapping, recorded_at, source_partition, source_offset)
SELECT concat('414/061414200', leftPad(toString(number), 4, '0')), concat('Customer ', toString(number)), 'customer', 1,
       toDateTime64(1763370000, 6, 'UTC'), 0, 1
FROM numbers(200);
"""


def _run(client: Client, text: str, **given: object) -> None:
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    for statement in Template("\n".join(lines)).substitute(given).split(";\n"):
        if statement.strip(" ;\n"):
            client.command(statement.strip().rstrip(";"))


def _tables(client: Client, database: str) -> list[str]:
    found = client.query(
        f"SELECT name FROM system.tables WHERE database = '{database}' AND engine LIKE '%MergeTree' ORDER BY total_rows"
    )
    return [name for (name,) in found.result_rows]


def _sizes(client: Client, database: str) -> dict[str, int]:
    """Bytes on disk of each table, the largest first."""
    found = client.query(
        "SELECT table, sum(bytes_on_disk) AS size FROM system.parts "
        f"WHERE active AND database = '{database}' GROUP BY table ORDER BY size DESC"
    )
    return {table: int(size) for table, size in found.result_rows}


def progress(text: str) -> None:
    """A line at once, also into a file."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()
