"""As of a time and as known at an instant: the answer of a plain look at the facts, on the real engine."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotstream.recall import ask
from lotstream.recall.store import History
from lotstream.schemas.base import Evidence
from lotstream.schemas.documents import QuantityFact
from lotstream.schemas.identity import Binding, BindingRows
from lotstream.schemas.lots import LotRecord
from lotstream.schemas.operations import BlindWindow
from lotstream.schemas.sightings import Context

LOT = "01/10614141073464/10/B251101"
T0 = 1_763_370_000_000_000
K0 = datetime(2026, 3, 1, 10, tzinfo=UTC)
STEP = 7_000_000  # several to a slot
PLACES = ("plant", "centre", "store")


def instant(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def seen(draw: random.Random, make: Any) -> Any:
    """A version of one of few sightings, whose first read may differ from the version before."""
    first = T0 + draw.randrange(12) * STEP
    return make.lot_sighting(
        tag=f"01/10614141073464/21/{draw.randrange(3)}",
        context=Context(draw.choice(("dock", "door")), "r1", 1, 1),
        slot=first // 30_000_000,
        version=(0, draw.randrange(10**6)),
        location=draw.choice(PLACES),
        first_us=first,
        last_us=first + draw.randrange(3) * STEP,
        marks=draw.choice((0, 1, 1, 1, 9)),
        lane=draw.choice(("", "", "late:3")),
    )


def moved(draw: random.Random, recorded: int) -> QuantityFact:
    """A revision of one of few lines, whose time may be corrected."""
    source, location = draw.choice((("", "plant"), ("plant", "store"), ("store", "")))
    return QuantityFact(
        lot=LOT,
        identity=str(draw.randrange(6)),
        revision=recorded,
        source=source,
        location=location,
        amount=Decimal(draw.randrange(1, 99)),
        uom="KGM",
        cases=1,
        biz_step="receiving",
        evidence=Evidence.DECLARED,
        at_us=T0 + draw.randrange(12) * STEP,
        retracted=draw.random() < 0.1,
        recorded_us=recorded,
    )


def placed(rows: list[Any], by: int) -> dict[str, str]:
    """Where each unit was, by the facts at their highest versions that had begun."""
    facts: dict[Any, Any] = {}
    for row in sorted(rows, key=lambda row: row.sighting.version):
        facts[row.sighting.fact] = row
    held = [row.sighting for row in facts.values() if row.sighting.first_us <= by and not row.sighting.form.marks & 8]
    main = {(s.tag, s.slot, s.form.context.read_point) for s in held if not s.form.lane}
    valid = [s for s in held if not s.form.lane or (s.tag, s.slot, s.form.context.read_point) not in main]
    ranked = sorted(valid, key=lambda s: (s.slot, s.last_us, s.form.context.read_point, s.form.lane))
    return {s.tag: s.form.location for s in ranked}


def held(facts: list[QuantityFact], by: int) -> dict[str, Decimal]:
    """What lay where, by the lines at their highest revisions that had happened."""
    lines: dict[str, QuantityFact] = {}
    for fact in facts:
        if fact.identity not in lines or not lines[fact.identity].retracted:
            lines[fact.identity] = fact
    sums: dict[str, Decimal] = {}
    for fact in lines.values():
        if fact.at_us <= by and not fact.retracted:
            sums[fact.location] = sums.get(fact.location, Decimal(0)) + fact.amount
            sums[fact.source] = sums.get(fact.source, Decimal(0)) - fact.amount
    return {place: amount for place, amount in sums.items() if place}


@pytest.mark.parametrize("seed", range(4))
def test_what_had_happened_of_what_was_known(warehouse: Any, make: Any, seed: int) -> None:
    """At every time and every knowledge, alone and together: `where`, `affected` and `stock` equal the brute force."""
    draw = random.Random(seed)
    rows: list[Any] = []
    facts: list[QuantityFact] = []
    known = []
    for batch in range(4):
        some = [seen(draw, make) for _ in range(12)]
        more = [moved(draw, batch * 10 + number + 1) for number in range(8)]
        warehouse.lot_sightings(some)
        warehouse.put("documents", [fact.encode() for fact in more])
        rows, facts = [*rows, *some], [*facts, *more]
        warehouse.passed(K0 + timedelta(hours=batch))
        known.append((K0 + timedelta(hours=batch), list(rows), list(facts)))
    for known_at, some, more in [*draw.sample(known, 2), (None, rows, facts)]:
        for by in [T0 + draw.randrange(-5, 90) * 1_000_000 for _ in range(4)] + [None]:
            at = None if by is None else instant(by)
            with History(warehouse.settings, known_at=known_at, as_of=at) as history:
                where, affected, stock = ask.where(history, LOT), ask.affected(history, LOT), ask.stock(history)
            last = by or T0 * 2
            assert {unit.tag: unit.location for unit in where.units} == placed(some, last)
            amounts = {q.location: q.amount for q in where.quantities if q.amount}
            assert amounts == {place: amount for place, amount in held(more, last).items() if amount}
            assert {q.location: q.amount for q in affected.quantities if q.amount} == amounts
            assert {r.location: r.amount for r in stock.rows if r.amount} == amounts
            assert sum(p.items for p in affected.places) == sum(r.items for r in stock.rows) == len(where.units)
            assert {where.as_of, affected.as_of, stock.as_of} == {at}


def test_history_ends_there(warehouse: Any, make: Any) -> None:
    """`history` lists what had begun by then, and only as known then; the lot it was bound to first is always told."""
    tag = make.sighting().tag
    for lot, at in ((LOT, T0 + 5 * STEP), (f"{LOT}9", T0 + 9 * STEP)):
        row = Binding(0, tag, -1, -1, lot, 0, at, f"e{at}", 0, at)
        warehouse.put("identity", [BindingRows([row]).encode()])
    for number in range(3):
        warehouse.sightings([make.sighting(slot=T0 // 30_000_000 + number, first_us=T0 + number * 30_000_000)])
        warehouse.passed(K0 + timedelta(hours=number))
    with History(warehouse.settings, as_of=instant(T0 + 40_000_000)) as history:
        answer = ask.history_of(history, tag)
    assert ([s.first_at for s in answer.sightings], answer.lots) == (
        [instant(T0), instant(T0 + 30_000_000)], (LOT,)
    )  # fmt: skip
    with History(warehouse.settings, as_of=instant(T0 + 40_000_000), known_at=K0) as history:
        assert [s.first_at for s in ask.history_of(history, tag).sightings] == [instant(T0)]
    with History(warehouse.settings) as history:
        assert (ask.history_of(history, tag).lots, ask.history_of(history, tag).known_at) == ((LOT, f"{LOT}9"), None)


def test_made_and_blind_then(warehouse: Any, make: Any) -> None:
    """What was made later is not made yet; a blind window that ended later is open."""
    warehouse.lot_sightings([make.lot_sighting()])
    for event, at in (("e1", T0), ("e2", T0 + 9 * STEP)):
        record = LotRecord(
            lot=LOT, gtin=LOT[3:17], code=LOT[21:], event=event, at_us=at, location="plant", units=5, recorded_us=at
        )
        warehouse.put("lots", [record.encode()])
    window = BlindWindow(
        subject="dock", cause="down", from_us=T0 + STEP, until_us=T0 + 5 * STEP, recorded_us=T0 + 6 * STEP, detail="",
    )  # fmt: skip
    warehouse.put("blind-windows", [window.encode()])
    with History(warehouse.settings, as_of=instant(T0 + 2 * STEP)) as history:
        then = ask.affected(history, LOT)
    with History(warehouse.settings) as history:
        now = ask.affected(history, LOT)
    assert (then.lot.units, [w.until_at for w in then.blind_windows]) == (5, [None])
    assert (now.lot.units, [w.until_at for w in now.blind_windows]) == (10, [instant(T0 + 5 * STEP)])
