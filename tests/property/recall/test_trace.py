"""A trace equals a brute force over every way, in worlds made by chance."""

import random
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.recall.edges import Link
from lotstream.recall.trace import Capped, Traced, trace

T0 = datetime(2026, 11, 23, tzinfo=UTC)
LOTS = "ABCDEFGH"


def link(process: int, output: bool, node: str) -> Link:
    """A side of a process."""
    at = T0 + timedelta(minutes=process)
    return Link(f"p{process}", output, node, f"e{process}{output}", "", at, 0, None, "KGM", "", "")


@st.composite
def worlds(draw: st.DrawFn) -> list[Link]:
    """Few lots and processes, so that ways meet, split and go in circles."""
    some = st.lists(st.sampled_from(LOTS), max_size=3, unique=True)
    count = draw(st.integers(0, 7))
    return [link(number, output, lot) for number in range(count) for output in (False, True) for lot in draw(some)]


class Given:
    """Facts of a list, in whatever order."""

    def __init__(self, links: Iterable[Link], order: random.Random) -> None:
        self.links_ = list(links)
        order.shuffle(self.links_)

    def touching(self, nodes: Collection[str], *, output: bool) -> Iterable[str]:
        return [one.process for one in self.links_ if one.node in nodes and one.output is output]

    def links(self, processes: Collection[str]) -> Iterable[Link]:
        return [one for one in self.links_ if one.process in processes]


def ways(links: list[Link], start: str, *, back: bool) -> list[tuple[Link, ...]]:
    """Every way from a start that passes no link twice: in, out, in, out."""
    found: list[tuple[Link, ...]] = []

    def go(node: str, way: tuple[Link, ...]) -> None:
        for near in (one for one in links if one.node == node and one.output is back and one not in way):
            found.append((*way, near))
            for far in (one for one in links if one.process == near.process and one.output is not back):
                if far not in way:
                    found.append((*way, near, far))
                    go(far.node, (*way, near, far))

    go(start, ())
    return found


def traced(links: list[Link], starts: Iterable[str], seed: int = 0, **more: object) -> Traced:
    return trace(Given(links, random.Random(seed)), list(starts), **{"back": False, **more})  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(worlds().filter(lambda links: len(links) < 22), st.sampled_from(LOTS), st.booleans(), st.integers(0, 3))
def test_every_way_and_nothing_else(links: list[Link], start: str, back: bool, depth: int) -> None:
    """What is told is what lies on some way of at most so many steps; that there are longer ones is said."""
    found = ways(links, start, back=back)
    within = [way for way in found if len(way) <= 2 * depth]
    told = traced(links, [start], back=back, depth=depth)
    assert set(told.links) == {one for way in within for one in way}
    fewest: dict[str, int] = {start: 0}
    for way in sorted(within, key=len):
        for number, one in enumerate(way):
            if one.output is not back:
                fewest[one.node] = min(fewest.get(one.node, 9), number // 2 + 1)
    assert told.nodes == fewest
    everything = {one for way in found for one in way}
    assert bool(told.capped) is (set(told.links) != everything)
    assert set(traced(links, [start], back=back).links) == everything


@settings(max_examples=150, deadline=None)
@given(worlds(), st.lists(st.sampled_from(LOTS), min_size=1, max_size=4), st.integers(0, 99))
def test_order_and_starts(links: list[Link], starts: list[str], seed: int) -> None:
    """Several starts tell what each of them tells, in any order; forward and back agree."""
    together = traced(links, starts)
    assert together == traced(links, reversed([*starts, *starts]), seed)
    assert set(together.links) == {one for start in starts for one in traced(links, [start]).links}
    for start in starts:
        for node in traced(links, [start], seed).nodes:
            assert start in traced(links, [node], seed, back=True).nodes


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_capped_by_size(links: list[Link]) -> None:
    """A trace that grows too large ends at a whole step and says so."""
    whole, cut = traced(links, ["A"]), traced(links, ["A"], most=1)
    assert set(cut.links) <= set(whole.links)
    assert cut.capped is (Capped.NO if set(cut.links) == set(whole.links) else Capped.SIZE)
