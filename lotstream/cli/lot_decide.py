"""`lotstream lot`, where it decides: numbers, master data, holds. The gateway takes it, and it is kept."""

import itertools
import uuid
from datetime import UTC, datetime
from typing import Any, Literal

import click
from pydantic import BaseModel, ConfigDict, Field

from lotstream.cli.ask import gtin_option, history_of, lot_argument
from lotstream.cli.context import console, json_option, print_json, settings_of
from lotstream.cli.exits import Refused
from lotstream.cli.lot_options import day_of, made, master, master_of, scope, scope_of, sending
from lotstream.cli.sending import AT_ONCE, send
from lotstream.readers.deciding import answers
from lotstream.recall.decisions import claims_again, others_again
from lotstream.recall.find import find_lot, lot_named
from lotstream.recall.lot import lot_shown
from lotstream.runtime.clock import SystemClock
from lotstream.schemas.decisions import ChangeContent, ClaimContent, HoldContent
from lotstream.schemas.identifiers import gtin14, split_lot_key
from lotstream.schemas.lots import HoldAction, HoldPurpose

TEMPLATE = "{date:%y%j}-{seq:03}{check}"


class Numbered(BaseModel):
    """`lotstream lot new`: the number that a claim got."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["lot_number"] = "lot_number"
    v: Literal[1] = 1
    lot: str = Field(description="lot key: 01/<gtin14>/10/<lot code>")
    code: str
    claim: str = Field(description="said again, it gets the same number")


@click.command()
@click.argument("gtin")
@click.option("--template", default="", help=f"Of the number; without it and --code: {TEMPLATE}")
@click.option("--code", default="", help="The lot code itself.")
@click.option("--claim", default="", help="Name of the claim: said again, it gets the same number.")
@master
@sending
@json_option
@click.pass_context
def new(
    context: click.Context, /, gtin: str, *, template: str, code: str, claim: str, as_json: bool, **given: Any
) -> None:
    """Claim a lot number for GTIN and print it: first come, first served; none twice, none lost, none given back.

    A template has text, {site}, {line}, {date:%y%j} (of production), once {seq:04}, and at the end {check} or not.
    """
    content = made(
        ClaimContent,
        claim=claim or uuid.uuid4().hex,
        gtin=gtin14(gtin),
        template=template or ("" if code else TEMPLATE),
        code=code,
        **master_of(given) | {"production_date": day_of(given["production_date"] or datetime.now(UTC))},
    )
    with answers(settings_of(context), content.gtin) as waiting:
        send(context, [content], given)
        found = waiting.wait(content.claim)
    if not found.lot:
        raise Refused(found.detail)
    number = Numbered(lot=found.lot, code=split_lot_key(found.lot)[1], claim=found.claim)
    if as_json:
        print_json(number)
    else:
        console().print(number.code, markup=False)


@click.command()
@lot_argument
@gtin_option
@click.option("--reason", default="", help="Why it changes.")
@master
@sending
@click.pass_context
def change(context: click.Context, /, lot: str, *, gtin: str, reason: str, **given: Any) -> None:
    """Say master data of LOT anew: what was said before stays in its history."""
    key = _key(context, lot, gtin=gtin)
    content = made(ChangeContent, lot=key, reason=reason, at_us=SystemClock().now_us(), **master_of(given))
    send(context, [content], given)
    console().print(f"Changed: {key}", markup=False, soft_wrap=True)


@click.command()
@lot_argument
@gtin_option
@click.option("--reason", required=True, help="Why, for those who ask later.")
@click.option("--recall", "recalled", is_flag=True, help="The lot is recalled, not only held.")
@click.option("--hold", "name", default="", help="Its name; one of them placed again is another version of it.")
@scope
@sending
@click.pass_context
def hold(
    context: click.Context, /, lot: str, *, gtin: str, reason: str, recalled: bool, name: str, **given: Any
) -> None:
    """Hold LOT, or a part of it, until the hold is released; prints the name of the hold."""
    content = made(
        HoldContent,
        hold=name or uuid.uuid4().hex[:12],
        lot=_key(context, lot, gtin=gtin),
        action=HoldAction.PLACE,
        purpose=HoldPurpose.RECALL if recalled else HoldPurpose.QUARANTINE,
        scope=scope_of(given),
        by=given["by"],
        reason=reason,
        at_us=SystemClock().now_us(),
    )
    send(context, [content], given)
    console().print(content.hold, markup=False)


@click.command()
@lot_argument
@gtin_option
@click.option("--hold", "name", required=True, help="Name of the hold.")
@click.option("--reason", required=True, help="Why, for those who ask later.")
@click.option("--unseen", is_flag=True, help="Release it although the history has no such hold in force.")
@sending
@click.pass_context
def release(
    context: click.Context, /, lot: str, *, gtin: str, name: str, reason: str, unseen: bool, **given: Any
) -> None:
    """Release a hold of LOT, and no other; for ever."""
    key = _key(context, lot, gtin=gtin)
    if not unseen:
        in_force = [held.hold for held in lot_shown(history_of(context), key).lot.holds]
        if name not in in_force:
            raise Refused(f"Expected a hold in force ({', '.join(in_force) or 'none is'}), got {name!r}.")
    content = made(
        HoldContent,
        hold=name,
        lot=key,
        action=HoldAction.RELEASE,
        by=given["by"],
        reason=reason,
        at_us=SystemClock().now_us(),
    )
    send(context, [content], given)
    console().print(f"Released: {name} of {key}", markup=False, soft_wrap=True)


@click.command()
@sending
@click.pass_context
def resend(context: click.Context, /, **given: Any) -> None:
    """Send every decision of the history again: for a stream that begins anew because its topics were lost.

    Numbers are claimed under their own codes, before anything else, so that none is given a second time.
    """
    history = history_of(context)
    for what, contents in (("claims", claims_again(history)), ("others", others_again(history))):
        sent = 0
        while some := list(itertools.islice(contents, AT_ONCE)):
            send(context, some, given)
            sent += len(some)
        console().print(f"{what}: {sent:,} sent")


def _key(context: click.Context, text: str, *, gtin: str) -> str:
    """The lot that is meant; one named in full need not be known yet."""
    return lot_named(text) or find_lot(history_of(context), text, gtin=gtin).lot
