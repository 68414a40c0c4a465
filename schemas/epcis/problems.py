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
    "string_too_short": "text that is not empty",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "bool_type": "true or false",
    "union_tag_not_found": "a type",
}
# the members of a union are no members of the event
_BRANCHES = frozenset({"int", "decimal", "str", "dict[str,object]"})


Path = tuple[str | int, ...]


def schema_problems(error: ValidationError, *, tags: frozenset[str]) -> dict[Path, Rejected]:
    """Each problem by its path, one for a member; `tags` are the union members that pydantic puts into paths."""
    found: dict[Path, Rejected] = {}
    for problem in error.errors(include_url=False):
        path = tuple(part for part in problem["loc"] if part not in tags and part not in _BRANCHES)
        if path not in found:
            detail = f"Expected {_expected(problem)}, got {_got(problem, path)}."
            found[path] = Rejected(Reason.SCHEMA_INVALID, detail, field=".".join(map(str, path)) or None)
    return found


def _expected(problem: ErrorDetails) -> str:
    known = _WORDS.get(problem["type"])
    if known:
        return known
    if problem["type"] == "enum" and not isinstance(problem["input"], str):
        return "text"
    if problem["type"] in ("int_type", "decimal_type", "is_instance_of"):
        return "a number"
    if problem["type"] == "string_pattern_mismatch":
        return f"text of the form {problem['ctx']['pattern']}"
    if problem["type"] == "too_short":
        return f"at least {problem['ctx']['min_length']} item"
    text = problem["msg"].removeprefix("Value error, ").removeprefix("Input should ").removeprefix("be ")
    return text[:1].lower() + text[1:] if text[:2] != text[:2].upper() else text


def _got(problem: ErrorDetails, path: Path) -> str:
    if problem["type"] == "missing":
        return "none"
    if problem["type"] == "extra_forbidden":
        return repr(str(path[-1]))
    return shown(problem.get("input"))


def shown(value: Any) -> str:
    """A value in a sentence: not the whole of an object, nor of a long text."""
    if value is None:
        return "null"
    text = f"an object with {', '.join(map(str, value)) or 'nothing'}" if isinstance(value, dict) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
