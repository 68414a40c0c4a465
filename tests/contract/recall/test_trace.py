"""The ways a trace goes wrong in well-known systems, each a test, on the real engine."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotstream.recall.find import LotMissing, UnitMissing
from lotstream.recall.store import History
from lotstream.recall.trace_answer import Direction, Trace
from lotstream.recall.trace_ask import trace_of
from lotstream.schemas.base import Evidence
from lotstream.schemas.documents import DocumentLine, QuantityFact, Transformation
from lotstream.schemas.identity import Binding, BindingRows
from lotstream.schemas.lots import LotRecord
from lotstream.schemas.portions import portion_of
from lotstream.schemas.sightings import Context, Declaration, LotSighting, sighting_of

GTIN = "90614141000411"
T0 = 1_763_370_000_000_000
PALLET, TOTE = "00/106141411234567897", "00/106141411234567903"
LOT, PARENT, CONTENT = 0, 1, 2


def lot(code: str) -> str:
    return f"01/{GTIN}/10/{code}"


def unit(serial: int) -> str:
    return f"01/{GTIN}/21/{serial}"


def at(minute: float) -> int:
    return T0 + int(minute * 60_000_000)


def when(minute: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at(minute))


class World:
    """Facts said in the words of the tests."""

    def __init__(self, warehouse: Any) -> None:
        self.warehouse = warehouse

    def made(self, event: str, into: list[str], out: list[str], *, minute: float = 0, **given: Any) -> None:
        """A transformation; '/21/' and '00/' are units, everything else lots of ten kilograms."""
        facts = []
        for side, keys in (("input", into), ("output", out)):
            known: dict[str, Any] = {"process": event, "event": event, "side": side, "at_us": at(minute)}
            known |= {"recorded_us": at(minute)} | given
            units = tuple(key for key in keys if "/10/" not in key)
            facts += [Transformation(lot=key, amount=Decimal(10), uom="KGM", **known) for key in keys if "/10/" in key]
            facts += [Transformation(units=units, items=len(units), **known)] if units else []
        self.warehouse.put("documents", [fact.encode() for fact in facts])

    def bind(self, relation: int, subject: str, target: str, *, minute: float = 0, **given: Any) -> None:
        row = Binding(relation, subject, -1, -1, target, 0, at(minute), f"b{minute}", 0, at(minute))
        self.warehouse.put("identity", [BindingRows([row._replace(**given)]).encode()])
        if relation == LOT:
            self.told(target)

    def told(self, key: str, **given: Any) -> None:
        """What the register says of a lot."""
        known: dict[str, Any] = {"gtin": GTIN, "code": key[21:], "event": "r", "at_us": T0, "recorded_us": T0}
        self.warehouse.put("lots", [LotRecord(lot=key, **(known | given)).encode()])

    def pack(self, parent: str, *children: str, minute: float, unpack: bool = False, event: str = "") -> None:
        """An aggregation, as the register says it to both sides."""
        said = {"action": int(unpack), "event": event or f"p{minute}"}
        for child in children:
            if child:
                self.bind(PARENT, child, parent, minute=minute, **said)
            self.bind(CONTENT, parent, child, minute=minute, **said)

    def ship(self, code: str, amount: str, *, minute: float = 5, step: str = "shipping", **given: Any) -> None:
        """Class-level goods leave for the store, or arrive there."""
        came = {"source": "store", "source_disposition": "in_transit", "location": "store"}
        left = {"source": "plant", "location": "store", "disposition": "in_transit"}
        fact = {
            "lot": lot(code), "identity": f"{code}|{step}|{minute}", "revision": 1, "amount": Decimal(amount),
            "uom": "KGM", "biz_step": step, "evidence": Evidence.DECLARED, "document": "desadv:7", "line": "1",
            "party": "417/1", "event": f"s{minute}", "at_us": at(minute), "recorded_us": at(minute),
        }  # fmt: skip
        way = left if step == "shipping" else came
        self.warehouse.put("documents", [QuantityFact(**(fact | way | given)).encode()])

    def trace(self, *texts: str, back: bool = False, depth: int | None = None, **when: Any) -> Trace:
        with History(self.warehouse.settings, **when) as history:
            return trace_of(history, texts, direction=Direction.BACK if back else Direction.FORWARD, depth=depth)


@pytest.fixture
def world(warehouse: Any) -> World:
    return World(warehouse)


def codes(answer: Trace) -> dict[str, int]:
    """What was reached, in how many steps."""
    return {node.name.removeprefix(f"01/{GTIN}/10/"): node.steps for node in answer.nodes}


def facts(answer: Trace) -> list[tuple[str, ...]]:
    return [(edge.kind, edge.source, edge.target, edge.event) for edge in answer.edges]


def test_cycles_end(world: World) -> None:
    """Rework in a circle, and into the same lot, is told once each and ends."""
    world.made("e1", [lot("A")], [lot("B")])
    world.made("e2", [lot("B")], [lot("A")], minute=1)
    world.made("e3", [lot("B")], [lot("B"), lot("C")], minute=2)
    answer = world.trace("A")
    assert (codes(answer), answer.capped) == ({"A": 0, "B": 1, "C": 2}, "")
    assert len(facts(answer)) == len(set(facts(answer))) == 7
    assert codes(world.trace("C", back=True)) == {"C": 0, "B": 1, "A": 2}


def test_any_start_tells_the_same(world: World) -> None:
    """Whatever is reached forward from one lot reaches it back; order and repeats change nothing."""
    steps = [*enumerate([("AB", "C"), ("C", "DE"), ("BE", "F"), ("F", "A")])]
    for number, (into, out) in steps:
        world.made(f"e{number}", [lot(one) for one in into], [lot(one) for one in out], minute=-number)
    forward = {one: world.trace(one) for one in "ABCDEF"}
    back = {one: world.trace(one, back=True) for one in "ABCDEF"}
    for one in "ABCDEF":
        for other in "ABCDEF":
            assert (other in codes(forward[one])) is (one in codes(back[other]))
    assert facts(world.trace("A", "B")) == facts(world.trace("B", "A", "B"))
    assert set(facts(world.trace("D", "B"))) == {*facts(forward["D"]), *facts(forward["B"])}
    for number, (into, out) in reversed(steps):
        world.made(f"e{number}", [lot(one) for one in reversed(into)], [lot(one) for one in out], minute=-number)
    assert [facts(world.trace(one)) for one in "ABCDEF"] == [facts(forward[one]) for one in "ABCDEF"]


def test_position_in_the_input(world: World) -> None:
    """Each of many inputs leads to each of many outputs, first or last."""
    inputs, outputs = [lot(f"I{n}") for n in range(12)], [lot(f"O{n}") for n in range(9)]
    world.made("e", inputs, outputs)
    for first in ("I0", "I11"):
        assert sum(steps == 1 for steps in codes(world.trace(first)).values()) == 9
    assert sum(steps == 1 for steps in codes(world.trace("O8", back=True)).values()) == 12


def test_two_ways_count_once(world: World) -> None:
    """A lot that is split and merged again is one, with the amounts that went in and came out, not their double."""
    world.made("split", [lot("A")], [lot("B"), lot("C")])
    world.made("merge", [lot("B"), lot("C")], [lot("D")], minute=1)
    answer = world.trace("A")
    assert codes(answer) == {"A": 0, "B": 1, "C": 1, "D": 2}
    assert [(e.amount, e.uom) for e in answer.edges if e.target == lot("D")] == [(Decimal(10), "KGM")]
    assert sum(e.amount or 0 for e in answer.edges if e.kind == "input") == 30


def test_one_process_of_several_events(world: World) -> None:
    """Inputs and outputs that events name under one transformation id belong together; each link names its event."""
    world.made("e1", [lot("A")], [], process="run")
    world.made("e2", [], [lot("B")], process="run", minute=9)
    answer = world.trace("A")
    assert facts(answer) == [("input", lot("A"), "run", "e1"), ("output", "run", lot("B"), "e2")]
    assert codes(world.trace("A", as_of=when(5))) == {"A": 0}


def test_capped_depth_is_said(world: World) -> None:
    """What lies beyond the depth is not told, and that there is some is; at the very end there is none."""
    for n in range(3):
        world.made(f"e{n}", [lot(f"L{n}")], [lot(f"L{n + 1}")])
    assert (codes(world.trace("L0", depth=2)), world.trace("L0", depth=2).capped) == (
        {"L0": 0, "L1": 1, "L2": 2},
        "depth",
    )
    assert (len(codes(world.trace("L0", depth=3))), world.trace("L0", depth=3).capped) == (4, "")
    assert (facts(world.trace("L0", depth=0)), world.trace("L0", depth=0).capped) == ([], "depth")


def test_taken_back_and_then(world: World) -> None:
    """A transformation that was declared wrong leads nowhere; as of a time only what had happened does."""
    world.made("wrong", [lot("A")], [lot("X")])
    world.made("wrong", [lot("A")], [lot("X")], retracted=True)
    world.made("later", [lot("A")], [lot("B")], minute=10)
    assert codes(world.trace("A")) == {"A": 0, "B": 1}
    assert codes(world.trace("A", as_of=when(9))) == {"A": 0}


def test_units_stand_for_their_lots(world: World) -> None:
    """Units that an event names lead from and to their lots; one of no known lot stands for itself."""
    world.bind(LOT, f"01/{GTIN}", lot("A"), first=1, last=99)
    world.bind(LOT, unit(500), lot("B"))
    world.made("e", [unit(7), unit(8), f"01/{GTIN}/21/x"], [unit(500)], minute=3)
    answer = world.trace("A")
    assert codes(answer) == {"A": 0, "B": 1}
    assert [(e.items, e.event) for e in answer.edges if e.kind == "input"] == [(2, "e")]
    assert codes(world.trace("B", back=True)) == {"B": 0, "A": 1, f"01/{GTIN}/21/x": 1}


def test_wrong_label_corrected_later(world: World) -> None:
    """A unit that was bound to the wrong lot leads from the right one once that is said."""
    world.bind(LOT, unit(1), lot("WRONG"), event="b")
    world.made("e", [unit(1)], [lot("B")], minute=3)
    assert codes(world.trace("B", back=True)) == {"B": 0, "WRONG": 1}
    world.bind(LOT, unit(1), lot("WRONG"), event="b", retracted=1)
    world.bind(LOT, unit(1), lot("RIGHT"), event="c")
    assert codes(world.trace("B", back=True)) == {"B": 0, "RIGHT": 1}
    assert codes(world.trace("RIGHT")) == {"RIGHT": 0, "B": 1}


def test_reused_containers(world: World) -> None:
    """A pallet that a process takes stands for what was inside it then, not before and not after."""
    for serial, code in ((1, "A"), (2, "B"), (3, "C")):
        world.bind(LOT, unit(serial), lot(code))
    world.pack(PALLET, unit(1), minute=1)
    world.pack(PALLET, "", minute=2, unpack=True)
    world.pack(PALLET, unit(2), minute=3)
    world.made("e", [PALLET], [lot("X")], minute=4)
    world.pack(PALLET, "", minute=5, unpack=True)
    world.pack(PALLET, unit(3), minute=6)
    assert codes(world.trace("X", back=True)) == {"X": 0, "B": 1}
    assert [codes(world.trace(one)) for one in "ABC"] == [{"A": 0}, {"B": 0, "X": 1}, {"C": 0}]
    contents = {(e.source[-1], e.event, e.until) for e in world.trace(PALLET, back=True).edges if e.kind == "content"}
    assert contents == {("A", "p1", when(2)), ("B", "p3", when(5)), ("C", "p6", None)}


def test_a_tank_that_is_filled_again(world: World) -> None:
    """A container of no known contents holds what it was last filled with."""
    world.made("fill1", [lot("A")], [TOTE], minute=1)
    world.made("draw1", [TOTE], [lot("X")], minute=2)
    world.made("fill2", [lot("B")], [TOTE], minute=3)
    world.made("draw2", [TOTE], [lot("Y")], minute=4)
    assert set(codes(world.trace("A"))) & set("XY") == {"X"}
    assert set(codes(world.trace("Y", back=True))) & set("AB") == {"B"}


def test_late_packing_list_and_nesting(world: World) -> None:
    """Cases in a pallet, items in the cases: told after the pallet was used, and found all the same."""
    world.made("e", [PALLET], [lot("X")], minute=4, location="plant")
    world.bind(LOT, unit(1), lot("A"))
    world.warehouse.lot_sightings([_inferred(lot("A"), unit(1), "e")])
    assert codes(world.trace("X", back=True)) == {"X": 0, PALLET: 1}
    world.pack(TOTE, unit(1), minute=1)
    world.pack(PALLET, TOTE, minute=2)
    assert codes(world.trace("X", back=True)) == {"X": 0, "A": 1}
    assert codes(world.trace("A")) == {"A": 0, "X": 1}
    assert codes(world.trace(unit(1))) == {unit(1): 0, "X": 1}
    assert codes(world.trace(TOTE)) == {TOTE: 0, "X": 1}


def test_unpacked_before_it_was_used(world: World) -> None:
    """What was unpacked before a pallet went on did not go on with it."""
    world.bind(LOT, unit(1), lot("A"))
    world.pack(PALLET, unit(1), minute=1)
    world.pack(PALLET, unit(1), minute=2, unpack=True)
    world.made("e", [PALLET], [lot("X")], minute=2)
    assert codes(world.trace(unit(1))) == {unit(1): 0}
    assert codes(world.trace("A")) == {"A": 0}
    assert codes(world.trace("X", back=True)) == {"X": 0, PALLET: 1}


def test_half_received(world: World) -> None:
    """Of ten shipped, six received are six; both facts are told, each by its event, with its line and party."""
    world.made("e", [lot("RAW")], [lot("A")])
    world.ship("A", "10")
    world.ship("A", "6", step="receiving", minute=8)
    found = world.trace("RAW").deliveries
    assert [(d.biz_step, d.amount, d.uom, d.event, d.receiver, d.line) for d in found] == [
        ("shipping", 10, "KGM", "s5", "417/1", "1"),
        ("receiving", 6, "KGM", "s8", "417/1", "1"),
    ]
    assert [d.event for d in world.trace("RAW", as_of=when(6)).deliveries] == ["s5"]


def test_returns_and_negative_stock(world: World) -> None:
    """Goods that come back, and more used than ever arrived, change nothing of what is reached."""
    world.ship("A", "10")
    world.ship("A", "10", step="receiving", minute=9, location="plant", document="recadv:9", party="")
    for n in range(3):
        world.made(f"e{n}", [lot("A")], [lot(f"B{n}")], minute=20)
    answer = world.trace("A")
    assert codes(answer) == {"A": 0, "B0": 1, "B1": 1, "B2": 1}
    assert [d.document for d in answer.deliveries] == ["desadv:7", "recadv:9"]


def test_units_that_were_shipped(world: World) -> None:
    """Units are counted by the event that shipped them, each once, without what was taken from the pallet before, as
    a late packing list says; the sender is the document line's."""
    world.warehouse.lot_sightings([_inferred(lot("A"), unit(n), "s") for n in (0, 1, 2, 2, 3)])
    left = _inferred(lot("A"), unit(3), "s").sighting
    gone = left._replace(form=left.form._replace(marks=9), edition=left.edition._replace(version=(0, 2)))
    world.warehouse.lot_sightings([LotSighting(lot("A"), 1, -1, gone)])
    line = DocumentLine(
        document="desadv:7", line="1", biz_step="shipping", event="s", at_us=T0, units=(PALLET,), from_party="417/0",
        to_party="417/1", recorded_us=T0,
    )  # fmt: skip
    world.warehouse.put("documents", [line.encode()])
    (found,) = world.trace("A").deliveries
    assert (found.items, found.amount, found.sender, found.receiver, found.event) == (3, None, "417/0", "417/1", "s")


