"""Scans of labels."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lotstream.readers.formats import scans
from lotstream.readers.formats.scans import Scanning

NOW_US = 1_772_445_610_000_000
SCANNING = Scanning(scanner="desk", received_us=NOW_US)
KILOS = "]C1010952012345678810ABC/12\x1d310300125017270228"


def _parse(*messages: Any) -> Any:
    return scans.parse(json.dumps(list(messages)).encode(), scanning=SCANNING)


def test_a_label_of_one_thing_is_a_read() -> None:
    """SSCC and GTIN with serial are reads under their key, at the device's own time or the receipt."""
    parsed = _parse(
        {"scanner": "s1", "data": "]C100095201234567891235", "time": "2026-03-02T10:00:00Z"},
        {"data": "]d201095201234567882112/3\x1d10LOT"},
    )
    assert [(read.tag, read.antenna, read.reader, read.last_us) for read in parsed.reads] == [
        ("00/095201234567891235", 0, "s1", NOW_US - 10_000_000),
        ("01/09520123456788/21/12%2F3", 0, "desk", NOW_US),
    ]


def test_a_label_of_a_pallet_says_where_it_is_and_what_it_holds() -> None:
    """SSCC with the content's GTIN, count, lot and weight is a read of the pallet and the quantity that it holds."""
    data = "(00)095201234567891235(02)09520123456788(37)40(10)ABC(3103)500000"
    parsed = _parse({"scanner": "s1", "data": data})
    (read,), (label,) = parsed.reads, parsed.labels
    assert read.tag == label.unit == "00/095201234567891235"
    assert (label.lot, label.amount, label.uom, label.cases) == (
        "01/09520123456788/10/ABC", Decimal(500), "KGM", 40,
    )  # fmt: skip


def test_a_label_of_a_lot_is_a_quantity() -> None:
    """Lot, net weight and dates come whole from the label; without an amount it is one piece."""
    parsed = _parse(
        {
            "scanner": "s1",
            "data": KILOS,
            "boot": "b",
            "sequence": 7,
            "document": "D",
            "line": "1",
            "time_us": 5_000_000,
        },
        {"data": "]C1010952012345678810A"},
    )
    first, second = parsed.labels
    assert (first.lot, first.amount, first.uom) == ("01/09520123456788/10/ABC%2F12", Decimal("1.25"), "KGM")
    assert (first.expires, first.boot, first.sequence) == (date(2027, 2, 28), "b", 7)
    assert (first.document, first.line, first.device_time_us, first.raw) == ("D", "1", 5_000_000, KILOS)
    assert (second.lot, second.amount, second.uom) == ("01/09520123456788/10/A", Decimal(1), "H87")
    assert (second.scanner, second.sequence) == ("desk", None)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"data": "]C1010952012345678921X"}, "check_digit_invalid"),
        ({"data": "]C10109520123456788"}, "barcode_invalid"),
        ({"data": "hello"}, None),
        ({"data": ""}, "schema_invalid"),
        ({"data": KILOS, "time": "noon"}, "schema_invalid"),
        ({"data": KILOS, "sequence": -1}, "schema_invalid"),
        ({"data": "]C14149521321000010"}, None),
        ("text", "schema_invalid"),
    ],
)
def test_what_is_no_label_is_refused_with_its_rule(message: Any, reason: str | None) -> None:
    """A wrong check digit, a bare GTIN, foreign text and a wrong member are refused, each with its bytes."""
    parsed = _parse(message)
    assert not parsed.reads
    assert not parsed.labels
    (refused,) = parsed.refused
    assert reason is None or refused.reason == reason
    assert refused.raw == json.dumps(message).encode()


def test_lines_of_text() -> None:
    """Plain text is a label's data a line; a line that is no UTF-8 is refused alone."""
    body = b"]C100095201234567891235\r\n\xff\xfe\n" + KILOS.encode() + b"\n"
    parsed = scans.parse_lines(body, scanning=SCANNING)
    assert (len(parsed.reads), len(parsed.labels)) == (1, 1)
    assert [(refused.index, refused.raw) for refused in parsed.refused] == [(1, b"\xff\xfe")]


def test_a_swallowed_element_is_named() -> None:
    """A lot that looks as if it had swallowed the next element is kept as read, with a warning."""
    parsed = _parse({"data": "]C1010952012345678810ABC17270228"})
    assert parsed.labels[0].lot == "01/09520123456788/10/ABC17270228"
    assert "FNC1" in parsed.warnings[0]
