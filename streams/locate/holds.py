"""Holds of a lot: the set of what was decided about each, and which are in force. Pure."""

from collections.abc import Iterable, Mapping

from lotstream.schemas.lots import HoldAction, HoldPurpose, HoldRecord
from lotstream.schemas.movements import HoldNow

Holds = dict[tuple[str, HoldAction], HoldRecord]


def newest_hold(one: HoldRecord, other: HoldRecord) -> HoldRecord:
    """The version of a decision that holds: the newest."""
    return max(one, other, key=lambda said: (said.at_us, said.recorded_us, said.encode()))


def in_force(holds: Mapping[tuple[str, HoldAction], HoldRecord]) -> list[HoldRecord]:
    """The holds that were placed and not released, oldest first. A release holds also when it came first."""
    placed = (
        said
        for (name, action), said in holds.items()
        if action is HoldAction.PLACE and (name, HoldAction.RELEASE) not in holds
    )
    return sorted(placed, key=lambda said: (said.at_us, said.hold))


def status_of(holds: Iterable[HoldRecord]) -> str:
    """What holds in force make of their lot."""
    purposes = {said.purpose for said in holds}
    return "recalled" if HoldPurpose.RECALL in purposes else "held" if purposes else "active"


def hold_now(said: HoldRecord) -> HoldNow:
    """A hold in force, for live clients."""
    return HoldNow(hold=said.hold, purpose=said.purpose, scope=said.scope, reason=said.reason, since_us=said.at_us)
