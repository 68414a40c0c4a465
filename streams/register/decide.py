"""What an event becomes: a function of its content and of its offset in events.v1. Pure.

A fact's identity comes from the event's content (its CBV hash), so that a repeated event repeats its facts. An error
declaration repeats them as retracted: by the flag where the record has one, by an epoch above all others for a
sighting, so that it beats what it retracts also when it came first.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Protocol

from lotstream.schemas.base import slot_of
from lotstream.schemas.events import Action, EventType, QuantityScan, TraceEvent
from lotstream.schemas.identity import Binding, BindingAction, Relation
from lotstream.schemas.sightings import Context, Declaration, How, Mark, Sighting, sighting_of
from lotstream.streams.register.facts import Facts
from lotstream.streams.register.lots import begins, event_lots, lot_of, scan_lots
from lotstream.streams.register.papers import event_documents, scan_quantity
from lotstream.streams.register.place import Placement, placement
from lotstream.streams.register.portions import labelled_portion, packed_portions
from lotstream.streams.register.serials import Run, runs_of
from lotstream.streams.register.transform import transformations
from lotstream.streams.serials import is_sgtin

RETRACTED_EPOCH = 1 << 31
# Units of a range that become declared sightings one by one. A production run of a shift is below it; above it lie
# number ranges claimed for printing, of which nobody knows yet which units will exist.
DECLARED_UNITS = 10_000
CONSUMED = "consumed"  # CBV 2.0 has no disposition of what went into a transformation


def decide_event(event: TraceEvent, *, offset: int) -> Facts:
    """The facts of a business event. Raises Rejected."""
    place = placement(event)
    made = event.outputs if event.event_type is EventType.TRANSFORMATION else event.epcs
    runs, others = runs_of(made, event.ranges)
    return Facts(
        bindings=[*_lot_bindings(event, runs, others=others), *_containment(event), *packed_portions(event)],
        sightings=_sightings(event, place, tags=chain(_named(event), _ranged(event)), offset=offset),
        lots=event_lots(event, place, runs=runs, others=others),
        documents=[*event_documents(event, place), *transformations(event, place, runs=runs, others=others)],
    )


def decide_scan(scan: QuantityScan) -> Facts:
    """The facts of a scanned label without serial. Raises Rejected."""
    return Facts(bindings=labelled_portion(scan), lots=scan_lots(scan), documents=[scan_quantity(scan)])


def _lot_bindings(event: TraceEvent, runs: list[Run], *, others: list[str]) -> list[Binding]:
    ends = event.event_type is EventType.OBJECT and event.action is Action.DELETE
    if not ends and not (begins(event) and event.ilmd and event.ilmd.lot):
        return []
    binding = _binder(event, Relation.LOT, BindingAction.DELETE if ends else BindingAction.ADD)
    rows = [
        binding(f"01/{run.gtin}", "" if ends else lot_of(event, run.gtin), first=run.first, last=run.last)
        for run in runs
    ]
    return rows + [binding(tag, "" if ends else lot_of(event, tag[3:17])) for tag in others if is_sgtin(tag)]


def _containment(event: TraceEvent) -> list[Binding]:
    if event.event_type is not EventType.AGGREGATION or not event.parent or event.action not in _PACKING:
        return []
    action = _PACKING[event.action]
    children = dict.fromkeys(event.children)
    contents = children or ([""] if action is BindingAction.DELETE and not event.child_quantities else [])
    inside, content = _binder(event, Relation.PARENT, action), _binder(event, Relation.CONTENT, action)
    return [inside(child, event.parent) for child in children] + [content(event.parent, child) for child in contents]


_PACKING = {Action.ADD: BindingAction.ADD, Action.DELETE: BindingAction.DELETE}


class _Bind(Protocol):
    def __call__(self, subject: str, target: str, *, first: int = -1, last: int = -1) -> Binding: ...


def _binder(event: TraceEvent, relation: Relation, action: BindingAction) -> _Bind:
    at, said, wrong, recorded = event.event_time_us, event.event_hash, event.error is not None, event.stamp.received_us

    def bind(subject: str, target: str, *, first: int = -1, last: int = -1) -> Binding:
        return Binding(int(relation), subject, first, last, target, int(action), at, said, int(wrong), recorded)

    return bind


def _named(event: TraceEvent) -> Iterable[str]:
    """Units that the event names and places itself. What is packed follows its parent, by inference."""
    tags = [*event.epcs, *event.outputs, *event.inputs]
    if event.parent:
        tags.append(event.parent)
    if event.event_type is EventType.AGGREGATION and event.action is not Action.ADD:
        tags += event.children
    return dict.fromkeys(tags)


def _ranged(event: TraceEvent) -> Iterable[str]:
    runs, _ = runs_of((), event.ranges)
    if sum(run.width for run in runs) > DECLARED_UNITS:
        return ()
    return (tag for run in runs for tag in run.tags())


def _sightings(event: TraceEvent, place: Placement, *, tags: Iterable[str], offset: int) -> list[Sighting]:
    if not place.known or event.event_type is EventType.ASSOCIATION:
        return []
    document = event.documents[0] if event.documents else None
    declaration = Declaration(
        event=event.event_hash,
        biz_step=event.biz_step,
        disposition=place.disposition,
        document=f"{document.type}:{document.id}" if document else "",
        line=event.document_line,
        party=place.to_party,
    )
    wrong = event.error is not None
    at = event.event_time_us
    one = sighting_of(
        "",
        context=Context(place.read_point, "", 0, 0),
        location=place.location,
        slot=slot_of(at),
        version=(RETRACTED_EPOCH if wrong else 0, offset),
        first_us=at,
        last_us=at,
        recorded_us=event.stamp.received_us,
        marks=int(Mark.FINAL | Mark.RETRACTED if wrong else Mark.FINAL),
        how=int(How.DECLARED),
        lane=f"event:{event.event_hash}",
        declaration=declaration,
    )
    used = _used(event)
    gone = one._replace(form=one.form._replace(declaration=declaration._replace(disposition=CONSUMED)))
    return [(gone if tag in used else one)._replace(tag=tag) for tag in dict.fromkeys(tags)]


def _used(event: TraceEvent) -> frozenset[str]:
    """Units that went into a transformation and did not come out of it."""
    return frozenset(event.inputs).difference(event.outputs)
