"""worker: stages as a process."""

import click

from lotstream.cli.context import settings_of
from lotstream.cli.service import service
from lotstream.runtime.health import Health
from lotstream.runtime.logs import setup_logging
from lotstream.runtime.metrics import Metrics
from lotstream.streams.run import run_stages, stages_named


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
    with service(settings, name, health=health, metrics=metrics) as brake:
        run_stages(names, settings, health=health, metrics=metrics, crashed=brake.crashed)
