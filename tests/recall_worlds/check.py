"""Whether a recall of a world says exactly what is true of it."""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from lotstream.recall.answers import Affected, Where
from lotstream.recall.ask import affected, stock, where
from lotstream.recall.find import LotMissing
from lotstream.recall.store import History
from lotstream.recall.trace_answer import Direction, Trace, TraceEdge
from lotstream.recall.trace_ask import trace_of
from tests.recall_worlds.check_more import UNITS, misbalanced, misremembered
from tests.recall_worlds.maker import CLASSES
from tests.recall_worlds.oracle import Delivered, Line, Recalled, Side, reached, recalled
from tests.recall_worlds.play import KNOWN_AT, Warehouse, known
from tests.worlds.oracle import FOREVER
from tests.worlds.portions import is_portion
from tests.worlds.world import LOTS, SECOND, START, World, lot

TRACES = 6  # of twelve
BALANCES = 2  # of six lots
HISTORIES = 3  # of twelve units
START_AT = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START)
STARTS = [lot(code) for code in (*LOTS, *CLASSES)]
_FILLED = re.compile(r"@(\d{4}-.*)Z")


def faults(warehouse: Warehouse, world: World, *, seed: int) -> list[str]:
    """What is not as the oracle says of all facts up to now, and at another moment: by what had happened then, by what
    was known then, or by what was known of what had happened."""
    warehouse.play(world, seed=seed)
    chance = random.Random(seed)
    early, by = chance.choice(((False, True), (True, False), (True, True))), chance.randrange(250)
    found = untrue(warehouse.history, world, chance)
    known_at, as_of = (KNOWN_AT if early[0] else None), (START_AT + timedelta(seconds=by) if early[1] else None)
    told = world[: known(world, seed)] if early[0] else world
    with warehouse.at(known_at=known_at, as_of=as_of) as history:
        then = f"known at {known_at}, as of {by if early[1] else None}"
        return [*found, *(f"{then}: {line}" for line in untrue(history, told, chance, by=by if early[1] else FOREVER))]


def untrue(history: History, world: World, chance: random.Random, *, by: int = FOREVER) -> list[str]:
    """What is not as the oracle says: of each lot what is where, of some what is reached, one way or the other, and
    what became of all of it; of some units what is known of them."""
    truth = recalled(world, by=by)
    traces = chance.sample([(start, back) for start in STARTS for back in (False, True)], TRACES)
    found = [f"stock: {line}" for line in misstocked(history, truth)]
    for start in STARTS:
        for back in [way for one, way in traces if one == start]:
            traced = asked(history, start, back=back)
            if traced is not None:
                found += [f"{start}, {'back' if back else 'forward'}: {line}" for line in unlike(traced, truth, start)]
        try:
            found += [f"{start}: {line}" for line in astray(affected(history, start), truth, start)]
            found += [f"{start}: {line}" for line in unplaced(where(history, start), truth, start)]
        except LotMissing:
            found += [f"{start}: Expected it to be known."] * (start in truth.items or start in truth.amounts)
    some = random.Random(len(world))
    found += misbalanced(history, world, truth, lots=some.sample(STARTS, BALANCES), by=by)
    found += misremembered(history, world, units=some.sample(UNITS, HISTORIES), by=by)
    return found


def misstocked(history: History, truth: Recalled) -> list[str]:
    """Where the stock list differs, of units."""
    got = [(row.lot, row.location, row.disposition, row.items) for row in stock(history).rows if row.items]
    return differences("units", [(one, *at, n) for one in truth.items for at, n in truth.items[one].items()], got)


def unplaced(answer: Where, truth: Recalled, start: str) -> list[str]:
    """Where single units differ."""
    got = Counter((unit.location, unit.disposition) for unit in answer.units if not is_portion(unit.tag))
    return differences("where", pairs(truth.items.get(start, {})), pairs(got))


def asked(history: History, start: str, *, back: bool) -> Trace | None:
    try:
        return trace_of(history, [start], direction=Direction.BACK if back else Direction.FORWARD)
    except LotMissing:
        return None


def unlike(traced: Trace, truth: Recalled, start: str) -> Iterable[str]:
    """Where a trace differs: what was reached, by which links, and who sent or received some."""
    back = traced.direction is Direction.BACK
    nodes = reached(truth, start, back=back)
    met = {side.process for side in truth.sides if side.output is back and side.node in nodes}
    near = {one for one in truth.sides if one.process in met and (one.output is not back or one.node in nodes)}
    deliveries = {one for one in truth.deliveries if one.lot in nodes and (one.step == "receiving" or not back)}
    yield from differences("nodes", nodes, {told(node.name) for node in traced.nodes})
    yield from differences("links", near, [side_of(edge) for edge in traced.edges])
    yield from differences(
        "deliveries",
        deliveries,
        [
            Delivered(
                one.lot, one.biz_step, one.event, one.document, one.line, one.receiver, one.items, whole(one.amount)
            )
            for one in traced.deliveries
        ],
    )


def astray(answer: Affected, truth: Recalled, start: str) -> Iterable[str]:
    """Where the answer about one lot differs: units, amounts, who received some on which line."""
    items = {(row.location, row.disposition): row.items for row in answer.places}
    amounts: Counter[tuple[str, str]] = Counter()
    for place in answer.quantities:
        amounts[place.location, place.disposition] += int(place.amount)
    lines: dict[Line, tuple[int, int]] = {}
    for row in answer.recipients:
        units, amount = lines.get((row.party, row.document, row.line), (0, 0))
        lines[row.party, row.document, row.line] = units + row.items, amount + int(row.amount)
    yield from differences("units", pairs(truth.items.get(start, {})), pairs(items))
    yield from differences("amounts", pairs(truth.amounts.get(start, {})), pairs(amounts))
    yield from differences("recipients", pairs(truth.recipients.get(start, {})), pairs(lines))


def pairs(table: Any) -> list[Any]:
    return list(table.items())


def differences(what: str, expected: Iterable[Any], got: Iterable[Any]) -> list[str]:
    more, less = Counter(got), Counter(expected)
    return [f"{what}: Expected {one}." for one in (less - more)] + [f"{what}: Got {one}." for one in (more - less)]


def side_of(edge: TraceEdge) -> Side:
    output = edge.kind == "output"
    process, node = (edge.source, edge.target) if output else (edge.target, edge.source)
    return Side(process, output, told(node), edge.event, edge.items, whole(edge.amount))


def told(node: str) -> str:
    """A node by the oracle's name: when a container was filled is said in seconds of the world."""
    return _FILLED.sub(_second, node)


def _second(found: re.Match[str]) -> str:
    at = datetime.fromisoformat(found[1] + "+00:00")
    return f"@{round((at.timestamp() * SECOND - START) / SECOND)}"


def whole(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount)


def shrunk(world: World, *, wrong: Callable[[World], list[str]]) -> World:
    """A world that is as wrong with fewer facts: those left out without which it still is."""
    changed = True
    while changed:
        changed = False
        for number in range(len(world) - 1, -1, -1):
            fewer: World = (*world[:number], *world[number + 1 :])
            if wrong(fewer):
                world, changed = fewer, True
    return world
