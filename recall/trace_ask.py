"""The question of a trace: from lots or a unit, over everything that was made, to who received some."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lotstream.recall.edges import Bundle, Link, Stay, Units
from lotstream.recall.find import UnitMissing, find_lot, lot_named, unit_named
from lotstream.recall.store import History, Row
from lotstream.recall.trace import Traced, trace
from lotstream.recall.trace_answer import Delivery, Direction, Trace, TraceEdge, TraceNode
from lotstream.recall.trace_deliveries import RECEIVED, SHIPPED, deliveries_of
from lotstream.recall.trace_facts import HistoryFacts, asked, bundle_of, is_lot, units_around
from lotstream.recall.trace_places import places_of_lots

_Names = Mapping[str, Row]
_STEPS = {Direction.FORWARD: (*SHIPPED, *RECEIVED), Direction.BACK: RECEIVED}


@dataclass(frozen=True, slots=True)
class _Start:
    """What a trace starts from: a lot, or a unit with what it held and whose lots these are."""

    name: str
    bundle: Bundle | None = None
    contents: tuple[TraceEdge, ...] = ()


def trace_of(
    history: History,
    texts: Sequence[str],
    *,
    direction: Direction,
    gtin: str = "",
    depth: int | None = None,
    where: bool = False,
) -> Trace:
    """Everything made from lots or a unit, or that went into them, in at most ``depth`` steps (>= 0).

    With ``where``, also where all of it is now.

    Raises LotMissing, LotAmbiguous, UnitMissing, IdentifierInvalid, ClickhouseAway.
    """
    history.connect()
    started = time.perf_counter()
    starts = [_start(history, text, gtin=gtin) for text in texts]
    told = _traced(history, starts, direction=direction, depth=depth, where=where)
    return told.model_copy(update={"milliseconds": round((time.perf_counter() - started) * 1000, 3)})


def trace_of_lots(history: History, lots: Iterable[str], *, direction: Direction, depth: int | None = None) -> Trace:
    """Everything made from lots that were found before, or that went into them. Raises ClickhouseAway."""
    return _traced(history, [_Start(lot) for lot in lots], direction=direction, depth=depth)


def traces_of_lots(history: History, lots: Sequence[str], *, facts: HistoryFacts) -> dict[str, Trace]:
    """Both ways from lots that were found before; what both ways meet is asked once. Raises ClickhouseAway."""
    found = {way: trace(facts, lots, back=way is Direction.BACK) for way in Direction}
    met = sorted({lot for traced in found.values() for lot in _lots(traced)})
    names = _names(history, met)
    deliveries = deliveries_of(history, met, (*SHIPPED, *RECEIVED))
    return {
        way.value: _told(
            history, traced, starts=lots, direction=way, names=names, deliveries=_along(deliveries, traced, way)
        )
        for way, traced in found.items()
    }


def _along(deliveries: Iterable[Delivery], traced: Traced, way: Direction) -> Iterable[Delivery]:
    steps = _STEPS[way]
    return (one for one in deliveries if one.lot in traced.nodes and one.biz_step in steps)


def _traced(
    history: History, starts: Sequence[_Start], *, direction: Direction, depth: int | None = None, where: bool = False
) -> Trace:
    back = direction is Direction.BACK
    facts = HistoryFacts(history, [start.bundle for start in starts if start.bundle])
    contents = tuple(edge for start in starts for edge in start.contents) if back and depth != 0 else ()
    names = [start.name for start in starts]
    traced = trace(facts, names, back=back, depth=depth, given=[edge.source for edge in contents])
    lots = _lots(traced)
    told = _told(
        history,
        traced,
        starts=names,
        direction=direction,
        names=_names(history, lots),
        deliveries=deliveries_of(history, lots, _STEPS[direction]),
    )
    places = places_of_lots(history, lots) if where else ()
    return told.model_copy(update={"depth": depth, "edges": (*contents, *told.edges), "places": places})


def _told(
    history: History,
    traced: Traced,
    *,
    starts: Iterable[str],
    direction: Direction,
    names: _Names,
    deliveries: Iterable[Delivery],
) -> Trace:
    return Trace(
        direction=direction,
        starts=tuple(sorted(set(starts))),
        depth=None,
        capped=traced.capped.value,
        nodes=_nodes(traced, names),
        edges=tuple(_edge(link) for link in traced.links),
        deliveries=tuple(deliveries),
        places=(),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=0.0,
    )


def _lots(traced: Traced) -> list[str]:
    return [node for node in traced.nodes if is_lot(node)]


def _start(history: History, text: str, *, gtin: str) -> _Start:
    unit = unit_named(text.strip()) if lot_named(text.strip()) is None else None
    if unit is None:
        return _Start(find_lot(history, text, gtin=gtin).lot)
    units = units_around(history, [unit])
    bundle = bundle_of(units, unit)
    contents = tuple(_contents(units, bundle))
    known = contents or len(bundle.units) > 1 or history.ask("history", tag=unit, limit=1)
    if not known and not HistoryFacts(history, [bundle]).named(unit):
        raise UnitMissing(text=text, what="unit", near=[], hint=f"Nothing was ever said of {unit}.")
    return _Start(unit, bundle, contents)


def _contents(units: Units, bundle: Bundle) -> Iterable[TraceEdge]:
    """The lots of a unit and of what it held, counted by the event that put them there."""
    counted: dict[tuple[str, Stay], int] = {}
    for unit, stays in sorted(bundle.units.items()):
        for lot, life in units.lives(unit):
            for both in (stay.over(life) for stay in stays):
                if both is not None:
                    counted[lot, both] = counted.get((lot, both), 0) + 1
    for (lot, stay), items in sorted(counted.items(), key=lambda entry: (entry[0][1], entry[0][0])):
        yield TraceEdge(
            kind="content",
            source=lot,
            target=bundle.name,
            event=stay.event,
            at=stay.at,
            until=stay.until if stay.ends else None,
            items=items,
        )


def _edge(link: Link) -> TraceEdge:
    source, target = (link.process, link.node) if link.output else (link.node, link.process)
    return TraceEdge(
        kind="output" if link.output else "input",
        source=source,
        target=target,
        event=link.event,
        biz_step=link.biz_step,
        at=link.at,
        items=link.items,
        amount=link.amount,
        uom=link.uom,
        location=link.location,
        document=link.document,
    )


def _names(history: History, lots: Collection[str]) -> _Names:
    return {row["lot"]: row for row in asked(history, "trace_names", "lots", lots)}


def _nodes(traced: Traced, names: _Names) -> tuple[TraceNode, ...]:
    ranked = sorted(traced.nodes.items(), key=lambda entry: (entry[1], entry[0]))
    return tuple(TraceNode(name=node, steps=steps, **_words(names.get(node))) for node, steps in ranked)


def _words(row: dict[str, object] | None) -> dict[str, object]:
    return {} if row is None else {name: row[name] for name in ("description", "supplier_code", "expires")}
