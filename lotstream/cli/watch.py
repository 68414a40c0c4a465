"""watch: what must be known now, as it happens."""

import sys
from collections.abc import Iterable, Iterator
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

    With --json a line is the message of alerts.v1 itself.
    """
    settings = settings_of(context)
    topic, out = settings.topics.name(ALERTS), console()
    since_us = None if since is None else int(since.timestamp() * 1_000_000)
    if once:
        found = standing(alerts_in(read_log(settings.kafka, topic, since_us=since_us or 0)))
    else:
        found = news(alerts_in(follow_log(settings.kafka, topic, since_us=since_us)))
    try:
        for alert in found:
            if is_wanted(alert, read_points=read_points, lots=lots):
                show(alert, out, as_json=as_json)
    except KeyboardInterrupt:
        return  # the way to end it


def alerts_in(records: Iterable[LogRecord]) -> Iterator[Alert]:
    """The alerts in some records; those of a later version of the product are passed over."""
    for record in records:
        try:
            yield decode(ALERT, record.value)
        except Rejected:
            continue


def news(alerts: Iterable[Alert]) -> Iterator[Alert]:
    """Each version of an alert once: what a process tells again after a restart is left out."""
    seen: dict[str, int] = {}
    for alert in alerts:
        if alert.version > seen.get(alert.key, 0):
            seen[alert.key] = alert.version
            yield alert


def standing(alerts: Iterable[Alert]) -> Iterator[Alert]:
    """Of each alert the newest version, when it asks for something; the oldest alert first."""
    newest: dict[str, Alert] = {}
    for alert in alerts:
        known = newest.get(alert.key)
        if known is None or alert.version >= known.version:
            newest[alert.key] = alert
    found = (alert for alert in newest.values() if alert.state in (AlertState.RAISED, AlertState.CONFIRMED))
    return iter(sorted(found, key=lambda alert: (alert.first_us, alert.key)))


def is_wanted(alert: Alert, *, read_points: tuple[str, ...], lots: tuple[str, ...]) -> bool:
    """Whether an alert is of one of the read points and of one of the lots, where any are named."""
    if read_points and alert.read_point not in read_points:
        return False
    return not lots or any(alert.lot == lot or alert.lot.endswith(f"/10/{lot}") for lot in lots)


def show(alert: Alert, out: Console, *, as_json: bool) -> None:
    """One line, at once also where it goes into a pipe."""
    if as_json:
        sys.stdout.write(alert.encode().decode() + "\n")
    else:
        out.print(line_of(alert), soft_wrap=True)
    sys.stdout.flush()


def line_of(alert: Alert) -> Text:
    """An alert for people: when, state, where, what, why."""
    at = datetime.fromtimestamp(alert.last_us / 1e6, UTC)
    units = f"{alert.units} units" if alert.units != 1 else "1 unit"
    why = f"{alert.cause} {alert.hold}".strip() + (f": {alert.reason}" if alert.reason else "")
    end = f" ({alert.end})" if alert.end else ""
    who = f", with {alert.party}" if alert.party else ""
    return Text.assemble(
        f"{at:%Y-%m-%d %H:%M:%S}Z  ",
        (f"{alert.state.upper()}{end}".ljust(10), STYLES[alert.state]),
        f"  {alert.read_point}  {alert.tag}  {units} of {alert.lot} at {alert.location}{who}  {why}",
    )
