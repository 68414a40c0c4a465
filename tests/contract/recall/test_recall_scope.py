"""What each clause of a recall's scope means, on the real engine; and a case as the history has it."""

import math
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any
from xml.etree import ElementTree

import pytest

from lotstream.recall.case import Case, CaseState, Scope
from lotstream.recall.case_ask import CaseMissing, case_list, find_case
from lotstream.recall.case_scope import case_status, holds_wanted, scope_change
from lotstream.recall.decisions import others_again
from lotstream.recall.find import LocationMissing, LotMissing, UnitMissing
from lotstream.recall.record import record_of
from lotstream.recall.record_page import as_html, as_text
from lotstream.recall.scope import Scoped, Tags
from lotstream.recall.scope_ask import scope_now
from lotstream.recall.store import History
from lotstream.schemas.base import Evidence, Origin, Stamp
from lotstream.schemas.decisions import decision_hash
from lotstream.schemas.documents import Effect, QuantityFact, Transformation
from lotstream.schemas.events import LocationMaster, RecallDecision, SiteMapping
from lotstream.schemas.identity import Binding, BindingRows
from lotstream.schemas.lots import HoldAction, HoldRecord, LotRecord
from lotstream.schemas.recalls import (
    Closed,
    Deed,
    ExposedClause,
    IngredientClause,
    Initiated,
    LotClause,
    Opened,
    ProducedClause,
    RecallContent,
    ScopeSaid,
    SerialsClause,
    SupplierClause,
    UnitClause,
    Window,
)
from lotstream.schemas.sightings import Declaration

GTIN = "10614141073464"
T0 = 1_763_370_000_000_000
PALLET = "00/106141411234567897"
LOT, PARENT, CONTENT = 0, 1, 2


def lot(code: str) -> str:
    return f"01/{GTIN}/10/{code}"


def unit(serial: int | str) -> str:
    return f"01/{GTIN}/21/{serial}"


def at(minute: float) -> int:
    return T0 + int(minute * 60_000_000)


def window(since: float, until: float) -> Window:
    return Window(from_us=at(since), until_us=at(until))


