"""One world through the stack, and whether what came out is true."""

import random
import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import fields
from enum import Enum
from typing import Any

from lotstream.runtime.settings import Settings
from lotstream.schemas.lots import HoldPurpose
from lotstream.schemas.movements import LOT_LOCATIONS, LotLocations, decode_movements
from lotstream.schemas.sightings import Mark, decode_lot_sightings
from lotstream.schemas.topics import LOT_LOCATIONS as LOT_LOCATIONS_TOPIC
from lotstream.schemas.topics import LOT_SIGHTINGS, MOVEMENTS
from lotstream.streams.locate.belongings import PREFIX as TOLD
from lotstream.streams.locate.chunk import tag_at
from lotstream.streams.locate.chunks import PREFIX as CHUNK
from lotstream.streams.locate.chunks import Chunks
from lotstream.streams.locate.core import LocateCore
from lotstream.streams.locate.unit import Told, Unit
from tests.worlds.numbers import misnumbered
from tests.worlds.oracle import Answer, FactKey, Place, Said, answer
from tests.worlds.passages import DOORS, Batch
from tests.worlds.portions import is_portion
from tests.worlds.stack import PARTITIONS, UNBOUNDED, Stack, stages
from tests.worlds.wire import batches, message
from tests.worlds.world import SECOND, START, World

SETTINGS = Settings.model_validate({"topics": {"partitions": PARTITIONS}})
ORDERS = 3
SHALLOW, FEW = 2, 2  # sightings of a unit and unknown tags, for a stack that forgets
LATE_S = 1_000  # when gateways tell of anything, where they do so too late
AGAIN = 4  # seeds tried before a smaller world counts as right


def faults(world: World, *, seed: int) -> list[str]:
    """What is not as the oracle says: as told in order, then in disorder; of every other world with little memory."""
    truth = answer(world)
    for order in range(ORDERS):
        last = order == ORDERS - 1
        forgetful, late = last and seed % 2 == 0, last and seed % 2 == 1 and any(isinstance(f, Batch) for f in world)
        judged = doubts if forgetful else unlike_late if late else differences
        try:
            stack = disordered(world, seed=seed * 1_000 + order, calm=order == 0, forgetful=forgetful, late=late)
            found = judged(truth, stack)
        except Exception as error:  # noqa: BLE001 - a stage never raises: such a world is wrong, and to be shrunk
            found = [f"{type(error).__name__}: {error}"]
        if found:
            return [f"order {order}: {line}" for line in found]
    return []


def disordered(world: World, *, seed: int, calm: bool = False, forgetful: bool = False, late: bool = False) -> Stack:
    """A stack that has been told of a world."""
    chance = random.Random(seed)
    chain = stages(SETTINGS, depth=SHALLOW, waiting=FEW) if forgetful else stages(SETTINGS)
    if late:
        chain = stages(SETTINGS, remember_us=120 * SECOND)
    stack = Stack(chain, chance, begin_us=START + (LATE_S if late else 0) * SECOND)
    tell(stack, world, chance, calm=calm)
    return stack


def tell(stack: Stack, world: World, chance: random.Random, *, calm: bool = False) -> None:
    """Tell a stack of some facts, in whatever order, until all is done."""
    facts = list(world)
    if not calm:
        facts += [fact for fact in world if chance.random() < 0.3]
        chance.shuffle(facts)
    messages = [message(fact, partitions=PARTITIONS) for fact in facts]
    if not calm:
        messages = batches(messages, sizes=[chance.choice((1, 1, 5)) for _ in messages])
    stack.run(messages, calm=calm)


def differences(truth: Answer, stack: Stack) -> list[str]:
    """Where the tables, the topics and the history of a stack disagree with the truth."""
    unsettled = {lot for lot, _ in truth.unsettled}
    counted = {lot: rows for lot, units in truth.places.items() if lot not in unsettled and (rows := _counted(units))}
    said = {lot: _rows(one) for lot, one in _said(stack).items() if one.units and lot not in unsettled}
    history = _history(stack)
    places: dict[str, dict[str, Place]] = {}
    for (lot, unit), (place, _) in _tables(stack, depth=UNBOUNDED).items():
        if place is not None:
            places.setdefault(lot, {})[unit] = place
    return [
        *_unlike("tables", _settled(truth, truth.places), _settled(truth, places)),
        *_unlike("lot-locations", counted, said),
        *_unlike("history", _without(truth.spare, truth.facts), _without(truth.spare, history)),
        *_misbooked(truth, stack, unsure={lot for lot, tag in truth.unsettled if is_portion(tag)}),
        *misnumbered(stack.log),
        *([] if stack.thawed else _astray(truth, _moved(stack))),
    ]


