"""What a world contains, in words, for counting."""

from collections.abc import Iterator

from lotstream.schemas.sightings import State
from tests.worlds.passages import Batch
from tests.worlds.world import Claim, Event, Hold, Kind, Label, Read, World, pallet


def features(world: World) -> tuple[str, ...]:
    """Each thing once, sorted."""
    return tuple(sorted({feature for fact in world for feature in _of(fact)}))


def _of(fact: object) -> Iterator[str]:
    if isinstance(fact, Read):
        yield "sightings by readers"
        if fact.retracted or fact.state is State.CROSS_READ:
            yield "sightings that turned out to be something else"
    elif isinstance(fact, Hold):
        yield "releases" if fact.released else "holds"
    elif isinstance(fact, Batch):
        yield "reads told late, from a buffer" if fact.buffered else "reads at doors"
    elif isinstance(fact, Label):
        yield "labels of pallets"
    elif isinstance(fact, Claim):
        yield "lot numbers claimed"
    elif isinstance(fact, Event):
        yield from _of_event(fact)


def _of_event(event: Event) -> Iterator[str]:
    yield f"events: {event.kind}"
    if event.wrong:
        yield "error declarations"
    if event.last:
        yield "serial ranges"
    if event.lot and event.kind is Kind.MAKE and event.at:
        yield "units made again or late"
    if event.kind is Kind.PACK and event.tags[:1] and event.tags[0].startswith("00/"):
        yield "pallets in pallets"
    if event.parent == pallet(9):
        yield "containers"
    if event.kind is Kind.UNPACK and not event.tags:
        yield "everything unpacked"
    if event.parent and event.amounts:
        yield "goods without serials on pallets"
    if event.amounts or event.used_amounts:
        yield "goods without serials"
    if event.document:
        yield "document lines"
    if event.revision:
        yield "document lines said anew"
