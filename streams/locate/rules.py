"""Why goods of a lot must not move on, and which of its units that is about. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from lotstream.schemas.alerts import AlertCause
from lotstream.schemas.lots import HoldPurpose, HoldScope, LotRecord
from lotstream.schemas.unit_lots import FOREVER
from lotstream.streams.locate.holds import in_force
from lotstream.streams.locate.lot import Lot
from lotstream.streams.locate.visits import Visit
from lotstream.streams.serials import NOT_NUMERIC, serial_of

DOORWAY_US = 60_000_000  # what was seen so short a time before the hold still stands there: two slots
EXPIRED = ""  # instead of a hold's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A hold in force, or the date from which the lot is expired."""

    hold: str
    cause: AlertCause
    since_us: int
    reason: str
    scope: HoldScope
    recorded_us: int


def rules_of(lot: Lot) -> tuple[Rule, ...]:
    """The rules of a lot, by its holds and its master data."""
    held = tuple(
        Rule(
            hold=said.hold,
            cause=AlertCause.RECALLED if said.purpose is HoldPurpose.RECALL else AlertCause.HELD,
            since_us=said.at_us - DOORWAY_US,
            reason=said.reason,
            scope=said.scope,
            recorded_us=said.recorded_us,
        )
        for said in in_force(lot.holds)
    )
    return (*held, *_expired(lot.records.values()))


def guarded_from(rules: tuple[Rule, ...]) -> int:
    """The event time from which sightings of the lot are looked at."""
    if any(rule.hold for rule in rules):
        return 0
    return min((rule.since_us for rule in rules), default=FOREVER)


def _expired(records: Iterable[LotRecord]) -> tuple[Rule, ...]:
    """The goods are good until the end of their expiry date (AI 17), which has no time zone: in UTC."""
    dated = [record for record in records if record.expires is not None and not record.retracted]
    newest = max(dated, key=lambda record: (record.at_us, record.event), default=None)
    if newest is None or newest.expires is None:
        return ()
    since = datetime.combine(newest.expires + timedelta(days=1), time(), UTC)
    rule = Rule(
        hold=EXPIRED,
        cause=AlertCause.EXPIRED,
        since_us=max(0, int(since.timestamp()) * 1_000_000),
        reason=f"expired {newest.expires}",
        scope=HoldScope(),
        recorded_us=newest.recorded_us,
    )
    return (rule,)


def is_about(rule: Rule, unit: str, visit: Visit) -> bool:
    """Whether a rule asks for an alert of this visit of a unit.

    A hold is about what is seen after it, what stands in the doorway when it comes, and what is on a truck or at a
    customer by then. Of an amount nobody knows which goods they are: it may be any.
    """
    if rule.hold == EXPIRED:
        return visit.last_us >= rule.since_us
    if visit.until_us < rule.since_us and not visit.away:
        return False
    scope = rule.scope
    if scope.serials:
        serial = serial_of(unit)
        return serial != NOT_NUMERIC and any(first <= serial <= last for first, last in scope.serials)
    if scope.units:
        return not {visit.tag, *visit.units}.isdisjoint(scope.units)
    if scope.site:
        location = visit.newest.word[1]
        return location == scope.site or location.startswith(f"{scope.site}/")
    return True
