"""The engine in this process: one data directory, many handles, no rights to the machine's files or its network."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from chdb import _chdb

from lotstream.deploy.embedded.clickhouse_errors import Code, parse_error, refuse

RIGHTS: Final = (
    "SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE TEMPORARY TABLE, CREATE TEMPORARY VIEW,"
    " CREATE ARBITRARY TEMPORARY TABLE, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, SHOW, CHECK, KILL QUERY,"
    " MOVE PARTITION BETWEEN SHARDS, SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM FLUSH, SYSTEM VIEWS, SYSTEM DROP CACHE"
)
"""A database's own life. Left out: SOURCES (files, URLs, other servers), BACKUP, SYSTEM SHUTDOWN, access management,
functions, and dictionaries, whose sources may be commands of the machine."""
TABLE_ENGINES: Final = (
    "MergeTree",
    "ReplacingMergeTree",
    "SummingMergeTree",
    "AggregatingMergeTree",
    "CollapsingMergeTree",
    "VersionedCollapsingMergeTree",
    "CoalescingMergeTree",
    "GraphiteMergeTree",
    "Memory",
    "Log",
    "TinyLog",
    "StripeLog",
    "Null",
    "Set",
    "Join",
    "Buffer",
    "Merge",
    "Dictionary",
    "GenerateRandom",
)
_native: Any = _chdb
"""The extension module itself: chdb's own wrappers add progress bars and data frames, and its stubs leave this out."""
_CONFIG = """<clickhouse>
  <users_config>{users}</users_config>
  <remote_url_allow_hosts></remote_url_allow_hosts>
  <logger><level>none</level></logger>
</clickhouse>
"""
_USERS = """<clickhouse>
  <profiles><default><implicit_select>0</implicit_select>
    <allow_introspection_functions>0</allow_introspection_functions>
    <constraints><dialect><const/></dialect></constraints></default></profiles>
  <quotas><default/></quotas>
  <users><default>
    <password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
    <grants>{grants}</grants>
  </default></users>
</clickhouse>
"""
MOST_KEPT, LONGEST_KEPT = 512, 1 << 14
_PARSED: dict[bytes, tuple[int, bool]] = {}
"""Texts of queries, and what the engine's parser found in them: it takes a millisecond or two for a long one."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quote_text(text: str) -> str:
    """A string literal of SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_name(name: str) -> str:
    """An identifier of SQL."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


@dataclass(slots=True)
class Counts:
    """What a query has read and written, in rows and bytes."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0


