"""The gateway as a process: a port, a producer, and an orderly end on SIGTERM or SIGINT."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
from collections.abc import Coroutine, Iterator
from pathlib import Path

import uvicorn
import uvloop
from starlette.applications import Starlette

from lotstream.readers.batches import Target
from lotstream.readers.gateway import build_app
from lotstream.readers.mapping import Mapping
from lotstream.readers.messages import Sender
from lotstream.readers.producer import KafkaSender
from lotstream.readers.site_file import SiteFile, read_site_file
from lotstream.readers.spool.gauges import SPOOL_CHECK
from lotstream.readers.spool.keeper import Keeper
from lotstream.readers.spool.segments import Limits, Spool, SpoolInUse
from lotstream.readers.status import CHECKS, MAPPING_CHECK, TopicsCheck, keep_checking
from lotstream.runtime.clock import Clock, SystemClock
from lotstream.runtime.health import Health
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.retry import Stopped, persist_async
from lotstream.runtime.settings import GatewaySettings, Settings, SettingsInvalid
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.topics import BLIND_WINDOWS, EVENTS

log = logging.getLogger(__name__)
DRAIN_S = 10
KEEP_ALIVE_S = 75
NAME = "gateway"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which would end the process by the same signal after draining."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def end_after(self, work: "asyncio.Task[None]") -> None:
        """End when work that must go on has failed: a gateway that half works says that it is well."""
        if not work.cancelled() and work.exception() is not None:
            self.should_exit = True

    def _end(self) -> None:
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True


def run_gateway(settings: Settings) -> int:
    """Serve until told to stop; 0 when everything under way has been answered.

    Its address is published as gateway.json in the run directory. Raises SettingsInvalid for a site file, secrets, a
    spool or a port that cannot be used.
    """
    mapping = read_mapping(settings.gateway.site_file)
    spool = open_spool(settings)
    with _listen(settings.gateway) as listener, _published(settings, listener):
        uvloop.run(_serve(settings, listener, mapping=mapping, spool=spool))
    return 0


def open_spool(settings: Settings) -> Spool | None:
    """The spool of the settings with what an earlier process left; None when nothing is to be kept.

    Raises SettingsInvalid for a directory that another process has, or that cannot be written.
    """
    gateway = settings.gateway
    if not gateway.spool_bytes:
        return None
    directory = (gateway.spool_dir or settings.data_dir / "spool").absolute()
    try:
        return Spool(directory, Limits(bytes=gateway.spool_bytes, age_us=int(gateway.spool_hours * 3.6e9)))
    except SpoolInUse as taken:
        raise SettingsInvalid(f"{taken} Give each gateway a gateway.spool_dir of its own.") from None
    except OSError as error:
        raise SettingsInvalid(
            f"Expected a directory to write in for gateway.spool_dir, got {directory}: {error.strerror or error}"
        ) from None


def read_mapping(site_file: Path | None) -> Mapping:
    """The mapping of a site file; without one every reader is unmapped. Raises SettingsInvalid."""
    return Mapping(SiteFile() if site_file is None else read_site_file(site_file))


async def _serve(settings: Settings, listener: socket.socket, *, mapping: Mapping, spool: Spool | None) -> None:
    metrics = Metrics()
    sender = KafkaSender(settings.kafka, metrics=metrics)
    clock = SystemClock()
    health = Health(*CHECKS, stale_after_s=settings.metrics.stale_after_s)
    keeper = None
    if spool is not None:
        health.set(SPOOL_CHECK, ok=False, detail="Not yet.")
        target = Target(topic=settings.topics.name(BLIND_WINDOWS), partitions=settings.topics.partitions)
        keeper = Keeper(sender, spool, target=target, clock=clock, metrics=metrics, health=health)
    app = build_app(
        settings, producer=sender, keeper=keeper, mapping=mapping, clock=clock, metrics=metrics, health=health
    )
    # uvicorn tells its own life at INFO; ours is enough
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    server = _Server(_config(app, settings.gateway))
    stop = asyncio.Event()
    sender.start()
    works: list[Coroutine[None, None, None]] = [
        keep_checking(TopicsCheck(settings), health, takes=(lambda: False) if keeper is None else lambda: keeper.takes),
        publish_mapping(mapping, sender=keeper or sender, settings=settings, clock=clock, health=health, stop=stop),
        *([] if keeper is None else [keeper.run()]),
    ]
    background = [asyncio.create_task(work) for work in works]
    for task in background:
        task.add_done_callback(server.end_after)
    try:
        await server.serve(sockets=[listener])
    finally:
        stop.set()
        for task in background:
            task.cancel()
        ended = await asyncio.gather(*background, return_exceptions=True)
        if keeper is not None:
            await keeper.close()
        await sender.close()
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure


def _config(app: Starlette, gateway: GatewaySettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        loop="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        ssl_certfile=gateway.cert_file,
        ssl_keyfile=gateway.key_file,
    )


async def publish_mapping(
    mapping: Mapping, *, sender: Sender, settings: Settings, clock: Clock, health: Health, stop: asyncio.Event
) -> None:
    """The mapping into events.v1, however long the brokers are away. The same mapping is the same record."""
    stamp = Stamp(received_us=clock.now_us(), origin=Origin.LIVE, source=NAME, request=f"mapping-{mapping.version}")
    record = mapping.record(stamp)
    target = Target(topic=settings.topics.name(EVENTS), partitions=settings.topics.partitions)
    message = target.message(record.subject, record.encode())
    try:
        await persist_async(lambda: sender.send([message]), stop=stop)
    except Stopped:
        return
    health.set(MAPPING_CHECK, ok=True)


def _listen(gateway: GatewaySettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in gateway.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((gateway.host, gateway.port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        place = f"{gateway.host}:{gateway.port}"
        raise SettingsInvalid(f"Expected to listen at gateway.host and .port, {place}, got {error.strerror}.") from None
    return listener


@contextlib.contextmanager
def _published(settings: Settings, listener: socket.socket) -> Iterator[None]:
    host, port = listener.getsockname()[:2]
    scheme = "https" if settings.gateway.cert_file else "http"
    url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    path = settings.run_dir / f"{NAME}.json"
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps({"url": url, "pid": os.getpid()}) + "\n", encoding="utf-8")
    scratch.replace(path)
    log.info("listening", extra={"url": url})
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
