"""Loop 2: what a lot knows of a unit that is another's goes to that other, and is told to be no more under this one.

A unit's sightings keep their keys and versions on the way. They carry the binding by which they were handed over; who
has been told of a higher one hands them on, and nobody else does: that ends every loop.
"""

from collections.abc import Iterator

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.sightings import Context, Declaration, LotSighting, Sighting, sighting_of
from lotstream.schemas.unit_lots import UnitLots
from lotstream.streams.locate.entries import marks_of
from lotstream.streams.locate.unit import NO_FLOOR, Entry, Told, Unit
from lotstream.streams.serials import NOT_NUMERIC, serial_of


def handed(lot: str, tag: str, entry: Entry, *, told: Told, known: Told | None) -> Iterator[LotSighting]:
    """A sighting as it must be known under this lot, and under its own. ``known`` is what was told before."""
    own, row = told.lot_at(entry.at_us), _sighting(tag, entry)
    if own != lot:
        yield LotSighting(lot, told.binding, told.binding, row.elsewhere())
        if own:
            yield LotSighting(own, told.binding, told.binding, row)
    for other in told.lots_in(entry.slot) - {lot, own}:  # an older version may lie there
        yield LotSighting(other, told.binding, told.binding, row.elsewhere())
    if own == lot and known is not None and (known == told or known.lot_at(entry.at_us) != lot):
        yield LotSighting(lot, told.binding, told.binding, row)  # was said to be elsewhere, or may have been


def deeper(lot: str, tag: str, unit: Unit, *, above_us: int) -> Iterator[UnitLots]:
    """What was dropped of a unit may belong to the lots that take it over, or to nobody where its only life has ended:
    its lots are told up to when, unless what was told already reaches so far, or two would tell each other for ever."""
    horizon_us = (unit.floor[0] + 1) * SLOT_US - 1
    if unit.told is None or unit.floor == NO_FLOOR or horizon_us <= above_us:
        return
    binding, _, lives = unit.told
    serial = serial_of(tag)
    subject = tag if serial == NOT_NUMERIC else tag[:17]
    lots = {life.lot for life in lives if life.start <= horizon_us} - {lot}
    if {life.lot for life in lives} == {lot} and (lives[0].start > 0 or horizon_us > lives[0].end):
        lots.add(lot)  # history has of it what was dropped, and nobody else is told
    for one in sorted(lots):
        yield UnitLots(one, subject, serial, serial, binding, horizon_us, lives)


def _sighting(tag: str, entry: Entry) -> Sighting:
    """What locate keeps of a sighting; which reader read it how often is found in sightings.v1."""
    (point, lane, origin, path), (bits, location, disposition, papers) = entry.by, entry.word
    event, biz_step, *rest = papers or ("",) * 5
    return sighting_of(
        tag,
        context=Context(point, "", 0, 0),
        location=location,
        slot=entry.slot,
        version=entry.version,
        first_us=entry.at_us,
        last_us=entry.at_us,
        recorded_us=entry.recorded_us,
        state=bits & 3,
        direction=bits >> 2 & 3,
        marks=marks_of(entry),
        how=bits >> 4 & 3,
        lane=lane,
        origin=origin,
        path=path,
        declaration=Declaration(event, biz_step, disposition, *rest),
    )
