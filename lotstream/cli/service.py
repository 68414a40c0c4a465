"""What every process of ours has: health and metrics over HTTP, and its address in the run directory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from lotstream.cli.brake import Brake
from lotstream.deploy.embedded.rundir import withdraw, write_json
from lotstream.runtime.crash import arm
from lotstream.runtime.garbage import spare_garbage_collection
from lotstream.runtime.health import Health, HealthServer
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings


@contextmanager
def service(settings: Settings, name: str, *, health: Health, metrics: Metrics) -> Iterator[Brake]:
    """Health and metrics over HTTP, their address published in the run directory while the process runs; the brake of
    its crash loop, to be told of an end that raises nothing."""
    spare_garbage_collection()
    arm(os.environ)
    server = HealthServer(settings.metrics, health=health, metrics=metrics)
    server.start()
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    write_json(settings.run_dir / f"{name}.json", {"pid": os.getpid(), "url": server.url})
    try:
        with Brake(settings.run_dir / f"{name}.crashes.json") as brake:
            brake.hold(health)
            yield brake
    finally:
        withdraw(settings.run_dir, name)
        server.close()
