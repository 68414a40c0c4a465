"""Dictionary coding: each value once, and an index into these per row."""

from collections.abc import Iterable, Sequence
from typing import Any


def coded(values: Iterable[Any]) -> tuple[list[Any], list[int]]:
    """(distinct values in order of appearance, index per value)."""
    seen: dict[Any, int] = {}
    index = [seen.setdefault(value, len(seen)) for value in values]
    return list(seen), index


def used(values: Sequence[Any], index: Sequence[int]) -> tuple[list[Any], list[int]]:
    """(the values that an index of them names, each once; the same index among these)."""
    seen: dict[Any, int] = {}
    place = {one: seen.setdefault(values[one], len(seen)) for one in dict.fromkeys(index)}
    return list(seen), list(map(place.__getitem__, index))
