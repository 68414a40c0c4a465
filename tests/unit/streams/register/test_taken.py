"""Which lots the register remembers: those whose GTIN's claims it decides."""

from decimal import Decimal
from typing import Any

from lotstream.schemas.events import Action, Ilmd, Quantity

GTIN, OTHER = "09521234543213", "90614141000411"


def made(register: Any, subject: str, gtin: str) -> Any:
    """So much of a lot is made."""
    goods = Quantity(epc_class=f"01/{gtin}", quantity=Decimal(1), uom="KGM")
    return register.event(action=Action.ADD, quantities=(goods,), ilmd=Ilmd(lot="A"), subject=subject)


def test_a_lot_of_the_partition_is_remembered(register: Any) -> None:
    """Once, however often it is named."""
    register.facts(made(register, GTIN, GTIN))
    assert list(register.core.changes()) == [f"01/{GTIN}/10/A".encode()]
    register.facts(made(register, GTIN, GTIN), offset=12)
    assert register.core.changes() == {}


def test_a_lot_of_another_gtin_is_not(register: Any) -> None:
    """It is none of the claims that are decided here, and would only take room."""
    register.facts(made(register, GTIN, OTHER))
    assert register.core.changes() == {}