def test_class_level_goods_on_a_pallet(world: World) -> None:
    """Who receives a pallet receives what was on it then: what was unpacked before it was shipped is not counted, and
    nothing twice; a process that takes the pallet takes of these lots."""
    on = {"source": "plant", "source_disposition": "", "location": PALLET, "document": "", "line": "", "party": ""}
    world.ship("A", "10", minute=-3, step="packing", **on)
    world.ship("A", "4", minute=-2, step="unpacking", **(on | {"source": PALLET, "location": "plant"}))
    portion = portion_of(PALLET, lot("A"))
    world.bind(LOT, portion, lot("A"), minute=-3)
    world.pack(PALLET, portion, minute=-3)
    world.warehouse.lot_sightings([_inferred(lot("A"), portion, "s")] * 2)
    world.made("e", [PALLET], [lot("X")], minute=4)
    answer = world.trace("A")
    assert codes(answer) == {"A": 0, "X": 1}
    assert [(d.event, d.amount, d.uom, d.receiver, d.line) for d in answer.deliveries] == [
        ("s", 6, "KGM", "417/1", "1")
    ]
    assert [(e.items, e.amount) for e in answer.edges if e.kind == "input"] == [(0, None)]
    assert codes(world.trace("X", back=True)) == {"X": 0, "A": 1}


