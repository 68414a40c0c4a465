"""Worlds side by side in one history: every lot of each asked, and what is said held against the oracle of each."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lotstream.recall.answers import Affected
from lotstream.recall.ask import affected
from lotstream.recall.find import LotMissing
from lotstream.recall.store import History
from lotstream.recall.trace_answer import Direction, Trace
from lotstream.recall.trace_ask import trace_of
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks.rows import COLUMNS, Row, columns_of
from lotstream.sinks.store import ClickhouseStore
from tests.recall_worlds.apart import apart, named, number_of, plain
from tests.recall_worlds.check import STARTS, astray, unlike
from tests.recall_worlds.check_made import made_faults
from tests.recall_worlds.check_report import report_faults
from tests.recall_worlds.check_scope import scope_faults
from tests.recall_worlds.oracle import Recalled, recalled
from tests.recall_worlds.play import FED, rows_of
from tests.worlds.check import disordered
from tests.worlds.world import World

Lines = dict[int, list[str]]  # number of a world, or its seed: what is wrong with it


class Remembered(History):
    """Asks each question once for as long as nothing changes: the same one comes with every lot and every trace."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        super().__init__(settings)
        self._answers: dict[str, list[dict[str, Any]]] = {}

    def ask(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """As History does."""
        asked = f"{name} {sorted(parameters.items())}"
        if asked not in self._answers:
            self._answers[asked] = super().ask(name, **parameters)
        return self._answers[asked]

    def forget(self) -> None:
        """Something changed."""
        self._answers.clear()


class Beside:
    """One database, for some worlds beside each other, and then others."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        self._settings = settings
        self.store, self.history = ClickhouseStore(settings), Remembered(settings)
        self._filled = {*FED, *COLUMNS}

    def play(self, worlds: Mapping[int, World]) -> None:
        """Nothing is left but what the stages made of these worlds, by their seeds, in inserts of any size."""
        self.history.forget()
        for table in self._filled:
            self.store.command(f"TRUNCATE TABLE {self._settings.database}.{table}")
        self._filled = set(FED)
        inserts: dict[str, tuple[list[Row], list[Row]]] = {}
        for number, (seed, world) in enumerate(worlds.items()):
            chance = random.Random(seed)
            for table, found in rows_of(disordered(world, seed=seed)).items():
                rows, cut = apart(number, table, found), chance.randint(0, len(found))
                first, second = inserts.setdefault(table, ([], []))
                first += rows[:cut]
                second += rows[cut // 2 :]  # of which some are said again
        for table, both in inserts.items():
            self._filled.add(table)
            for some in filter(None, both):
                self.store.insert(table, columns_of(some), names=COLUMNS[table])

    def close(self) -> None:
        """Give the connections back."""
        self.history.close()
        self.store.close()


def faults(beside: Beside, worlds: Mapping[int, World]) -> Lines:
    """By seed, what is not as the oracle says, of worlds side by side: of every lot what is where, what is reached
    forward and back from it, and who received some."""
    beside.play(worlds)
    truths = [recalled(world) for world in worlds.values()]
    found: Lines = {number: [] for number in range(len(truths))}
    known = {start: [*_answered(beside.history, start, truths, found)] for start in STARTS}
    for start, numbers in known.items():
        for way in Direction if numbers else ():
            traced = trace_of(beside.history, [named(number, start) for number in numbers], direction=way)
            for number, mine in shared_out(traced, numbers):
                found[number] += [f"{start}, {way}: {line}" for line in unlike(mine, truths[number], start)]
    more = (
        scope_faults(beside.history, worlds, truths),
        made_faults(beside.history, worlds, truths),
        report_faults(beside.history, [*worlds.values()], truths, known),
    )
    for number, lines in (entry for one in more for entry in one.items()):
        found[number] += lines
    return {seed: found[number] for number, seed in enumerate(worlds) if found[number]}


def _answered(history: History, start: str, truths: Sequence[Recalled], found: Lines) -> Iterator[int]:
    """The worlds of which a lot is known, once what is where is compared."""
    for number, truth in enumerate(truths):
        try:
            answer = in_own_words(affected(history, named(number, start)))
        except LotMissing:
            known = start in truth.items or start in truth.amounts
            found[number] += [f"{start}: Expected it to be known."] * known
            continue
        found[number] += [f"{start}: {line}" for line in astray(answer, truth, start)]
        yield number


def shared_out(traced: Trace, numbers: Iterable[int]) -> Iterator[tuple[int, Trace]]:
    """A trace from a lot of each of several worlds, world by world, in their own names."""
    nodes, edges, deliveries = (defaultdict[int, list[Any]](list) for _ in range(3))
    for node in traced.nodes:
        nodes[number_of([node.name])].append(node.model_copy(update={"name": plain(node.name)}))
    for edge in traced.edges:
        own = {name: plain(getattr(edge, name)) for name in ("source", "target", "event")}
        ends = (edge.source, edge.target) if edge.kind == "input" else (edge.target, edge.source)
        edges[number_of(ends)].append(edge.model_copy(update=own))
    for one in traced.deliveries:
        own = {name: plain(getattr(one, name)) for name in ("lot", "event", "document")}
        deliveries[number_of([one.lot])].append(one.model_copy(update=own))
    for number in {*numbers, *nodes, *edges, *deliveries}:
        own = {"nodes": nodes[number], "edges": edges[number], "deliveries": deliveries[number]}
        yield number, traced.model_copy(update=own)


def in_own_words(answer: Affected) -> Affected:
    """An answer in the names of its world."""
    held = [one.model_copy(update={"location": plain(one.location)}) for one in answer.quantities]
    sent = [one.model_copy(update={"document": plain(one.document)}) for one in answer.recipients]
    return answer.model_copy(update={"quantities": held, "recipients": sent})
