"""The mass balance of production, on the real engine."""

from decimal import Decimal
from typing import Any

import pytest

from lotstream.recall.find import DocumentMissing
from lotstream.recall.mass_answer import MassBalance
from lotstream.recall.mass_ask import mass_of_lot, mass_of_order
from lotstream.schemas.base import Evidence, Origin, Stamp
from lotstream.schemas.documents import DocumentLine, Effect, QuantityFact, Transformation
from lotstream.schemas.events import Action, EventType, Ilmd, Quantity, TraceEvent
from lotstream.schemas.identity import Binding, BindingRows
from lotstream.schemas.sightings import Declaration, How

NOW = 1_763_370_000_000_000
MINUTE = 60_000_000
ORDER = "prodorder:4711"
CAKE, FLOUR, FOIL = "90614141000411", "90614141000428", "90614141000435"


def lot(gtin: str, code: str = "A") -> str:
    return f"01/{gtin}/10/{code}"


def side(side: str, of: str, amount: str, uom: str = "KGM", *, minute: int = 0) -> bytes:
    """An input or output of the order."""
    return Transformation(
        side=side, lot=of, process="p1", event=f"e{minute}", at_us=NOW + minute * MINUTE, recorded_us=NOW,
        amount=Decimal(amount), uom=uom, location="plant", document=ORDER,
    ).encode()  # fmt: skip


def loss(of: str, amount: str, effect: Effect, **given: Any) -> bytes:
    """Something destroyed or corrected on the order."""
    return QuantityFact(
        lot=of, identity=f"{of}{effect}", revision=1, amount=Decimal(amount), uom="KGM", biz_step="", document=ORDER,
        evidence=Evidence.DECLARED, at_us=NOW + 9 * MINUTE, recorded_us=NOW, effect=effect,
        **({"source": "plant"} | given),
    ).encode()  # fmt: skip


@pytest.fixture
def order(warehouse: Any) -> Any:
    """Flour, foil and yesterday's cake went in, cake came out; some of the cake was burnt."""
    line = DocumentLine(document=ORDER, line="1", event="e0", biz_step="", at_us=NOW, recorded_us=NOW)
    warehouse.put("documents", [
        line.encode(), side("input", lot(FLOUR), "90"), side("input", lot(FOIL), "500", "H87"),
        side("input", lot(CAKE, "OLD"), "10000", "GRM"), side("output", lot(CAKE), "98", minute=5),
        loss(lot(CAKE), "8", Effect.DESTROYED), loss(lot(FLOUR), "3", Effect.DESTROYED),
        loss(lot(CAKE), "1", Effect.ADJUSTED),
    ])  # fmt: skip
    return warehouse


def terms(answer: MassBalance) -> dict[str, tuple[Any, ...]]:
    names = ("taken", "rework", "out", "waste", "adjusted", "unexplained", "percent", "verdict")
    return {line.uom: tuple(getattr(line, name) for name in names) for line in answer.lines}


def test_the_balance_of_an_order(order: Any) -> None:
    """In + rework = out + waste + adjusted + unexplained; packaging is among the inputs, in pieces of its own."""
    answer = mass_of_order(order.history, "4711", tolerance=Decimal(2))
    assert terms(answer) == {
        "KGM": (93, 10, 89, 11, 1, 2, Decimal("1.94"), "within"),
        "H87": (500, 0, 0, 0, 0, None, None, ""),
    }  # fmt: skip
    roles = {(one.role, one.lot, one.converted, one.converted_uom) for one in answer.entries}
    assert ("input", lot(FOIL), 500, "H87") in roles
    assert ("rework", lot(CAKE, "OLD"), 10, "KGM") in roles
    assert mass_of_order(order.history, ORDER, tolerance=Decimal(1)).lines[1].verdict == "outside"
    of_lot = mass_of_lot(order.history, lot(CAKE))
    assert (of_lot.orders, of_lot.lot, of_lot.lines[1].unexplained) == ((ORDER,), lot(CAKE), 2)
    with pytest.raises(DocumentMissing):
        mass_of_order(order.history, "4712")


def test_units_destroyed_on_the_order_are_waste(order: Any, make: Any) -> None:
    """Of cakes with serials those that were destroyed on the order are waste, each once; others, and what was taken
    back, are not."""
    whole = Transformation(
        side="output", lot=lot(CAKE), process="p1", event="e7", at_us=NOW, recorded_us=NOW, items=10,
        location="plant", document=ORDER,
    )  # fmt: skip
    order.put("documents", [whole.encode()])
    burnt = Declaration("d1", "destroying", "destroyed", ORDER, "", "")
    order.lot_sightings([
        make.lot_sighting(
            lot(CAKE), tag=f"01/{CAKE}/21/{serial}", lane="event:d1", how=int(How.DECLARED),
            version=(0, version), declaration=burnt._replace(**more), marks=marks,
        )
        for serial, version, marks, more in (
            (1, 1, 1, {}), (1, 2, 1, {}), (2, 1, 1, {}), (3, 1, 1, {"document": "other:1"}),
            (4, 1, 1, {"disposition": ""}), (5, 1, 1, {}), (5, 2, 9, {}),
        )
    ])  # fmt: skip
    items = next(line for line in mass_of_order(order.history, ORDER).lines if line.uom == "items")
    assert (items.out, items.waste) == (8, 2)


def test_production_is_every_process_that_made_some(order: Any) -> None:
    """Of a lot a process counts that made units of it by name; one that made some only by what was taken back does not,
    and is on no order."""
    unit, known = f"01/{CAKE}/21/7", {"at_us": NOW, "recorded_us": NOW}
    bound = Binding(0, unit, -1, -1, lot(CAKE), 0, NOW, "b", 0, NOW)
    order.put("identity", [BindingRows([bound]).encode()])
    named = Transformation(side="output", lot="", units=(unit,), items=1, process="p2", event="e8", **known)
    wrong = Transformation(side="output", lot=lot(CAKE), process="p3", event="e9", document="prodorder:9", **known)
    other = Transformation(side="output", lot=lot(CAKE, "B"), process="p3", event="e10", **known)
    back = wrong.model_copy(update={"retracted": True})
    order.put("documents", [one.encode() for one in (named, wrong, other, back)])
    assert mass_of_lot(order.history, lot(CAKE)).processes == ("p1", "p2")
    with pytest.raises(DocumentMissing):
        mass_of_order(order.history, "prodorder:9")


def test_the_tolerance_of_the_product(order: Any) -> None:
    """What may be missing is read from the newest master data of what is made."""
    assert mass_of_order(order.history, ORDER).tolerance is None
    for name, percent in (("m1", "5"), ("m2", "1.5")):
        text = (
            '{"type":"ObjectEvent","quantityList":[{"epcClass":"https://id.gs1.org/01/' + CAKE + '"}],"ilmd":'
            '{"cbvmda:descriptionShort":"Cake","lotstream:balanceTolerance":"' + percent + '"}}'
        )
        event = TraceEvent(
            event_type=EventType.OBJECT, action=Action.ADD, event_hash=name, event_time_us=NOW, text=text, subject="s",
            quantities=(Quantity(epc_class=f"01/{CAKE}"),), ilmd=Ilmd(),
            stamp=Stamp(received_us=NOW + int(name[1]), origin=Origin.LIVE, source="erp", request="r"),
        )  # fmt: skip
        order.put("events", [event.encode()])
    answer = mass_of_order(order.history, ORDER)
    assert (answer.tolerance, answer.lines[1].verdict) == (Decimal("1.5"), "outside")
