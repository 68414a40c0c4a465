"""Which lot a unit belongs to at an instant, and what is inside a parent: functions of binding facts. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.identity import BindingAction
from lotstream.schemas.unit_lots import FOREVER, Life, lot_at

NEVER = 1 << 62


class Fact(NamedTuple):
    """A binding fact about one subject, as the state keeps it. Said again, it is what it was."""

    object: str  # the lot, or the child; '' on DELETE: whatever it is
    action: int
    at_us: int
    event: str
    said: int  # first identity.v1 offset that said it
    retracted: int  # first offset that took it back, or NEVER
    recorded_us: int

    @property
    def version(self) -> int:
        """The newest offset that changed anything about it."""
        return self.said if self.retracted == NEVER else max(self.said, self.retracted)

    def before(self, offset: int) -> "Fact":
        """The fact as it was known before an offset that comes after ``said``."""
        return self if self.retracted < offset else self._replace(retracted=NEVER)


class Lives(NamedTuple):
    """All lives of a unit, oldest first; every lot ever named, also in error; the newest identity.v1 offset of it."""

    spans: tuple[Life, ...]
    lots: frozenset[str]
    binding: int
    plain: bool  # one lot, never ended, never taken back: its only binding says it all

    def lot_at(self, time_us: int) -> str:
        """The lot at an instant, or NO_LOT."""
        return lot_at(self.spans, time_us)

    def others_in(self, slot: int, lot: str) -> list[str]:
        """Lots that a slot touches beside its own: another version of a sighting may lie in one of them."""
        start = slot * SLOT_US
        lots = {span.lot for span in self.spans if span.start < start + SLOT_US and start <= span.end}
        return sorted(lots - {lot})


NO_LIFE = Lives((), frozenset(), -1, plain=True)


def lives_of(facts: Iterable[Fact]) -> Lives:
    """Lives from ADD to DELETE or to the next ADD, in event time.

    The first one reaches back to before its commissioning (tags are read before their event arrives, and clocks
    differ), unless an earlier life ended. The instant that ends a life still belongs to it: the event that ends it
    is itself a sighting.
    """
    spans: list[Life] = []
    ended = False
    said = sorted(facts, key=_in_time)
    for fact in said:
        if fact.retracted != NEVER:
            continue
        lasts = bool(spans) and spans[-1].end == FOREVER
        if fact.action == BindingAction.DELETE:
            if lasts and fact.object in ("", spans[-1].lot):
                spans[-1] = spans[-1]._replace(end=fact.at_us)
            ended = True
            continue
        if lasts:
            spans[-1] = spans[-1]._replace(end=fact.at_us - 1)
        spans.append(Life(0 if not spans and not ended else fact.at_us, FOREVER, fact.object))
    lots = frozenset(fact.object for fact in said if fact.object)
    plain = not ended and len(lots) <= 1 and all(fact.retracted == NEVER for fact in said)
    return Lives(tuple(spans), lots, max((fact.version for fact in said), default=-1), plain)


def _in_time(fact: Fact) -> tuple[int, bool, str, str]:
    return fact.at_us, fact.action == BindingAction.ADD, fact.event, fact.object


class Content(NamedTuple):
    """What is known of one child of a parent: when it was inside, and by which version of the binding."""

    child: str
    stays: tuple[tuple[int, int], ...]  # [start, end)
    once: tuple[tuple[int, int], ...]  # other stays as they were thought to be, a short while ago
    version: int  # newest identity.v1 offset that changed a fact on the pair, or on all contents
    recorded_us: int

    def inside(self, time_us: int) -> bool:
        """Whether the child is in the parent at an instant."""
        return any(start <= time_us < end for start, end in self.stays)

    def touches(self, from_us: int, until_us: int) -> bool:
        """Whether the child is, or was thought to be, in the parent at some instant of [from_us, until_us)."""
        return any(start < until_us and from_us < end for start, end in (*self.stays, *self.once))


def contents_of(facts: Iterable[Fact], *, since: int = NEVER) -> dict[str, Content]:
    """The contents of a parent by child: from ADD to the next DELETE of the child, or of all contents. What was said
    from the offset ``since`` on may not have been known to who decided on a sighting before."""
    whole: list[Fact] = []
    children: dict[str, list[Fact]] = {}
    for fact in facts:
        (children.setdefault(fact.object, []) if fact.object else whole).append(fact)
    return {child: _content(child, own + whole, since=since) for child, own in children.items()}


def _content(child: str, facts: list[Fact], *, since: int) -> Content:
    stays = _stays(facts)
    news = {offset for fact in facts for offset in (fact.said, fact.retracted) if since <= offset < NEVER}
    once = {stay for offset in news for stay in _stays(fact.before(offset) for fact in facts if fact.said < offset)}
    version, recorded = max(fact.version for fact in facts), max(fact.recorded_us for fact in facts)
    return Content(child, stays, tuple(sorted(once.difference(stays))), version, recorded)


def _stays(facts: Iterable[Fact]) -> tuple[tuple[int, int], ...]:
    stays: list[tuple[int, int]] = []
    start = -1
    for fact in sorted(facts, key=_in_time):
        if fact.retracted != NEVER:
            continue
        if fact.action == BindingAction.ADD:
            start = fact.at_us if start < 0 else start
        elif start >= 0:
            stays.append((start, fact.at_us))
            start = -1
    if start >= 0:
        stays.append((start, FOREVER))
    return tuple(stays)
