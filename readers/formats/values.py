"""Checked values of vendor messages: times, tag words, numbers. Everything raises Rejected with field and value."""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import LATEST_US, NOT_REPORTED

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEPARATORS = ("T", " ")
_HEX = re.compile(r"(?:[0-9A-F]{2}){1,200}")
_HEX_ONLY = re.compile(r"[0-9A-F]+|[0-9a-f]+")
MAX_TEXT = 200
MAX_WORD = 400  # digits


def wrong(field: str, expected: str, *, got: object, reason: Reason = Reason.SCHEMA_INVALID) -> Rejected:
    """'Expected X at field, got Y.'"""
    shown = repr(got)
    return Rejected(
        reason,
        f"Expected {expected} at {field}, got {shown if len(shown) <= 120 else shown[:117] + '...'}.",
        field=field,
    )


def time_us(value: object, field: str) -> int:
    """An ISO 8601 instant with its offset, as us since the epoch; digits beyond the microsecond are dropped."""
    if type(value) is not str or value[10:11] not in _SEPARATORS:
        raise wrong(field, "an ISO 8601 instant", got=value)
    try:
        delta = datetime.fromisoformat(value) - _EPOCH
    except ValueError:
        raise wrong(field, "an ISO 8601 instant", got=value) from None
    except TypeError:
        raise wrong(field, "an instant with its offset from UTC", got=value) from None
    instant_us = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    return instant_us if 0 <= instant_us < LATEST_US else in_calendar(instant_us, field, got=value)


def in_calendar(instant_us: int, field: str, *, got: object) -> int:
    """``instant_us`` when it lies in 1970..2099. Raises Rejected (time_implausible)."""
    if 0 <= instant_us < LATEST_US:
        return instant_us
    raise wrong(field, "an instant of 1970..2099", got=got, reason=Reason.TIME_IMPLAUSIBLE)


def hex_word(value: object, field: str) -> str:
    """A memory bank as whole bytes in upper-case hex, without changing a digit."""
    found = bank(value) if type(value) is str and len(value) <= MAX_WORD else ""
    if not found:
        raise wrong(field, "whole bytes in hex", got=value, reason=Reason.IDENTIFIER_INVALID)
    return found


@lru_cache(maxsize=1 << 16)
def bank(value: str) -> str:
    """The same of at most MAX_WORD characters; '' for what is none. Not of more: it is remembered."""
    word = value.upper()
    return word if _HEX.fullmatch(word) else ""


@lru_cache(maxsize=1 << 16)
def base64_word(value: str, field: str) -> str:
    """A memory bank in base64 (either alphabet) as upper-case hex. Text that could as well be hex is refused."""
    if type(value) is not str or not value:
        raise wrong(field, "base64", got=value, reason=Reason.IDENTIFIER_INVALID)
    if _HEX_ONLY.fullmatch(value):
        raise wrong(field, "base64, not hex digits,", got=value, reason=Reason.IDENTIFIER_INVALID)
    try:
        word = base64.b64decode(value.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise wrong(field, "base64", got=value, reason=Reason.IDENTIFIER_INVALID) from None
    if not word:
        raise wrong(field, "base64 of at least a byte", got=value, reason=Reason.IDENTIFIER_INVALID)
    return word.hex().upper()


def whole(value: object, field: str, *, low: int, high: int) -> int:
    """An integer in low..high; None is NOT_REPORTED."""
    if value is None:
        return NOT_REPORTED
    if type(value) is not int:
        raise wrong(field, "a whole number", got=value)
    if not low <= value <= high:
        raise wrong(field, f"{low}..{high}", got=value, reason=Reason.VALUE_OUT_OF_RANGE)
    return value


def scaled(value: object, field: str, *, by: int, low: int, high: int) -> int:
    """A number times ``by``, rounded, in low..high (after scaling); None is NOT_REPORTED."""
    if value is None:
        return NOT_REPORTED
    if type(value) is not int and type(value) is not float:
        raise wrong(field, "a number", got=value)
    number = value * by
    if not low <= number <= high:
        raise wrong(field, f"{low / by:g}..{high / by:g}", got=value, reason=Reason.VALUE_OUT_OF_RANGE)
    return round(number)


def port(value: object, field: str) -> int:
    """An antenna port 1..255, or 0 when the reader did not say."""
    if value is None:
        return 0
    if type(value) is not int:
        raise wrong(field, "a whole number", got=value)
    if not 0 <= value <= 255:
        raise wrong(field, "0..255", got=value, reason=Reason.VALUE_OUT_OF_RANGE)
    return value


def text(value: object, field: str) -> str:
    """A short text; None is ''."""
    if value is None:
        return ""
    if type(value) is not str or len(value) > MAX_TEXT:
        raise wrong(field, f"a text of at most {MAX_TEXT} characters", got=value)
    return value


def member(value: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """The object at ``field`` of an object."""
    inner = value.get(field)
    if type(inner) is not dict:
        raise wrong(field, "an object", got=inner)
    return inner
