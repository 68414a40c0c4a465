"""The alerts of one lot: what must not move on, and was seen. Pure.

Which alerts stand is a function of facts that locate has anyway: the sightings that it keeps of a unit (their origin
is the top-level tag), the lot's holds and its expiry date. A unit is looked at again when a message touches it, all
units of a lot when its holds do; what is asked for is compared with the alerts that are kept, and the difference is
told. So copies, replays and another order end with the same alerts, and the first provisional sighting raises one.

What facts cannot say again is kept in the changelog: the slot in an alert's key, as it was called when the alert was
raised, and how far its visit reaches, since of a unit that stays only the newest sightings are kept. Visits without a
whole slot between them are one; when a late read makes one of two that have alerts, the older one stays and the other
is cleared. What has been forgotten of a visit is not taken back.

An alert remembers the message that changed it last, and is told again when that message comes again; it is told whole,
with a version of its own, so that what was told before and not delivered is not missed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from lotstream.schemas.alerts import MOST_INSIDE, Alert, AlertCause, AlertEnd, AlertState, alert_key
from lotstream.schemas.base import Evidence
from lotstream.streams.locate.rules import Rule, is_about
from lotstream.streams.locate.visits import Level, Visit, near
from lotstream.streams.resolve.infer import EVERY

_GRADES = (Evidence.CONFIRMED, Evidence.INFERRED, Evidence.DECLARED, Evidence.PROBABILISTIC)
_STATES = {Level.MOVED: AlertState.MOVED, Level.SEEN: AlertState.RAISED, Level.CONFIRMED: AlertState.CONFIRMED}
_STANDING = frozenset({AlertState.RAISED, AlertState.CONFIRMED})
Message = tuple[int, int]  # source, offset
Place = tuple[str, str, str]  # hold, top-level tag, read point


@dataclass(slots=True)
class Kept:
    """An alert as it is kept; ``units`` are all that were ever part of it, each with what its visit amounts to."""

    hold: str
    tag: str
    point: str
    slot: int
    cause: str
    reason: str
    low: int
    high: int
    first_us: int
    last_us: int
    recorded_us: int
    location: str = ""
    disposition: str = ""
    party: str = ""
    how: int = 0
    newest: tuple[int, ...] = ()  # of the sighting that says so
    units: dict[str, int] = field(default_factory=dict)
    state: str = ""
    end: str = ""
    version: int = 0
    changed: Message = (-1, -1)
    told: tuple[Any, ...] = ()

    @property
    def place(self) -> Place:
        """Alerts of one place differ by their visits."""
        return self.hold, self.tag, self.point

    @property
    def key(self) -> str:
        """Its key on the wire."""
        return alert_key(hold=self.hold, tag=self.tag, read_point=self.point, slot=self.slot)

    def inside(self) -> list[str]:
        """The units that it is about, sorted: those that were here, or that only seemed to be when none was."""
        here = [unit for unit, level in self.units.items() if level > Level.MOVED]
        return sorted(here or [unit for unit, level in self.units.items() if level == Level.MOVED])

    def said(self) -> tuple[Any, ...]:
        """What of it, once it differs, is told."""
        return self.state, self.end, self.cause, self.location, tuple(self.inside())


class Alerts:
    """The alerts of one lot, and the rules that ask for them."""

    def __init__(self, lot: str, rules: tuple[Rule, ...]) -> None:
        self.lot = lot
        self.rules = rules
        self.standing = 0  # alerts that ask for something
        self._kept: dict[str, Kept] = {}
        self._of: dict[str, tuple[str, ...]] = {}  # unit -> keys, nearly always of one alert
        self._at: dict[Place, list[str]] = {}
        self._touched: dict[str, bool] = {}  # looked at: whether it is to be written

    def __len__(self) -> int:
        return len(self._kept)

    def look(self, unit: str, visits: Sequence[Visit], *, floor: int) -> None:
        """Compare the visits of a unit with the alerts it is part of; those up to slot ``floor`` may be forgotten."""
        asked: dict[str, list[Visit]] = {}
        for visit in visits:
            for rule in self.rules:
                if is_about(rule, unit, visit):
                    asked.setdefault(self._alert_of(rule, visit), []).append(visit)
        for key, some in asked.items():
            self._join(self._kept[key], unit, some, floor=floor)
            self._name(unit, key)
            self._touched[key] = True
        holds = {rule.hold for rule in self.rules}
        for key in sorted(set(self._of.get(unit, ())).difference(asked)):
            kept = self._kept[key]
            self._touched.setdefault(key, False)
            if kept.hold in holds and kept.high > floor and kept.units[unit] and kept.end != AlertEnd.JOINED:
                kept.units[unit] = Level.NOTHING
                kept.end = _end_of(kept, visits)
                self._touched[key] = True

    def settle(self, message: Message, *, all_of_them: bool) -> Iterator[tuple[str, Kept, Alert | None]]:
        """Each alert that changed, or that this message changed when it came first, with what is told of it."""
        touched, self._touched = self._touched, {}
        for key in self._kept if all_of_them else touched:
            kept = self._kept[key]
            self._decide(kept)
            said = kept.said()
            if said != kept.told and (kept.version or kept.state in _STANDING):
                self.standing += (kept.state in _STANDING) - (bool(kept.told) and kept.told[0] in _STANDING)
                kept.told, kept.version, kept.changed = said, kept.version + 1, message
            if kept.changed == message and kept.version:
                yield key, kept, self._alert(key, kept)
            elif touched.get(key):
                yield key, kept, None

    def load(self, key: str, kept: Kept) -> None:
        """Take an alert from the changelog."""
        kept.told = kept.said()
        self.standing += kept.state in _STANDING
        self._keep(key, kept)
        for unit in kept.units:
            self._name(unit, key)

    def drop_released(self) -> list[str]:
        """Forget alerts of holds that are over; their keys."""
        over = [key for key, kept in self._kept.items() if kept.end == AlertEnd.RELEASED]
        for key in over:
            kept = self._kept.pop(key)
            self._at[kept.place].remove(key)
            for unit in kept.units:
                left = tuple(other for other in self._of.pop(unit) if other != key)
                if left:
                    self._of[unit] = left
        return over

    def _name(self, unit: str, key: str) -> None:
        known = self._of.get(unit, ())
        if key not in known:
            self._of[unit] = (*known, key)

    def _alert_of(self, rule: Rule, visit: Visit) -> str:
        """The alert of a visit, new when there is none."""
        found = [
            key
            for key in self._at.get((rule.hold, visit.tag, visit.point), ())
            if self._kept[key].end != AlertEnd.JOINED and _is_same(self._kept[key], visit)
        ]
        if not found:
            return self._raise(rule, visit)
        first, *others = sorted(found, key=lambda key: self._kept[key].slot)
        for key in others:
            other = self._kept[key]
            _widen(self._kept[first], other)
            other.end = AlertEnd.JOINED
            self._touched[key] = True
        if others:
            for unit in self._kept[first].units:
                self._name(unit, first)
        return first

    def _raise(self, rule: Rule, visit: Visit) -> str:
        kept = Kept(
            rule.hold, visit.tag, visit.point, visit.low, rule.cause, rule.reason,
            visit.low, visit.high, visit.first_us, visit.last_us, rule.recorded_us,
        )  # fmt: skip
        key = kept.key
        if key not in self._kept:
            self._keep(key, kept)
        elif self._kept[key].end == AlertEnd.JOINED:  # what made one visit of two was taken back
            self._kept[key].end = ""
        return key

    def _keep(self, key: str, kept: Kept) -> None:
        self._kept[key] = kept
        self._at.setdefault(kept.place, []).append(key)

    @staticmethod
    def _join(kept: Kept, unit: str, visits: Sequence[Visit], *, floor: int) -> None:
        """A unit's visits are part of an alert. What confirmed it may be forgotten, and is not taken back."""
        known = kept.units.get(unit, 0) if kept.low <= floor else 0
        level = max(visit.level for visit in visits)
        kept.units[unit] = int(Level.CONFIRMED if known == Level.CONFIRMED else level)
        for visit in visits:
            _take(kept, visit)

    def _decide(self, kept: Kept) -> None:
        """The state of an alert, by its hold and by the units that it is about."""
        rule = next((rule for rule in self.rules if rule.hold == kept.hold), None)
        level = max(kept.units.values(), default=0)
        if rule is not None:
            kept.cause, kept.reason = rule.cause, rule.reason
        if kept.end == AlertEnd.JOINED or (rule is not None and level <= Level.GLIMPSED):
            kept.state = AlertState.CLEARED
            if kept.end != AlertEnd.JOINED:
                kept.end = AlertEnd.GLIMPSED if level == Level.GLIMPSED else kept.end or AlertEnd.WITHDRAWN
        elif rule is None:
            kept.state, kept.end = AlertState.CLEARED, AlertEnd.RELEASED
        else:
            kept.state, kept.end = _STATES[Level(level)], ""

    def _alert(self, key: str, kept: Kept) -> Alert:
        inside = kept.inside()
        return Alert(
            key=key,
            version=kept.version,
            state=AlertState(kept.state),
            end=AlertEnd(kept.end) if kept.end else None,
            cause=AlertCause(kept.cause),
            lot=self.lot,
            hold=kept.hold,
            reason=kept.reason,
            tag=kept.tag,
            read_point=kept.point,
            slot=kept.slot,
            location=kept.location,
            disposition=kept.disposition,
            party=kept.party,
            evidence=_GRADES[kept.how],
            units=len(inside),
            inside=tuple(inside[:MOST_INSIDE]),
            first_us=kept.first_us,
            last_us=kept.last_us,
            recorded_us=kept.recorded_us,
        )


