"""The options that the commands of `lotstream dlq` share."""

import os
import re
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import click

from lotstream.readers.letters import Filter
from lotstream.runtime.errors import Reason
from lotstream.runtime.settings import Settings
from lotstream.schemas.topics import BY_NAME

_SPANS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Instant(click.ParamType):
    """'30m', '24h', '7d' ago, or ISO 8601 (UTC where it names no offset); us since the epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if span := re.fullmatch(r"(\d{1,6})([smhd])", value):
            ago = timedelta(seconds=int(span[1]) * _SPANS[span[2]])
            return int(time.time() * 1e6) - ago // timedelta(microseconds=1)
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"Expected 30m, 24h, 7d or 2026-03-02T10:00Z, got {value!r}.", param, ctx)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return (at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


_FILTERS = (
    click.option(
        "--reason",
        "reasons",
        multiple=True,
        metavar="REASON",
        type=click.Choice([reason.value for reason in Reason]),
        help="Why it was refused; may be given more than once.",
    ),
    click.option("--source", default="", help="Reader, feed or producer; of a sink: sink-NAME."),
    click.option("--stage", default="", help="Who refused it: gateway, register, smooth, resolve, locate, sink."),
    click.option("--topic", "place", default="", help="Topic that it stood in, or door that it came by."),
    click.option("--since", "since_us", type=Instant(), default=0, help="Written since: 24h, 7d, or ISO 8601."),
    click.option("--until", "until_us", type=Instant(), help="Written before: 24h, 7d, or ISO 8601."),
)


def filters(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the filter options; the command gets them as one ``wanted``, a function of the settings."""

    @wraps(command)
    def run(
        *given: Any,
        reasons: tuple[str, ...],
        source: str,
        stage: str,
        place: str,
        since_us: int,
        until_us: int | None,
        **others: Any,
    ) -> None:
        def wanted(settings: Settings) -> Filter:
            return Filter(
                reasons=frozenset(reasons),
                source=source,
                stage=stage,
                places=frozenset({full_name(place, settings)} if place else ()),
                since_us=since_us,
                until_us=until_us,
            )

        command(*given, wanted=wanted, **others)

    for option in reversed(_FILTERS):
        run = option(run)
    return run


def full_name(topic: str, settings: Settings) -> str:
    """The name on the broker of a topic of the table; anything else as it is."""
    return settings.topics.name(topic) if topic in BY_NAME else topic


def _me() -> str:
    # a container may have a user without a name
    return f"{os.environ.get('USER') or os.getuid()}@{socket.gethostname()}"


by_option = click.option("--by", default=_me, help="Who does it, for the audit; without it, user@host.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
