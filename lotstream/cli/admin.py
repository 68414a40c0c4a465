"""topics, migrate, parse: what an administrator and an integrator ask."""

import os

import click

from lotstream.cli.context import console, print_json, settings_of
from lotstream.cli.exits import EXIT_NO
from lotstream.cli.wanted import wanted_topics
from lotstream.runtime.crash import arm
from lotstream.runtime.topics import TopicAdmin
from lotstream.schemas.topics import TOPICS
from lotstream.sinks.migrate import ONE_SERVER, migrate, render, replicated


@click.group()
def topics() -> None:
    """The topics on the broker against the topics table."""


@topics.command()
@click.pass_context
def plan(context: click.Context) -> None:
    """What `apply` would do; exit 1 when something is to be done."""
    settings = settings_of(context)
    found = TopicAdmin(settings.kafka).plan(wanted_topics(settings))
    for topic in found.create:
        console().print(f"create {topic.name}: {topic.partitions} partitions, replication {topic.replication}")
    for line in found.differ:
        console().print(f"differs {line}")
    if not found.done:
        context.exit(EXIT_NO)
    console().print("All topics are there as they should be.")


@topics.command()
@click.pass_context
def apply(context: click.Context) -> None:
    """Create the topics that are missing; what differs is left to a person, with exit 1."""
    settings = settings_of(context)
    admin = TopicAdmin(settings.kafka)
    found = admin.plan(wanted_topics(settings))
    admin.apply(found)
    console().print(f"{len(found.create)} topics created.")
    for line in found.differ:
        console().print(f"differs {line}")
    if found.differ:
        context.exit(EXIT_NO)


@topics.command()
@click.pass_context
def export(context: click.Context) -> None:
    """The topics with their settings as JSON, for those who create topics by other means; with who reads and writes."""
    settings = settings_of(context)
    rights = {settings.topics.name(topic.name): topic for topic in TOPICS}
    print_json([
        {
            "name": topic.name,
            "partitions": topic.partitions,
            "replication": topic.replication,
            "config": dict(topic.config),
            "key": rights[topic.name].key,
            "value": rights[topic.name].value,
            "writers": list(rights[topic.name].writers),
            "readers": list(rights[topic.name].readers),
        }
        for topic in wanted_topics(settings)
    ])  # fmt: skip


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Print every statement; run none.")
@click.option("--cluster", default="", help="Render for a replicated cluster of this name.")
@click.pass_context
def migrate_command(context: click.Context, dry_run: bool, cluster: str) -> None:
    """Make ClickHouse's tables: numbered migrations, each applied once; and how long they keep a row."""
    arm(os.environ)
    settings = settings_of(context)
    flavour = replicated(cluster) if cluster else ONE_SERVER
    if dry_run:
        click.echo(render(settings.clickhouse, flavour=flavour))
        return
    applied = migrate(settings.clickhouse, flavour=flavour)
    console().print("\n".join(f"applied {name}" for name in applied) or "Nothing to apply.")
