"""What stands for FNC1 in scanner data: the character 1D, and what keyboards, labels and logs make of it."""

from dataclasses import dataclass

from lotstream.schemas.identifiers.elements import FNC1, Elements, parse_raw
from lotstream.schemas.identifiers.errors import IdentifierInvalid


@dataclass(frozen=True, slots=True)
class Separators:
    """Substitutes of FNC1. `certain` cannot be data of any AI; `possible` could be, and count only where they
    cannot: when the data is invalid with them as data and valid with them as FNC1."""

    certain: tuple[str, ...] = ("{GS}", "[GS]", "␝", "\\x1d", "\\x1D", "\\u001d", "\\u001D", "^", "~", "|")
    possible: tuple[str, ...] = ("<GS>", "%1D", "%1d")


DEFAULT_SEPARATORS = Separators()


def restore_fnc1(body: str, separators: Separators) -> tuple[Elements, tuple[str, ...]]:
    """The elements of raw data with substitutes of FNC1, and warnings. Raises IdentifierInvalid."""
    for mark in separators.certain:
        body = body.replace(mark, FNC1)
    body = body.removeprefix(FNC1)
    marks = [mark for mark in separators.possible if mark in body]
    if not marks:
        return parse_raw(body), ()
    try:
        elements = parse_raw(body)
    except IdentifierInvalid:
        for mark in marks:
            body = body.replace(mark, FNC1)
        return parse_raw(body.removeprefix(FNC1)), ()
    return elements, tuple(f"{mark} is read as data; it looks like an FNC1 written out" for mark in marks)
