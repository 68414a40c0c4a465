"""Where the values of a JSON text stand, so that an event can be kept as it was sent: numbers, escapes and order."""

import json
import re
from collections.abc import Iterator

_SPACE = r"[ \t\n\r]*"
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_SKIP = re.compile(_SPACE)
_NAME = re.compile(rf"{_SPACE}({_STRING}){_SPACE}:{_SPACE}", re.DOTALL)
_ATOM = re.compile(rf"{_STRING}|[^ \t\n\r,\]}}]+", re.DOTALL)
_MARK = re.compile(rf"{_STRING}|[\[{{]|[\]}}]", re.DOTALL)
_BETWEEN = re.compile(rf"({_STRING})|[ \t\n\r]+", re.DOTALL)

Span = tuple[int, int]


def members(text: str, start: int) -> Iterator[tuple[str, Span]]:
    """(name, span of the value) of the object that begins at `start`.

    The text is known to be valid JSON, here and below.
    """
    at = _skip(text, start + 1)
    while text[at] != "}":
        found = _NAME.match(text, at)
        assert found is not None
        end = _end(text, found.end())
        yield json.loads(found[1]), (found.end(), end)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def items(text: str, start: int) -> Iterator[Span]:
    """Spans of the values of the array that begins at `start`."""
    at = _skip(text, start + 1)
    while text[at] != "]":
        end = _end(text, at)
        yield at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def member(text: str, start: int, name: str) -> Span | None:
    """Span of one member's value, None where there is no such member."""
    return next((span for found, span in members(text, start) if found == name), None)


def first(text: str) -> int:
    """Where the value of a whole text begins."""
    return _skip(text, 0)


def compact(text: str) -> str:
    """The text without the white space between its tokens; every token as it is."""
    return _BETWEEN.sub(lambda found: found[1] or "", text)


def _skip(text: str, at: int) -> int:
    found = _SKIP.match(text, at)
    assert found is not None
    return found.end()


def _end(text: str, start: int) -> int:
    """Where the value that begins at `start` ends."""
    if text[start] not in "[{":
        found = _ATOM.match(text, start)
        assert found is not None
        return found.end()
    depth = 0
    for mark in _MARK.finditer(text, start):
        kind = mark[0][0]
        if kind == '"':
            continue
        depth += 1 if kind in "[{" else -1
        if not depth:
            return mark.end()
    raise AssertionError("a bracket without its other half in valid JSON")
