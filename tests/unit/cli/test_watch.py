"""Alerts for people and programs, from messages of alerts.v1."""

from typing import Any

from lotstream.cli.watch import alerts_in, is_wanted, line_of, news, standing
from lotstream.runtime.log import LogRecord
from lotstream.schemas.alerts import Alert, AlertCause, AlertEnd, AlertState
from lotstream.schemas.base import Evidence

LOT, OTHER = "01/09521234543213/10/A-7", "01/09521234543213/10/B-1"


def alert(number: int = 1, *, version: int = 1, state: AlertState = AlertState.RAISED, **fields: Any) -> Alert:
    known: dict[str, Any] = {
        "key": f"{number:032x}",
        "version": version,
        "state": state,
        "cause": AlertCause.HELD,
        "lot": LOT,
        "hold": "H1",
        "reason": "glass found",
        "tag": "00/095212345432100001",
        "read_point": "dock",
        "slot": 60_000_000,
        "location": "hall",
        "evidence": Evidence.INFERRED,
        "units": 2,
        "first_us": 1_800_000_000_000_000 + number,
        "last_us": 1_800_000_000_000_000 + number,
        "recorded_us": 1_800_000_000_000_000,
    }
    return Alert(**(known | fields))


def test_a_line_says_when_what_where_and_why() -> None:
    """A person at the door reads it without a manual."""
    assert line_of([alert()]).plain == (
        "2027-01-15 08:00:00Z  RAISED      dock  00/095212345432100001  2 units of 01/09521234543213/10/A-7 at hall"
        "  held H1: glass found"
    )
    cleared = alert(state=AlertState.CLEARED, end=AlertEnd.RELEASED, units=1, party="customer")
    assert "CLEARED (released)" in line_of([cleared]).plain and "1 unit of" in line_of([cleared]).plain
    assert "at hall, with customer" in line_of([cleared]).plain


def test_the_lots_of_one_hold_are_one_alert() -> None:
    """A recall over two lots that are in one pallet is one line; of a lot whose goods were released no more is said."""
    other, confirmed = alert(lot=OTHER, units=3), alert(version=2, state=AlertState.CONFIRMED)
    cleared = alert(version=3, state=AlertState.CLEARED, end=AlertEnd.RELEASED)
    lines = [line_of(parts).plain for parts in news([alert(), other, confirmed, cleared])]
    assert [line[22:31].strip() for line in lines] == ["RAISED", "RAISED", "CONFIRMED", "RAISED"]
    assert ["2 units of" in line for line in lines] == [True, False, False, False]
    assert f"  5 units of {LOT}, {OTHER} at hall" in lines[1] and f"  3 units of {OTHER} at hall" in lines[3]
    assert list(standing([alert(), other, cleared])) == [[other]] and list(standing([cleared])) == []


def test_each_version_is_shown_once() -> None:
    """What a worker tells again after a restart is no news, nor is an older version."""
    told = [alert(), alert(version=2), alert(), alert(version=2), alert(2)]
    assert [(a.key[-1], a.version) for a, *_ in news(told)] == [("1", 1), ("1", 2), ("2", 1)]


def test_what_stands_is_the_newest_version_that_asks_for_something() -> None:
    """Cleared and moved alerts are left out; the oldest comes first."""
    told = [
        alert(3, state=AlertState.CONFIRMED),
        alert(1),
        alert(2),
        alert(2, version=2, state=AlertState.CLEARED, end=AlertEnd.GLIMPSED),
        alert(4, state=AlertState.MOVED),
    ]
    assert [int(a.key, 16) for (a,) in standing(told)] == [1, 3]


def test_what_is_wanted() -> None:
    """By read point, and by the key or the code of a lot."""
    assert is_wanted(alert(), read_points=(), lots=())
    assert is_wanted(alert(), read_points=("dock", "gate"), lots=(LOT,))
    assert is_wanted(alert(), read_points=(), lots=("A-7",))
    assert not is_wanted(alert(), read_points=("gate",), lots=())
    assert not is_wanted(alert(), read_points=(), lots=("7",))


def test_messages_of_a_later_version_are_passed_over() -> None:
    """Whoever watches goes on watching."""
    values = [alert().encode(), b'{"kind":"alert","v":2}', b"", None]
    assert list(alerts_in(LogRecord("alerts.v1", 0, i, 0, None, value) for i, value in enumerate(values))) == [alert()]
