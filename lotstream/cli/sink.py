"""sink: topics into the history, as a process."""

import signal
import threading

import click

from lotstream.cli.context import settings_of
from lotstream.cli.service import service
from lotstream.runtime.health import Health
from lotstream.runtime.logs import setup_logging
from lotstream.runtime.metrics import Metrics
from lotstream.sinks.run import run_sinks, sinks_named


@click.command()
@click.argument("sinks", nargs=-1, required=True)
@click.option("--name", default="sink", show_default=True, help="Its name in the run directory.")
@click.pass_context
def sink(context: click.Context, sinks: tuple[str, ...], name: str) -> None:
    """Write topics into ClickHouse: SINKS by name, or all. `webhook` posts alerts to the address of the settings."""
    settings = settings_of(context)
    setup_logging(settings.log, service="sink")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _received, _frame: stop.set())
    health, metrics = Health("sinks", stale_after_s=settings.metrics.stale_after_s), Metrics()
    with service(settings, name, health=health, metrics=metrics):
        run_sinks(sinks_named(sinks), settings, stop=stop, health=health, metrics=metrics)
