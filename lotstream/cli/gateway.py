"""gateway: the door as a process."""

import os

import click

from lotstream.cli.brake import Brake
from lotstream.cli.context import settings_of
from lotstream.readers.serve import run_gateway
from lotstream.runtime.crash import arm
from lotstream.runtime.garbage import spare_garbage_collection
from lotstream.runtime.health import Health
from lotstream.runtime.logs import setup_logging


@click.command()
@click.pass_context
def gateway(context: click.Context) -> None:
    """Take reads, scans and events over HTTP and land them on Kafka."""
    settings = settings_of(context)
    spare_garbage_collection()
    arm(os.environ)
    setup_logging(settings.log, service="gateway")
    with Brake(settings.run_dir / "gateway.crashes.json") as brake:
        brake.hold(Health())
        code = run_gateway(settings)
    context.exit(code)
