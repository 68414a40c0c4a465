"""watch: what must be known now, as it happens."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.text import Text

from lotstream.cli.ask import instant
from lotstream.cli.context import console, json_option, settings_of
from lotstream.runtime.errors import Rejected
from lotstream.runtime.log import LogRecord, follow_log, read_log
from lotstream.schemas.alerts import ALERT, Alert, AlertState
from lotstream.schemas.base import decode
from lotstream.schemas.topics import ALERTS

STANDING = (AlertState.RAISED, AlertState.CONFIRMED)
Parts = Sequence[Alert]  # of one alert, each of another lot
STYLES = {
    AlertState.RAISED: "bold yellow",
    AlertState.CONFIRMED: "bold red",
    AlertState.MOVED: "cyan",
    AlertState.CLEARED: "green",
}


@click.group()
def watch() -> None:
    """Follow what must be known now."""


@watch.command()
@click.option("--read-point", "read_points", multiple=True, help="Of this read point alone; may be repeated.")
@click.option("--lot", "lots", multiple=True, help="Of this lot alone: its key or its code; may be repeated.")
@click.option("--since", callback=instant, help="From this instant on (ISO 8601 with its zone), not from now.")
@click.option("--once", is_flag=True, help="The alerts that stand now, each as it is, and no more.")
@json_option
@click.pass_context
def alerts(
    context: click.Context,
    read_points: tuple[str, ...],
    lots: tuple[str, ...],
    since: datetime | None,
    once: bool,
    as_json: bool,
) -> None:
    """Held, recalled or expired goods that are seen, a line for each change, until Ctrl-C.

    With --json a line is the message of alerts.v1 itself; without, the lots of one hold are one alert.
    """
    settings = settings_of(context)
    topic, out = settings.topics.name(ALERTS), console()
    since_us = None if since is None else int(since.timestamp() * 1_000_000)
    if once:
        records: Iterable[LogRecord] = read_log(settings.kafka, topic, since_us=since_us or 0)
    else:
        records = follow_log(settings.kafka, topic, since_us=since_us)
    wanted = (alert for alert in alerts_in(records) if is_wanted(alert, read_points=read_points, lots=lots))
    try:
        for parts in standing(wanted) if once else news(wanted):
            show(parts, out, as_json=as_json, once=once)
    except KeyboardInterrupt:
        return  # the way to end it


def alerts_in(records: Iterable[LogRecord]) -> Iterator[Alert]:
    """The alerts in some records; those of a later version of the product are passed over."""
    for record in records:
        try:
            yield decode(ALERT, record.value)
        except Rejected:
            continue


def news(alerts: Iterable[Alert]) -> Iterator[Parts]:
    """Each version once: what a process tells again after a restart is left out. What is new comes first, before the
    newest of the other lots of the alert that stand."""
    known: dict[str, dict[str, Alert]] = {}
    for alert in alerts:
        parts = known.setdefault(alert.key, {})
        if alert.lot not in parts or alert.version > parts[alert.lot].version:
            parts[alert.lot] = alert
            yield [alert, *(part for part in parts.values() if part.state in STANDING and part is not alert)]


def standing(alerts: Iterable[Alert]) -> Iterator[Parts]:
    """Of each alert the newest version of each lot, when it asks for something; the oldest alert first."""
    newest: dict[str, dict[str, Alert]] = {}
    for alert in alerts:
        parts = newest.setdefault(alert.key, {})
        if alert.lot not in parts or alert.version >= parts[alert.lot].version:
            parts[alert.lot] = alert
    found = ([part for part in parts.values() if part.state in STANDING] for parts in newest.values())
    return iter(sorted(filter(None, found), key=lambda parts: (min(part.first_us for part in parts), parts[0].key)))


def is_wanted(alert: Alert, *, read_points: tuple[str, ...], lots: tuple[str, ...]) -> bool:
    """Whether an alert is of one of the read points and of one of the lots, where any are named."""
    if read_points and alert.read_point not in read_points:
        return False
    return not lots or any(alert.lot == lot or alert.lot.endswith(f"/10/{lot}") for lot in lots)


def show(parts: Parts, out: Console, *, as_json: bool, once: bool) -> None:
    """One line, at once also where it goes into a pipe."""
    if as_json:
        for part in parts if once else parts[:1]:
            sys.stdout.write(part.encode().decode() + "\n")
    else:
        out.print(line_of(parts), soft_wrap=True)
    sys.stdout.flush()


def line_of(parts: Parts) -> Text:
    """An alert for people: when, state, where, what, why. Lots of which it is over are left out while others stand."""
    here = [part for part in parts if part.state in STANDING] or list(parts[:1])
    alert = max(here, key=lambda part: part.state == AlertState.CONFIRMED)
    at = datetime.fromtimestamp(max(part.last_us for part in here) / 1e6, UTC)
    number = sum(part.units for part in here)
    units = f"{number} units" if number != 1 else "1 unit"
    lots = ", ".join(sorted(part.lot for part in here))
    why = f"{alert.cause} {alert.hold}".strip() + (f": {alert.reason}" if alert.reason else "")
    end = f" ({alert.end})" if alert.end else ""
    who = f", with {alert.party}" if alert.party else ""
    return Text.assemble(
        f"{at:%Y-%m-%d %H:%M:%S}Z  ",
        (f"{alert.state.upper()}{end}".ljust(10), STYLES[alert.state]),
        f"  {alert.read_point}  {alert.tag}  {units} of {lots} at {alert.location}{who}  {why}",
    )
