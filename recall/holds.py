"""Holds of a lot and the status that they, and its expiry, give it. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from lotstream.recall.answers import Hold, HoldScope

Row = dict[str, Any]

_SEVERITY = ("active", "held", "recalled")
_PURPOSE = {"quarantine": "held", "recall": "recalled"}


def holds_of(decided: Sequence[Row]) -> tuple[Hold, ...]:
    """The holds in force, oldest first: placed, and not released. A release holds also when it came first."""
    released = {row["hold"] for row in decided if row["action"] == "release"}
    placed = (row for row in decided if row["action"] == "place" and row["hold"] not in released)
    return tuple(
        Hold(
            hold=row["hold"],
            purpose=row["purpose"],
            scope=scope_of(row),
            by=row["by"],
            reason=row["reason"],
            since=row["at"],
        )
        for row in sorted(placed, key=lambda row: (row["at"], row["hold"]))
    )


def scope_of(row: Row) -> HoldScope:
    """What of the lot a decision is about."""
    return HoldScope(
        serials=tuple(zip(row["first_serials"], row["last_serials"], strict=True)),
        units=tuple(row["units"]),
        amount=row["amount"],
        uom=row["uom"],
        site=row["site"],
    )


def status_of(said: Iterable[str], *, holds: Iterable[Hold] = (), expires: date | None, day: date) -> str:
    """The gravest word of statements and holds; of an active lot whether it has expired by that day."""
    words = ["active", *said, *(_PURPOSE[hold.purpose] for hold in holds)]
    gravest = max(words, key=_SEVERITY.index)
    return "expired" if gravest == "active" and expires is not None and expires < day else gravest
