"""Whether mass balances, and one step back and forward, say exactly what is true of lots of worlds side by side."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from lotstream.recall.find import LotMissing
from lotstream.recall.mass_answer import MassBalance
from lotstream.recall.mass_ask import mass_of_lot
from lotstream.recall.steps import Step, Steps, steps
from lotstream.recall.store import History
from tests.recall_worlds.apart import named, plain
from tests.recall_worlds.check import START_AT, STARTS, differences, told, whole
from tests.recall_worlds.oracle import Delivered, Recalled, Side
from tests.recall_worlds.report_oracle import ITEMS, KILOGRAMS
from tests.worlds.world import Event, World

STEPPED = 5  # of so many worlds one is asked for steps: they are two traces
Lines = dict[int, list[str]]


def made_faults(history: History, worlds: Mapping[int, World], truths: Sequence[Recalled]) -> Lines:
    """By number of a world what is not as the oracle says of the production of a lot, and of its steps."""
    found: Lines = {}
    for number, ((seed, world), truth) in enumerate(zip(worlds.items(), truths, strict=True)):
        made = sorted({side.node for side in truth.sides if side.output} & {*STARTS})
        chance = random.Random(seed)
        one = chance.choice(made or STARTS)
        lines = [*_unbalanced(history, named(number, one), truth)]
        if seed % STEPPED == 0:
            lines += _astray(history, named(number, chance.choice(STARTS)), world, truth)
        found[number] = lines
    return found


def _unbalanced(history: History, key: str, truth: Recalled) -> Iterator[str]:
    try:
        answer = mass_of_lot(history, key)
    except LotMissing:
        return  # whether it ought to be known is asked elsewhere
    one = plain(key)
    processes = {side.process for side in truth.sides if side.output and side.node == one}
    sides = [side for side in truth.sides if side.process in processes]
    products = {_product(side.node) for side in sides if side.output}
    flows = [(_role(side, products), side, uom, amount) for side in sides for uom, amount in _much(side)]
    entries = [(role, side.process, side.event, side.node, uom, amount) for role, side, uom, amount in flows]
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for role, _, uom, amount in flows:
        sums[uom][role] += amount
    yield from differences(f"production of {one}", entries, _entries(answer))
    yield from differences(
        f"balance of production of {one}", [_line(uom, of) for uom, of in sums.items()], _got(answer)
    )


def _product(node: str) -> str:
    return node.split("/")[1] if node.startswith("01/") else node


def _role(side: Side, products: set[str]) -> str:
    return "output" if side.output else "rework" if _product(side.node) in products else "input"


def _much(side: Side) -> Iterator[tuple[str, int]]:
    if side.items:
        yield ITEMS, side.items
    if side.amount is not None:
        yield KILOGRAMS, side.amount


def _line(uom: str, of: Counter[str]) -> tuple[object, ...]:
    into = of["input"] + of["rework"]
    compared = into > 0 and of["output"] > 0
    return uom, of["input"], of["rework"], of["output"], 0, 0, into - of["output"] if compared else None


def _got(answer: MassBalance) -> list[tuple[object, ...]]:
    return [
        (
            one.uom, whole(one.taken), whole(one.rework), whole(one.out), whole(one.waste), whole(one.adjusted),
            whole(one.unexplained),
        )
        for one in answer.lines
    ]  # fmt: skip


def _entries(answer: MassBalance) -> list[tuple[object, ...]]:
    return [
        (one.role, plain(one.process), plain(one.event), told(plain(one.lot)), one.uom, whole(one.amount))
        for one in answer.entries
    ]


def _astray(history: History, key: str, world: World, truth: Recalled) -> Iterator[str]:
    try:
        answer = steps(history, key)
    except LotMissing:
        return
    one = plain(key)
    before, after = (_beside(truth, one, back=back) for back in (True, False))
    received = [each for each in truth.deliveries if each.step == "receiving" and each.lot in before | {one}]
    sent = [each for each in truth.deliveries if each.step == "shipping" and each.lot == one]
    times = {fact.name: fact.at for fact in world if isinstance(fact, Event)}
    yield from differences(
        f"back of {one}", ((each, _dispatched(each, truth, times)) for each in received), _back(answer)
    )
    yield from differences(f"forward of {one}", sent, [_delivered(each, "shipping") for each in answer.forward])
    yield from differences(f"made from, of {one}", before, map(_node, answer.made_from))
    yield from differences(f"made into, of {one}", after, map(_node, answer.made_into))


def _beside(truth: Recalled, one: str, *, back: bool) -> set[str]:
    """Nodes on the other side of whatever has a lot on this one."""
    met = {side.process for side in truth.sides if side.output is back and side.node == one}
    return {side.node for side in truth.sides if side.process in met and side.output is not back} - {one}


def _dispatched(received: Delivered, truth: Recalled, times: Mapping[str, int]) -> int | None:
    """When the newest shipment of the lot on the same document was, before it was received."""
    by = times[received.event]
    of = received.lot, received.document
    sent = [each for each in truth.deliveries if each.step == "shipping" and (each.lot, each.document) == of]
    return max((times[each.event] for each in sent if each.document and times[each.event] <= by), default=None)


def _back(answer: Steps) -> Iterable[tuple[Delivered, int | None]]:
    return [(_delivered(one, "receiving"), _second(one.dispatched_at)) for one in answer.back]


def _delivered(one: Step, step: str) -> Delivered:
    event, paper = plain(one.event), plain(one.document)
    amount = whole(one.amount)
    return Delivered(plain(one.lot), step, event, paper, one.line, one.receiver.key, one.items, amount)


def _second(at: datetime | None) -> int | None:
    return None if at is None else round((at - START_AT).total_seconds())


def _node(name: str) -> str:
    return told(plain(name))
