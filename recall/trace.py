"""Forward and back over processes, level by level: what is reached, by which links. Pure.

A lot is one: whatever was made from any of it is reached, whenever that was (times of papers are true to the day at
best). A unit, and a container, is what it was at the instant. Every link is one fact and is told once, however many
ways lead to it; so the result does not depend on where the trace starts or in which order facts come.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lotstream.recall.edges import Link

MOST_NODES = 20_000


class Capped(StrEnum):
    """Why there may be more than was told."""

    NO = ""
    DEPTH = "depth"
    SIZE = "size"


class Facts(Protocol):
    """What a trace asks of the history."""

    def touching(self, nodes: Collection[str], *, output: bool) -> Iterable[str]:
        """Processes that took any of these nodes, or that made any (``output``)."""
        ...

    def links(self, processes: Collection[str]) -> Iterable[Link]:
        """Every link of these processes."""
        ...


@dataclass(frozen=True, slots=True)
class Traced:
    """Nodes and processes with the fewest steps to each, the links between them, and whether there is more."""

    nodes: dict[str, int]
    processes: dict[str, int]
    links: tuple[Link, ...]
    capped: Capped


def trace(
    facts: Facts,
    starts: Sequence[str],
    *,
    back: bool,
    depth: int | None = None,
    given: Iterable[str] = (),
    most: int = MOST_NODES,
) -> Traced:
    """Everything made from the starts, or that went into them (``back``), in at most ``depth`` steps.

    ``given`` are nodes one step away that no process tells of: the lots of a unit that is a start.
    """
    nodes = dict.fromkeys(starts, 0)
    if depth is None or depth > 0:
        nodes.update(dict.fromkeys([node for node in given if node not in nodes], 1))
    processes: dict[str, int] = {}
    links: dict[str, list[Link]] = {}
    step, capped = 0, Capped.NO
    while frontier := [node for node, at in nodes.items() if at == step]:
        met = set(facts.touching(frontier, output=back))
        if depth is not None and step >= depth:
            capped = Capped.DEPTH if met else capped
            break
        if len(nodes) > most:
            capped = Capped.SIZE if met else capped
            break
        step += 1
        new = sorted(met - processes.keys())
        processes.update(dict.fromkeys(new, step))
        for link in facts.links(new):
            links.setdefault(link.process, []).append(link)
            if link.output is not back:
                nodes.setdefault(link.node, step)
    told = (link for some in links.values() for link in some)
    near = (link for link in told if link.output is not back or nodes.get(link.node, step) < step)
    return Traced(nodes, processes, tuple(sorted(near, key=_order)), capped)


def _order(link: Link) -> tuple[object, ...]:
    return link.at, link.process, link.output, link.node, link.event, link.uom