def _settled(truth: Answer, places: dict[str, dict[str, Place]]) -> dict[tuple[str, str], Place]:
    """Units of which it is not open where they are."""
    found = {(lot, unit): place for lot, units in places.items() for unit, place in units.items()}
    return {key: place for key, place in found.items() if key not in truth.unsettled}


def doubts(truth: Answer, stack: Stack) -> list[str]:
    """Where a stack that forgets is wrong without saying so."""
    tables = _tables(stack, depth=SHALLOW)
    places = {(lot, tag): place for lot, units in truth.places.items() for tag, place in units.items()}
    tables = {key: said for key, said in tables.items() if key not in truth.unsettled or said[1]}
    sure = {key: place for key, (place, exceeded) in tables.items() if not exceeded and place is not None}
    unsure = (
        {key for key, (_, exceeded) in tables.items() if exceeded}
        | truth.unsettled
        | (_forgotten(stack, places) - tables.keys())
    )
    counts = Counter(lot for (lot, _), (_, exceeded) in tables.items() if exceeded)
    said = {lot: message.depth_exceeded for lot, message in _said(stack).items() if message.depth_exceeded}
    return [
        *_unlike("places", {key: place for key, place in places.items() if key not in unsure}, sure),
        *_unlike("depth exceeded", counts, said),
        *_misbooked(truth, stack, unsure={lot for lot, tag in unsure if is_portion(tag)}),
        *misnumbered(stack.log),
    ]


def unlike_late(truth: Answer, stack: Stack) -> list[str]:
    """Beyond the bounds: the same things at the same doors in the same slots, in whatever lanes; which way is open. So
    is what became of a unit with more lanes than are kept, where its lot was told so, and whose the first reads of a
    slot were whose last one is nobody's: lanes part them."""
    history = _history(stack)
    told = _told(stack, {key[:2] for key in (*truth.facts, *history)})
    units = {unit for (_, unit), said in told.items() if said.horizon_us >= 0}
    nobodys = {key for key, said in told.items() if not said.lives}  # their lots pass over all that is left of them
    expected, got = (
        {key: said for key, said in _last_reads(facts).items() if key[0] not in units and key not in truth.outside}
        for facts in (truth.facts, {key: said for key, said in history.items() if key[:2] not in nobodys})
    )
    return _unlike("late", expected, got)


def _last_reads(facts: dict[FactKey, Said]) -> dict[tuple[str, str, int], tuple[int, str]]:
    """When a thing was read last at a door in a slot, lanes united, and the lot that it was of then."""
    found: dict[tuple[str, str, int], tuple[int, str]] = {}
    for (lot, unit, point, slot, _, _, path), said in facts.items():
        if point in DOORS and not path:
            found[unit, point, slot] = max((said[0], lot), found.get((unit, point, slot), (0, "")))
    return found


def _without(spare: set[FactKey], facts: dict[FactKey, Said]) -> dict[FactKey, Said]:
    """What need not be told is left out, in whatever lane it is."""
    inside = {(*key[:4], *key[5:]) for key in spare}
    return {key: said for key, said in facts.items() if (*key[:4], *key[5:]) not in inside}


def _misbooked(truth: Answer, stack: Stack, *, unsure: Container[str] = ()) -> list[str]:
    """Where kilograms and holds are not those of the truth; where the kilograms of some lots are is not known."""
    said = _said(stack)
    books = {place: much for place, much in truth.books.items() if place[0] not in unsure}
    amounts = {
        (lot, there.location, there.disposition): there.amount
        for lot, one in said.items()
        if lot not in unsure
        for there in one.quantities
    }
    holds = {lot: {hold.hold: hold.purpose is HoldPurpose.RECALL for hold in one.holds} for lot, one in said.items()}
    status = {lot: "recalled" if any(held.values()) else "held" for lot, held in truth.holds.items()}
    return [
        *_unlike("quantities", books, amounts),
        *_unlike("holds", truth.holds, {lot: held for lot, held in holds.items() if held}),
        *_unlike("status", status, {lot: one.status for lot, one in said.items() if one.status != "active"}),
    ]


