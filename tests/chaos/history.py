"""Whether ClickHouse holds what the topics hold: of every fact the first copy, and nothing else."""

import re
from collections.abc import Mapping
from typing import Any

import clickhouse_connect

from lotstream.runtime.clickhouse import client_arguments
from lotstream.runtime.errors import Rejected
from lotstream.runtime.settings import Settings
from lotstream.sinks.rows import COLUMNS, SINKS, Message
from tests.chaos.logs import Logs

Shape = tuple[int, int]  # facts, sum of the offsets of their first copies
OWN = {"lot_key": "lot"}  # key columns that ClickHouse makes of others


class History:
    """The tables of one run."""

    def __init__(self, settings: Settings) -> None:
        self._client: Any = clickhouse_connect.get_client(**client_arguments(settings.clickhouse, "reader"))
        self._settings = settings

    def held(self, table: str) -> Shape:
        """What a table holds once copies are merged."""
        full = f"{self._settings.clickhouse.database}.{table}"
        ((count, offsets),) = self._client.query(f"SELECT count(), sum(source_offset) FROM {full} FINAL").result_rows
        return int(count), int(offsets)

    def expected(self, logs: Logs) -> Mapping[str, Shape]:
        """What the sinks' rows come to when every message is written once, first copies first."""
        first: dict[str, dict[tuple[str, ...], int]] = {}
        for sink in SINKS:
            for record in logs.records(self._settings.topics.name(sink.topic)):
                message = Message(
                    record.topic, record.partition, record.offset, record.value, record.headers, record.timestamp_us
                )
                try:
                    tables = sink.rows(message)
                except Rejected:
                    continue
                for table, rows in tables.items():
                    names = COLUMNS[table]
                    at = [names.index(name) for name in self._key(table)]
                    facts = first.setdefault(table, {})
                    for row in rows:
                        key = tuple(repr(row[index]) for index in at)
                        facts[key] = min(facts.get(key, record.offset), record.offset)
        return {table: (len(facts), sum(facts.values())) for table, facts in first.items()}

    def _key(self, table: str) -> list[str]:
        database = self._settings.clickhouse.database
        (said,) = self._client.query(
            f"SELECT sorting_key FROM system.tables WHERE database = '{database}' AND name = '{table}'"
        ).result_rows[0]
        names = [OWN.get(name, name) for name in re.sub(r"sipHash64\((\w+)\)", r"\1", said).split(", ")]
        return [name for name in names if name in COLUMNS[table]]
