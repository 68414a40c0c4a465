"""verify: item rows against the facts that they were derived from."""

import time
from collections.abc import Iterator

import click

from lotstream.cli.ask import asked, gtin_option
from lotstream.cli.context import console, json_option, print_json, settings_of
from lotstream.cli.exits import EXIT_NO
from lotstream.recall.find import find_lot
from lotstream.recall.store import History
from lotstream.recall.verify import LotVerified, Verified, bindings_of, sample, verify_lot
from lotstream.streams.resolve.again import Lots

SETTLED_S = 3.0


@click.command()
@click.argument("lot", default="")
@gtin_option
@click.option("--sample", "count", default=0, help="So many lots by chance, instead of LOT.")
@json_option
@click.pass_context
@asked
def verify(context: click.Context, lot: str, gtin: str, count: int, as_json: bool) -> None:
    """Decide again, from sightings and bindings alone, where each unit of LOT is; exit 1 when rows say otherwise."""
    if bool(lot) == bool(count):
        raise click.UsageError("Expected LOT or --sample N, got both or none.")
    history = History(settings_of(context).clickhouse)
    wanted = sample(history, count) if count else [find_lot(history, lot, gtin=gtin).lot]
    lots = tuple(_settled(history, key) for key in wanted)
    answer = Verified(equal=not any(one.differences for one in lots), lots=lots)
    if as_json:
        print_json(answer)
    else:
        for line in _lines(answer):
            console().print(line, soft_wrap=True)
    if not answer.equal:
        context.exit(EXIT_NO)


def _settled(history: History, lot: str) -> LotVerified:
    """The sinks of facts and of item rows run apart: what differs is looked at again a little later."""
    found = _once(history, lot)
    if found.differences:
        time.sleep(SETTLED_S)
        known = {one.tag for one in found.differences}
        found = _once(history, lot)
        lasting = tuple(one for one in found.differences if one.tag in known)
        found = found.model_copy(update={"differences": lasting})
    return found


def _once(history: History, lot: str) -> LotVerified:
    lots = Lots(bindings_of(history, lot))
    return verify_lot(history, lot, lambda tag, slot, last_us: lots.of(tag, slot=slot, last_us=last_us))


def _lines(answer: Verified) -> Iterator[str]:
    for lot in answer.lots:
        verdict = f"{len(lot.differences)} differ" if lot.differences else "as its facts say"
        yield f"{lot.lot}: {lot.units} units from {lot.sightings} sightings, {verdict}"
        for one in lot.differences:
            yield f"  {one.tag}: rows {_place(one.rows)}, facts {_place(one.facts)}"


def _place(told: tuple[str, ...] | None) -> str:
    return "none" if told is None else " ".join(word for word in told if word)
