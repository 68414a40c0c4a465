"""Sends decisions to the gateway."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from lotstream.cli.addresses import gateway_url
from lotstream.cli.context import settings_of
from lotstream.readers.deciding import Door
from lotstream.runtime.sections import read_secret
from lotstream.schemas.decisions import DecisionContent

AT_ONCE = 500
BODY = 4_000_000  # bytes of a request: a hold can name a thousand units


def send_all(context: click.Context, contents: Sequence[DecisionContent], given: Mapping[str, Any]) -> None:
    """Decisions, as many at a time as a request may have."""
    some: list[DecisionContent] = []
    size = 0
    for content in contents:
        length = len(content.encode())
        if some and (len(some) == AT_ONCE or size + length > BODY):
            send(context, some, given)
            some, size = [], 0
        some.append(content)
        size += length
    if some:
        send(context, some, given)


def send(context: click.Context, contents: Sequence[DecisionContent], given: Mapping[str, Any]) -> None:
    """Decisions to the gateway that the options name. Raises Rejected, Transient."""
    url = given["url"] or gateway_url(settings_of(context))
    Door(url=url, token=read_secret(None, given["token_file"]) or "").send(contents)
