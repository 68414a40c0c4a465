"""A balance in one unit of measure, by the conversions in force."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from lotstream.recall.together import together

T0 = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fact(amount: str, uom: str, hour: int, **given: Any) -> dict[str, Any]:
    """A quantity fact as its query has it."""
    known = {
        "source": "", "source_disposition": "", "location": "plant", "disposition": "", "uom": uom, "effect": "made",
        "evidence": "declared", "document": "", "amount": Decimal(amount), "cases": 0, "at": T0 + hour * HOUR,
        "since": T0, "newest": T0, "recorded_at": T0, "identity": f"{hour} {uom}",
    }  # fmt: skip
    return known | given


def rate(uom: str, factor: str, to: str, hour: int = 0) -> dict[str, Any]:
    return {"uom": uom, "factor": Decimal(factor), "to_uom": to, "at": T0 + hour * HOUR}


def line(*facts: dict[str, Any], rates: tuple[dict[str, Any], ...] = ()) -> Any:
    return together(facts, rates, carried=(), kinds={})


def test_pallets_of_cases_of_kilograms() -> None:
    """Conversions follow each other, and end in the unit of the kind."""
    found = line(
        fact("2", "XPX", 1), fact("500", "GRM", 1), rates=(rate("XPX", "40", "XCS"), rate("XCS", "12.5", "KGM"))
    )
    assert (found.uom, found.made) == ("KGM", Decimal("1000.5"))


def test_units_of_one_kind_need_no_conversion_of_the_product() -> None:
    """Pounds and kilograms are mass, whatever of."""
    assert line(fact("1000000", "LBR", 1), fact("1", "KGM", 1)).made == Decimal("453593.37")


def test_one_unit_or_units_that_do_not_convert_have_no_common_line() -> None:
    """Nothing is added that cannot be; a conversion that was not in force yet converts nothing."""
    assert line(fact("2", "KGM", 1)) is None
    assert line(fact("2", "KGM", 1), fact("2", "LTR", 1)) is None
    assert line(fact("2", "KGM", 1), fact("2", "XCS", 1), rates=(rate("XCS", "12.5", "KGM", hour=2),)) is None


def test_conversions_in_a_circle_end() -> None:
    """Two units that are each other's lead nowhere, and that is said by saying nothing."""
    circle = (rate("XCS", "2", "XBX"), rate("XBX", "2", "XCS"))
    assert line(fact("1", "XCS", 1), fact("1", "KGM", 1), rates=circle) is None


def test_a_count_in_kilograms_counts_cases_too() -> None:
    """In one unit a count says what there is all in all: the difference is to all that was booked."""
    counted = fact("30", "KGM", 2, effect="counted")
    found = line(fact("2", "XCS", 1), fact("10", "KGM", 1), counted, rates=(rate("XCS", "12.5", "KGM"),))
    assert (found.made, found.on_hand, found.adjusted, found.unexplained) == (35, 30, 5, 0)
