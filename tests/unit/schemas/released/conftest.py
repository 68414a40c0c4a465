"""Two JSON Schemas compared: what one accepts and the other may refuse."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

Schema = dict[str, Any]

# refuse nothing; a discriminator tells which of its branches is meant, and these are compared
SAID = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "examples", "discriminator"})
LOWER = {"minimum": "maximum", "exclusiveMinimum": "exclusiveMaximum", "minLength": "maxLength", "minItems": "maxItems"}
ALIKE = ("pattern", "format", "uniqueItems", "multipleOf")
KNOWN = SAID | {*LOWER, *LOWER.values(), *ALIKE} | {
    "type", "const", "enum", "anyOf", "oneOf", "$ref", "properties", "required", "additionalProperties", "items",
    "prefixItems",
}  # fmt: skip


class Comparison:
    """Whether every message that ``writer`` allows is valid for ``reader``; `refused` says what may not be."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._writer, self._reader = writer, reader
        self.refused = list(self._compare(writer, reader, at="message"))

    def _compare(self, one: Schema, other: Schema, *, at: str) -> Iterator[str]:
        one, other = _resolved(one, self._writer), _resolved(other, self._reader)
        for word in sorted((one.keys() | other.keys()) - KNOWN):
            yield f"{at}: {word} is not understood here"
        branches = one.get("anyOf") or one.get("oneOf")
        choices = other.get("anyOf") or other.get("oneOf")
        if branches:
            for branch in branches:
                yield from self._compare(branch, other, at=at)
        elif choices:
            attempts = [list(self._compare(one, choice, at=at)) for choice in choices]
            if all(attempts):
                yield min(attempts, key=len)[0]
        elif "const" in one or "enum" in one:
            yield from self._values(one, other, at=at)
        elif "const" in other or "enum" in other:
            yield f"{at}: only some values are taken"
        else:
            yield from self._kinds(one, other, at=at)

    def _values(self, one: Schema, other: Schema, *, at: str) -> Iterator[str]:
        reader = jsonschema.Draft202012Validator({**other, "$defs": self._reader.get("$defs", {})})
        for value in [one["const"]] if "const" in one else one["enum"]:
            if not reader.is_valid(value):
                yield f"{at}: {value!r} is not taken"

    def _kinds(self, one: Schema, other: Schema, *, at: str) -> Iterator[str]:
        if "type" in other and one.get("type") not in (other["type"], "integer" if other["type"] == "number" else ""):
            yield f"{at}: {one.get('type')} is not taken, {other['type']} is"
            return
        for lower, upper in LOWER.items():
            if lower in other and one.get(lower, float("-inf")) < other[lower]:
                yield f"{at}: {lower} is {other[lower]}"
            if upper in other and one.get(upper, float("inf")) > other[upper]:
                yield f"{at}: {upper} is {other[upper]}"
        for word in ALIKE:
            if word in other and one.get(word) != other[word]:
                yield f"{at}: {word} is {other[word]!r}"
        yield from self._members(one, other, at=at)
        yield from self._items(one, other, at=at)

    def _members(self, one: Schema, other: Schema, *, at: str) -> Iterator[str]:
        for name in other.get("required", ()):
            if name not in one.get("required", ()):
                yield f"{at}.{name}: is required"
        mine, theirs = one.get("properties", {}), other.get("properties", {})
        more = other.get("additionalProperties", True)
        for name, schema in mine.items():
            if name in theirs:
                yield from self._compare(schema, theirs[name], at=f"{at}.{name}")
            elif more is False:
                yield f"{at}.{name}: is not known"
        if one.get("type") == "object" and more is not True and (free := one.get("additionalProperties", True)):
            if free is True or more is False:
                yield f"{at}: more members are not taken"
            else:
                yield from self._compare(free, more, at=f"{at}.*")

    def _items(self, one: Schema, other: Schema, *, at: str) -> Iterator[str]:
        for number, schema in enumerate(other.get("prefixItems", ())):
            mine = one.get("prefixItems", ())
            yield from self._compare(mine[number] if number < len(mine) else {}, schema, at=f"{at}[{number}]")
        if isinstance(other.get("items"), dict):
            yield from self._compare(one.get("items", {}), other["items"], at=f"{at}[]")


def _resolved(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema


@pytest.fixture
def refused() -> Any:
    """(writer, reader) -> what the reader may refuse of what the writer may write."""
    return lambda writer, reader: Comparison(writer, reader).refused
