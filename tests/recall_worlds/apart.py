"""Worlds side by side in one history: each has products, pallets, events, processes and documents of its own.

Places and parties they share: what one world has in the store must not be told of another.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from lotstream.sinks.rows import COLUMNS, Row
from tests.worlds.world import GTIN

MOST = 100  # worlds: the number of one has two digits
_PREFIX = GTIN[:13]  # of GTINs and SSCCs alike
_OWN = frozenset({"event", "process", "document"})
_NUMBERED = re.compile(r"\b\d\d~")


def _weighed(digits: str) -> int:
    """What the check digits of a GTIN-14 and an SSCC-18 with this beginning depend on."""
    return sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(digits)) % 10


_ALIKE = (digits for number in range(10 * MOST) if _weighed(digits := f"0952{number:09d}") == _weighed(_PREFIX))
PREFIXES = (_PREFIX, *islice(_ALIKE, MOST - 1))  # each with the check digits of the first
_NUMBERS = {prefix: number for number, prefix in enumerate(PREFIXES)}


def apart(number: int, table: str, rows: Iterable[Row]) -> list[Row]:
    """Rows of a table with the names of one world among others; within it they sort as they did."""
    own = [name in _OWN for name in COLUMNS[table]]
    lanes = [name == "lane" for name in COLUMNS[table]]
    return [
        tuple(_renamed(value, number, own=mine, lane=lane) for value, mine, lane in zip(row, own, lanes, strict=True))
        for row in rows
    ]


def _renamed(value: Any, number: int, *, own: bool = False, lane: bool = False) -> Any:
    if isinstance(value, str):
        if lane:
            return value.replace("event:", f"event:{number:02d}~")
        return f"{number:02d}~{value}" if own and value else value.replace(_PREFIX, PREFIXES[number])
    if isinstance(value, list | tuple):
        return [_renamed(one, number) for one in value]
    return value


def named(number: int, key: str) -> str:
    """A lot or a unit of a world as it is called among others."""
    return key.replace(_PREFIX, PREFIXES[number])


def plain(text: str) -> str:
    """What a name among others is called in its own world."""
    for prefix in _found(text):
        text = text.replace(prefix, _PREFIX)
    return _NUMBERED.sub("", text)


def number_of(texts: Sequence[str]) -> int:
    """Whose world the first name is of that says it."""
    for text in texts:
        for prefix in _found(text):
            return _NUMBERS[prefix]
        if _NUMBERED.match(text):
            return int(text[:2])
    raise ValueError(f"Expected the name of something of a world, got {texts!r}.")


def _found(text: str) -> Iterable[str]:
    return [text[at : at + 13] for at in (text.find("0952"),) if at >= 0 and text[at : at + 13] in _NUMBERS]
