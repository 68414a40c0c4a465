"""What units are and hold at an instant, by example."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lotstream.recall.edges import Bundle, Units

T0 = datetime(2026, 11, 23, tzinfo=UTC)
UNIT, GTIN = "01/90614141000411/21/7", "01/90614141000411"
PALLET, CASE = "00/106141411234567897", "00/106141411234567903"


def at(minute: int) -> datetime:
    return T0 + timedelta(minutes=minute)


def said(kind: str, subject: str, target: str, minute: int, **given: Any) -> dict[str, Any]:
    row = {
        "kind": kind, "subject": subject, "first_serial": -1, "last_serial": -1, "object": target, "deed": "ADD",
        "at": at(minute), "event": f"e{minute}",
    }  # fmt: skip
    return row | given


def test_lives() -> None:
    """The first lot reaches back; the event that ends a life is one of its last; a second life begins when said."""
    rows = [
        said("lot", GTIN, "A", 1, first_serial=1, last_serial=9),
        said("lot", UNIT, "", 5, deed="DELETE"),
        said("lot", UNIT, "B", 8),
    ]
    units = Units(rows)
    assert [units.lot_at(UNIT, at(minute)) for minute in (0, 5, 6, 8)] == ["A", "A", "", "B"]
    assert units.lot_at(f"{GTIN}/21/07", at(2)) == ""  # '07' is no number of the range


def test_stays_begin_and_end() -> None:
    """From packing to unpacking, the end not included; what is packed twice meanwhile is inside once."""
    rows = [said("content", PALLET, UNIT, 1), said("content", PALLET, UNIT, 2),
            said("content", PALLET, "", 3, deed="DELETE"), said("content", PALLET, UNIT, 3)]  # fmt: skip
    units = Units(rows)
    assert [len(units.inside(PALLET, at(minute))) for minute in (0, 1, 2, 3)] == [0, 1, 1, 1]
    assert [(stay.since, stay.event, stay.ends) for stay in units.contents(PALLET)[UNIT]] == [
        (at(1), "e1", True), (at(3), "e3", False),
    ]  # fmt: skip


def test_what_holds_itself_ends() -> None:
    """Containers inside each other, as bad data say, hold everything else once and end."""
    rows = [said("content", PALLET, CASE, 1), said("content", CASE, PALLET, 1), said("content", CASE, UNIT, 2)]
    assert set(Units(rows).inside(PALLET, at(3))) == {CASE, UNIT}


def test_bundles_know_when() -> None:
    """A unit belongs to what it was inside for as long as it was inside."""
    rows = [said("content", PALLET, UNIT, 1), said("content", PALLET, UNIT, 4, deed="DELETE")]
    bundle = Bundle(PALLET, {child: tuple(stays) for child, stays in Units(rows).held(PALLET).items()})
    assert [bundle.among([UNIT], at(minute)) for minute in (0, 1, 3, 4)] == [0, 1, 1, 0]
