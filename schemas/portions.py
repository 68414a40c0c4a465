"""Class-level goods of a lot inside a logistic unit: the portion has a key of its own, and goes where the unit goes.

A portion of lot 01/G/10/L in unit U is 02/G/10/L/U, after the elements (02)(10) of the unit's label. How much is in it
is the ledger's: quantity facts name the unit as a location.
"""

_PORTION = "02/"
_UNITS = ("00/", "8003/", "8004/")


def portion_of(unit: str, lot: str) -> str:
    """The key of what a unit holds of a lot."""
    return f"{_PORTION}{lot[3:]}/{unit}"


def unit_of(key: str) -> str:
    """The unit that holds the portion of this key; '' when it is no portion."""
    return key.split("/", 4)[4] if key.startswith(_PORTION) else ""


def is_portion(key: str) -> bool:
    """Whether a key is that of a portion, which is no GS1 key."""
    return key.startswith(_PORTION)


def is_unit(place: str) -> bool:
    """Whether a place is a logistic unit (SSCC, GRAI, GIAI) instead of a location."""
    return place.startswith(_UNITS)