class World:
    """Facts said in the words of the tests."""

    def __init__(self, warehouse: Any, make: Any) -> None:
        self.warehouse = warehouse
        self.make = make
        stamp = Stamp(received_us=T0, origin=Origin.LIVE, source="s", request="r")
        places = [LocationMaster(id=name, name=name.title(), site="north") for name in ("freezer", "belt")]
        mapping = SiteMapping(
            version=1, locations=(*places, LocationMaster(id="dock", name="Dock")), read_points=(), stamp=stamp
        )
        warehouse.put("events", [mapping.encode()])

    def made(self, code: str, first: int = -1, last: int = -1, *, minute: float = 0, **given: Any) -> None:
        """A lot with these serials, as the register tells it."""
        units = {"units": last - first + 1} if first >= 0 else {}
        known = {"gtin": GTIN, "code": code, "event": f"made {code} {minute}", "at_us": at(minute), "recorded_us": T0}
        self.warehouse.put("lots", [LotRecord(lot=lot(code), **(known | units | given)).encode()])
        if first >= 0:
            self.bind(LOT, f"01/{GTIN}", lot(code), first=first, last=last, minute=minute)

    def bind(self, relation: int, subject: str, target: str, *, minute: float = 0, **given: Any) -> None:
        row = Binding(relation, subject, -1, -1, target, 0, at(minute), f"b{subject}{minute}", 0, at(minute))
        self.warehouse.put("identity", [BindingRows([row._replace(**given)]).encode()])

    def pack(self, parent: str, *children: str, minute: float = 1, unpack: bool = False) -> None:
        for child in children:
            self.bind(CONTENT, parent, child, minute=minute, action=int(unpack))

    def seen(self, code: str, serial: int | str, location: str, *, minute: float, **given: Any) -> None:
        """A unit of a lot was read at a location."""
        known = {"tag": unit(serial), "location": location, "slot": at(minute) // 30_000_000}
        known |= {"first_us": at(minute), "last_us": at(minute), "recorded_us": at(minute)}
        self.warehouse.lot_sightings([self.make.lot_sighting(lot(code), **(known | given))])

    def weighed(self, code: str, location: str, amount: str, *, minute: float, source: str = "", **given: Any) -> None:
        fact = {
            "lot": lot(code), "identity": f"{code}|{location}|{minute}", "revision": 1, "amount": Decimal(amount),
            "uom": "KGM", "biz_step": "storing", "evidence": Evidence.DECLARED, "source": source, "location": location,
            "at_us": at(minute), "recorded_us": at(minute), "event": f"q{minute}",
            "effect": Effect.MOVED if source else Effect.MADE,
        }  # fmt: skip
        self.warehouse.put("documents", [QuantityFact(**(fact | given)).encode()])

    def process(self, name: str, into: str, out: str) -> None:
        known: dict[str, Any] = {"process": name, "event": name, "at_us": at(1), "recorded_us": at(1)}
        sides = [Transformation(side=side, lot=lot(code), **known) for side, code in (("input", into), ("output", out))]
        self.warehouse.put("documents", [side.encode() for side in sides])

    def decided(self, case: str, *deeds: Deed) -> None:
        for deed in deeds:
            number = self.warehouse.offsets.get("events.v1", 0)
            said = RecallContent(case=case, deed=deed, by="ann", reason="why", at_us=at(number))
            self.put(said, decision=f"{case}{number}")

    def put(self, said: RecallContent, *, decision: str) -> None:
        """A decision as the gateway writes it."""
        stamp = Stamp(received_us=T0, origin=Origin.LIVE, source="s", request="r")
        given = {name: getattr(said, name) for name in type(said).model_fields}
        told = RecallDecision(**given, decision=decision, subject=said.case, stamp=stamp)
        self.warehouse.put("events", [told.encode()])

    def carry_out(self, deeds: Any) -> None:
        """Holds as the register tells them."""
        for number, deed in enumerate(deeds):
            known = {"by": "ann", "reason": "why", "at_us": at(60), "recorded_us": at(60), "decision": f"h{number}"}
            told = HoldRecord(lot=deed.lot, hold=deed.hold, action=deed.action, scope=deed.scope, **known)
            self.warehouse.put("lots", [told.encode()])

    def scope(self, *include: Any, without: tuple[Any, ...] = (), **when: Any) -> Scoped:
        with History(self.warehouse.settings, **when) as history:
            return scope_now(history, Scope(include, without))


@pytest.fixture
def world(warehouse: Any, make: Any) -> World:
    return World(warehouse, make)


def parts(scope: Scoped) -> dict[str, Tags | None]:
    """Lots by their codes, whole or in part."""
    return {found.lot[21:]: found.tags for found in scope.lots}


def test_lots_and_parts_of_them(world: World) -> None:
    """A lot whole, serials of a lot, serials of a product in the lots that bear them, less serials."""
    world.made("A", 1, 100)
    world.made("B", 101, 150)
    world.bind(LOT, unit(151), lot("B"))
    world.bind(LOT, unit("007"), lot("B"))
    assert parts(world.scope(LotClause(lot=lot("A")))) == {"A": None}
    assert parts(world.scope(LotClause(lot=lot("A"), serials=((5, 9), (2, 4))))) == {"A": Tags(((2, 9),))}
    serials = SerialsClause(gtin=GTIN, serials=((90, 110), (140, 999)))
    assert parts(world.scope(serials)) == {"A": Tags(((90, 100),)), "B": Tags(((101, 110), (140, 151)))}
    less = world.scope(LotClause(lot=lot("B")), without=(serials,))
    assert parts(less) == {"B": Tags(((111, 139),), (unit("007"),))}
    assert less.lots[0].because == (f"lot {lot('B')}", f"without serials 90..110, 140..999 of {GTIN}")
    assert parts(world.scope(LotClause(lot=lot("A")), without=(LotClause(lot=lot("A")),))) == {}


def test_a_pallet_within_a_time(world: World) -> None:
    """Of a logistic unit what was inside it: at any time, or while a window lasts; a pallet is used again."""
    world.made("A", 1, 100)
    world.made("B", 101, 200)
    world.pack(PALLET, unit(1), unit(2), minute=1)
    world.pack(PALLET, "", minute=10, unpack=True)
    world.pack(PALLET, unit(101), minute=20)
    assert parts(world.scope(UnitClause(unit=PALLET))) == {"A": Tags(((1, 2),)), "B": Tags(((101, 101),))}
    early = world.scope(UnitClause(unit=PALLET, window=window(2, 9)))
    assert (parts(early), early.containers) == ({"A": Tags(((1, 2),))}, (PALLET,))
    assert parts(world.scope(UnitClause(unit=unit(3)))) == {"A": Tags(((3, 3),))}
    with pytest.raises(UnitMissing, match="Nothing was ever said"):
        world.scope(UnitClause(unit="00/106141411234567903"))


def test_a_pallet_of_goods_by_weight(world: World) -> None:
    """What a pallet holds of a lot by class is a part of the lot, named by the pallet; a lot of which nothing else is
    known to have no tags keeps it when serials are taken out."""
    world.made("W", 1, 9, amount=Decimal(500), uom="KGM")
    portion = f"02/{lot('W')[3:]}/{PALLET}"
    world.bind(LOT, portion, lot("W"))
    world.pack(PALLET, portion)
    assert parts(world.scope(UnitClause(unit=PALLET))) == {"W": Tags(units=(PALLET,))}
    less = world.scope(LotClause(lot=lot("W")), without=(LotClause(lot=lot("W"), serials=((5, 5),)),))
    assert parts(less) == {"W": Tags(((1, 4), (6, 9)), loose=True)}


def test_made_at_a_site_within_a_window(world: World) -> None:
    """Lots by the events that made them, else by their day; of a line, and those whose line nobody said."""
    world.made("A", 1, 9, minute=5, location="belt", line="3")
    world.made("B", 11, 19, minute=50, location="belt", line="3")
    world.made("C", 21, 29, minute=6, location="belt", line="4")
    world.made("D", 31, 39, minute=7, location="freezer")
    world.made("E", minute=0, site="North", produced_us=T0 // 86_400_000_000 * 86_400_000_000)
    world.made("F", 41, 49, minute=8, location="dock")
    world.made("G", 51, 55, minute=5, location="dock")
    world.made("G", 56, 59, minute=50, location="belt")
    world.made("H", 61, 65, minute=5)
    world.made("H", 66, 69, minute=50, location="belt", line="4")
    assert set(parts(world.scope(ProducedClause(site="Belt", window=window(0, 10))))) == {"A", "C", "H"}
    assert set(parts(world.scope(ProducedClause(site="north", window=window(0, 10))))) == {"A", "C", "D", "E", "H"}
    third = world.scope(ProducedClause(site="north", line="3", window=window(0, 10)))
    assert set(parts(third)) == {"A", "D", "E"}
    assert ["not known" in found.because[0] for found in third.lots] == [False, True, True]
    assert parts(world.scope(ProducedClause(site="north", window=window(2000, 3000)))) == {}
    with pytest.raises(LocationMissing, match="Near: Freezer"):
        world.scope(ProducedClause(site="freezr", window=window(0, 10)))


def test_supplier_and_ingredient(world: World) -> None:
    """The lots of a supplier's code; an ingredient with everything that was made from it, in so many steps."""
    world.made("RAW", supplier_code="S/1 %")
    world.made("A")
    world.process("p1", "RAW", "A")
    world.process("p2", "A", "B")
    assert set(parts(world.scope(SupplierClause(code="S/1 %")))) == {"RAW"}
    assert set(parts(world.scope(IngredientClause(lot=lot("RAW"))))) == {"RAW", "A", "B"}
    assert set(parts(world.scope(IngredientClause(lot=lot("RAW"), depth=1)))) == {"RAW", "A"}
    with pytest.raises(LotMissing):
        world.scope(SupplierClause(code="S/1_%"))


def test_exposure(world: World) -> None:
    """What was at a location at any time of a window: seen there within it, or come before and gone after it began;
    not what had left, came later, or was only on its way; goods by class as their whole lot."""
    for number, minutes in enumerate([(0, 5), (0, 15), (12, 30), (40, 50)], start=1):
        world.made("A", number, number)
        world.seen("A", number, "freezer", minute=minutes[0])
        world.seen("A", number, "dock", minute=minutes[1])
    world.seen("A", 5, "freezer", minute=11, declaration=Declaration("", "", "in_transit", "", "", ""))
    world.seen("B", 101, "freezer", minute=1)
    world.seen("B", "x", "freezer", minute=1)
    world.weighed("W", "freezer", "20", minute=2)
    world.weighed("V", "freezer", "20", minute=2)
    world.weighed("V", "dock", "20", minute=3, source="freezer")
    world.weighed("U", "freezer", "7", minute=40)
    within = world.scope(ExposedClause(location="Freezer", window=window(10, 20)))
    assert parts(within) == {"A": Tags(((2, 3),)), "B": Tags(((101, 101),), (unit("x"),)), "W": None}
    of_one = world.scope(ExposedClause(location="freezer", window=window(10, 20), lot=lot("A")))
    assert parts(of_one) == {"A": Tags(((2, 3),))}
    assert parts(world.scope(ExposedClause(location="north", window=window(3, 4))))["A"] == Tags(((1, 2),))
    before = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at(6))
    assert parts(world.scope(ExposedClause(location="freezer", window=window(10, 20)), as_of=before)) == {
        "A": Tags(((2, 2),)), "B": Tags(((101, 101),), (unit("x"),)), "W": None,
    }  # fmt: skip
    with pytest.raises(LocationMissing, match="Near: Freezer"):
        world.scope(ExposedClause(location="freezr", window=window(10, 20)))


def test_exposure_is_that_of_a_model(world: World) -> None:
    """Of units that move at random between three places, those that were at one in a window, exactly; whatever the
    order in which their sightings come."""
    chance = random.Random(7)
    stays: list[tuple[int, str, int, float]] = []  # unit, place, since, until
    rows = []
    for number in range(1, 41):
        times = sorted(chance.sample(range(1, 100), chance.randint(1, 6)))
        places = [chance.choice(["freezer", "belt", "dock"]) for _ in times]
        ends = [*times[1:], math.inf]
        stays += [(number, place, since, until) for place, since, until in zip(places, times, ends, strict=True)]
        for place, minute in zip(places, times, strict=True):
            known = {
                "tag": unit(number),
                "location": place,
                "slot": at(minute) // 30_000_000,
                "recorded_us": at(minute),
            }
            rows.append(
                world.make.lot_sighting(lot("AB"[number % 2]), first_us=at(minute), last_us=at(minute), **known)
            )
    chance.shuffle(rows)
    world.warehouse.lot_sightings(rows)
    for _ in range(15):
        since, place = chance.randint(0, 99), chance.choice(["freezer", "belt", "dock"])
        until = since + chance.randint(1, 20)
        there = {number for number, where, came, left in stays if where == place and came < until and left > since}
        found = world.scope(ExposedClause(location=place, window=window(since, until)))
        assert {
            (lot_.lot[21:], serial)
            for lot_ in found.lots
            if lot_.tags
            for first, last in lot_.tags.serials
            for serial in range(first, last + 1)
        } == {("AB"[number % 2], number) for number in there}


def test_what_a_widening_adds(world: World) -> None:
    """A word about the scope shows how much there is before and after it, and the lots that come and go by it."""
    world.made("A", 1, 100, description="milk")
    world.made("W", amount=Decimal(500), uom="KGM")
    world.weighed("W", "freezer", "500", minute=2)
    case = Case("R1", scopes=(Scope((LotClause(lot=lot("A")),)),))
    said = ScopeSaid(include=(LotClause(lot=lot("W")),), exclude=(LotClause(lot=lot("A"), serials=((1, 30),)),))
    with History(world.warehouse.settings) as history:
        change = scope_change(history, case, said)
        same = scope_change(history, case)
    assert (change.before.lots, change.before.items, change.before.amounts) == (1, 100, {})
    assert (change.after.lots, change.after.items, change.after.amounts) == (2, 70, {"KGM": Decimal(500)})
    (added,) = change.added
    assert (added.lot, added.whole, added.because) == (lot("W"), True, (f"lot {lot('W')}",))
    (removed,) = change.removed
    assert (removed.lot, removed.serials, removed.items, removed.description) == (lot("A"), ((1, 30),), 30, "milk")
    assert (same.added, same.removed, len(same.lots)) == ((), (), 1)


def test_a_case_and_its_holds(world: World) -> None:
    """A case is read in the order of the log; the holds that its scope asks for are placed once, and a narrower scope
    releases what is no longer in it."""
    world.made("A", 1, 100)
    world.made("B", 101, 200)
    both = ScopeSaid(include=(LotClause(lot=lot("A")), LotClause(lot=lot("B"), serials=((101, 110),))))
    world.decided("R1", Opened(team=("ann", "bob")), both, Initiated())
    world.decided("M1", Opened(mock=True), both, Initiated())
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at(600))
    with History(world.warehouse.settings) as history:
        assert holds_wanted(history, find_case(history, "M1")) == []
        wanted = holds_wanted(history, find_case(history, "R1"))
        assert [(deed.lot, deed.hold, deed.scope.serials) for deed in wanted] == [
            (lot("A"), "recall:R1", ()),
            (lot("B"), "recall:R1", ((101, 110),)),
        ]
        asked = case_status(history, "R1", now=now)
        assert (asked.holds_wanted, asked.not_held) == (2, (lot("A"), lot("B")))
        world.carry_out(wanted)
        status = case_status(history, "R1", now=now)
        assert ([hold.lot for hold in status.holds], status.holds_wanted) == ([lot("A"), lot("B")], 0)
        assert status.not_held == ()
        world.decided("R1", ScopeSaid(exclude=(LotClause(lot=lot("A")),)))
        (gone,) = holds_wanted(history, find_case(history, "R1"))
        assert (gone.lot, gone.action) == (lot("A"), HoldAction.RELEASE)
        narrower = case_status(history, "R1", now=now)
        assert (narrower.holds_wanted, narrower.not_held) == (1, ())
        world.decided("R1", Closed(), Initiated())
        status = case_status(history, "R1", now=now)
        assert [entry.step for entry in status.trail if not entry.refused] == [
            "open",
            "scope",
            "initiate",
            "scope",
            "close",
        ]
        assert status.trail[-1].refused.endswith("which is.")
        assert find_case(history, "R1").state is CaseState.CLOSED
        assert status.case.elapsed_s == status.stages[-1].elapsed_s > 0
        assert [case.case for case in case_list(history, now=now).cases] == ["M1", "R1"]
        with pytest.raises(CaseMissing, match=r"Near: M1, R1\."):
            find_case(history, "R2")


