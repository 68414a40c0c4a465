"""up, down, status: the stack of one machine."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import httpx

from lotstream.cli.addresses import show_addresses
from lotstream.cli.context import console, json_option, print_json, settings_of
from lotstream.cli.exits import EXIT_NO, Refused
from lotstream.cli.stack import PROCESSES, STACK, Stack, is_ready
from lotstream.deploy.embedded.rundir import published
from lotstream.runtime.sections import read_secret
from lotstream.runtime.settings import Settings

DOWN_S = 40.0


@click.command()
@click.option("--foreground", is_flag=True, help="Stay, and end the stack with Ctrl-C.")
@click.option(
    "--jars", type=click.Path(path_type=Path, exists=True), help="Kafka's jars, for machines without network."
)
@click.pass_context
def up(context: click.Context, foreground: bool, jars: Path | None) -> None:
    """Start broker, engine, gateway, stages and sinks on this machine."""
    settings = settings_of(context)
    if published(settings.run_dir, STACK) is not None:
        console().print("The stack is up already:")
        show_addresses(settings)
        return
    if foreground:
        _foreground(settings, jars)
        return
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    log = settings.run_dir / "up.log"
    arguments = [
        sys.executable,
        "-m",
        "lotstream.cli.main",
        "up",
        "--foreground",
        *(["--jars", str(jars)] if jars else []),
    ]
    with log.open("ab") as output:
        own = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    with console().status("the stack starts"):
        while published(settings.run_dir, STACK) is None or not all_ready(settings.run_dir):
            if own.poll() is not None:
                raise Refused(f"Expected the stack to start, got its end:\n{log.read_text(encoding='utf-8')[-2000:]}")
            time.sleep(0.1)
    console().print("The stack is up; `lotstream down` ends it.")
    show_addresses(settings_of(context))


def _foreground(settings: Settings, jars: Path | None) -> None:
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _: ended.append(received))
    with Stack(settings, jars=jars) as stack:
        stack.start_stores(console().print)
        stack.start_processes(console().print)
        stack.await_ready()
        show_addresses(stack.settings)
        stack.watch(console().print, ended)


def spool_of(url: str, settings: Settings) -> str:
    """What the gateway keeps while Kafka is away, in its own words; '' when that is nothing."""
    token = read_secret(None, settings.metrics.token_file)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        checks = httpx.get(f"{url}/readyz", headers=headers, timeout=2.0).json().get("checks", {})
    except (httpx.HTTPError, ValueError):
        return ""
    detail = str(checks.get("spool", {}).get("detail", ""))
    return "" if detail == "empty" else detail


def all_ready(run_dir: Path) -> bool:
    """Whether every process of the stack is ready."""
    return all((facts := published(run_dir, name)) is not None and is_ready(str(facts["url"])) for name in PROCESSES)


@click.command()
@click.pass_context
def down(context: click.Context) -> None:
    """End the stack of this machine; data stays."""
    run_dir = settings_of(context).run_dir
    stack = published(run_dir, STACK)
    if stack is None:
        console().print("No stack is up here.")
        return
    os.kill(int(str(stack["pid"])), signal.SIGTERM)
    until = time.monotonic() + DOWN_S
    while published(run_dir, STACK) is not None:
        if time.monotonic() > until:
            console().print(f"The stack still ends (process {stack['pid']}).")
            context.exit(EXIT_NO)
        time.sleep(0.1)
    console().print("The stack is down.")


@click.command()
@json_option
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """What of the stack runs here; exit 1 when any of it does not."""
    settings = settings_of(context)
    run_dir = settings.run_dir
    rows: list[object] = []
    for name in ("kafka", "clickhouse", *PROCESSES):
        facts = published(run_dir, name)
        address = str(facts.get("url") or facts.get("bootstrap")) if facts else ""
        ready = facts is not None and (name not in PROCESSES or is_ready(address))
        detail = spool_of(address, settings) if name == "gateway" and facts else ""
        pid = facts["pid"] if facts else None
        rows.append({"name": name, "ready": ready, "pid": pid, "address": address, "detail": detail})
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            assert isinstance(row, dict)
            word = "[green]ready[/green]" if row["ready"] else "[red]down[/red]" if row["pid"] is None else "starting"
            console().print(f"{row['name']:<12} {word:<10} {row['pid'] or '':<8} {row['address']}")
            if row["detail"]:
                console().print(f"             [yellow]{row['detail']}[/yellow]", soft_wrap=True)
    if not all(isinstance(row, dict) and row["ready"] for row in rows):
        context.exit(EXIT_NO)
