"""Whether a value of variable length looks as if it had swallowed the element behind it (its FNC1 is missing).

A guess for a warning: the value itself is never touched.
"""

from lotstream.schemas.identifiers.ai import SPECS, find_ai
from lotstream.schemas.identifiers.elements import FNC1, parse_raw, require_associations, require_no_conflict
from lotstream.schemas.identifiers.errors import IdentifierInvalid

_STRONG = frozenset({"00", "01", "02", "11", "12", "13", "15", "16", "17"})  # a date or check digit speaks for it
_LIKELY = frozenset({"10", "21", "30", "37"})


def swallowed_ai(ai: str, value: str, *, present: set[str]) -> str | None:
    """The AI that seems to begin inside a value of `ai`, or None; `present` are the AIs of the message."""
    if SPECS[ai].fixed or FNC1 in value:
        return None
    for start in range(1, len(value) - 2):
        inner = find_ai(value, start)
        if inner is None or inner.ai in present or not _is_plausible(inner.ai, value=value, start=start):
            continue
        try:
            rest = parse_raw(value[start:])
            together = (*((name, "") for name in present), *rest)
            require_no_conflict(together)
            require_associations(together)
        except IdentifierInvalid:
            continue
        return inner.ai
    return None


def _is_plausible(inner: str, *, value: str, start: int) -> bool:
    """A bare (21) or (10) is believed only where letters turn into digits: many lots hold a 21 somewhere."""
    if inner in _STRONG or inner[:2] in ("31", "32"):
        return True
    return inner in _LIKELY and not value[start - 1].isdigit()
