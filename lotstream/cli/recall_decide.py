"""`lotstream recall`, where it decides: what is decided goes in at the gateway, and is kept."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

import lotstream.cli.recall_tables  # noqa: F401 - teaches `print_answer` what a case looks like
from lotstream.cli.ask import asked, history_of, print_answer
from lotstream.cli.context import console, json_option
from lotstream.cli.exits import Refused
from lotstream.cli.lot_options import made, sending
from lotstream.cli.recall_options import clause_options, said_of
from lotstream.cli.recall_record import record_for, record_option, write_record
from lotstream.cli.sending import send, send_all
from lotstream.recall.case import Case, CaseState, refusal
from lotstream.recall.case_ask import POLL_S, WAIT_S, case_list, find_case, wait_for
from lotstream.recall.case_holds import HoldDeed, releases
from lotstream.recall.case_scope import holds_decided, holds_wanted, scope_change
from lotstream.recall.find import find_lot
from lotstream.recall.store import History
from lotstream.runtime.clock import SystemClock
from lotstream.schemas.decisions import HoldContent, decision_hash
from lotstream.schemas.lots import HoldAction, HoldPurpose
from lotstream.schemas.recalls import CaseKind, Closed, Deed, Initiated, Opened, RecallContent

case_argument = click.argument("case")
why = click.option("--reason", required=True, help="Why, for those who ask later.")


@click.command("open")
@click.option("--case", "name", default="", help="Its name; without it one is made.")
@click.option("--kind", type=click.Choice([str(kind) for kind in CaseKind]), default="recall", show_default=True)
@click.option("--mock", is_flag=True, help="An exercise: nothing is held, and the clock runs.")
@click.option("--title", default="", help="What it is about.")
@click.option("--team", multiple=True, help="Who works on it; may be given again.")
@why
@sending
@click.pass_context
def open_case(
    context: click.Context, /, name: str, *, kind: str, mock: bool, title: str, team: tuple[str, ...], **given: Any
) -> None:
    """Open a case, as a draft, and print its name."""
    name = name or f"{'mock' if mock else 'R'}-{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(2)}"
    deed = made(Opened, kind=CaseKind(kind), mock=mock, title=title, team=team)
    content = _content(name, deed, given)
    with history_of(context) as history:
        known = [one for one in case_list(history, now=datetime.now(UTC)).cases if one.case == name]
        if known:
            raise Refused(refusal(Case(name, opened=deed), deed))
        _sent(context, history, content, given)
    console().print(name, markup=False)


@click.command()
@case_argument
@clause_options
@click.option("--dry-run", is_flag=True, help="Show what it would add and take away; decide nothing.")
@click.option("--reason", default="", help="Why, for those who ask later; needed for what is not tried only.")
@sending
@json_option
@click.pass_context
@asked
def scope(context: click.Context, /, case: str, *, dry_run: bool, as_json: bool, **given: Any) -> None:
    """What CASE is about: lots, parts of lots, and how much; or say more, or less, of it and see what that changes."""
    with history_of(context) as history:
        known = find_case(history, case)
        said = said_of(history, known.scope, given)
        change = scope_change(history, known, said)
        if said is not None and not dry_run:
            if not given["reason"]:
                raise click.UsageError("Expected --reason, or --dry-run, got neither.")
            after = _decided(context, history, known, said, given)
            counts = _hold(context, history, after, given)
            change = change.model_copy(update={"recorded": True, "version": len(after.scopes), **counts})
        print_answer(change, as_json)


@click.command()
@case_argument
@why
@sending
@click.pass_context
def initiate(context: click.Context, /, case: str, **given: Any) -> None:
    """Put the scope of CASE in force and hold what is in it; again, what is missing. A mock one holds nothing."""
    with history_of(context) as history:
        known = find_case(history, case)
        if known.state is not CaseState.INITIATED:
            known = _decided(context, history, known, Initiated(), given)
        counts = _hold(context, history, known, given)
    done = ", ".join(f"{name.replace('_', ' ')}: {number:,}" for name, number in counts.items())
    console().print(f"Initiated: {case}, {done}", markup=False)


@click.command()
@case_argument
@click.option("--release-all", is_flag=True, help="Release every hold of the case; without it they stay.")
@click.option("--release-lot", "lots", multiple=True, help="Release its holds of this lot.")
@click.option("--corrective", multiple=True, help="A corrective action; may be given again.")
@record_option
@why
@sending
@click.pass_context
def close(
    context: click.Context,
    /,
    case: str,
    *,
    release_all: bool,
    lots: tuple[str, ...],
    corrective: tuple[str, ...],
    out: Path | None,
    **given: Any,
) -> None:
    """End CASE, and the holds that are named; a mock one ends in its traceability test record."""
    with history_of(context) as history:
        known = find_case(history, case)
        keys = tuple(find_lot(history, lot).lot for lot in lots)
        deed = made(Closed, release_all=release_all, release=keys, corrective=corrective)
        _fits(known, deed)
        ends = releases(holds_decided(history, case), None if release_all else keys)
        send_all(context, _holds(ends, given), given)
        _decided(context, history, known, deed, given)
        _until(lambda: not releases(holds_decided(history, case), [one.lot for one in ends]))
    console().print(f"Closed: {case}, holds released: {len(ends):,}", markup=False)
    if known.mock:
        write_record(record_for(context, case), out, as_json=False)


def _decided(context: click.Context, history: History, case: Case, deed: Deed, given: Mapping[str, Any]) -> Case:
    """The case after a deed that fits it as it is known, sent and come into the history."""
    _fits(case, deed)
    return _sent(context, history, _content(case.name, deed, given), given)


def _sent(context: click.Context, history: History, content: RecallContent, given: Mapping[str, Any]) -> Case:
    """The case when a decision has come into its history. Raises Refused when somebody else's came before it."""
    send(context, [content], given)
    decision = decision_hash(content)
    case = wait_for(history, content.case, decision)
    refused = next(entry.refused for entry in case.trail if entry.decided.decision == decision)
    if refused:
        raise Refused(refused)
    return case


