"""What a transformation made out of what. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from lotstream.schemas.documents import UNITS_NAMED, Transformation
from lotstream.schemas.events import EventType, TraceEvent
from lotstream.streams.register.lots import Amounts, amounts_of, lot_of
from lotstream.streams.register.place import Placement
from lotstream.streams.register.serials import Run
from lotstream.streams.serials import is_sgtin

Side = Literal["input", "output"]


def transformations(event: TraceEvent, place: Placement, *, runs: list[Run], others: list[str]) -> list[Transformation]:
    """The sides of a transformation, nothing of another event: one per lot and unit of measure, one per list of units.

    ``runs`` and ``others`` are the units that it made. Raises Rejected.
    """
    if event.event_type is not EventType.TRANSFORMATION:
        return []
    common = _common(event, place)
    items, unnamed = _made(event, runs, others)
    return [
        *_of_lots(common, "input", amounts_of(event, event.input_quantities)),
        *_of_units(common, "input", event.inputs),
        *_of_lots(common, "output", amounts_of(event, event.output_quantities)),
        *(Transformation(side="output", lot=lot, items=count, **common) for lot, count in sorted(items.items())),
        *_of_units(common, "output", unnamed),
    ]


def _made(event: TraceEvent, runs: list[Run], others: list[str]) -> tuple[dict[str, int], Iterable[str]]:
    """Units made, counted by the lot that the event names; and those of which it names none."""
    if not (event.ilmd and event.ilmd.lot):
        return {}, event.outputs
    items: dict[str, int] = {}
    widths = [(run.gtin, run.width) for run in runs] + [(tag[3:17], 1) for tag in others if is_sgtin(tag)]
    for gtin, width in widths:
        lot = lot_of(event, gtin)
        items[lot] = items.get(lot, 0) + width
    return items, [tag for tag in others if not is_sgtin(tag)]


def _of_lots(common: dict[str, Any], side: Side, amounts: Amounts) -> Iterator[Transformation]:
    for (lot, uom), amount in amounts.items():
        yield Transformation(side=side, lot=lot, amount=amount, uom=uom, **common)


def _of_units(common: dict[str, Any], side: Side, units: Iterable[str]) -> Iterator[Transformation]:
    named = list(dict.fromkeys(units))
    for part, start in enumerate(range(0, len(named), UNITS_NAMED)):
        some = tuple(named[start : start + UNITS_NAMED])
        yield Transformation(side=side, units=some, items=len(some), part=part, **common)


def _common(event: TraceEvent, place: Placement) -> dict[str, Any]:
    document = event.documents[0] if event.documents else None
    return {
        "process": event.transformation_id or event.event_hash,
        "event": event.event_hash,
        "location": place.location,
        "biz_step": event.biz_step,
        "document": f"{document.type}:{document.id}" if document else "",
        "at_us": event.event_time_us,
        "retracted": event.error is not None,
        "recorded_us": event.stamp.received_us,
    }
