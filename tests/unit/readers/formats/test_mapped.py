"""Foreign shapes by field maps."""

import json
from typing import Any

import pytest

from lotstream.readers.formats import mapped
from lotstream.readers.site_file import FieldMap
from lotstream.schemas.base import NOT_REPORTED

AT_US = 1_772_445_600_250_000
CSV = FieldMap(
    name="c", format="csv", tag="EPC", time="When", time_format="ms", antenna="Ant", reader="Reader", rssi="dBm"
)
DEEP = FieldMap(name="d", rows="report.tags", tag="id.hex", time="at", antenna="ports.0", reader="dev", count="n")


def _parse(body: bytes | Any, fields: FieldMap) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return mapped.parse(raw, fields=fields, received_us=AT_US + 1)


def test_csv_rows_with_their_bytes() -> None:
    """Rows are read by the names of the header; a wrong row is refused alone, line breaks in quotes included."""
    body = (
        b"\xef\xbb\xbfEPC,When,Ant,Reader,dBm,Note\r\n"
        b"30aa,1772445600250,2,gate,-61.5,ok\r\n"
        b'30aa,soon,2,gate,-61,"two\r\nlines"\r\n'
        b"30aa,1772445600250,2\r\n"
        b"30bb,1772445600250,,,,\r\n"
    )
    parsed = _parse(body, CSV)
    assert [(r.tag, r.last_us, r.antenna, r.reader, r.rssi) for r in parsed.reads] == [
        ("30AA", AT_US, 2, "gate", -6_150),
        ("30BB", AT_US, 0, "", NOT_REPORTED),
    ]
    assert [(refused.reason, refused.raw) for refused in parsed.refused] == [
        ("schema_invalid", b'30aa,soon,2,gate,-61,"two\r\nlines"'),
        ("csv_invalid", b"30aa,1772445600250,2"),
    ]


def test_json_paths() -> None:
    """Members are found by dotted paths, in objects and arrays, and a bad row has its own bytes."""
    row = {"id": {"hex": "30AA"}, "at": "2026-03-02T10:00:00.25Z", "ports": [3], "dev": 7, "n": 2}
    parsed = _parse({"report": {"tags": [row, {"id": {}}]}}, DEEP)
    assert [(r.tag, r.last_us, r.antenna, r.reader, r.seen_count) for r in parsed.reads] == [("30AA", AT_US, 3, "7", 2)]
    assert [refused.raw for refused in parsed.refused] == [b'{"id": {}}']


def test_a_body_without_the_rows_is_refused_whole() -> None:
    """Where the array of reads is missing, the body is one dead letter."""
    for body in ({"report": []}, [], b"{"):
        parsed = _parse(body, DEEP)
        assert (len(parsed.refused), parsed.reads) == (1, [])


@pytest.mark.parametrize(
    ("format_", "value"),
    [
        ("s", 1_772_445_600.25),
        ("ms", 1_772_445_600_250),
        ("us", AT_US),
        ("ns", AT_US * 1_000 + 999),
        ("iso", "2026-03-02T10:00:00.25+00:00"),
    ],
)
def test_time_formats(format_: str, value: Any) -> None:
    """One instant in every unit."""
    fields = FieldMap.model_validate({"name": "t", "tag": "e", "time": "t", "time_format": format_})
    assert [read.last_us for read in _parse([{"e": "30AA", "t": value}], fields).reads] == [AT_US]


def test_local_times_need_a_zone() -> None:
    """A time without offset is refused, unless the map names the zone it is of."""
    row = [{"e": "30AA", "t": "2026-03-02 11:00:00.250"}]
    assert _parse(row, FieldMap(name="t", tag="e", time="t")).refused[0].reason == "schema_invalid"
    berlin = FieldMap(name="t", tag="e", time="t", time_zone="Europe/Berlin")
    assert [read.last_us for read in _parse(row, berlin).reads] == [AT_US]


def test_tags_in_any_form() -> None:
    """EPC hex stays as read; URIs and keys become keys; anything else is refused."""
    fields = FieldMap(name="t", tag="e")
    tags = ["30aa", "urn:epc:id:sgtin:9520123.045678.7", "00/095201234567891235", "x/y", "", 5]
    parsed = _parse([{"e": tag} for tag in tags], fields)
    assert [read.tag for read in parsed.reads] == [
        "30AA",
        "01/09520123456788/21/7",
        "00/095201234567891235",
    ]
    assert len(parsed.refused) == 3
    assert {read.last_us for read in parsed.reads} == {AT_US + 1}