class Handle:
    """One conversation with the engine: its own settings, database and temporary tables. For one thread at a time."""

    def __init__(self, connection: Any, *, version: str) -> None:
        self._connection = connection
        self._version = version

    def run(
        self,
        sql: str | bytes,
        *,
        output: str = "Null",
        params: Mapping[str, str] | None = None,
        counts: Counts | None = None,
    ) -> bytes:
        """Run one statement and return its whole output. Raises ClickHouseError."""
        try:
            result = self._connection.query(sql, output, params=dict(params or {}))
        except RuntimeError as error:
            raise parse_error(str(error), version=self._version) from None
        found = bytes(result.bytes() or b"")
        if counts is not None:
            counts.read_rows += result.storage_rows_read()
            counts.read_bytes += result.storage_bytes_read()
            counts.written_rows += result.rows_written()
            counts.written_bytes += result.bytes_written()
            counts.result_rows += result.rows_written() or result.rows_read()
            counts.result_bytes += len(found) or result.bytes_written()
        return found

    def stream(
        self, sql: str | bytes, *, output: str, params: Mapping[str, str] | None = None, counts: Counts
    ) -> Iterator[bytes]:
        """Run one query and yield its output block by block. Raises ClickHouseError, also in the middle."""
        connection = self._connection
        try:
            running = connection.send_query(sql, output, params=dict(params or {}))
        except RuntimeError as error:
            raise parse_error(str(error), version=self._version) from None
        finished = False
        try:
            while True:
                try:
                    block = connection.streaming_fetch_result(running)
                except RuntimeError as error:
                    finished = True
                    raise parse_error(str(error), version=self._version) from None
                rows, size = block.rows_read(), block.size()
                if not size and not rows:
                    finished = True
                    return
                counts.result_rows += rows
                counts.read_rows += block.storage_rows_read()
                counts.read_bytes += block.storage_bytes_read()
                counts.result_bytes += size
                yield bytes(block.bytes())
        finally:
            if not finished:
                connection.streaming_cancel_query(running)

    def set(self, settings: Mapping[str, str]) -> None:
        """Change settings of this handle, all in one statement. Raises ClickHouseError."""
        if not settings:
            return
        for name in settings:
            if not _NAME.fullmatch(name):
                raise refuse(Code.BAD_ARGUMENTS, f"Expected the name of a setting, got {name!r}.")
        self.run("SET " + ", ".join(f"{name} = {quote_text(value)}" for name, value in settings.items()))

    def use(self, database: str) -> None:
        """Change the current database. Raises ClickHouseError."""
        self.run(f"USE {quote_name(database)}")

    def require_single(self, sql: bytes) -> None:
        """Refuse several statements in one query, as the server does. Raises ClickHouseError."""
        if self._parsed(sql)[0] > 1:
            raise refuse(Code.SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed).")

    def writes(self, sql: bytes) -> bool:
        """Whether a query that begins like a SELECT is something else: WITH ... INSERT."""
        return self._parsed(sql)[1]

    def _parsed(self, sql: bytes) -> tuple[int, bool]:
        """How many statements a text has, and whether it writes. Programs ask the same again and again."""
        known = _PARSED.get(sql)
        if known is None:
            found = self._connection.classify_query(sql)
            known = found["statement_count"], found["query_class"] == _native.query_class.MUTATING
            if len(sql) <= LONGEST_KEPT:
                if len(_PARSED) >= MOST_KEPT:
                    _PARSED.clear()
                _PARSED[sql] = known
        return known

    def text(self, sql: str) -> str:
        """The single value that a query answers, as text."""
        return self.run(sql, output="RawBLOB").decode()

    def close(self) -> None:
        self._connection.close()


@dataclass(slots=True)
class Engine:
    """The opened data directory. Exactly one per process, and one process per directory."""

    directory: Path
    version: str = field(init=False)
    timezone: str = field(init=False)
    scratch: Path = field(init=False)
    _target: str = field(init=False)
    _root: Handle = field(init=False)

    def __post_init__(self) -> None:
        self.scratch = self.directory / "scratch"
        self.scratch.mkdir(exist_ok=True)
        self._target = f"{self.directory / 'db'}?config-file={quote(str(_write_config(self.directory)), safe='/')}"
        _forget_empty_default(self.directory / "db" / "metadata")
        self._root = Handle(_native.connect(self._target), version="?")
        self._plain_default()
        self.version = self._root.text("SELECT version()")
        self.timezone = self._root.text("SELECT timezone()")

    def _plain_default(self) -> None:
        # chDB lays a view of the machine's files over the database `default`, in which an unknown table is a file.
        known = (self.directory / "db" / "metadata" / "default.sql").exists()
        self._root.run("DETACH DATABASE default")
        self._root.run("ATTACH DATABASE default" if known else "CREATE DATABASE default ENGINE = Atomic")

    def open(self) -> Handle:
        """A fresh handle; it costs a quarter of a millisecond."""
        return Handle(_native.connect(self._target), version=self.version)

    def close(self) -> None:
        self._root.close()


def _forget_empty_default(metadata: Path) -> None:
    # A database that never had a table is a file without a directory, which the engine cannot attach again.
    if not (metadata / "default").exists():
        (metadata / "default.sql").unlink(missing_ok=True)


def _write_config(directory: Path) -> Path:
    grants = [f"GRANT {RIGHTS} ON *.*", *(f"GRANT TABLE ENGINE ON {name}" for name in TABLE_ENGINES)]
    users = directory / "users.xml"
    users.write_text(_USERS.format(grants="".join(f"<query>{grant}</query>" for grant in grants)), encoding="utf-8")
    config = directory / "config.xml"
    config.write_text(_CONFIG.format(users=users), encoding="utf-8")
    return config
