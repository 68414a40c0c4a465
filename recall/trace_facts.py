"""The links of a trace, asked of the history: a set of lots, of processes, of units at a time."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from lotstream.recall.edges import ALWAYS, DEEPEST, Bundle, Link, Units, numbered
from lotstream.recall.store import History, Row
from lotstream.schemas.identifiers import parse_key
from lotstream.schemas.portions import is_portion

AT_A_TIME = 200  # names in one question: they travel in the address of a request
_SIDE = {False: "input", True: "output"}
_Sums = dict[tuple[str, bool, str, str, str], Link]


class HistoryFacts:
    """Processes and links, as `trace` asks for them; what a unit is and holds is said by its bindings."""

    def __init__(self, history: History, bundles: Sequence[Bundle] = ()) -> None:
        self._history = history
        self._bundles = {bundle.name: bundle for bundle in bundles}
        self._known: dict[str, list[Link]] = {}
        self._anywhere: dict[str, set[str]] = {}

    def touching(self, nodes: Collection[str], *, output: bool) -> set[str]:
        """Processes that took any of these nodes, or that made any (``output``). Raises ClickhouseAway."""
        side = _SIDE[output]
        lots = [node for node in nodes if is_lot(node)]
        found = {row["process"] for row in asked(self._history, "trace_met", "lots", lots, side=side)}
        units = self._named(node for node in nodes if not is_lot(node))
        found |= {row["process"] for row in asked(self._history, "trace_met_units", "units", units, side=side)}
        found |= self._placeless(side) if lots else set()
        wanted = set(nodes)
        return {link.process for link in self.links_of(found) if link.output is output and link.node in wanted}

    def links(self, processes: Collection[str]) -> list[Link]:
        """Every link of these processes, which `touching` has met."""
        return [link for process in processes for link in self._known[process]]

    def links_of(self, processes: Collection[str]) -> list[Link]:
        """Every link of processes that are known by name. Raises ClickhouseAway."""
        self._keep(asked(self._history, "report_sides", "processes", {*processes} - self._known.keys()))
        return self.links([process for process in processes if process in self._known])

    def named(self, unit: str) -> bool:
        """Whether any process names a unit that is a start. Raises ClickhouseAway."""
        return any(self.touching([unit], output=output) for output in (False, True))

    def _placeless(self, side: str) -> set[str]:
        """Processes that every lot may be in; asked once."""
        if side not in self._anywhere:
            self._anywhere[side] = {row["process"] for row in self._history.ask("trace_placeless", side=side)}
        return self._anywhere[side]

    def _keep(self, sides: Sequence[Row]) -> None:
        """What new processes are, from all their sides."""
        self._known.update({side["process"]: [] for side in sides})
        for link in self._links(sides):
            self._known[link.process].append(link)

    def _named(self, nodes: Iterable[str]) -> set[str]:
        """Units that are nodes, and anything that these were ever inside."""
        units: set[str] = set()
        for node in nodes:
            units.update(self._bundles[node].units if node in self._bundles else [unit_of(node)])
        return units | self._around(units)

    def _around(self, units: Iterable[str]) -> set[str]:
        """Everything that units were ever inside, at any depth."""
        found: set[str] = set()
        around = set(units)
        for _ in range(DEEPEST):
            rows = bindings_of(self._history, around)
            around = {row["object"] for row in rows if row["kind"] == "parent" and row["object"]} - found
            found |= around
        return found

    def _links(self, sides: Sequence[Row]) -> Iterable[Link]:
        named = {unit for side in sides for unit in side["units"]}
        units = units_around(self._history, named)
        fills = self._fills(named, units)
        sums: _Sums = {}
        for side in sides:
            for node, items in self._nodes(side, units, fills):
                link = _link(side, node, items)
                key = link.event, link.output, link.node, link.uom, link.process
                known = sums.get(key)
                # parts of one long list of units, and units beside the lot that the event names, are one link
                sums[key] = link if known is None else known._replace(items=known.items + link.items)
        return sums.values()

    def _fills(self, named: Collection[str], units: Units) -> dict[str, list[datetime]]:
        bare = [unit for unit in named if not units.lives(unit)]
        return {row["unit"]: row["fills"] for row in asked(self._history, "trace_fills", "units", bare)}

    def _nodes(self, side: Row, units: Units, fills: Mapping[str, list[datetime]]) -> Iterator[tuple[str, int]]:
        """What a side is of, and how many units each: its lot; the lots of its units and of what they held."""
        at = side["at"]
        if side["lot"]:
            yield side["lot"], side["items"]
        meant: dict[str, str] = {}
        touched = set(side["units"])
        for unit in side["units"]:
            inside = units.inside(unit, at)
            touched.update(inside)
            lots = {one: units.lot_at(one, at) for one in (unit, *inside)}
            meant |= {one: lot for one, lot in lots.items() if lot}
            meant |= {one: filled(one, at, fills.get(one, ())) for one in _bare(unit, inside, lots)}
        for node in sorted(set(meant.values())):
            yield node, sum(node == other for one, other in meant.items() if not is_portion(one))
        for bundle in self._bundles.values():
            if bundle.among(touched, at) and bundle.name not in meant.values():
                yield bundle.name, max(1, bundle.among(meant, at))


def _bare(unit: str, inside: Sequence[str], lots: Mapping[str, str]) -> list[str]:
    """Units of no known lot that stand for themselves: what holds anything stands for what it holds."""
    if not inside:
        return [] if lots[unit] else [unit]
    return [one for one in inside if not lots[one] and not is_portion(one) and not parse_key(one).is_logistic]


def filled(unit: str, at: datetime, fills: Sequence[datetime]) -> str:
    """The name of a unit of no lot with what it was last filled with: a container that is used again holds others."""
    last = max((fill for fill in fills if fill <= at), default=None)
    return unit if last is None else f"{unit}@{last:%Y-%m-%dT%H:%M:%S.%fZ}"


def unit_of(node: str) -> str:
    """The unit of a node that is no lot."""
    return node.partition("@")[0]


def is_lot(node: str) -> bool:
    """Whether a node is a lot: 01/{gtin14}/10/{lot}."""
    return node[:3] == "01/" and node[17:21] == "/10/"


def asked(history: History, name: str, many: str, values: Collection[str], **more: Any) -> list[Row]:
    """Rows of a query over many names, some at a time; none for no names. Raises ClickhouseAway."""
    return [row for part in _parts(sorted(values)) for row in history.ask(name, **{many: part}, **more)]


def asked_all(
    history: History, names: Sequence[str], many: str, values: Collection[str], **more: Any
) -> dict[str, list[Row]]:
    """Rows of several queries over many names, asked beside each other, some names at a time. Raises ClickhouseAway."""
    found: dict[str, list[Row]] = {name: [] for name in names}
    for part in _parts(sorted(values)):
        for name, rows in history.ask_all(*names, **{many: part}, **more).items():
            found[name] += rows
    return found


def _parts(values: list[str]) -> Iterator[list[str]]:
    return (values[start : start + AT_A_TIME] for start in range(0, len(values), AT_A_TIME))


def bindings_of(history: History, units: Collection[str]) -> list[Row]:
    """What holds of the lots of units, of what is inside them and around them. Raises ClickhouseAway."""
    rows: list[Row] = []
    for part in _parts(sorted(units)):
        numbers = [number for number in map(numbered, part) if number is not None]
        serials = [serial for _, serial in numbers]
        classes = sorted({f"01/{gtin}" for gtin, _ in numbers})
        low, high = min(serials, default=0), max(serials, default=-1)
        rows += history.ask("trace_bindings", units=part, classes=classes, low=low, high=high)
    return rows


def units_around(history: History, units: Collection[str]) -> Units:
    """What is known of units and of everything that was ever inside them. Raises ClickhouseAway."""
    known: set[str] = set()
    rows: dict[tuple[Any, ...], Row] = {}
    around = set(units)
    for _ in range(DEEPEST + 1):
        found = bindings_of(history, around)
        rows |= {tuple(row.values()): row for row in found}  # a range is told to each of its serials
        known |= around
        around = {row["object"] for row in found if row["kind"] == "content" and row["object"]} - known
        if not around:
            break
    return Units(sorted(rows.values(), key=_in_time))


def bundle_of(units: Units, unit: str) -> Bundle:
    """A unit with everything that was ever inside it."""
    held = {child: tuple(stays) for child, stays in units.held(unit).items()}
    return Bundle(unit, {unit: (ALWAYS,), **held})


def _in_time(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["at"], row["deed"] == "ADD", row["event"], row["object"]


def _link(side: Row, node: str, items: int) -> Link:
    return Link(
        process=side["process"],
        output=side["side"] == "output",
        node=node,
        event=side["event"],
        biz_step=side["biz_step"],
        at=side["at"],
        items=items,
        amount=side["amount"],
        uom=side["uom"],
        location=side["location"],
        document=side["document"],
    )
