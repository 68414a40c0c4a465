"""JSON without its soft spots: exact numbers, no member twice, nothing that another parser would read otherwise."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from lotstream.runtime.errors import Reason, Rejected

_BOM = b"\xef\xbb\xbf"
_LARGEST_EXPONENT = 400
# no part of what an event is, so that it does not matter which one counts; documents that GS1 published have two
MAY_BE_TWICE = "eventID"


@dataclass(frozen=True, slots=True)
class Marked:
    """What is in a JSON text, with the members that some object of it has twice: id of the object -> their names."""

    text: str
    value: Any
    twice: Mapping[int, tuple[str, ...]]


def parse_json(value: bytes) -> tuple[str, Any]:
    """The text and what is in it; numbers exact; of two event ids the last. Raises Rejected (json_invalid)."""
    return _parsed(value, _once)


def parse_marked(value: bytes) -> Marked:
    """The same with all members that are there twice, the last of them counting. Raises Rejected (json_invalid)."""
    twice: dict[int, tuple[str, ...]] = {}

    def mark(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice[id(found)] = tuple(name for name, count in counts.items() if count > 1)
        return found

    text, found = _parsed(value, mark)
    return Marked(text, found, twice)


def _parsed(value: bytes, objects: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> tuple[str, Any]:
    value = value.removeprefix(_BOM)
    try:
        # strict in what Python's own parser lets pass: NaN, lone surrogates, invalid UTF-8, boundless depth
        orjson.loads(value)
        text = value.decode()
        return text, json.loads(text, parse_float=_exact, object_pairs_hook=objects)
    except (orjson.JSONDecodeError, InvalidOperation) as error:
        raise Rejected(Reason.JSON_INVALID, f"Expected JSON in UTF-8, got {error}.") from None
    except (ValueError, RecursionError) as error:
        raise Rejected(Reason.JSON_INVALID, f"Expected JSON within bounds, got {error}.") from None


def _exact(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError(f"the number {text[:40]}")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        for name, count in Counter(name for name, _ in pairs).items():
            if count > 1 and name != MAY_BE_TWICE:
                raise ValueError(f"the member {name!r} twice")
    return found
