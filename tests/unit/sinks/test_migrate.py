"""Migrations as text: numbered, rendered for each kind of server, printed as they run."""

import re

import pytest

from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks.migrate import Migration, migrations, render, replicated

SETTINGS = ClickhouseSettings(database="db1")


def test_numbered_without_gap() -> None:
    """Files count from 1, so that nobody inserts one before those that are applied."""
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))


_AGAIN = r"(CREATE (TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS|CREATE OR REPLACE VIEW|ALTER TABLE|INSERT INTO) db1\."


def test_every_statement_may_run_again() -> None:
    """Each statement is of the kind that changes nothing the second time."""
    for migration in migrations():
        for statement in migration.statements("db1"):
            assert re.match(_AGAIN, statement)
            if statement.startswith("ALTER"):
                assert not re.search(r"\b(DROP|RENAME|UPDATE|DELETE)\b|(ADD|MODIFY) COLUMN (?!IF )", statement)


def test_comments_are_not_sql() -> None:
    """A semicolon or a placeholder in a comment means nothing."""
    text = "-- a; b ${c};\nCREATE TABLE IF NOT EXISTS ${database}.t ${on_cluster} (a Int8)\nENGINE = ${Replacing};\n"
    assert list(Migration(7, "0007_t.sql", text).statements("d")) == [
        "CREATE TABLE IF NOT EXISTS d.t  (a Int8)\nENGINE = ReplacingMergeTree",
        "INSERT INTO d.schema_migrations (number, name) VALUES (7, '0007_t.sql')",
    ]


def test_printed_in_the_order_in_which_they_run() -> None:
    """What --dry-run prints begins with the database and the record, and names each migration before its statements."""
    printed = render(SETTINGS)
    assert printed.startswith("CREATE DATABASE IF NOT EXISTS db1;\n\nCREATE TABLE IF NOT EXISTS db1.schema_migrations")
    places = [printed.index(f"-- {migration.name}\n") for migration in migrations()]
    assert places == sorted(places)
    assert "${" not in printed
    assert printed.endswith(";")


def test_how_long_rows_are_kept_is_printed() -> None:
    """The rules of tables that keep rows for a time stand behind the migrations; without a time there are none."""
    assert "TTL" not in render(SETTINGS)
    printed = render(SETTINGS.model_copy(update={"signals_days": 90}))
    assert printed.count("MODIFY TTL") == 5
    assert printed.endswith("ALTER TABLE db1.operations  MODIFY TTL toDateTime(at) + toIntervalDay(90);")


def test_rendered_for_a_cluster() -> None:
    """On a cluster every statement of definition names it, and every table is replicated."""
    printed = render(SETTINGS, flavour=replicated("plants"))
    definitions = [part for part in printed.split(";\n") if "CREATE " in part]
    assert len(definitions) > 15
    assert all("ON CLUSTER `plants`" in part for part in definitions)
    assert not re.search(r"= ReplacingMergeTree", printed)


@pytest.mark.parametrize("name", ["", "a b", "x`; DROP", "ü"])
def test_a_cluster_has_a_plain_name(name: str) -> None:
    """A name that would end the quotes is refused."""
    with pytest.raises(ValueError, match="cluster"):
        replicated(name)