def _forgotten(stack: Stack, units: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Units of which sightings were given up before their lot was known, as the lot was told."""
    return {key for key, said in _told(stack, units).items() if said.horizon_us >= 0}


def _told(stack: Stack, units: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Told]:
    """What lots were told of units of theirs."""
    cores = [place.take_over().core for place in stack.places if place.stage.name == "locate"]
    belongings = [core._chunks.belongings for core in cores if isinstance(core, LocateCore)]
    said = {(lot, tag): [told for one in belongings if (told := one.of(lot, tag))] for lot, tag in units}
    return {key: max(told) for key, told in said.items() if told}


def _astray(truth: Answer, moved: dict[tuple[str, str], str]) -> list[str]:
    """Units whose last movement went elsewhere. What an owner that was replaced says late may come last."""
    ends = {(lot, tag): place.location for lot, units in truth.places.items() for tag, place in units.items()}
    ends = {key: location for key, location in ends.items() if key not in truth.unsettled}
    return _unlike("movements", ends, {key: moved.get(key) for key in ends})


def _unlike(name: str, expected: dict[Any, Any], got: dict[Any, Any]) -> list[str]:
    return [
        f"{name}: Expected {expected.get(key)} for {key}, got {got.get(key)}."
        for key in sorted(expected.keys() | got.keys(), key=str)
        if expected.get(key) != got.get(key)
    ]


def _tables(stack: Stack, *, depth: int) -> dict[tuple[str, str], tuple[Place | None, bool]]:
    """Where every unit of a lot is by the tables of locate, as they would be loaded, and whether that is unsure."""
    found: dict[tuple[str, str], tuple[Place | None, bool]] = {}
    for place in stack.places:
        if place.stage.name == "locate":
            items = [item for item in place.items().items() if item[0][:1] in (CHUNK, TOLD)]
            for (lot, block), units in Chunks(depth=depth).load(items):
                for position, unit in units.items():
                    found[lot, tag_at(lot, block, position=position)] = _placed(unit), unit.exceeded
    return found


def _placed(unit: Unit) -> Place | None:
    if unit.now is None:
        return None
    bits, location, disposition, _ = unit.now.word
    return Place(location, disposition, bits >> 4 & 3, unit.now.by[3])


def _counted(places: dict[str, Place]) -> dict[tuple[str, str], tuple[int, int]]:
    """(location, disposition) -> (units, weakest evidence). A portion is no unit to count."""
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for place in (place for unit, place in places.items() if not is_portion(unit)):
        units, weakest = counts.get(place[:2], (0, 0))
        counts[place[:2]] = units + 1, max(weakest, place.how)
    return counts


def _said(stack: Stack) -> dict[str, LotLocations]:
    """The newest message about each lot."""
    newest: dict[str, LotLocations] = {}
    for record in stack.log.topic(LOT_LOCATIONS_TOPIC):
        said = LOT_LOCATIONS.validate_json(record.value or b"")
        if said.lot not in newest or said.revision >= newest[said.lot].revision:
            newest[said.lot] = said
    return newest


def _rows(said: LotLocations) -> dict[tuple[str, str], tuple[int, int]]:
    grades = ("confirmed", "inferred", "declared", "probabilistic")
    return {(row.location, row.disposition): (row.items, grades.index(row.evidence)) for row in said.units}


def _history(stack: Stack) -> dict[FactKey, Said]:
    """What lot-sightings.v1 holds to be true: each fact at its highest version, retracted ones left out."""
    highest: dict[FactKey, tuple[Any, Said | None]] = {}
    for record in stack.log.topic(LOT_SIGHTINGS):
        for lot, binding, relabelled, row in decode_lot_sightings(record.value):
            form = row.form
            gone = bool(row.marks & Mark.RETRACTED)
            key = (lot, *row.fact)
            said = row.last_us, form.location, form.declaration.disposition, form.state, form.how
            version = row.version, binding, relabelled, gone
            if key not in highest or version > highest[key][0]:
                highest[key] = version, None if gone else said
    return {key: said for key, (_, said) in highest.items() if said is not None}


def _moved(stack: Stack) -> dict[tuple[str, str], str]:
    """Where the last movement of each unit of a lot went."""
    rows = [row for record in stack.log.topic(MOVEMENTS) for row in decode_movements(record.value)]
    return {(row.lot, row.unit): row.location for row in rows}


def shrunk(world: World, *, seed: int) -> World:
    """A world that is as wrong with fewer facts: those left out without which it still is."""
    changed = True
    while changed:
        changed = False
        for number in range(len(world) - 1, -1, -1):
            fewer: World = (*world[:number], *world[number + 1 :])
            if any(faults(fewer, seed=again) for again in range(seed, seed + AGAIN)):
                world, changed = fewer, True
    return world


def shown(world: Sequence[Any]) -> str:
    """A world to be read, and to be pasted into a test."""
    return "\n".join(f"    {_shown(fact)}," for fact in world)


def _shown(fact: Any) -> str:
    """A fact without the fields that say nothing."""
    told = [
        (field.name, getattr(fact, field.name)) for field in fields(fact) if getattr(fact, field.name) != field.default
    ]
    said = ", ".join(
        f"{name}={type(value).__name__}.{value.name}" if isinstance(value, Enum) else f"{name}={value!r}"
        for name, value in told
    )
    return re.sub(r"'01/\d{14}/21/([^']+)'", r"tag('\1')", f"{type(fact).__name__}({said})")
