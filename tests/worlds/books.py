"""What is on the books of a lot, and what holds it, by brute force over all facts at once (docs/quantities.md).

A part of the oracle: it shares no code with the stages, and knows no order, no state, no bound.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tests.worlds.world import Event, Hold, Kind, Label, World, lot

Place = tuple[str, str]  # location, disposition
NOWHERE: Place = ("", "")
Books = dict[tuple[str, str, str], int]  # (lot, location, disposition) -> kilograms


class Entry(NamedTuple):
    """So much of a lot went from a place to another; or so much of it there was at ``to``."""

    lot: str
    identity: str
    told: int
    at: int
    source: Place
    to: Place
    counted: bool
    amount: int


def books(world: World, where: Mapping[str, Mapping[str, Any]]) -> Books:
    """Each fact once, as it was said last; none that was ever declared an error. What a pallet holds is where it is."""
    said: dict[tuple[str, str], Entry] = {}
    wrong: set[tuple[str, str]] = set()
    for event in (fact for fact in world if isinstance(fact, Event)):
        for entry in entries(event):
            key = entry[:2]
            said[key] = max(said.get(key, entry), entry, key=lambda one: one.told)
            if event.wrong:
                wrong.add(key)
    for label in sorted((fact for fact in world if isinstance(fact, Label)), key=lambda one: (-one.at, one.scanned)):
        entry = _labelled(label)  # the first scan of a label is the one that counts
        said[entry[:2]] = entry
    facts = [entry for key, entry in said.items() if key not in wrong]
    places = {(one.lot, *place) for one in facts for place in (one.source, one.to) if place[0]}
    found: Counter[tuple[str, str, str]] = Counter()
    for of, place, disposition in places:
        on = where.get(of, {}).get(f"02/{of[3:]}/{place}")
        found[of, *(on[:2] if on else (place, disposition))] += _there((of, place, disposition), facts)
    return {place: much for place, much in found.items() if much}


def _labelled(label: Label) -> Entry:
    """What is in a unit by its label: taken from where the scanner's job says, or there without that."""
    identity = f"label|{label.unit}|{label.lot}|{label.amount}"
    source, to = (label.source, ""), (label.unit, "")
    return Entry(lot(label.lot), identity, label.scanned, label.at, source, to, not label.source, label.amount)


def _there(place: tuple[str, str, str], facts: Iterable[Entry]) -> int:
    """The newest count, and what moved later."""
    of, at = place[0], place[1:]
    facts = [one for one in facts if one.lot == of]
    counts = [one for one in facts if one.counted and one.to == at]
    newest = max(counts, key=lambda one: (one.at, one.told, one.identity), default=None)
    later = [one for one in facts if not one.counted and (newest is None or one.at > newest.at)]
    came = sum(one.amount for one in later if one.to == at) - sum(one.amount for one in later if one.source == at)
    return came + (newest.amount if newest else 0)


def entries(event: Event) -> Iterator[Entry]:
    """What an event says of kilograms."""
    identity = event.name
    if event.document and event.line:
        identity = f"{event.document}|{event.line}|{event.kind}|{event.revision}"
    counted = event.kind is Kind.COUNT
    if event.kind is Kind.UNPACK and not event.location:
        return  # nobody knows where to
    used = (event.source or event.location, ""), NOWHERE
    for mark, amounts, (source, to) in (("", event.amounts, _way(event)), ("|used", event.used_amounts, used)):
        for code in dict(amounts):
            much = sum(kilograms for name, kilograms in amounts if name == code)
            yield Entry(lot(code), identity + mark, event.told, event.at, source, to, counted, much)


def _way(event: Event) -> tuple[Place, Place]:
    here, coming = (event.location, ""), (event.location, "in_transit")
    if event.kind is Kind.SHIP:
        return (event.source or "gate", ""), coming
    if event.kind is Kind.RECEIVE or (event.kind is Kind.RETURN and not event.source):
        return coming, here
    if event.kind is Kind.PACK:
        return (event.source or event.location, ""), (event.parent, "")
    if event.kind is Kind.UNPACK:
        return (event.parent, ""), here
    if event.kind is Kind.END:
        return (event.source or event.location, ""), NOWHERE
    return (event.source, ""), here


def in_force(world: World) -> dict[str, dict[str, bool]]:
    """Of each lot the holds that nobody released, each as it was said last: whether it is a recall."""
    decisions = [fact for fact in world if isinstance(fact, Hold)]
    released = {(one.lot, one.hold) for one in decisions if one.released}
    found: dict[str, dict[str, bool]] = {}
    for one in sorted(decisions, key=lambda one: (one.at, one.told)):
        if (one.lot, one.hold) not in released:
            found.setdefault(lot(one.lot), {})[one.hold] = one.recall
    return found
