"""Where an event puts things, and between whom. Pure."""

from dataclasses import dataclass

from lotstream.schemas.events import Action, EventType, TraceEvent, Typed
from lotstream.schemas.sightings import BizStep

OUTGOING = frozenset({BizStep.SHIPPING, BizStep.DEPARTING})
INCOMING = frozenset({BizStep.RECEIVING, BizStep.ARRIVING, BizStep.ACCEPTING})
GONE = frozenset({BizStep.RETAIL_SELLING, BizStep.DESTROYING})
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


def quantity_way(event: TraceEvent, place: Placement) -> tuple[str, str]:
    """(source, location) of class-level goods of this event; equal when it only saw them.

    Goods without serial cannot be looked up: what an event does not say to have left a place, it does not move,
    or stock would be invented.
    """
    here = event.biz_location or event.read_point
    if event.action is Action.ADD and event.event_type is EventType.OBJECT:
        return "", place.location
    if event.biz_step in OUTGOING:
        return place.source or here, place.location
    if event.biz_step in INCOMING:
        return place.location, place.location  # out of transit: what was shipped there is here now
    if event.biz_step in GONE or event.action is Action.DELETE:
        return place.source or here, ""
    if event.biz_step == BizStep.STORING:
        return place.source or event.read_point, place.location
    return place.source or place.location, place.location


def transit(biz_step: str) -> tuple[str, str]:
    """Dispositions of class-level goods before and after a step: in transit, or '' at rest."""
    return IN_TRANSIT if biz_step in INCOMING else "", IN_TRANSIT if biz_step in OUTGOING else ""


def _first(parties: tuple[Typed, ...], types: tuple[str, ...]) -> str:
    for wanted in types:
        for party in parties:
            if party.type == wanted:
                return party.id
    return ""
