"""Alerts of one lot, from the visits of its units."""

from typing import Any

import pytest

from lotstream.schemas.alerts import AlertCause
from lotstream.schemas.base import SLOT_US
from lotstream.schemas.lots import HoldScope
from lotstream.schemas.sightings import State
from lotstream.streams.locate.alerts import Alerts, decode_kept, encode_kept, merge_kept
from lotstream.streams.locate.parents import nowhere
from lotstream.streams.locate.rules import Rule
from lotstream.streams.locate.unit import AFTER, BEFORE, FINAL, Entry, add, where_now
from lotstream.streams.locate.visits import Level, visits_of

LOT, UNIT, PALLET = "01/09521234543213/10/A", "01/09521234543213/21/7", "00/095212345432100001"
RULE = Rule(
    hold="H1", cause=AlertCause.HELD, since_us=0, reason="glass", scope=HoldScope(), recorded_us=1
)  # fmt: skip


def entry(slot: int, *, bits: int = State.OBSERVED | FINAL, origin: str = "", offset: int = 1) -> Entry:
    by = "dock", "", origin, (origin,) if origin else ()
    return Entry(slot, by, (0, offset), 1, (int(bits), "hall", "", ()), slot * SLOT_US + 5, slot * SLOT_US + 9)


def look(alerts: Alerts, entries: tuple[Entry, ...], *, floor: int = -1, offset: int = 1) -> list[tuple[Any, ...]]:
    """What is told when the unit has these sightings, as (first slot, version, state or end)."""
    alerts.look(UNIT, visits_of(UNIT, entries, now=where_now(entries), way=nowhere), floor=floor)
    told = [alert for _, _, alert in alerts.settle((0, offset), all_of_them=False) if alert is not None]
    return [(alert.slot, alert.version, str(alert.end or alert.state)) for alert in told]


@pytest.mark.parametrize("origin", ["", PALLET])
def test_of_what_is_parked_the_first_slots_are_forgotten_and_the_alert_is_not(origin: str) -> None:
    """A unit's state holds four slots; its alert keeps its name, and stays confirmed."""
    alerts, entries, told, floor = Alerts(LOT, (RULE,)), (), [], -1
    for slot in range(100, 120):
        for marks in (0, FINAL):
            bits = State.OBSERVED | BEFORE * (slot > 100) | AFTER | marks
            entries, dropped = add(entries, entry(slot, bits=bits, origin=origin, offset=2 * slot + bool(marks)))
            floor = max(floor, dropped[0]) if dropped else floor
            told += look(alerts, entries, floor=floor, offset=2 * slot + bool(marks))
    assert len(entries) == 4
    assert told == [(100, 1, "raised"), (100, 2, "confirmed")]


def test_what_was_forgotten_is_not_taken_back() -> None:
    """A visit below what is kept of the unit stays as it was told; a newer one is taken back."""
    alerts = Alerts(LOT, (RULE,))
    assert look(alerts, (entry(100),)) == [(100, 1, "confirmed")]
    assert look(alerts, (entry(200),), floor=100, offset=2) == [(200, 1, "confirmed")]
    assert look(alerts, (), floor=100, offset=3) == [(200, 2, "withdrawn")]


def test_the_contents_of_a_pallet_that_stays_are_told_once_an_hour() -> None:
    """That is one visit; without the mark that it goes on from before it is another one."""
    alerts = Alerts(LOT, (RULE,))
    first = entry(100, bits=State.OBSERVED | FINAL | AFTER, origin=PALLET)
    later = entry(120, bits=State.OBSERVED | BEFORE, origin=PALLET)
    assert look(alerts, (first,)) == [(100, 1, "confirmed")]
    assert look(alerts, (later, first), offset=2) == []
    again = entry(150, bits=State.OBSERVED, origin=PALLET)
    assert look(alerts, (again, later, first), offset=3) == [(150, 1, "raised")]


def test_a_replayed_message_tells_again_what_it_told() -> None:
    """Only the message that changed an alert last does; another one that changes nothing tells nothing."""
    alerts = Alerts(LOT, (RULE,))
    assert look(alerts, (entry(100),), offset=7) == [(100, 1, "confirmed")]
    assert look(alerts, (entry(100),), offset=8) == []
    key, kept = next((key, kept) for key, kept, _ in alerts.settle((0, 7), all_of_them=True))
    restarted = Alerts(LOT, (RULE,))
    name, loaded = decode_kept(encode_kept(LOT, kept))
    restarted.load(key, loaded)
    assert restarted.standing == alerts.standing == 1
    assert (name, key) == (LOT, loaded.key)
    assert look(restarted, (entry(100),), offset=7) == [(100, 1, "confirmed")]
    assert look(restarted, (entry(100),), offset=8) == []


def test_of_two_copies_the_later_one_holds() -> None:
    """Whichever comes first; merged with itself a copy is as it was."""
    alerts = Alerts(LOT, (RULE,))
    alerts.look(UNIT, visits_of(UNIT, (entry(100, bits=State.OBSERVED),), now=None, way=nowhere), floor=-1)
    older = next(encode_kept(LOT, kept) for _, kept, _ in alerts.settle((0, 1), all_of_them=True))
    alerts.look(UNIT, visits_of(UNIT, (entry(100, offset=2),), now=None, way=nowhere), floor=-1)
    newer = next(encode_kept(LOT, kept) for _, kept, _ in alerts.settle((0, 2), all_of_them=True))
    assert merge_kept(older, newer) == merge_kept(newer, older) == merge_kept(newer, newer) == newer


def test_released_alerts_are_forgotten() -> None:
    """They are told first, and only those of the hold that is over are dropped."""
    other = Rule(hold="H2", cause=AlertCause.HELD, since_us=0, reason="", scope=HoldScope(), recorded_us=1)
    alerts = Alerts(LOT, (RULE, other))
    assert (len(look(alerts, (entry(100),))), alerts.standing) == (2, 2)
    alerts.rules = (other,)
    told = [alert for _, _, alert in alerts.settle((1, 1), all_of_them=True) if alert is not None]
    assert [(alert.hold, alert.end) for alert in told] == [("H1", "released")]
    assert (len(alerts.drop_released()), len(alerts), alerts.standing) == (1, 1, 1)


def test_levels() -> None:
    """A glimpse may become more while the slot is open; what was overheard is moved whatever else was glimpsed."""

    def level(*entries: Entry) -> Level:
        (visit,) = visits_of(UNIT, entries, now=None, way=nowhere)
        return visit.level

    assert level(entry(1, bits=State.GLIMPSED)) == Level.SEEN
    assert level(entry(1, bits=State.GLIMPSED | FINAL)) == Level.GLIMPSED
    assert level(entry(1, bits=State.CROSS_READ | FINAL), entry(2, bits=State.GLIMPSED | FINAL)) == Level.MOVED
    assert level(entry(1), entry(2, bits=State.OBSERVED)) == Level.CONFIRMED
