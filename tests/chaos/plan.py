"""Which faults come when: drawn from the seed alone."""

import random
from dataclasses import dataclass
from enum import StrEnum

WORKERS = ("door-1", "door-2", "lot-1", "lot-2")
SESSION_S = 6.0


class Kind(StrEnum):
    """What is done to a process."""

    KILL = "kill"  # -9
    TERM = "terminate"
    FREEZE = "freeze"  # SIGSTOP for longer than the session, then SIGCONT
    POINT = "point"  # dies by itself between two named steps
    ADD = "add"  # one more worker joins the group
    REMOVE = "remove"  # the one that was added goes for ever


@dataclass(frozen=True, slots=True)
class Fault:
    """`at_s` seconds after the load began. `for_s`: how long it stays away or frozen."""

    at_s: float
    kind: Kind
    target: str
    for_s: float
    point: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} {self.target} {self.point or f'for {self.for_s:.1f} s'}"


MESSAGE = ("received", "decided", "published", "outputs delivered", "changes delivered", "acknowledged", "committed")
STEPS: dict[str, dict[str, tuple[str, ...]]] = {
    "door": {
        "register": MESSAGE,
        "smooth": (
            "fenced",
            *(step for step in MESSAGE if step != "changes delivered"),
            "snapshot delivered",
            "marker delivered",
        ),
    },
    "lot": {"resolve": ("fenced", *MESSAGE), "locate": ("fenced", *MESSAGE)},
    "gateway": {"gateway": ("received", "decided", "published")},
    "sink": dict.fromkeys(("sightings", "lot-sightings"), ("decided", "inserted", "letters delivered", "committed")),
}
OFTEN = {"received", "decided"}  # per record, not per window
SELDOM = "register"  # a few events every other second


def points() -> list[tuple[str, str]]:
    """Every named point, as (kind of process, room:step)."""
    rooms = [(process, room, steps) for process, rooms in STEPS.items() for room, steps in rooms.items()]
    return [(process, f"{room}:{step}") for process, room, steps in rooms for step in steps]


def plan(seed: int, *, kills: int, seconds: float | None = None) -> list[Fault]:
    """`kills` faults. Each kind comes before any comes again; broker and history die in every dozen of faults."""
    chance = random.Random(seed)
    deck: list[tuple[Kind, str]] = []
    places = points()
    chance.shuffle(places)
    faults: list[Fault] = []
    at_s, number = 2.0, 0
    while len(faults) < kills:
        if not deck:
            deck = _deck(chance)
        kind, target = deck.pop()
        point = ""
        if kind is Kind.POINT:
            process, place = places[number % len(places)]
            number += 1
            target = process if process in ("gateway", "sink") else f"{process}-{chance.randint(1, 2)}"
            room, _, step = place.partition(":")
            most = 1 if step == "fenced" else 30 if step in OFTEN and room != SELDOM else 3
            point = f"{place}:{chance.randint(1, most)}"
        away_s = chance.uniform(1.2, 2.2) * SESSION_S if kind is Kind.FREEZE else chance.uniform(0.2, 3.0)
        faults.append(Fault(round(at_s, 2), kind, target, round(away_s, 2), point))
        at_s += chance.uniform(1.0, 6.5)
    if seconds is not None:
        stretch = seconds / at_s
        faults = [Fault(f.at_s * stretch, f.kind, f.target, f.for_s, f.point) for f in faults]
    return faults


def _deck(chance: random.Random) -> list[tuple[Kind, str]]:
    """A dozen faults: eight of them also make the short run of CI a fair one."""
    first = [
        (Kind.KILL, "kafka"),
        (Kind.KILL, "clickhouse"),
        (Kind.KILL, chance.choice(("gateway", "sink"))),
        (Kind.KILL, chance.choice(WORKERS)),
        (Kind.FREEZE, chance.choice(WORKERS)),
        (Kind.POINT, ""),
        (Kind.POINT, ""),
        (Kind.ADD, chance.choice(("door", "lot"))),
    ]
    then = [
        (Kind.REMOVE, ""),
        (Kind.POINT, ""),
        (Kind.FREEZE, chance.choice(("gateway", "sink", "kafka", *WORKERS))),
        (Kind.TERM, chance.choice((*WORKERS, "gateway", "sink"))),
    ]
    chance.shuffle(first)
    chance.shuffle(then)
    return [*then, *first]
