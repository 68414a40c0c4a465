"""gateway, worker, sink: one process each, as containers run them."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from lotstream.cli.context import settings_of
from lotstream.deploy.embedded.rundir import withdraw, write_json
from lotstream.readers.serve import run_gateway
from lotstream.runtime.garbage import spare_garbage_collection
from lotstream.runtime.health import Health, HealthServer
from lotstream.runtime.logs import setup_logging
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings
from lotstream.sinks.run import run_sinks, sinks_named
from lotstream.streams.run import run_stages, stages_named


@contextmanager
def _service(settings: Settings, name: str, *, health: Health, metrics: Metrics) -> Iterator[None]:
    """Health and metrics over HTTP, their address published in the run directory while the process runs."""
    spare_garbage_collection()
    server = HealthServer(settings.metrics, health=health, metrics=metrics)
    server.start()
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    write_json(settings.run_dir / f"{name}.json", {"pid": os.getpid(), "url": server.url})
    try:
        yield
    finally:
        withdraw(settings.run_dir, name)
        server.close()


@click.command()
@click.pass_context
def gateway(context: click.Context) -> None:
    """Take reads, scans and events over HTTP and land them on Kafka."""
    settings = settings_of(context)
    spare_garbage_collection()
    setup_logging(settings.log, service="gateway")
    context.exit(run_gateway(settings))


@click.command()
@click.argument("stages", nargs=-1, required=True)
@click.option("--name", default="worker", show_default=True, help="Its name in the run directory.")
@click.pass_context
def worker(context: click.Context, stages: tuple[str, ...], name: str) -> None:
    """Run STAGES (register, smooth, resolve, locate, or all) on the partitions that fall to this process."""
    settings = settings_of(context)
    setup_logging(settings.log, service="worker")
    names = stages_named(stages)
    health, metrics = Health(*names, stale_after_s=settings.metrics.stale_after_s), Metrics()
    with _service(settings, name, health=health, metrics=metrics):
        run_stages(names, settings, health=health, metrics=metrics)


@click.command()
@click.argument("sinks", nargs=-1, required=True)
@click.pass_context
def sink(context: click.Context, sinks: tuple[str, ...]) -> None:
    """Write topics into ClickHouse: SINKS by name, or all."""
    settings = settings_of(context)
    setup_logging(settings.log, service="sink")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _received, _frame: stop.set())
    health, metrics = Health("sinks", stale_after_s=settings.metrics.stale_after_s), Metrics()
    with _service(settings, "sink", health=health, metrics=metrics):
        run_sinks(sinks_named(sinks), settings, stop=stop, health=health, metrics=metrics)
