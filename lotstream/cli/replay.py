"""replay: recorded files through the gateway, as readers, scanners and programs would send them."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import click
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from lotstream.cli.addresses import gateway_url
from lotstream.cli.context import console, json_option, print_json, settings_of
from lotstream.readers.capture_load import Loaded
from lotstream.readers.replay import Format, Replay, replay
from lotstream.readers.replay import Progress as Sent
from lotstream.runtime.sections import read_secret

MAPPING = "mapping:"
EPCIS = "epcis"
FORMATS = (*(kind.value for kind in Format if kind not in (Format.READS, Format.EVENTS)), EPCIS, f"{MAPPING}NAME")


class ReplayedFile(BaseModel):
    """What became of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    requests: int
    accepted: int = Field(description="reads, scans and events that were understood")
    rejected: int = Field(description="items that went to dead-letters.v1")


class Replayed(BaseModel):
    """`lotstream replay`: what became of each file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["replay"] = "replay"
    v: Literal[1] = 1
    files: tuple[ReplayedFile, ...]


def _parse_format(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[Format | None, str]:
    """(format, field map) of the option."""
    if not value:
        return None, ""
    if value.startswith(MAPPING) and value != MAPPING:
        return Format.READS, value.removeprefix(MAPPING)
    if value == EPCIS:
        return Format.EVENTS, ""
    if value in FORMATS:
        return Format(value), ""
    raise click.BadParameter(f"Expected one of {', '.join(FORMATS)}, got {value!r}.")


@click.command("replay")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--format",
    "what",
    default="",
    callback=_parse_format,
    help=f"What the files hold: {', '.join(FORMATS)}. Without it the first item tells.",
)
@click.option(
    "--speed",
    default=0.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="1: as recorded; 10: ten times that; 0: as fast as it goes.",
)
@click.option("--source", default="", help="Name of the source; without it, one per file.")
@click.option("--reader", default="", help="Reader of items that name none.")
@click.option("--url", default="", help="Gateway; without it the one of this machine, else that of the settings.")
@click.option("--token-file", type=click.Path(path_type=Path, exists=True), help="File with the token of the source.")
@json_option
@click.pass_context
def replay_command(
    context: click.Context,
    *,
    files: tuple[Path, ...],
    what: tuple[Format | None, str],
    speed: float,
    source: str,
    reader: str,
    url: str,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Send recorded FILES through the gateway, each as a source of its own that ends with it."""
    kind, mapping = what
    order = Replay(
        url=url or gateway_url(settings_of(context)),
        speed=speed,
        format=kind,
        mapping=mapping,
        reader=reader,
        source=source,
        token=read_secret(None, token_file) or "",
    )
    out = Console(stderr=True, highlight=False) if as_json else console()
    done = Replayed(files=tuple(map(_answer, send(files, order, out))))
    if as_json:
        print_json(done)
        return
    for sent in done.files:
        refused = f", {sent.rejected:,} rejected (dead letters)" if sent.rejected else ""
        out.print(f"{sent.file}: {sent.accepted:,} accepted{refused}, in {sent.requests:,} requests", markup=False)


def file_bars(files: Iterable[Path], out: Console) -> tuple[Progress, Callable[[Sent | Loaded], None]]:
    """A bar for each file, and what moves it."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
        console=out,
        disable=not out.is_terminal,
    )
    tasks = {file: bars.add_task(file.name, total=file.stat().st_size, counts="") for file in files}

    def report(sent: Sent | Loaded) -> None:
        counts = f"{sent.accepted:,} accepted, {sent.rejected:,} rejected"
        # what stands around the items is not in the requests as often as in the file
        bars.update(tasks[sent.file], completed=min(sent.sent_bytes, sent.total_bytes), counts=counts)

    return bars, report


def send(files: tuple[Path, ...], order: Replay, out: Console) -> list[Sent]:
    """Send with a bar for each file. Raises Rejected for a file in no known format."""
    bars, report = file_bars(files, out)
    with bars:
        sent = asyncio.run(replay(files, order, report=report))
        for task in bars.tasks:
            bars.update(task.id, completed=task.total)
    return sent


def _answer(sent: Sent) -> ReplayedFile:
    return ReplayedFile(file=str(sent.file), requests=sent.posts, accepted=sent.accepted, rejected=sent.rejected)