def _fits(case: Case, deed: Deed) -> None:
    refused = refusal(case, deed)
    if refused:
        raise Refused(refused)


def _hold(context: click.Context, history: History, case: Case, given: Mapping[str, Any]) -> dict[str, int]:
    """Places and releases what the scope of an initiated case asks for, and waits until the history has it."""
    deeds = holds_wanted(history, case)
    send_all(context, _holds(deeds, given), given)
    wanted = {(deed.lot, deed.hold, str(deed.action)) for deed in deeds}
    _until(lambda: wanted <= {(row["lot"], row["hold"], row["action"]) for row in holds_decided(history, case.name)})
    placed = sum(deed.action is HoldAction.PLACE for deed in deeds)
    return {"holds_placed": placed, "holds_released": len(deeds) - placed}


def _until(done: Callable[[], bool]) -> None:
    """Waits for what was sent to come into the history; what takes longer comes all the same."""
    until = time.monotonic() + WAIT_S
    while not done() and time.monotonic() < until:
        time.sleep(POLL_S)


def _holds(deeds: Sequence[HoldDeed], given: Mapping[str, Any]) -> list[HoldContent]:
    at_us = SystemClock().now_us()
    said = {"purpose": HoldPurpose.RECALL, "by": given["by"], "reason": given["reason"], "at_us": at_us}
    return [
        made(HoldContent, hold=deed.hold, lot=deed.lot, action=deed.action, scope=deed.scope, **said) for deed in deeds
    ]


def _content(name: str, deed: Deed, given: Mapping[str, Any]) -> RecallContent:
    return made(
        RecallContent, case=name, deed=deed, by=given["by"], reason=given["reason"], at_us=SystemClock().now_us()
    )
