"""Native blocks for clients that speak the newer revision of the format, clickhouse-go and with it Grafana.

With `client_protocol_version` in its request a client asks for blocks that begin with their info and columns that say
how they are serialized. The engine writes neither, so both are put in, which needs the length of every column.
Format: https://clickhouse.com/docs/interfaces/formats/Native
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from lotstream.deploy.embedded.clickhouse_errors import Code, refuse

REVISION = 54454
"""DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION: below it nothing is put in, which older clients find out and take."""
_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_PLAIN = b"\x00"
_WIDTHS = {
    1: "UInt8 Int8 Bool Enum8 Nothing",
    2: "UInt16 Int16 Date Enum16 BFloat16",
    4: "UInt32 Int32 Float32 DateTime Date32 IPv4 Decimal32 Time",
    8: "UInt64 Int64 Float64 DateTime64 Decimal64 Time64",
    16: "UInt128 Int128 UUID IPv6 Decimal128",
    32: "UInt256 Int256 Decimal256",
}
_FIXED = {name: width for width, names in _WIDTHS.items() for name in names.split()}
_NAMED = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "Polygon": "Array(Ring)",
    "MultiLineString": "Array(LineString)",
    "MultiPolygon": "Array(Polygon)",
}
_ONE, _PAIR = struct.Struct("<Q"), struct.Struct("<QQ")

Skip = Callable[[bytes, int, int], int]


@dataclass(frozen=True, slots=True)
class Column:
    """How to step over a column: (block, position, rows) -> position; first over what precedes all of its values."""

    prefix: int
    values: Skip


def revise(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks in the newer revision. Raises ClickHouseError for a type of unknown length."""
    for data in blocks:
        out: list[bytes] = []
        position = 0
        while position < len(data):
            position = _revise_block(data, position, out=out)
        yield b"".join(out)


def _revise_block(data: bytes, position: int, *, out: list[bytes]) -> int:
    start = position
    columns, position = _varint(data, position)
    rows, position = _varint(data, position)
    out += (_INFO, data[start:position])
    for _ in range(columns):
        start = position
        length, position = _varint(data, position)
        length, position = _varint(data, position + length)
        name = data[position : position + length].decode()
        position += length
        out += (data[start:position], _PLAIN)
        if rows:
            column = parse_type(name)
            end = column.values(data, position + column.prefix, rows)
            out.append(data[position:end])
            position = end
    return position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


@cache
def parse_type(name: str) -> Column:
    """How to step over a column of this type. Raises ClickHouseError for one that is not known."""
    name = _NAMED.get(name, name)
    family, _, inner = name.partition("(")
    arguments = split_arguments(inner[:-1]) if inner else []
    if family == "String":
        return Column(0, _skip_strings)
    if family in _FIXED or family.startswith("Interval"):
        return _fixed(_FIXED.get(family, 8))
    if family == "FixedString":
        return _fixed(int(arguments[0]))
    if family == "Decimal":
        return _fixed(_decimal_width(int(arguments[0])))
    build = _NESTING.get(family)
    if build is None:
        message = f"Native in the revision that was asked for is not supported here for a column of type {name}."
        raise refuse(Code.NOT_IMPLEMENTED, message)
    return build(arguments)


def split_arguments(text: str) -> list[str]:
    """The arguments of a type, at its commas of the first level; quoted text counts as one piece."""
    found, depth, start, quote = [], 0, 0, ""
    skip = False
    for index, sign in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in "'`":
            quote = sign
        elif sign == "," and not depth:
            found.append(text[start:index].strip())
            start = index + 1
        else:
            depth += (sign == "(") - (sign == ")")
    return [*found, text[start:].strip()] if text.strip() else []


def _fixed(width: int) -> Column:
    return Column(0, lambda data, position, rows: position + rows * width)


def _decimal_width(precision: int) -> int:
    return next(width for limit, width in ((9, 4), (18, 8), (38, 16), (76, 32)) if precision <= limit)


def _skip_strings(data: bytes, position: int, rows: int) -> int:
    for _ in range(rows):
        length = data[position]
        if length < 0x80:
            position += length + 1
        else:
            length, position = _varint(data, position)
            position += length
    return position


def _nullable(arguments: list[str]) -> Column:
    inner = parse_type(arguments[0])
    return Column(inner.prefix, lambda data, position, rows: inner.values(data, position + rows, rows))


def _array(arguments: list[str]) -> Column:
    return _array_of(parse_type(arguments[0]))


def _array_of(inner: Column) -> Column:
    def skip(data: bytes, position: int, rows: int) -> int:
        position += rows * 8
        count: int = _ONE.unpack_from(data, position - 8)[0]
        return inner.values(data, position, count) if count else position

    return Column(inner.prefix, skip)


def _tuple(arguments: list[str]) -> Column:
    parts = [parse_type(_element_type(argument)) for argument in arguments]
    if not parts:
        return _fixed(1)

    def skip(data: bytes, position: int, rows: int) -> int:
        for part in parts:
            position = part.values(data, position, rows)
        return position

    return Column(sum(part.prefix for part in parts), skip)


def _element_type(argument: str) -> str:
    """The type of a tuple's element, with or without a name before it; a name may be quoted."""
    if argument.startswith("`"):
        end = 1
        while argument[end] != "`":
            end += 2 if argument[end] == "\\" else 1
        return argument[end + 1 :].strip()
    head, _, rest = argument.partition(" ")
    return rest if rest and "(" not in head else argument


def _map(arguments: list[str]) -> Column:
    return _array_of(_tuple(arguments))


def _low_cardinality(arguments: list[str]) -> Column:
    # The keys of a nullable type are those of its plain one: the first key stands for NULL.
    name = arguments[0]
    keys = parse_type(name[len("Nullable(") : -1] if name.startswith("Nullable(") else name)

    def skip(data: bytes, position: int, rows: int) -> int:
        flags, count = _PAIR.unpack_from(data, position)
        width: int = 1 << (flags & 0xFF)
        return keys.values(data, position + 16, count) + 8 + rows * width

    return Column(8, skip)


def _simple_aggregate(arguments: list[str]) -> Column:
    return parse_type(arguments[1])


_NESTING: dict[str, Callable[[list[str]], Column]] = {
    "Nullable": _nullable,
    "Array": _array,
    "Tuple": _tuple,
    "Map": _map,
    "Nested": _map,
    "LowCardinality": _low_cardinality,
    "SimpleAggregateFunction": _simple_aggregate,
}