def test_a_case_that_is_sent_again_is_the_same(world: World) -> None:
    """Where topics were lost, every decision of the history is sent again: the case and its trail stay as they were."""
    world.decided("R1", Opened(), ScopeSaid(include=(SupplierClause(code="S"),)), Closed())
    with History(world.warehouse.settings) as history:
        before = find_case(history, "R1")
        contents = list(others_again(history))
        for content in contents:
            assert isinstance(content, RecallContent)
            world.put(content, decision=decision_hash(content))
        after = find_case(history, "R1")
    assert len(contents) == 3
    assert (after.state, after.scopes, after.trail) == (before.state, before.scopes, before.trail)


def test_what_nobody_knows_hides_no_trail(world: World) -> None:
    """A program may say of a scope what nobody knows: the status has the trail, and why the scope cannot be told."""
    world.decided("R1", Opened(), ScopeSaid(include=(SupplierClause(code="S"),)), Initiated())
    with History(world.warehouse.settings) as history:
        status = case_status(history, "R1", now=datetime.now(UTC))
    assert (len(status.trail), status.holds_wanted) == (3, 0)
    assert status.trouble.startswith("Expected a supplier's lot that is known, got 'S'.")


def test_decisions_are_rows_for_analysts(world: World) -> None:
    """View `recalls` has each decision once, in the order of the log, with its words."""
    world.decided("R1", Opened(mock=True), ScopeSaid(include=(SupplierClause(code="S"),)))
    rows = world.warehouse.query(
        "SELECT case, step, by, mock, JSONExtractString(said, 'include', 1, 'code')"
        f" FROM {world.warehouse.settings.database}.recalls ORDER BY log_offset"
    )
    assert rows == [("R1", "open", "ann", True, ""), ("R1", "scope", "ann", False, "S")]


