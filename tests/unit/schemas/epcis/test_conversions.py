"""Conversions between units of measure as a product's master data give them."""

from decimal import Decimal
from typing import Any

import pytest

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.events import Conversion


def test_conversions_of_a_product(traced: Any, commissioned: dict[str, Any]) -> None:
    """`…:unitConversions`, in whatever namespace: one unit is so many of another, several behind semicolons."""
    said = {"ex:unitConversions": "XCS = 12.5 KGM; 1 XPX=40 XCS"}
    ilmd = traced(commissioned | {"ilmd": {"cbvmda:lotNumber": "A", **said}}).ilmd
    assert ilmd.conversions == (
        Conversion(uom="XCS", factor=Decimal("12.5"), to="KGM"),
        Conversion(uom="XPX", factor=Decimal(40), to="XCS"),
    )


@pytest.mark.parametrize(
    "text",
    ["12.5 KGM", "XCS = 0 KGM", "XCS = -1 KGM", "XCS = 12.5 kg", "XCS = 2 XCS", "2 XCS = 25 KGM", "XCS = 1e3 KGM"],
)
def test_what_is_no_conversion_is_refused(traced: Any, commissioned: dict[str, Any], text: str) -> None:
    """A conversion that is none is told with what was expected, and the event is refused."""
    with pytest.raises(Rejected, match="Expected a conversion between two units") as refused:
        traced(commissioned | {"ilmd": {"cbvmda:lotNumber": "A", "ex:unitConversions": text}})
    assert refused.value.reason is Reason.UNIT_UNKNOWN
