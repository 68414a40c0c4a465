"""What the members of an event demand of each other (EPCIS 2.0 sections 7.4.2 to 7.4.6), held against raw JSON.

Apart from the models, so that an event with a bad member still hears what else is wrong with it.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import chain
from typing import Any

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.epcis.problems import shown

Event = Mapping[str, Any]
_QUANTITIES = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_MADE_AND_USED = "inputs and outputs, or one of them with transformationID"


def broken_conditions(event: Event) -> Iterator[Rejected]:
    """Each condition that the event breaks; none for a type that is none of the standard's."""
    for expected in chain(_CONDITIONS.get(str(event.get("type")), _nothing)(event), _quantities(event)):
        yield Rejected(Reason.SCHEMA_INVALID, f"Expected {expected}, got {shown(event)}.")


def _nothing(event: Event) -> Iterator[str]:
    return iter(())


def _object(event: Event) -> Iterator[str]:
    # an empty epcList beside sensor elements is what XML demands of them, and what published documents have
    sensed = event.get("sensorElementList") and (event.get("readPoint") or "epcList" in event)
    if not _named(event) and not sensed:
        yield "goods in epcList, quantityList, or sensorElementList with readPoint"
    if "ilmd" in event and event.get("action") in ("OBSERVE", "DELETE"):
        yield f"no ilmd beside action {event['action']}"


def _named(event: Event) -> bool:
    """Whether the event names goods: one by one, by class, or by ranges of serials."""
    ranges = any(value and name.endswith("serialRanges") for name, value in event.items())
    return bool(event.get("epcList") or event.get("quantityList") or ranges)


def _children(event: Event) -> Iterator[str]:
    if not event.get("childEPCs") and not event.get("childQuantityList") and event.get("action") != "DELETE":
        yield "childEPCs or childQuantityList"


def _aggregation(event: Event) -> Iterator[str]:
    yield from _children(event)
    if not event.get("parentID") and event.get("action") in ("ADD", "DELETE"):
        yield f"parentID beside action {event['action']}"


def _transaction(event: Event) -> Iterator[str]:
    if not _named(event) and not event.get("parentID") and event.get("action") != "DELETE":
        yield "goods in epcList or quantityList"


def _transformation(event: Event) -> Iterator[str]:
    used = event.get("inputEPCList") or event.get("inputQuantityList")
    made = event.get("outputEPCList") or event.get("outputQuantityList")
    if not (used and made) and not (event.get("transformationID") and (used or made)):
        yield _MADE_AND_USED


def _quantities(event: Event) -> Iterator[str]:
    """A count is whole, and a unit of measure has something to measure (section 7.3.3.3)."""
    for name in _QUANTITIES:
        elements = event.get(name)
        for element in elements if isinstance(elements, list) else ():
            if not isinstance(element, dict):
                continue
            quantity, uom = element.get("quantity"), element.get("uom")
            if quantity is None and uom is not None:
                yield f"no uom without quantity in {name}"
            if isinstance(quantity, Decimal) and uom is None and quantity % 1:
                yield f"a whole quantity without uom in {name}"


_CONDITIONS: Mapping[str, Callable[[Event], Iterator[str]]] = {
    "ObjectEvent": _object,
    "AggregationEvent": _aggregation,
    "TransactionEvent": _transaction,
    "TransformationEvent": _transformation,
    "AssociationEvent": _children,
}
