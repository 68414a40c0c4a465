"""dlq drop, park: what a person decides about a letter, or about a record at which a process stops."""

from collections.abc import Callable

import click

from lotstream.cli.checks_kafka import groups
from lotstream.cli.context import json_option, settings_of
from lotstream.cli.dlq_answers import DeadLetterDeeds, LetterDeed
from lotstream.cli.dlq_choose import chosen, confirm, letters_argument, tell
from lotstream.cli.dlq_options import by_option, filters, full_name, yes_option
from lotstream.cli.exits import Refused
from lotstream.readers.letters import Filter, Letterbox, State
from lotstream.readers.post import Post
from lotstream.readers.resend import Outcome
from lotstream.runtime.clock import SystemClock
from lotstream.runtime.log import read_log
from lotstream.runtime.passage import Passage
from lotstream.runtime.settings import Settings
from lotstream.schemas.operations import Action, Operation


@click.command()
@letters_argument
@filters
@click.option("--why", required=True, help="The reason, for the audit.")
@by_option
@yes_option
@json_option
@click.pass_context
def drop(
    context: click.Context,
    *,
    letters: tuple[str, ...],
    wanted: Callable[[Settings], Filter],
    why: str,
    by: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Mark LETTERS, or all open ones that the options mean, as not wanted. Nothing is erased."""
    settings = settings_of(context)
    box = Letterbox(settings)
    deeds = box.deeds()
    found = chosen(box, deeds, letters, wanted=wanted(settings))
    confirm("Drop", found, yes=yes)
    fit = [letter for letter in found if deeds.state(letter) is not State.DROPPED]
    now = SystemClock().now_us()
    Post(settings).record(
        Operation(action=Action.DROP, subject=one.id, digest=one.digest, by=by, why=why, at_us=now) for one in fit
    )
    done = [LetterDeed(id=one.id, outcome="dropped", detail=why) for one in fit]
    done += [LetterDeed(id=one.id, outcome=Outcome.KNOWN, detail="dropped before") for one in found if one not in fit]
    tell(DeadLetterDeeds(deeds=tuple(done)), as_json)


@click.command()
@click.argument("record", metavar="TOPIC:PARTITION:OFFSET")
@click.option("--why", default="a process stops at it", show_default=True, help="The reason, for the audit.")
@by_option
@json_option
@click.pass_context
def park(context: click.Context, *, record: str, why: str, by: str, as_json: bool) -> None:
    """Let every process pass over a record at which one stops: it becomes a dead letter with the reason `parked`.

    The process that stopped has printed this command. A parked record can be replayed once the cause is mended.
    """
    settings = settings_of(context)
    topic, partition, offset = _place(record, settings)
    place = f"{topic}:{partition}:{offset}"
    before = Letterbox(settings).deeds().parks.get(place)
    if before is None:
        _verify(settings, topic, partition=partition, offset=offset)
        now = SystemClock().now_us()
        Post(settings).record([Operation(action=Action.PARK, subject=place, by=by, why=why, at_us=now)])
        detail = "processes pass it over from their next start on"
    else:
        detail = f"parked before, by {before.by}: {before.why}"
    tell(DeadLetterDeeds(deeds=(LetterDeed(id=place, outcome="parked", detail=detail),)), as_json)


def _place(record: str, settings: Settings) -> tuple[str, int, int]:
    """(full topic, partition, offset)."""
    words = record.rsplit(":", 2)
    if len(words) != 3 or not all(word.isascii() and word.isdecimal() for word in words[1:]):
        raise click.UsageError(f"Expected TOPIC:PARTITION:OFFSET, got {record!r}.")
    return full_name(words[0], settings), int(words[1]), int(words[2])


def _verify(settings: Settings, topic: str, *, partition: int, offset: int) -> None:
    """The record is there, and somebody has still to pass it. Raises Refused."""
    readers = [group for group, topics in groups(settings).items() if topic in topics]
    if not readers:
        raise Refused(f"Expected a topic that stages or sinks read, got {topic!r}.")
    found = next(read_log(settings.kafka, topic, starts={partition: offset}), None)
    if found is None or found.offset != offset:
        raise Refused(f"Expected a record at {topic}:{partition}:{offset}, got none.")
    passage = Passage(settings.kafka)
    if all(passage.committed(group).get((topic, partition), 0) > offset for group in readers):
        raise Refused(f"Expected a record at which a process stops, got one that {', '.join(readers)} have passed.")