def test_units_with_two_tags(world: World) -> None:
    """An RFID tag of 96 bits, one of 198, a URI and a barcode of one serial are one unit; '07' is not '7'."""
    world.bind(LOT, unit(7), lot("A"))
    world.made("e", [unit(7)], [lot("X")], minute=3)
    one = [codes(world.trace(text)) for text in (unit(7), f"https://id.gs1.org/{unit(7)}", f"(01){GTIN}(21)7")]
    one += [codes(world.trace(text)) for text in ("urn:epc:id:sgtin:0614141.900041.7", *_tags(7))]
    assert one == [{unit(7): 0, "X": 1}] * 6
    with pytest.raises(UnitMissing):
        world.trace(f"01/{GTIN}/21/07")


def test_where_everything_is_now(world: World) -> None:
    """Units and amounts of every lot that was reached, by place; facts that contradict each other are weighed."""
    world.made("e", [lot("A")], [lot("B")])
    world.ship("A", "10", step="commissioning", source="", source_disposition="", location="plant")
    seen = [_inferred(lot("B"), unit(n), "s") for n in (1, 2)]
    point = seen[1].sighting.form._replace(location="dock", context=Context("door", "r", 1, 1), how=0, lane="")
    seen.append(seen[1]._replace(sighting=seen[1].sighting._replace(form=point)))
    world.warehouse.lot_sightings(seen)
    for asked in ({}, {"as_of": when(9)}):
        with History(world.warehouse.settings, **asked) as history:
            answer = trace_of(history, ["A"], direction=Direction.FORWARD, where=True)
        found = [(at.lot[-1], at.location, at.disposition, at.items, at.amount) for at in answer.places]
        assert found == [
            ("A", "plant", "", 0, 10),
            ("B", "dock", "in_transit", 1, None),
            ("B", "store", "in_transit", 1, None),
        ]
    assert world.trace("A").places == ()


