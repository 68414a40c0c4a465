"""Where an event puts things, and between whom. Pure."""

from dataclasses import dataclass, field

from lotstream.schemas.documents import Effect
from lotstream.schemas.events import Action, BizStep, EventType, TraceEvent, Typed

OUTGOING = frozenset({BizStep.SHIPPING, BizStep.DEPARTING})
INCOMING = frozenset({BizStep.RECEIVING, BizStep.ARRIVING, BizStep.ACCEPTING})
GONE = frozenset({BizStep.RETAIL_SELLING, BizStep.DISPENSING, BizStep.DESTROYING})
LOOKS = frozenset({"", "observing", BizStep.INSPECTING})
COUNTING = frozenset({BizStep.CYCLE_COUNTING, BizStep.STOCK_TAKING})
IN_TRANSIT = "in_transit"

_PLACE = ("location", "possessing_party", "owning_party")
_PARTY = ("owning_party", "possessing_party")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """``location`` is where things are after the event; ``source`` where they were, '' when the event does not say."""

    read_point: str
    location: str
    disposition: str
    source: str
    from_party: str
    to_party: str

    @property
    def known(self) -> bool:
        """Whether the event says anything of a place."""
        return bool(self.read_point)


@dataclass(frozen=True, slots=True)
class Way:
    """Where class-level goods leave and arrive, each '' when nowhere, with their dispositions there."""

    source: str
    location: str
    effect: Effect
    before: str = field(default="", kw_only=True)  # in_transit: they come out of transit
    after: str = field(default="", kw_only=True)  # in_transit: they are on their way there


def placement(event: TraceEvent) -> Placement:
    """What the event says of places and parties; words that it leaves out are ''.

    Shipped things are at their destination, in transit. Without a business location the read point is the last
    place known (EPCIS 2.0 leaves the whereabouts after such an event open).
    """
    outgoing = event.biz_step in OUTGOING
    here = event.biz_location or event.read_point
    there = _first(event.destinations, _PLACE)
    location = there if outgoing else here or there
    return Placement(
        read_point=event.read_point or event.biz_location or location,
        location=location,
        disposition=event.disposition or (IN_TRANSIT if outgoing else ""),
        source=_first(event.sources, _PLACE),
        from_party=_first(event.sources, _PARTY),
        to_party=_first(event.destinations, _PARTY),
    )


def quantity_way(event: TraceEvent, place: Placement) -> Way:
    """The way of class-level goods of this event (docs/quantities.md has the table).

    Goods without serial cannot be looked up: what an event does not say to have left a place, it does not move,
    or stock would be invented.
    """
    here = event.biz_location or event.read_point
    if event.biz_step in COUNTING:
        return _counted(event.action, here)
    if event.action is Action.ADD and event.event_type is EventType.OBJECT:
        return Way("", place.location, Effect.MADE)
    if event.biz_step in OUTGOING:
        effect = Effect.MOVED if place.location else Effect.SHIPPED
        return Way(place.source or here, place.location, effect, after=IN_TRANSIT if place.location else "")
    if event.biz_step in INCOMING:
        if place.source and is_return(event):
            return Way(place.source, place.location, Effect.MOVED)
        # out of transit: what was shipped there is here now
        return Way(place.location, place.location, Effect.MOVED, before=IN_TRANSIT)
    if event.biz_step == BizStep.VOID_SHIPPING:
        there = _first(event.destinations, _PLACE)
        return Way(there, (place.source or here) if there else "", Effect.MOVED, before=IN_TRANSIT if there else "")
    if event.biz_step in GONE or event.action is Action.DELETE:
        return Way(place.source or here, "", _end(event.biz_step))
    if event.biz_step == BizStep.STORING:
        return Way(place.source or event.read_point, place.location, Effect.MOVED)
    return Way(place.source or place.location, place.location, Effect.MOVED)


def packing_way(event: TraceEvent, place: Placement) -> Way:
    """The way of class-level goods into or out of the logistic unit of an aggregation; one that only saw them: none."""
    here = place.source or event.biz_location or event.read_point
    if event.parent and event.action is Action.ADD:
        return Way(here, event.parent, Effect.MOVED)
    if event.parent and here and event.action is Action.DELETE:
        return Way(event.parent, event.biz_location or event.read_point or place.location, Effect.MOVED)
    return Way("", "", Effect.MOVED)


def scan_way(biz_step: str, *, source: str, location: str) -> Way:
    """The way of a scanned label: its scanner's job says where from and where to."""
    if biz_step in COUNTING or (biz_step in LOOKS and not source):
        return Way(location, location, Effect.MOVED)  # one label is no count of a place
    if biz_step in INCOMING:
        return Way(source or location, location, Effect.MOVED, before=IN_TRANSIT)
    outgoing = biz_step in OUTGOING
    if not location:
        return Way(source, "", Effect.SHIPPED if outgoing else _end(biz_step))
    return Way(source, location, Effect.MOVED if source else Effect.MADE, after=IN_TRANSIT if outgoing else "")


def is_return(event: TraceEvent) -> bool:
    """Whether goods come back that were shipped: CBV disposition returned, or a return authorisation (rma)."""
    return event.disposition == "returned" or any(document.type == "rma" for document in event.documents)


def _counted(action: Action | None, here: str) -> Way:
    if action is Action.ADD:
        return Way("", here, Effect.ADJUSTED)
    if action is Action.DELETE:
        return Way(here, "", Effect.ADJUSTED)
    return Way("", here, Effect.COUNTED)


def _end(biz_step: str) -> Effect:
    if biz_step in (BizStep.RETAIL_SELLING, BizStep.DISPENSING):
        return Effect.SHIPPED
    return Effect.DESTROYED if biz_step in ("", BizStep.DESTROYING, BizStep.DECOMMISSIONING) else Effect.CONSUMED


def _first(parties: tuple[Typed, ...], types: tuple[str, ...]) -> str:
    for wanted in types:
        for party in parties:
            if party.type == wanted:
                return party.id
    return ""
