"""Numbered SQL migrations: applied once each, in order, recorded, printable."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template

from lotstream.runtime.crash import crash_point
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks.migrate_lock import only_migrator
from lotstream.sinks.retention import RULES, apply_retention, days_of
from lotstream.sinks.retention import statement as rule
from lotstream.sinks.store import ClickhouseStore

_NAME = re.compile(r"(\d{4})_\w+\.sql")


@dataclass(frozen=True, slots=True)
class Flavour:
    """How DDL is rendered for a kind of server."""

    replacing: str = "ReplacingMergeTree"
    on_cluster: str = ""


ONE_SERVER = Flavour()


def replicated(cluster: str) -> Flavour:
    """A cluster of replicas whose servers configure default_replica_path (ClickHouse Cloud: SharedMergeTree)."""
    if not re.fullmatch(r"[\w.{}-]+", cluster, re.ASCII):
        raise ValueError(f"Expected the name of a cluster, got {cluster!r}.")
    return Flavour("ReplicatedReplacingMergeTree", f"ON CLUSTER `{cluster}`")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    text: str

    def statements(self, database: str, flavour: Flavour = ONE_SERVER) -> Iterator[str]:
        """The statements, rendered, the last of which records the migration.

        Every one may run again after a stop half-way (IF NOT EXISTS; a record twice is one).
        """
        # comments are prose, in which a placeholder or a semicolon means nothing
        text = re.sub(r"^\s*--.*\n", "", self.text, flags=re.MULTILINE)
        rendered = Template(text).substitute(
            database=database, Replacing=flavour.replacing, on_cluster=flavour.on_cluster
        )
        for statement in rendered.split(";\n"):
            if statement.strip():
                yield statement.strip()
        record = f"VALUES ({self.number}, '{self.name}')"
        yield f"INSERT INTO {database}.schema_migrations (number, name) {record}"


def migrations() -> list[Migration]:
    """All of them, in order."""
    folder = resources.files("lotstream.sinks.migrations")
    found = [
        Migration(int(match.group(1)), file.name, file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if (match := _NAME.fullmatch(file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def preparation(database: str, flavour: Flavour = ONE_SERVER) -> Sequence[str]:
    """The statements that run before any migration: the database, and the table that records them."""
    return (
        f"CREATE DATABASE IF NOT EXISTS {database} {flavour.on_cluster}".rstrip(),
        f"CREATE TABLE IF NOT EXISTS {database}.schema_migrations {flavour.on_cluster} (\n"
        "  number UInt32,\n  name String,\n  applied_at DateTime DEFAULT now()\n"
        f") ENGINE = {flavour.replacing}\nORDER BY number",
    )


def migrate(settings: ClickhouseSettings, *, flavour: Flavour = ONE_SERVER) -> list[str]:
    """Apply what is missing and how long rows are kept; what was done. Raises Transient when the server is away.

    A second migrator waits for the first. One that died half-way is repeated: its migration is recorded by its last
    statement, and every statement may run again.
    """
    store = ClickhouseStore(settings)
    try:
        for statement in preparation(settings.database, flavour):
            store.command(statement)
        with only_migrator(store, settings.database, on_cluster=flavour.on_cluster):
            applied = _apply(store, settings.database, flavour)
            return [*applied, *apply_retention(store, settings, on_cluster=flavour.on_cluster)]
    finally:
        store.close()


def _apply(store: ClickhouseStore, database: str, flavour: Flavour) -> list[str]:
    done = {row[0] for row in store.query(f"SELECT number FROM {database}.schema_migrations")}  # noqa: S608 - a checked name
    pending = [migration for migration in migrations() if migration.number not in done]
    for migration in pending:
        for statement in migration.statements(database, flavour):
            store.command(statement)
            crash_point("migrate", "statement run")
    return [migration.name for migration in pending]


def render(settings: ClickhouseSettings, *, flavour: Flavour = ONE_SERVER) -> str:
    """Every statement that an empty server gets, as `lotstream migrate --dry-run` prints them: a script that runs."""
    parts = [f"{statement};" for statement in preparation(settings.database, flavour)]
    for migration in migrations():
        parts.append(f"-- {migration.name}")
        parts += [f"{statement};" for statement in migration.statements(settings.database, flavour)]
    for table in RULES:
        if days := days_of(settings, table):
            parts.append(f"{rule(settings.database, table, days=days, on_cluster=flavour.on_cluster)};")
    return "\n\n".join(parts)
