"""The record of a lot on the real engine: its holds, its status, and who said what of it, when and why."""

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from lotstream.recall import ask
from lotstream.recall.decisions import claims_again, others_again
from lotstream.recall.lot import lot_shown
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.decisions import ClaimContent, HoldContent
from lotstream.schemas.events import HoldDecision, LotClaim
from lotstream.schemas.lots import HoldAction, HoldPurpose, HoldRecord, HoldScope, LotNumber, LotRecord
from lotstream.streams.locate.holds import in_force, status_of
from lotstream.streams.locate.lot import Lot

NOW = 1_763_370_000_000_000
GTIN = "10614141073464"
LOT = f"01/{GTIN}/10/B1"
PLACE, RELEASE = HoldAction.PLACE, HoldAction.RELEASE
SCOPES = (
    HoldScope(),
    HoldScope(serials=((1, 9), (12, 12))),
    HoldScope(units=("00/095212345432100003", f"01/{GTIN}/21/7")),
    HoldScope(amount=Decimal("2.5"), uom="KGM"),
    HoldScope(site="plant"),
)


def hold(number: int, name: str = "h1", action: HoldAction = PLACE, lot: str = LOT, **given: Any) -> HoldRecord:
    """A decision; the later its number, the later it was made."""
    known: dict[str, Any] = {
        "by": "ann",
        "reason": "glass",
        "decision": f"d{number}",
        "at_us": NOW + number * 1_000_000,
    }
    return HoldRecord(**({"lot": lot, "hold": name, "action": action, "recorded_us": NOW + number} | known | given))


def record(**given: Any) -> LotRecord:
    known = {"lot": LOT, "gtin": GTIN, "code": "B1", "event": "e1", "at_us": NOW, "recorded_us": NOW}
    return LotRecord(**(known | given))


def put(warehouse: Any, *said: HoldRecord | LotRecord | LotNumber) -> None:
    warehouse.put("lots", [one.encode() for one in said])


@pytest.mark.parametrize("seed", range(4))
def test_holds_are_those_of_locate(warehouse: Any, seed: int) -> None:
    """In any order, twice and merged: the holds in force, their scopes, and the status of the lot, in every answer."""
    draw = random.Random(seed)
    decided = [
        hold(
            number,
            f"h{draw.randrange(4)}",
            draw.choice([PLACE, PLACE, PLACE, RELEASE]),
            purpose=draw.choice(list(HoldPurpose)),
            scope=draw.choice(SCOPES),
        )
        for number in range(draw.randrange(1, 9))
    ]
    kept = Lot(LOT)
    for one in decided:
        kept.put_hold(one)
    held = in_force(kept.holds)
    shuffled = [*decided, *decided[:3]]
    draw.shuffle(shuffled)
    put(warehouse, *shuffled)
    if seed % 2:
        warehouse.merge()
    shown = lot_shown(warehouse.history, LOT).lot
    assert [(one.hold, one.purpose, one.reason, one.by) for one in shown.holds] == [
        (one.hold, one.purpose, one.reason, one.by) for one in held
    ]
    assert [
        (one.scope.serials, one.scope.units, one.scope.amount, one.scope.uom, one.scope.site) for one in shown.holds
    ] == [(one.scope.serials, one.scope.units, one.scope.amount, one.scope.uom, one.scope.site) for one in held]
    assert shown.status == status_of(held)
    assert [lot.status for lot in ask.lots(warehouse.history).lots] == [shown.status]
    assert ask.affected(warehouse.history, "B1").lot.holds == shown.holds
    assert warehouse.query(f"SELECT count() FROM {warehouse.settings.database}.lot_holds") == [(len(held),)]


def test_a_release_is_of_its_time(warehouse: Any) -> None:
    """Held as of before the release, and not after it; another hold of the lot stays."""
    put(warehouse, hold(1), hold(2, "h2", purpose=HoldPurpose.RECALL), hold(5, action=RELEASE, reason="tested"))
    assert [one.hold for one in lot_shown(warehouse.history, LOT).lot.holds] == ["h2"]
    then = datetime.fromtimestamp(NOW / 1e6 + 3, UTC)
    before = type(warehouse.history)(warehouse.settings, as_of=then)
    assert [one.hold for one in lot_shown(before, LOT).lot.holds] == ["h1", "h2"]
    before.close()


