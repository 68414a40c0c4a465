"""JSON without its soft spots: exact numbers, no member twice, nothing that another parser would read otherwise."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from lotstream.runtime.errors import Reason, Rejected

_BOM = b"\xef\xbb\xbf"
_LARGEST_EXPONENT = 400


def parse_json(value: bytes) -> tuple[str, Any]:
    """The text and what is in it; numbers exact. Raises Rejected (json_invalid)."""
    value = value.removeprefix(_BOM)
    try:
        # strict in what Python's own parser lets pass: NaN, lone surrogates, invalid UTF-8, boundless depth
        orjson.loads(value)
        text = value.decode()
        return text, json.loads(text, parse_float=_exact, object_pairs_hook=_once)
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
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice!r} twice")
    return found
