"""The ledger of class-level goods from events to places, against a brute force that reads the events' words at once."""

import random
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from lotstream.schemas.events import Action, EventType, Quantity, Typed

OURS, STORE = ("plant", "centre"), "store"
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Told:
    """An event about one amount, as a person would tell it."""

    name: str
    at: int
    what: str
    here: str
    there: str
    amount: Decimal
    uom: str
    taken_back: bool


def chance(draw: random.Random, number: int) -> Told:
    here = draw.choice(OURS)
    return Told(
        name=f"e{number}",
        at=draw.randrange(40),
        what=draw.choice(["make", "make", "ship", "receive", "return", "void", "count", "find", "lose", "burn", "use"]),
        here=here,
        there=draw.choice([place for place in (*OURS, STORE) if place != here]),
        amount=Decimal(draw.randrange(1, 10_000)).scaleb(-2),
        uom=draw.choice(["KGM", "KGM", "LTR"]),
        taken_back=draw.random() < 0.15,
    )


def entries(told: Told) -> list[tuple[str, str, int]]:
    """(place, disposition, sign) of what an event adds and takes, said in words of the trade."""
    here, there = told.here, told.there
    return {
        "make": [(here, "", 1)],
        "ship": [(here, "", -1), (there, "in_transit", 1)],
        "receive": [(here, "in_transit", -1), (here, "", 1)],
        "return": [(there, "", -1), (here, "", 1)],
        "void": [(there, "in_transit", -1), (here, "", 1)],
        "find": [(here, "", 1)],
        "lose": [(here, "", -1)],
        "burn": [(here, "", -1)],
        "use": [(here, "", -1)],
        "count": [],
    }[told.what]


def oracle(story: list[Told]) -> dict[Place, Decimal]:
    """Walk through all that stands in order of time; at one instant counts come last."""
    stock: dict[Place, Decimal] = defaultdict(Decimal)
    for told in sorted((t for t in story if not t.taken_back), key=lambda t: (t.at, t.what == "count", t.name)):
        for place, disposition, sign in entries(told):
            stock[place, disposition, told.uom] += sign * told.amount
        if told.what == "count":
            stock[told.here, "", told.uom] = told.amount
    return {place: amount for place, amount in stock.items() if amount}


def event_of(world: Any, told: Told, *, wrong: bool = False) -> Any:
    """The EPCIS event that says so."""
    goods = (Quantity(epc_class=world.lot("W"), quantity=told.amount, uom=told.uom),)
    there = (Typed(type="location", id=told.there),)
    steps: dict[str, dict[str, Any]] = {
        "make": {"action": Action.ADD, "biz_step": "commissioning"},
        "ship": {"biz_step": "shipping", "destinations": there},
        "receive": {"biz_step": "receiving"},
        "return": {"biz_step": "receiving", "disposition": "returned", "sources": there},
        "void": {"biz_step": "void_shipping", "destinations": there},
        "count": {"biz_step": "stock_taking"},
        "find": {"action": Action.ADD, "biz_step": "cycle_counting"},
        "lose": {"action": Action.DELETE, "biz_step": "cycle_counting", "disposition": "stolen"},
        "burn": {"action": Action.DELETE, "biz_step": "destroying"},
        "use": {"event_type": EventType.TRANSFORMATION, "action": None, "input_quantities": goods, "quantities": ()},
    }
    known = {"event_type": EventType.OBJECT, "action": Action.OBSERVE, "biz_location": told.here, "quantities": goods}
    return world.event(told.name, told.at, wrong=wrong, **(known | steps[told.what]))


@pytest.mark.parametrize("seed", range(12))
def test_the_ledger_is_what_the_events_say(world: Any, seed: int) -> None:
    """In any order, some events twice: the places of a lot are those of the brute force."""
    draw = random.Random(seed)
    story = [chance(draw, number) for number in range(draw.randrange(1, 25))]
    inputs = [event_of(world, told) for told in story]
    inputs += [event_of(world, told, wrong=True) for told in story if told.taken_back]
    for disorder in (None, seed, seed + 100):
        loop = world.run(inputs, seed=disorder, duplicates=0.3)
        places = world.places(loop).get(world.lot("W"))
        found = {(q.location, q.disposition, q.uom): q.amount for q in places.quantities} if places else {}
        assert found == oracle(story)


@pytest.mark.parametrize("seed", range(3))
def test_a_crash_between_any_two_messages_changes_nothing(world: Any, seed: int) -> None:
    """Outputs lost in a crash after the state was written are said again, and counted once."""
    draw = random.Random(1000 + seed)
    story = [chance(draw, number) for number in range(12)]
    inputs = [event_of(world, told) for told in story]
    inputs += [event_of(world, told, wrong=True) for told in story if told.taken_back]
    loop = world.run_losing(inputs, turn=draw.randrange(1, 4))
    places = world.places(loop).get(world.lot("W"))
    found = {(q.location, q.disposition, q.uom): q.amount for q in places.quantities} if places else {}
    assert found == oracle(story)