def test_expired_is_a_status(warehouse: Any) -> None:
    """The day after its last the lot is expired; a hold weighs more. Best before is no expiry."""
    put(warehouse, record(expires=date(2020, 1, 1)))
    assert lot_shown(warehouse.history, LOT).lot.status == "expired"
    assert [lot.status for lot in ask.lots(warehouse.history).lots] == ["expired"]
    then = type(warehouse.history)(warehouse.settings, as_of=datetime(2026, 1, 1, tzinfo=UTC))
    assert lot_shown(then, LOT).lot.status == "expired"
    then.close()
    put(warehouse, hold(1))
    assert ask.affected(warehouse.history, LOT).lot.status == "held"
    put(
        warehouse,
        hold(2, action=RELEASE),
        record(event="e2", recorded_us=NOW + 5, at_us=NOW + 5, expires=date(2120, 1, 1)),
    )
    assert lot_shown(warehouse.history, LOT).lot.status == "active"


def test_history_keeps_every_version(warehouse: Any) -> None:
    """Who said and decided what, when and why, in order of receipt; nothing is replaced by what came later."""
    put(
        warehouse,
        record(event="claim:c", description="soup", by="ann", planned=Decimal(5), planned_uom="KGM"),
        record(event="claim:c", description="stew", by="bob", reason="typo", recorded_us=NOW + 2),
        hold(3, scope=HoldScope(site="plant")),
        hold(4, action=RELEASE, by="eve", reason="tested"),
    )
    shown = lot_shown(warehouse.history, "B1", entries=True)
    assert [(entry.what, entry.by, entry.reason) for entry in shown.history] == [
        ("said", "ann", ""),
        ("said", "bob", "typo"),
        ("hold placed", "ann", "glass"),
        ("hold released", "eve", "tested"),
    ]
    assert shown.history[0].said == {"description": "soup", "planned": "5", "planned_uom": "KGM"}
    assert shown.history[2].said == {"hold": "h1", "purpose": "quarantine", "site": "plant"}
    assert (shown.lot.description, shown.lot.planned) == ("stew", None)


def test_a_lot_is_found_by_a_hold_alone(warehouse: Any) -> None:
    """A hold on a lot that nobody has spoken of is found by its code, and listed."""
    put(warehouse, hold(1, lot=f"01/{GTIN}/10/A%2FB"))
    assert lot_shown(warehouse.history, "A/B").lot.status == "held"
    (listed,) = ask.lots(warehouse.history).lots
    assert (listed.code, listed.gtin, listed.status) == ("A/B", GTIN, "held")


def test_answers_to_claims_are_kept(warehouse: Any) -> None:
    """A refused claim is in the history with its reason."""
    put(warehouse, LotNumber(claim="c1", gtin=GTIN, detail="Expected a free code, got 'X'.", by="ann", recorded_us=NOW))
    rows = warehouse.query(f"SELECT claim, lot, by FROM {warehouse.settings.database}.lot_numbers")
    assert rows == [("c1", "", "ann")]


def test_decisions_can_be_sent_again(warehouse: Any) -> None:
    """Each number is claimed again by its own code with what was said of it last; the rest comes in its order, and
    makes the same decisions."""
    stamp = Stamp(received_us=NOW, origin=Origin.LIVE, source="mes", request="r")
    known: dict[str, Any] = {"claim": "c1", "gtin": GTIN, "template": "B{seq:01}", "by": "ann", "subject": GTIN}
    claim = LotClaim(**known, stamp=stamp)
    later = LotClaim(**known, supplier_code="S", stamp=stamp.model_copy(update={"received_us": NOW + 1}))
    held = HoldDecision(
        hold="h1", lot=LOT, action=PLACE, by="ann", reason="glass", at_us=NOW, decision="d", subject=GTIN, stamp=stamp
    )
    refused = LotClaim(**known | {"claim": "c2"}, stamp=stamp)
    warehouse.put("events", [one.encode() for one in (claim, refused, held, later, claim)])
    put(warehouse, LotNumber(claim="c1", gtin=GTIN, lot=LOT, by="ann", recorded_us=NOW))
    (again,) = claims_again(warehouse.history)
    assert isinstance(again, ClaimContent)
    assert (again.claim, again.code, again.template, again.supplier_code) == ("c1", "B1", "", "S")
    (other,) = others_again(warehouse.history)
    assert isinstance(other, HoldContent)
    assert (other.hold, other.lot, other.at_us, other.reason) == ("h1", LOT, NOW, "glass")
