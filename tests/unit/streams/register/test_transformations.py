"""What was made out of what, as facts: sides of a transformation."""

from decimal import Decimal
from typing import Any

from lotstream.schemas.documents import Transformation
from lotstream.schemas.events import EventType, Ilmd, Quantity, Typed

GTIN = "09521234543213"
RAW, CHEESE = f"01/{GTIN}/10/RAW", f"01/{GTIN}/10/CHEESE"


def kilos(lot: str, amount: str) -> Quantity:
    return Quantity(epc_class=lot, quantity=Decimal(amount), uom="KGM")


def sides(register: Any, **fields: Any) -> list[Transformation]:
    event = register.event(event_type=EventType.TRANSFORMATION, biz_location="dairy", **fields)
    return [fact for fact in register.facts(event)["documents.v1"] if isinstance(fact, Transformation)]


def test_partial_quantities_in_and_out(register: Any) -> None:
    """Each lot of each side is one fact with its own amount; what a lot is worked into may be itself."""
    found = sides(
        register,
        input_quantities=(kilos(RAW, "100"), kilos(CHEESE, "2")),
        output_quantities=(kilos(CHEESE, "12.5"),),
        documents=(Typed(type="prodorder", id="5"),),
    )
    assert {(fact.side, fact.lot, fact.amount, fact.uom) for fact in found} == {
        ("input", RAW, Decimal(100), "KGM"),
        ("input", CHEESE, Decimal(2), "KGM"),
        ("output", CHEESE, Decimal("12.5"), "KGM"),
    }
    assert {(fact.process, fact.document, fact.location) for fact in found} == {("hash", "prodorder:5", "dairy")}


def test_events_of_one_transformation_share_its_process(register: Any) -> None:
    """Inputs told in one event and outputs in another meet under the transformation's id."""
    poured = sides(register, event_hash="a", transformation_id="batch/7", input_quantities=(kilos(RAW, "100"),))
    made = sides(register, event_hash="b", transformation_id="batch/7", output_quantities=(kilos(CHEESE, "9"),))
    assert [(fact.process, fact.event) for fact in poured + made] == [("batch/7", "a"), ("batch/7", "b")]


def test_units_made_are_counted_by_the_lot_that_the_event_names(register: Any) -> None:
    """Serialised outputs of a lot are a number, since their bindings name them; inputs are named."""
    case = "00/195212345432100015"
    made = tuple(f"01/{GTIN}/21/{serial}" for serial in (1, 2, 3, "X"))
    found = sides(register, inputs=(case, case), outputs=made, ilmd=Ilmd(lot="CHEESE"))
    assert {(fact.side, fact.lot, fact.items, fact.units) for fact in found} == {
        ("input", "", 1, (case,)),
        ("output", CHEESE, 4, ()),
    }


def test_units_without_a_lot_are_named(register: Any) -> None:
    """Outputs whose lot is not said are found by their bindings: they are named, in messages of bounded size."""
    made = tuple(f"01/{GTIN}/21/{serial}" for serial in range(1500))
    found = sides(register, outputs=made)
    assert [(fact.part, fact.items) for fact in found] == [(0, 1000), (1, 500)]
    assert tuple(tag for fact in found for tag in fact.units) == made


def test_an_error_declaration_takes_back_every_side(register: Any) -> None:
    """The same sides come as retracted."""
    given: dict[str, Any] = {"input_quantities": (kilos(RAW, "9"),), "output_quantities": (kilos(CHEESE, "8"),)}
    assert [fact.retracted for fact in sides(register, wrong=True, **given)] == [True, True]


def test_nothing_else_transforms(register: Any) -> None:
    """An event of another type has no sides."""
    event = register.event(quantities=(kilos(RAW, "1"),), biz_location="dairy")
    assert not any(isinstance(fact, Transformation) for fact in register.facts(event)["documents.v1"])
