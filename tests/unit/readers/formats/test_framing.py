"""From bodies to items."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotstream.readers.formats.framing import frame, frame_rows
from lotstream.runtime.errors import Rejected

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(st.text(max_size=4), JSON, max_size=3)


def _shapes(body: bytes) -> list[Any]:
    return ["bad" if isinstance(value, Rejected) else value for value in frame(body).values]


@pytest.mark.parametrize(
    ("body", "values", "raws"),
    [
        (b'{"a":1}', [{"a": 1}], [b'{"a":1}']),
        (b' [ 1 , {"a": [2]} ]\n', [1, {"a": [2]}], [b"1", b'{"a": [2]}']),
        (b"[]", [], []),
        (b'{"a":1}{"b":2} {"c":3}', [{"a": 1}, {"b": 2}, {"c": 3}], [b'{"a":1}', b'{"b":2}', b'{"c":3}']),
        (b'{"a":1}\r\n\r\n{"b":2}\r\n', [{"a": 1}, {"b": 2}], [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\nrubbish\n{"b":2}', [{"a": 1}, "bad", {"b": 2}], [b'{"a":1}', b"rubbish", b'{"b":2}']),
        (b'[{"a":1}, NaN, {"b":2}]', [{"a": 1}, "bad", {"b": 2}], [b'{"a":1}', b"NaN", b'{"b":2}']),
        (b'[{"a":1}, {"b":', [{"a": 1}, "bad"], [b'{"a":1}', b'{"b":']),
        (b'[{"a":1} {"b":2}]', [{"a": 1}, "bad"], [b'{"a":1}', b'{"b":2}]']),
        (b'[{"a":1}] trailing', [{"a": 1}, "bad"], [b'{"a":1}', b"trailing"]),
        (b"\xff\xfe", ["bad"], [b"\xff\xfe"]),
        (b"not json\nat all", ["bad"], [b"not json\nat all"]),
        (b"", ["bad"], [b""]),
        (b"\r\n \r\n", [], []),
        (b"[" * 100_000, ["bad"], [b"[" * 99_999]),
        (b'{"a":1}\n"\xff"', [{"a": 1}, "bad"], [b'{"a":1}', b'"\xff"']),
        (b'{"a":' + b"9" * 5_000 + b"}{", ["bad"], [b'{"a":' + b"9" * 5_000 + b"}{"]),
    ],
)
def test_items_and_their_bytes(body: bytes, values: list[Any], raws: list[bytes]) -> None:
    """Good items are found beside bad ones, and each item has its own untouched bytes."""
    framed = frame(body)
    assert _shapes(body) == values
    assert [framed.raw(index) for index in range(len(values))] == raws


@given(st.lists(OBJECT, min_size=1, max_size=5), st.sampled_from(["array", "lines", "ends"]))
def test_framings_are_alike(items: list[Any], framing: str) -> None:
    """An array, a line each and objects end to end give the same items, with bytes that decode to them."""
    texts = [json.dumps(item, ensure_ascii=False) for item in items]
    joined = {"array": f"[{' , '.join(texts)}]", "lines": "\n".join(texts), "ends": "".join(texts)}[framing]
    framed = frame(joined.encode())
    assert framed.values == items
    assert [framed.raw(index) for index in range(len(items))] == [text.encode() for text in texts]


@given(st.binary(max_size=60))
def test_no_bytes_are_lost(body: bytes) -> None:
    """Whatever comes in, items and refusals together hold everything but white space and the array's own signs."""
    framed = frame(body)
    held = b"".join(framed.raw(index) for index in range(len(framed.values)))
    signs = b" \t\r\n[],"
    assert sorted(b for b in held if b not in signs) == sorted(b for b in body if b not in signs)


def test_rows_inside_a_document() -> None:
    """The bytes of a row deep in a document are its own."""
    body = b'{"x": {"tags": [9]}, "report": {"n": [1, 2], "tags" : [ {"a": 1 }, 7 ]} }'
    framed = frame_rows(body, ("report", "tags"))
    assert framed.values == [{"a": 1}, 7]
    assert [framed.raw(0), framed.raw(1)] == [b'{"a": 1 }', b"7"]
    for wrong in (b"{", b"[]", b'{"report": {"tags": 1}}'):
        with pytest.raises(Rejected):
            frame_rows(wrong, ("report", "tags"))
