"""What the models found wrong, in the project's words: "Expected X, got Y." with the member's dotted path."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lotstream.runtime.errors import Reason, Rejected

_SHOWN = 120
_WORDS = {
    "missing": "a value",
    "extra_forbidden": "a member of EPCIS 2.0, or an extension with its namespace",
    "string_type": "text",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "bool_type": "true or false",
    "union_tag_not_found": "a type",
}


def schema_invalid(error: ValidationError, *, tags: frozenset[str]) -> Rejected:
    """The first problem as a Rejected; `tags` are the union members that pydantic puts into paths."""
    problem = error.errors(include_url=False)[0]
    path = [str(part) for part in problem["loc"] if part not in tags]
    # the members of a union of scalars are no members of the event
    while path and path[-1] in ("int", "decimal", "str", "list[str]"):
        path.pop()
    return Rejected(
        Reason.SCHEMA_INVALID,
        f"Expected {_expected(problem)}, got {_got(problem, path)}.",
        field=".".join(path) or None,
    )


def _expected(problem: ErrorDetails) -> str:
    known = _WORDS.get(problem["type"])
    if known:
        return known
    if problem["type"] in ("int_type", "decimal_type", "is_instance_of"):
        return "a number"
    if problem["type"] == "string_pattern_mismatch":
        return f"text of the form {problem['ctx']['pattern']}"
    if problem["type"] == "too_short":
        return f"at least {problem['ctx']['min_length']} item"
    text = problem["msg"].removeprefix("Value error, ").removeprefix("Input should ").removeprefix("be ")
    return text[:1].lower() + text[1:] if text[:2] != text[:2].upper() else text


def _got(problem: ErrorDetails, path: list[str]) -> str:
    if problem["type"] == "missing":
        return "none"
    if problem["type"] == "extra_forbidden":
        return repr(path[-1])
    return _shown(problem.get("input"))


def _shown(value: Any) -> str:
    text = f"an object with {', '.join(map(str, value)) or 'nothing'}" if isinstance(value, dict) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
