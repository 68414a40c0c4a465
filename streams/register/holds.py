"""What people decide about a lot, as facts: holds, and master data said anew. Pure."""

from lotstream.schemas.decisions import Master
from lotstream.schemas.events import HoldDecision, LotChange, LotClaim
from lotstream.schemas.lots import HoldRecord, LotRecord
from lotstream.streams.register.lots import code_of, midnight_us


def hold_of(decision: HoldDecision) -> HoldRecord:
    """A hold placed or released."""
    return HoldRecord(
        lot=decision.lot,
        hold=decision.hold,
        action=decision.action,
        purpose=decision.purpose,
        scope=decision.scope,
        by=decision.by,
        reason=decision.reason,
        at_us=decision.at_us,
        decision=decision.decision,
        recorded_us=decision.stamp.received_us,
    )


def claimed(claim: LotClaim, lot: str) -> LotRecord:
    """What a claim says of the lot that it got; a claim said anew is a version of it."""
    at_us = claim.stamp.received_us
    return _said(claim, lot=lot, event=f"claim:{claim.claim}", at_us=at_us, recorded_us=at_us)


def changed(change: LotChange) -> LotRecord:
    """Master data said by a person."""
    return _said(
        change, lot=change.lot, event=change.decision, at_us=change.at_us, recorded_us=change.stamp.received_us
    )


def _said(master: Master, *, lot: str, event: str, at_us: int, recorded_us: int) -> LotRecord:
    return LotRecord(
        lot=lot,
        gtin=lot[3:17],
        code=code_of(lot),
        event=event,
        at_us=at_us,
        description=master.description,
        produced_us=None if master.production_date is None else midnight_us(master.production_date),
        expires=master.expires,
        best_before=master.best_before,
        supplier_code=master.supplier_code,
        site=master.site,
        line=master.line,
        planned=master.planned,
        planned_uom=master.planned_uom,
        by=master.by,
        reason=master.reason,
        recorded_us=recorded_us,
    )