def test_supplier_lot_numbers(world: World) -> None:
    """A lot is found by the supplier's number, and its node says it."""
    world.told(lot("A"), supplier_code="SUP/1", description="Milk")
    world.made("e", [lot("A")], [lot("B")])
    answer = world.trace("SUP/1")
    assert codes(answer) == {"A": 0, "B": 1}
    assert (answer.nodes[0].supplier_code, answer.nodes[0].description) == ("SUP/1", "Milk")


def test_deleted_masters(world: World) -> None:
    """A lot whose every statement was taken back is traced by what happened to it."""
    for retracted in (False, True):
        world.told(lot("A"), retracted=retracted)
    world.made("e", [lot("A")], [lot("B")])
    assert codes(world.trace("A")) == {"A": 0, "B": 1}


def test_names_are_data(world: World) -> None:
    """Quotes, percent signs and slashes in a lot code are a lot code."""
    odd = f"01/{GTIN}/10/a%27%25%2Fb%22"
    world.made("e", [odd], [lot("B")])
    assert codes(world.trace(odd)) == {"a%27%25%2Fb%22": 0, "B": 1}
    assert codes(world.trace("a'%/b\"")) == {"a%27%25%2Fb%22": 0, "B": 1}


def test_what_is_not_known(world: World) -> None:
    """A lot or unit that nothing was ever said of is missing, not an empty trace."""
    with pytest.raises(LotMissing):
        world.trace("nothing")
    with pytest.raises(UnitMissing):
        world.trace(unit(12345))


def _tags(serial: int) -> list[str]:
    """EPC hex of the same item as SGTIN-96 and SGTIN-198 (TDS 1.13, 14.5.1), company prefix of seven digits."""
    item = f"{1:03b}{5:03b}{614141:024b}{900041:020b}"
    letters = "".join(f"{ord(letter):07b}" for letter in str(serial)).ljust(140, "0")
    bits = f"{0x30:08b}{item}{serial:038b}", f"{0x36:08b}{item}{letters}".ljust(208, "0")
    return [f"{int(one, 2):0{len(one) // 4}X}" for one in bits]


def _inferred(of: str, tag: str, event: str) -> LotSighting:
    """A unit inside a pallet that an event shipped."""
    one = sighting_of(
        tag,
        context=Context("dock", "", 0, 0),
        slot=T0 // 30_000_000,
        version=(0, 1),
        location="store",
        first_us=T0,
        last_us=T0,
        marks=1,
        how=2,
        lane=f"event:{event}",
        origin=PALLET,
        path=(PALLET,),
        recorded_us=T0,
        declaration=Declaration(event, "shipping", "in_transit", "desadv:7", "1", "417/1"),
    )
    return LotSighting(of, 1, -1, one)