def _is_same(kept: Kept, visit: Visit) -> bool:
    """Whether a visit is, or goes on with, the one that an alert is about."""
    return near(visit, kept.low, kept.high) or (visit.joins and 0 < visit.low - kept.high <= EVERY)


def _end_of(kept: Kept, visits: Sequence[Visit]) -> AlertEnd:
    """Why a unit is no more part of an alert."""
    there = [visit for visit in visits if visit.point == kept.point and near(visit, kept.low, kept.high)]
    if any(visit.tag != kept.tag and kept.tag in visit.units for visit in there):
        return AlertEnd.INSIDE
    if any(visit.tag == kept.tag and visit.level == Level.GLIMPSED for visit in there):
        return AlertEnd.GLIMPSED
    return AlertEnd.WITHDRAWN


def _take(kept: Kept, visit: Visit) -> None:
    """A visit is part of the one that an alert is about; its newest sighting says where the goods are."""
    kept.low, kept.high = min(kept.low, visit.low), max(kept.high, visit.high)
    kept.first_us, kept.last_us = min(kept.first_us, visit.first_us), max(kept.last_us, visit.last_us)
    rank = (visit.newest.slot, visit.newest.at_us, *visit.newest.version)
    if rank >= kept.newest:
        _, kept.location, kept.disposition, papers = visit.newest.word
        kept.party, kept.how, kept.newest = papers[-1] if papers else "", visit.newest.how, rank
    kept.recorded_us = max(kept.recorded_us, visit.newest.recorded_us)


def _widen(kept: Kept, other: Kept) -> None:
    """One visit of two: what the later alert was about, the earlier one is about."""
    for unit, level in other.units.items():
        kept.units[unit] = max(kept.units.get(unit, 0), level)
    kept.low, kept.high = min(kept.low, other.low), max(kept.high, other.high)
    kept.first_us, kept.last_us = min(kept.first_us, other.first_us), max(kept.last_us, other.last_us)


def encode_kept(lot: str, kept: Kept) -> bytes:
    """An alert as it is kept, as JSON."""
    values = asdict(kept)
    del values["told"]
    return orjson.dumps((lot, values))


def decode_kept(raw: bytes) -> tuple[str, Kept]:
    """(lot, alert) of `encode_kept`."""
    lot, values = orjson.loads(raw)
    return lot, Kept(**{**values, "changed": tuple(values["changed"]), "newest": tuple(values["newest"])})


def merge_kept(older: bytes, newer: bytes) -> bytes:
    """Of two copies of an alert the one that more was said of; what differs is looked at again when it is replayed."""
    return max(older, newer, key=lambda raw: (decode_kept(raw)[1].version, raw))
