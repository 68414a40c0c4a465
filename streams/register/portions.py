"""Class-level goods in logistic units: bindings by which they go where their unit goes. Pure.

How much is in a unit is the ledger's (papers): a partial unpacking leaves the bindings, unpacking all ends them.
"""

from lotstream.schemas.events import Action, EventType, QuantityScan, TraceEvent
from lotstream.schemas.identity import Binding, BindingAction, Relation
from lotstream.schemas.portions import portion_of
from lotstream.streams.register.lots import amounts_of
from lotstream.streams.register.papers import label_identity


def packed_portions(event: TraceEvent) -> list[Binding]:
    """What an aggregation put into its unit of lots. Raises Rejected."""
    if event.event_type is not EventType.AGGREGATION or event.action is not Action.ADD or not event.parent:
        return []
    lots = dict.fromkeys(lot for lot, _ in amounts_of(event, event.child_quantities))
    said, wrong = event.event_hash, int(event.error is not None)
    return [
        row._replace(event=said, retracted=wrong, recorded_us=event.stamp.received_us)
        for lot in lots
        for row in _into(event.parent, lot, at_us=event.event_time_us)
    ]


def labelled_portion(scan: QuantityScan) -> list[Binding]:
    """What the label on a unit says is in it; nothing of a label that stands for itself."""
    if not scan.unit:
        return []
    rows = _into(scan.unit, scan.lot, at_us=scan.time_us)
    return [row._replace(event=label_identity(scan), recorded_us=scan.stamp.received_us) for row in rows]


def _into(unit: str, lot: str, *, at_us: int) -> list[Binding]:
    portion = portion_of(unit, lot)

    def bind(relation: Relation, subject: str, target: str) -> Binding:
        return Binding(int(relation), subject, -1, -1, target, int(BindingAction.ADD), at_us, "", 0, 0)

    return [
        bind(Relation.LOT, portion, lot),
        bind(Relation.PARENT, portion, unit),
        bind(Relation.CONTENT, unit, portion),
    ]
