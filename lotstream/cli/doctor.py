"""doctor: every check with what to do."""

import logging
from collections.abc import Iterator

import click
from rich.console import Console
from rich.markup import escape

from lotstream.cli.checks_here import (
    clickhouse_findings,
    disk_finding,
    embedded_findings,
    process_findings,
    secrets_finding,
    site_finding,
)
from lotstream.cli.checks_kafka import kafka_findings
from lotstream.cli.context import console, json_option, print_json, settings_of
from lotstream.cli.exits import EXIT_NO
from lotstream.cli.findings import Diagnosis, Finding, State, bad, good
from lotstream.runtime.settings import Settings, SettingsInvalid

COLOURS = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red", State.SKIP: "dim"}


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check settings, brokers, history, processes and this machine; exit 1 when something fails."""
    # what the clients log of a failure is in the finding
    silent = logging.root.manager.disable
    logging.disable(logging.ERROR)
    found: list[Finding] = []
    try:
        for finding in examine(context):
            found.append(finding)
            if not as_json:
                show(finding, console())
    finally:
        logging.disable(silent)
    failed = [finding for finding in found if finding.state is State.FAIL]
    if as_json:
        print_json(Diagnosis(ok=not failed, checks=tuple(found)))
    else:
        console().print(f"{len(failed)} of {len(found)} checks failed." if failed else "Nothing fails.")
    if failed:
        context.exit(EXIT_NO)


def examine(context: click.Context) -> Iterator[Finding]:
    """All findings, each as soon as it is there. Without settings nothing else can be asked."""
    try:
        settings = settings_of(context)
    except SettingsInvalid as invalid:
        yield bad("settings", str(invalid), action="correct the file or the variable (docs/settings.md)")
        return
    yield good("settings", "loaded")
    yield from findings(settings)


def findings(settings: Settings) -> Iterator[Finding]:
    """Everything but the settings themselves."""
    secrets = secrets_finding(settings)
    yield secrets
    yield site_finding(settings)
    if secrets.state is State.OK:
        yield from kafka_findings(settings)
        yield from clickhouse_findings(settings)
        yield from process_findings(settings)
    yield disk_finding(settings)
    yield from embedded_findings()


def show(finding: Finding, out: Console) -> None:
    """One finding for people."""
    colour = COLOURS[finding.state]
    out.print(
        f"[{colour}]{finding.state:<4}[/{colour}] {escape(finding.check):<28} {escape(finding.detail)}", soft_wrap=True
    )
    if finding.action:
        out.print(f"     [bold]do:[/bold] {escape(finding.action)}", soft_wrap=True)