def test_the_record_of_an_exercise(world: World) -> None:
    """The traceability test record has product, lot, times, team, both directions, balance, corrective actions and
    lines to sign; as text and as a page that is well-formed."""
    for code in ("RAW", "A", "B"):
        world.made(code, amount=Decimal(100), uom="KGM", description=f"<{code}> & co")
        world.weighed(code, "freezer", "100", minute=1)
    world.process("p1", "RAW", "A")
    world.process("p2", "A", "B")
    scope = ScopeSaid(include=(LotClause(lot=lot("A")),))
    closed = Closed(corrective=("name lots on pallets",))
    world.decided("M1", Opened(mock=True, team=("ann", "bob"), title="drill"), scope, Initiated(), closed)
    with History(world.warehouse.settings) as history:
        record = record_of(history, find_case(history, "M1"), now=datetime.now(UTC))
    assert record.started_at and record.ended_at and record.case.elapsed_s == 180
    assert [node.name for node in (*record.back.lots, *record.forward.lots)] == [lot("RAW"), lot("B")]
    (traced,) = record.lots
    assert [(one.uom, one.made, one.percent) for one in traced.accounted] == [("KGM", Decimal(100), Decimal(100))]
    assert record.signatures == ("ann", "bob", "approved by")
    text, page = as_text(record), as_html(record)
    for words in ("<A> & co", "name lots on pallets", "bob", "0:03:00", lot("RAW"), lot("B"), "certifies nothing"):
        assert words in text
        assert escape(words) in page
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
