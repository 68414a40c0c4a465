"""events: EPCIS documents in, and the events of the history out again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click
import httpx
from rich.console import Console

from lotstream.cli.addresses import gateway_url
from lotstream.cli.ask import instant
from lotstream.cli.context import console, json_option, print_json, settings_of
from lotstream.cli.events_answers import EventsLoad, FlaggedEvent, LoadedFile, RefusedEvent
from lotstream.cli.exits import EXIT_NO
from lotstream.cli.replay import file_bars
from lotstream.readers.capture_load import Loaded, Order, load
from lotstream.recall.export import event_texts
from lotstream.recall.store import History
from lotstream.runtime.sections import read_secret

SHOWN = 20
_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_HEAD = (
    f'{{"@context":["{_CONTEXT}"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"%s",'
    '"epcisBody":{"eventList":['
)


@click.group()
def events() -> None:
    """Business events: EPCIS 2.0 documents in, and out again."""


@events.command("load")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--proceed", "proceed", flag_value=True, default=False, help="Take the good events; bad ones are dead letters."
)
@click.option("--rollback", "proceed", flag_value=False, help="All events of a file, or none of them (default).")
@click.option("--source", default="", help="Name of the source; without it, one per file.")
@click.option("--url", default="", help="Gateway; without it the one of this machine, else that of the settings.")
@click.option("--token-file", type=click.Path(path_type=Path, exists=True), help="File with the token of the source.")
@click.option(
    "--wait", "wait_s", default=60.0, show_default=True, type=click.FloatRange(min=0), help="Seconds for the gateway."
)
@json_option
@click.pass_context
def load_command(
    context: click.Context,
    *,
    files: tuple[Path, ...],
    proceed: bool,
    source: str,
    url: str,
    token_file: Path | None,
    wait_s: float,
    as_json: bool,
) -> None:
    """Send EPCIS documents, events or arrays of events in FILES through the gateway.

    The same file again changes nothing. Exit 1 when something was refused, 3 when the gateway stays away.
    """
    order = Order(proceed=proceed, source=source, token=read_secret(None, token_file) or "", wait_s=wait_s)
    out = Console(stderr=True, highlight=False) if as_json else console()
    address = url or gateway_url(settings_of(context))
    answer = _answer(_load(files, order, address=address, out=out))
    if as_json:
        print_json(answer)
    else:
        for line in lines(answer):
            out.print(line, soft_wrap=True, markup=False)
    context.exit(0 if answer.ok else EXIT_NO)


@events.command("export")
@click.option("--since", callback=instant, help="Event time from this instant on (ISO 8601 with its zone).")
@click.option("--until", callback=instant, help="Event time before this instant.")
@click.option("--source", default="", help="Of this source alone.")
@click.option(
    "--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="File; else standard output."
)
@click.pass_context
def export_command(
    context: click.Context, *, since: datetime | None, until: datetime | None, source: str, output: TextIO
) -> None:
    """The events of the history as one EPCIS document, each as it was sent, each fact once."""
    created = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with History(settings_of(context).clickhouse) as history:
        texts = event_texts(history, since=since, until=until, source=source)
        first = next(texts, None)  # what is not there is said before the first byte
        output.write(_HEAD % created)
        output.write("" if first is None else f"\n{first}")
        for text in texts:
            output.write(f",\n{text}")
        output.write("\n]}}\n")


def _load(files: tuple[Path, ...], order: Order, *, address: str, out: Console) -> list[Loaded]:
    bars, report = file_bars(files, out)
    with bars, httpx.Client(base_url=address, timeout=300.0) as client:
        return [load(file, order, client=client, report=report) for file in files]


def lines(answer: EventsLoad) -> Iterator[str]:
    """The answer for people."""
    for one in answer.files:
        yield f"{one.file}: {one.accepted:,} accepted, {one.rejected:,} rejected, in {one.requests:,} requests"
        for refused in one.refused[:SHOWN]:
            place = "the file" if refused.index < 0 else f"event {refused.index}"
            yield f"  {place}{f', {refused.field}' if refused.field else ''}: {refused.detail}"
        if len(one.refused) > SHOWN:
            yield f"  and {len(one.refused) - SHOWN:,} more"
        for flag in one.flags[:SHOWN]:
            yield f"  event {flag.index}, {flag.flag}: {flag.detail}"
        if one.dead_letters:
            yield f"  {one.dead_letters:,} dead letters: lotstream dlq list --source {one.source}"
    if len(answer.files) > 1:
        yield f"in all: {answer.accepted:,} accepted, {answer.rejected:,} rejected"


def _answer(loaded: list[Loaded]) -> EventsLoad:
    return EventsLoad(
        ok=not any(one.rejected for one in loaded),
        accepted=sum(one.accepted for one in loaded),
        rejected=sum(one.rejected for one in loaded),
        files=tuple(_file(one) for one in loaded),
    )


def _file(one: Loaded) -> LoadedFile:
    return LoadedFile(
        file=str(one.file),
        source=one.source,
        requests=one.requests,
        accepted=one.accepted,
        rejected=one.rejected,
        dead_letters=one.dead_letters,
        refused=tuple(RefusedEvent(index=r.index, field=r.field, detail=r.detail) for r in one.refusals),
        flags=tuple(FlaggedEvent(**flag) for flag in one.flags),
    )
