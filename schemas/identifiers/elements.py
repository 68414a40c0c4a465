"""Element strings: raw with FNC1 between them, or bracketed as printed below the bars; and which AIs go together.

General Specifications, sections 4.13 (human readable), 4.14 (associations), 7.8 (processing of data strings).
"""

from collections.abc import Iterable

from lotstream.schemas.identifiers.ai import SPECS, AiSpec, find_ai, matches
from lotstream.schemas.identifiers.content import require_value
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule

FNC1 = "\x1d"
Elements = tuple[tuple[str, str], ...]

_MOST = 64
_LONGEST_AI = 4
_SERIALISED = {"253": 13, "255": 13, "8003": 14}  # length without serial; a signature needs one
_SIGNATURE = "8030"


def parse_raw(data: str) -> Elements:
    """The elements of `data`, which starts behind the leading FNC1. Raises IdentifierInvalid."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(data):
        spec = _spec_at(data, at)
        at += len(spec.ai)
        end = data.find(FNC1, at)
        end = len(data) if end < 0 else end
        if spec.fixed:
            end = min(end, at + spec.longest)
        found.append((spec.ai, _value(spec, data[at:end])))
        at = end + (data[end : end + 1] == FNC1)
    return _not_empty(found, data)


def parse_bracketed(text: str) -> Elements:
    r"""The elements of `(01)…(10)…`; a bracket inside a value is written `\(`. Raises IdentifierInvalid."""
    if not text.startswith("("):
        raise IdentifierInvalid(Rule.FORM, "an AI in brackets", repr(text[:8]), text)
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        close = text.find(")", at)
        ai = text[at + 1 : close] if close > 0 else text[at + 1 :]
        spec = SPECS.get(ai)
        if spec is None or close < 0:
            raise IdentifierInvalid(Rule.UNKNOWN_AI, "a known AI in brackets", repr(ai[:8]), text)
        end = _next_bracket(text, close + 1)
        found.append((ai, _value(spec, text[close + 1 : end].replace(r"\(", "("))))
        at = end
    return _not_empty(found, text)


def format_raw(elements: Iterable[tuple[str, str]], *, fnc1: str = FNC1) -> str:
    """The element string behind the leading FNC1: a separator only where the next AI needs one."""
    parts: list[str] = []
    open_end = False
    for ai, value in elements:
        parts.append(f"{fnc1 if open_end else ''}{ai}{value}")
        open_end = not SPECS[ai].fixed
    return "".join(parts)


def format_bracketed(elements: Iterable[tuple[str, str]]) -> str:
    """The elements as printed below the bars, brackets inside values escaped."""
    return "".join(f"({ai}){value.replace('(', chr(92) + '(')}" for ai, value in elements)


def require_no_conflict(elements: Elements) -> None:
    """No AI twice with two values, none beside one that it excludes. Raises IdentifierInvalid."""
    where = format_bracketed(elements)
    values: dict[str, str] = {}
    for ai, value in elements:
        if values.setdefault(ai, value) != value:
            raise IdentifierInvalid(Rule.REPEATED, f"one value of AI ({ai})", f"{values[ai]!r} and {value!r}", where)
    for ai in values:
        for pattern in SPECS[ai].excludes if ai in SPECS else ():
            for other in values:
                if other != ai and matches(pattern, other):
                    raise IdentifierInvalid(Rule.EXCLUDED, f"AI ({ai}) without ({other})", "both", where)


def require_associations(elements: Elements) -> None:
    """Every AI stands beside those it needs. Raises IdentifierInvalid (required).

    The rule holds over all symbols on one label: check their elements together.
    """
    names = [ai for ai, _ in elements]
    for ai in names:
        for choices in SPECS[ai].requires if ai in SPECS else ():
            if not any(all(_present(pattern, names) for pattern in choice) for choice in choices):
                wanted = " or ".join("+".join(f"({ai})" for ai in choice) for choice in choices)
                raise IdentifierInvalid(Rule.REQUIRED, f"{wanted} beside AI ({ai})", "none", format_bracketed(elements))


def require_signed_serial(elements: Elements) -> None:
    """A digital signature (8030) stands beside a key with its serial. Raises IdentifierInvalid (required)."""
    if any(ai == _SIGNATURE for ai, _ in elements):
        for ai, value in elements:
            if len(value) <= _SERIALISED.get(ai, -1):
                raise IdentifierInvalid(Rule.REQUIRED, f"a serial in AI ({ai})", "none", format_bracketed(elements))


def _present(pattern: str, names: list[str]) -> bool:
    return any(matches(pattern, name) for name in names)


def _spec_at(data: str, at: int) -> AiSpec:
    spec = find_ai(data, at)
    if spec is None:
        raise IdentifierInvalid(Rule.UNKNOWN_AI, "a known AI", repr(data[at : at + _LONGEST_AI]), data)
    return spec


def _value(spec: AiSpec, value: str) -> str:
    if not value:
        raise IdentifierInvalid(Rule.LENGTH, f"a value of AI ({spec.ai})", "none", f"({spec.ai})")
    return require_value(spec, value)


def _next_bracket(text: str, start: int) -> int:
    at = text.find("(", start)
    while at > 0 and text[at - 1] == "\\":
        at = text.find("(", at + 1)
    return len(text) if at < 0 else at


def _not_empty(found: list[tuple[str, str]], data: str) -> Elements:
    if not 0 < len(found) <= _MOST:
        raise IdentifierInvalid(Rule.LENGTH, f"1 to {_MOST} elements", str(len(found)), data)
    return tuple(found)
