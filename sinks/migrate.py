"""Numbered SQL migrations: applied once each, in order, recorded, printable."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from string import Template

from lotstream.runtime.settings import ClickhouseSettings
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
    return Flavour("ReplicatedReplacingMergeTree", f"ON CLUSTER `{cluster}`")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    text: str

    def statements(self, database: str, flavour: Flavour = ONE_SERVER) -> Iterator[str]:
        """The statements, rendered. Every one may run again after a stop half-way (IF NOT EXISTS)."""
        # comments are prose, in which a placeholder or a semicolon means nothing
        text = re.sub(r"^\s*--.*$", "", self.text, flags=re.MULTILINE)
        rendered = Template(text).substitute(
            database=database, Replacing=flavour.replacing, on_cluster=flavour.on_cluster
        )
        for statement in rendered.split(";\n"):
            if statement.strip():
                yield statement.strip()


def migrations() -> list[Migration]:
    """All of them, in order."""
    folder = resources.files("lotstream.sinks.migrations")
    found = [
        Migration(int(match.group(1)), file.name, file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if (match := _NAME.fullmatch(file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def pending(store: ClickhouseStore, database: str, *, flavour: Flavour = ONE_SERVER) -> list[Migration]:
    """The migrations that a server does not have yet; prepares the table that records them."""
    store.command(f"CREATE DATABASE IF NOT EXISTS {database} {flavour.on_cluster}")
    store.command(
        f"CREATE TABLE IF NOT EXISTS {database}.schema_migrations {flavour.on_cluster} "
        f"(number UInt32, name String, applied_at DateTime DEFAULT now()) "
        f"ENGINE = {flavour.replacing} ORDER BY number"
    )
    done = {row[0] for row in store.query(f"SELECT number FROM {database}.schema_migrations")}  # noqa: S608 - a checked name
    return [migration for migration in migrations() if migration.number not in done]


def migrate(settings: ClickhouseSettings, *, flavour: Flavour = ONE_SERVER) -> list[str]:
    """Apply what is missing; names of what was applied. Raises Transient when the server is away."""
    store = ClickhouseStore(settings)
    try:
        applied = []
        for migration in pending(store, settings.database, flavour=flavour):
            for statement in migration.statements(settings.database, flavour):
                store.command(statement)
            store.command(
                f"INSERT INTO {settings.database}.schema_migrations (number, name) "  # noqa: S608 - own file names
                f"VALUES ({migration.number}, '{migration.name}')"
            )
            applied.append(migration.name)
        return applied
    finally:
        store.close()


def render(settings: ClickhouseSettings, *, flavour: Flavour = ONE_SERVER) -> str:
    """Every statement of every migration, as `lotstream migrate --dry-run` prints them."""
    parts = [f"CREATE DATABASE IF NOT EXISTS {settings.database} {flavour.on_cluster};"]
    for migration in migrations():
        parts.append(f"-- {migration.name}")
        parts += [f"{statement};" for statement in migration.statements(settings.database, flavour)]
    return "\n\n".join(parts)
