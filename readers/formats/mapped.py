"""Any JSON or CSV shape by a named field map of the site file: what another middleware already sends."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from lotstream.readers.formats.framing import Framed, frame, frame_rows
from lotstream.readers.formats.items import AFTER, BEFORE, Parsed, Refused, VendorRead
from lotstream.readers.formats.values import (
    base64_word,
    hex_word,
    in_calendar,
    port,
    scaled,
    text,
    time_us,
    whole,
    wrong,
)
from lotstream.readers.site_file import FieldMap
from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import NOT_REPORTED
from lotstream.schemas.identifiers import tag_key
from lotstream.schemas.operations import Headers

_PER_UNIT = {"s": 1_000_000, "ms": 1_000, "us": 1}
MAX_ROW_BYTES = 65_536

Path = tuple[str, ...]


def parse(payload: bytes, *, fields: FieldMap, received_us: int) -> Parsed:
    """Reads of a body; never raises for bad data. A map without a time takes the receipt."""
    try:
        framed = _framed(payload, fields)
    except Rejected as rejected:
        return Parsed(lambda _: payload, refused=[Refused.of(rejected, index=0, raw=payload)])
    parsed = Parsed(framed.raw, frame=_frame(payload, fields))
    for index, row in enumerate(framed.values):
        try:
            parsed.reads.append(_read(row, fields=fields, received_us=received_us))
            parsed.at.append(index)
        except Rejected as rejected:
            reader = _at(row, fields.reader) if isinstance(row, dict) else None
            parsed.refused.append(Refused.of(rejected, index=index, raw=framed.raw(index), reader=reader))
    return parsed


def _framed(payload: bytes, fields: FieldMap) -> Framed:
    if fields.format == "csv":
        return _csv(payload, fields.delimiter)
    if fields.rows and fields.format == "json":
        return frame_rows(payload, _path(fields.rows))
    return frame(payload)


def _frame(payload: bytes, fields: FieldMap) -> Headers:
    """The first row of a CSV; the objects around the rows of a JSON document."""
    if fields.format == "csv":
        return ((BEFORE, payload.partition(b"\n")[0] + b"\n"),)
    if not fields.rows or fields.format != "json":
        return ()
    path = _path(fields.rows)
    before = b"".join(b"{" + orjson.dumps(name) + b":" for name in path)
    return ((BEFORE, before + b"["), (AFTER, b"]" + b"}" * len(path)))


def _csv(payload: bytes, delimiter: str) -> Framed:
    """Rows as objects by the names in the first row; a row keeps its bytes, line breaks in quotes included."""
    try:
        table = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Rejected(Reason.ENCODING_INVALID, "Expected CSV in UTF-8, got other bytes.") from None
    taken: list[str] = []
    rows = csv.reader(_recorded(io.StringIO(table, newline=""), taken), delimiter=delimiter, strict=True)
    names: list[str] | None = None
    values: list[Any] = []
    spans: list[bytes] = []
    while True:
        taken.clear()
        try:
            row = next(rows, None)
        except csv.Error as error:
            values.append(Rejected(Reason.CSV_INVALID, f"Expected CSV, got {error}."))
            spans.append("".join(taken).encode().rstrip(b"\r\n"))
            continue
        if row is None:
            return Framed(payload, values, spans)
        if names is None:
            names = [name.strip() for name in row]
        elif row:
            values.append(_row(names, row))
            spans.append("".join(taken).encode().rstrip(b"\r\n"))


def _recorded(lines: io.StringIO, taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _row(names: list[str], row: list[str]) -> dict[str, Any] | Rejected:
    if len(row) != len(names):
        return Rejected(Reason.CSV_INVALID, f"Expected {len(names)} columns, got {len(row)}.")
    return {name: cell if cell != "" else None for name, cell in zip(names, row, strict=True)}


def _read(row: Any, *, fields: FieldMap, received_us: int) -> VendorRead:
    if isinstance(row, Rejected):
        raise row
    if type(row) is not dict:
        raise wrong("row", "an object", got=row)
    csv_row = fields.format == "csv"
    return VendorRead(
        _tag(_at(row, fields.tag), fields),
        port(_number(_at(row, fields.antenna), fields.antenna, is_text=csv_row), fields.antenna),
        _time(_at(row, fields.time), fields, is_text=csv_row) if fields.time else received_us,
        _name(_at(row, fields.reader), fields.reader),
        NOT_REPORTED,
        whole(_number(_at(row, fields.count), fields.count, is_text=csv_row), fields.count, low=1, high=2**31 - 1),
        _rssi(_number(_at(row, fields.rssi), fields.rssi, is_text=csv_row), fields),
        tid=_tid(_at(row, fields.tid), fields.tid),
    )


def _at(row: dict[str, Any], dotted: str) -> Any:
    if not dotted:
        return None
    if dotted in row:
        return row[dotted]
    value: Any = row
    for name in _path(dotted):
        if type(value) is dict:
            value = value.get(name)
        elif type(value) is list and name.isascii() and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


@lru_cache(maxsize=1_000)
def _path(dotted: str) -> Path:
    return tuple(dotted.split("."))


def _tag(value: Any, fields: FieldMap) -> str:
    if type(value) is not str or not value or len(value) > 400:
        raise wrong(fields.tag, "a tag", got=value, reason=Reason.IDENTIFIER_INVALID)
    if fields.tag_format == "base64":
        return base64_word(value, fields.tag)
    if fields.tag_format == "hex" or ("/" not in value and ":" not in value):
        return hex_word(value, fields.tag)
    return tag_key(value)


def _number(value: Any, field: str, *, is_text: bool) -> Any:
    """A number of JSON as it is; of CSV from its text."""
    if not is_text or value is None:
        return value
    kinds: tuple[Callable[[str], int | float], ...] = (int, float)
    for kind in kinds if value.isascii() and "_" not in value else ():
        try:
            return kind(value.strip())
        except ValueError:
            continue
    raise wrong(field, "a number", got=value)


def _time(value: Any, fields: FieldMap, *, is_text: bool) -> int:
    if fields.time_format == "iso":
        return time_us(_with_offset(value, fields.time_zone), fields.time)
    number = _number(value, fields.time, is_text=is_text)
    if type(number) is int and fields.time_format == "ns":
        return in_calendar(number // 1_000, fields.time, got=value)
    if type(number) is int:
        return in_calendar(number * _PER_UNIT[fields.time_format], fields.time, got=value)
    if type(number) is float and fields.time_format in ("s", "ms") and abs(number) < 1e15:
        return in_calendar(round(number * _PER_UNIT[fields.time_format]), fields.time, got=value)
    raise wrong(fields.time, f"a time in {fields.time_format}", got=value)


def _with_offset(value: Any, zone: str) -> Any:
    if not zone or type(value) is not str:
        return value
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return value
    return value if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(zone)).isoformat()


def _name(value: Any, field: str) -> str:
    return text(str(value) if type(value) is int else value, field)


def _rssi(value: Any, fields: FieldMap) -> int:
    by = 100 if fields.rssi_unit == "dbm" else 1
    return scaled(value, fields.rssi, by=by, low=-20_000, high=5_000)


def _tid(value: Any, field: str) -> str:
    if value is None or value == "":
        return ""
    if type(value) is not str:
        raise wrong(field, "hex", got=value)
    return hex_word(value, field)
