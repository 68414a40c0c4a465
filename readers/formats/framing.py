"""From a body to its JSON items: one value, an array, a line each (HTTP stream), or objects end to end.

The untouched bytes of an item are looked up only when they are needed: a payload without a fault is decoded once.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

import orjson

from lotstream.readers.formats.columns import Columns, Reads, without
from lotstream.readers.formats.items import Parsed, Refused, VendorEvent
from lotstream.runtime.errors import Reason, Rejected

_SPACE = " \t\r\n"
_BLANK = _SPACE.encode()
_SCANNER = json.JSONDecoder()
_SHOWN = 200
_LOOKS = 8  # items that are looked for in the body; to find more, it is read again once


@dataclass(frozen=True)
class Framed:
    """The items of a body in order. ``values[i]`` is the decoded item, or a Rejected that says why it is none."""

    body: bytes
    values: list[Any]
    spans: list[bytes] | None = None
    path: tuple[str, ...] = ()
    _looks: Iterator[int] = field(default_factory=count, compare=False, repr=False)

    def raw(self, index: int) -> bytes:
        """The untouched bytes of item ``index``; of the whole body where items cannot be told apart."""
        if self.spans is None and "_scanned" not in self.__dict__ and next(self._looks) < _LOOKS:
            value = self.values[index]
            piece = orjson.dumps(value) if type(value) is dict else b""
            # as programs write it, compact, and as often as there are such items: then it is written so
            if piece and self.body.count(piece) == self.values.count(value):
                return piece
        pieces = self.spans if self.spans is not None else self._scanned
        return pieces[index] if index < len(pieces) else self.body

    def raws(self, indexes: Sequence[int]) -> list[bytes]:
        """The same of several objects, among which are all that equal one of them."""
        if self.spans is None and len(indexes) <= _LOOKS:
            pieces = [orjson.dumps(self.values[index]) for index in indexes]
            if all(self.body.count(piece) == pieces.count(piece) for piece in pieces):
                return pieces
        return [self.raw(index) for index in indexes]

    @cached_property
    def _scanned(self) -> list[bytes]:
        text = self.body.decode("utf-8", "surrogateescape")
        start = _skip(text, 0)
        for name in self.path:
            start = _value_at(text, start, name=name)
        if text[start : start + 1] != "[":
            return [self.body.strip()]
        pieces, _end = _array(text, start + 1)
        return pieces


def frame(body: bytes) -> Framed:
    """The items of ``body``. What is not JSON becomes a Rejected in its place, and spoils nothing beside it.

    White space alone is a stream's sign of life: no item.
    """
    if body and not body.strip(_BLANK):
        return Framed(body, [])
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _pieces(body, whole=str(error))
    return Framed(body, value if isinstance(value, list) else [value])


def frame_rows(body: bytes, path: tuple[str, ...]) -> Framed:
    """The items of the array at ``path`` of one JSON document, with their untouched bytes. Raises Rejected."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise not_json(body, detail=str(error)) from None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, list):
        raise Rejected(Reason.SCHEMA_INVALID, "Expected an array of reads, got none.", field=".".join(path))
    return Framed(body, value, path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFormat:
    """How a format's JSON items are understood; ``event`` raises Rejected. ``reader`` is whatever stands
    where an object names its reader."""

    is_read: Callable[[Any], bool]
    reads: Reads
    event: Callable[[Any], VendorEvent]
    reader: Callable[[dict[str, Any]], Any]


def parse_items(framed: Framed, items: ItemFormat) -> Parsed:
    """The reads of a body all at once, then what else it says."""
    parsed = Parsed(framed.raw)
    values = framed.values
    parsed.at = [index for index, value in enumerate(values) if items.is_read(value)]
    mine = values if len(parsed.at) == len(values) else [values[index] for index in parsed.at]
    columns = Columns()
    parsed.reads = items.reads(columns, mine) if mine else []
    if columns.refused:
        _take_out(parsed, mine, framed=framed, items=items, refused=columns.refused)
    if len(mine) < len(values):
        _take_events(parsed, framed, items=items)
    return parsed


def _take_out(
    parsed: Parsed, values: list[Any], *, framed: Framed, items: ItemFormat, refused: dict[int, Rejected]
) -> None:
    at, parsed.at = parsed.at, without(parsed.at, refused)
    places = sorted(refused)
    parsed.refused = [
        Refused.of(refused[place], index=at[place], raw=raw, reader=items.reader(values[place]))
        for place, raw in zip(places, framed.raws([at[place] for place in places]), strict=True)
    ]


def _take_events(parsed: Parsed, framed: Framed, *, items: ItemFormat) -> None:
    for index, value in enumerate(framed.values):
        if items.is_read(value):
            continue
        try:
            if isinstance(value, Rejected):
                raise value
            parsed.events.append((items.event(value), framed.raw(index)))
        except Rejected as rejected:
            reader = items.reader(value) if isinstance(value, dict) else None
            parsed.refused.append(Refused.of(rejected, index=index, raw=framed.raw(index), reader=reader))


def not_json(got: bytes, *, detail: str) -> Rejected:
    """The rejection of bytes that are no JSON."""
    shown = got[:_SHOWN].decode("utf-8", "backslashreplace")
    more = "..." if len(got) > _SHOWN else ""
    return Rejected(Reason.JSON_INVALID, f"Expected JSON, got {shown!r}{more}: {detail}.")


def _pieces(body: bytes, *, whole: str) -> Framed:
    text = body.decode("utf-8", "surrogateescape")
    start = _skip(text, 0)
    if text[start : start + 1] == "[":
        spans, end = _array(text, start + 1)
        if end < len(text):
            spans.append(_bytes(text[end:]))
    else:
        spans = [piece for line in body.split(b"\n") if line.strip() for piece in _line(line)]
        if not any(_is_json(span) for span in spans):
            spans = [body]
    values = [_value(span, whole=whole) for span in spans]
    return Framed(body, values, spans)


def _line(line: bytes) -> list[bytes]:
    if _is_json(line):
        return [line.strip()]
    text = line.decode("utf-8", "surrogateescape")
    spans, at = [], _skip(text, 0)
    while at < len(text) and (end := _end(text, at)) is not None:
        spans.append(_bytes(text[at:end]))
        at = _skip(text, end)
    if at < len(text):
        spans.append(_bytes(text[at:].rstrip("\r")))
    return spans


def _array(text: str, at: int) -> tuple[list[bytes], int]:
    """The items of an array whose bracket is before ``at``, and where reading ended: at the end, or at a fault."""
    spans: list[bytes] = []
    at = _skip(text, at)
    while (end := _end(text, at)) is not None:
        spans.append(_bytes(text[at:end]))
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return spans, _skip(text, at + 1)
        if text[at : at + 1] != ",":
            break
        at = _skip(text, at + 1)
    return spans, at


def _value_at(text: str, at: int, *, name: str) -> int:
    """Where the value of the last member ``name`` of the object at ``at`` starts; the end of the text without it."""
    found = len(text)
    at = _skip(text, at + 1)
    while text[at : at + 1] == '"' and (end := _end(text, at)) is not None:
        key = json.loads(text[at:end])
        start = _skip(text, _skip(text, end) + 1)
        if key == name:
            found = start
        if (end := _end(text, start)) is None:
            break
        at = _skip(text, _skip(text, end) + 1)
    return found


def _end(text: str, at: int) -> int | None:
    """Where the JSON value that starts at ``at`` ends, or None when there is none."""
    try:
        return _SCANNER.raw_decode(text, at)[1]
    except (ValueError, RecursionError):
        return None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _is_json(span: bytes) -> bool:
    try:
        orjson.loads(span)
    except orjson.JSONDecodeError:
        return False
    return True


def _value(span: bytes, *, whole: str) -> Any:
    try:
        return orjson.loads(span)
    except orjson.JSONDecodeError as error:
        return not_json(span, detail=str(error) or whole)
