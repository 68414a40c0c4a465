"""dlq replay: letters go back the way they came."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lotstream.cli.addresses import gateway_url
from lotstream.cli.context import json_option, settings_of
from lotstream.cli.dlq_answers import DeadLetterDeeds, LetterDeed
from lotstream.cli.dlq_choose import chosen, confirm, letters_argument, tell
from lotstream.cli.dlq_options import by_option, filters, yes_option
from lotstream.cli.exits import EXIT_NO
from lotstream.readers.letters import Deeds, Filter, Letter, Letterbox, State
from lotstream.readers.outcomes import outcomes
from lotstream.readers.resend import Errand, Outcome, Resender, Resent
from lotstream.runtime.clock import SystemClock
from lotstream.runtime.errors import Transient
from lotstream.runtime.retry import Stopped
from lotstream.runtime.sections import read_secret
from lotstream.runtime.settings import Settings

AT_ONCE = 200
CLOCKS_APART_US = 60_000_000  # between this machine and those that write dead letters


@click.command()
@letters_argument
@filters
@click.option(
    "--with",
    "mended",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Send the content of this file instead of the letter's bytes; one letter only.",
)
@click.option("--again", is_flag=True, help="Also letters that were replayed or dropped before.")
@click.option(
    "--wait",
    "wait_s",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds to wait for what comes of records sent to a topic.",
)
@click.option("--url", default="", help="Gateway; without it the one of this machine, else that of the settings.")
@click.option("--token-file", type=click.Path(path_type=Path, exists=True), help="File with the token of the source.")
@click.option("--why", default="", help="The reason, for the audit.")
@by_option
@yes_option
@json_option
@click.pass_context
def replay(
    context: click.Context,
    *,
    letters: tuple[str, ...],
    wanted: Callable[[Settings], Filter],
    mended: Path | None,
    again: bool,
    wait_s: float,
    url: str,
    token_file: Path | None,
    why: str,
    by: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Send LETTERS, or all open ones that the options mean, back the way they came: untouched, or mended.

    Records go to their topic, what a reader or program sent to the gateway's door.
    """
    settings = settings_of(context)
    box = Letterbox(settings)
    deeds = box.deeds()
    found = chosen(box, deeds, letters, wanted=wanted(settings), closed=again)
    if mended is not None and len(found) != 1:
        raise click.UsageError(f"Expected one letter beside --with, got {len(found)}.")
    confirm("Replay", found, yes=yes)
    errand = Errand(by=by, why=why, url=url or gateway_url(settings), token=read_secret(None, token_file) or "")
    began_us = SystemClock().now_us() - CLOCKS_APART_US
    known, fit = _known(found, deeds, again=again)
    with _interruptible() as stop:
        resender = Resender(settings, errand, clock=SystemClock(), stop=stop)
        content = None if mended is None else mended.read_bytes()
        sent, ended = _send(fit, resender, mended=content, stop=stop)
        resent = known + sent
        if wait_s and ended is None and any(one.outcome is Outcome.SENT for one in sent):
            resent = outcomes(resent, settings, box=box, since_us=began_us, within_s=wait_s)
    done = tuple(LetterDeed(id=one.letter.id, outcome=one.outcome, detail=one.detail) for one in resent)
    tell(DeadLetterDeeds(interrupted=ended is not None, deeds=done), as_json)
    if ended is not None:
        raise ended
    if any(one.outcome not in (Outcome.SENT, Outcome.TAKEN) for one in resent):
        context.exit(EXIT_NO)


def _known(letters: Sequence[Letter], deeds: Deeds, *, again: bool) -> tuple[list[Resent], list[Letter]]:
    """(what was dealt with before and is left alone, the rest)."""
    known, fit = [], []
    for letter in letters:
        if again or deeds.state(letter) is State.OPEN:
            fit.append(letter)
            continue
        last = deeds.by_letter[letter.digest][-1]
        said = f"{deeds.state(letter)} before, by {last.by}: {last.result or last.why}; --again sends it once more"
        known.append(Resent(letter, Outcome.KNOWN, said))
    return known, fit


def _send(
    letters: Sequence[Letter], resender: Resender, *, mended: bytes | None, stop: threading.Event
) -> tuple[list[Resent], Exception | None]:
    """(what was sent and recorded, part by part; what ended it before all of it was: Ctrl-C or an outage)."""
    bar = Progress(
        TextColumn("replayed"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    task = bar.add_task("", total=len(letters))
    resent: list[Resent] = []
    with bar:
        for start in range(0, len(letters), AT_ONCE):
            if stop.is_set():
                return resent, click.Abort()
            try:
                resent += resender.send(letters[start : start + AT_ONCE], mended=mended)
            except Stopped:
                return resent, click.Abort()
            except Transient as outage:
                return resent, outage
            bar.update(task, completed=len(resent))
    return resent, None


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Set by Ctrl-C: what is under way is finished and recorded. A second Ctrl-C ends at once."""
    stop = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def interrupt(_number: int, _frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
