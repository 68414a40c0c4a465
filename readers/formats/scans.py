"""Scans of barcodes: JSON objects (one, an array, a line each) or plain text, a label's data a line.

A label that names one thing (SSCC, GTIN with serial, ...) is a read of it at the scanner's read point. A label
with a lot and no serial is so much of that lot. Anything else is refused with the rule it breaks.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lotstream.readers.formats.framing import frame
from lotstream.readers.formats.items import Label, Parsed, Refused, VendorRead
from lotstream.readers.formats.values import in_calendar, time_us, wrong
from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import first_error
from lotstream.schemas.identifiers import Scan, parse_scan
from lotstream.schemas.portions import is_unit

MAX_DATA = 1_000
_PIECE = "H87"
_PLACES = ("414/", "410/", "411/", "412/", "413/", "415/", "416/")


class ScanMessage(BaseModel):
    """One scan as a scanner sends it. Members that it does not know are left aside, as readers add their own."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    data: str = Field(min_length=1, max_length=MAX_DATA)
    scanner: str = Field(default="", max_length=200)
    symbology: str = Field(default="", max_length=3)
    time: str | None = Field(default=None, description="ISO 8601 with its offset")
    time_us: int | None = Field(default=None, description="in place of time: us since the epoch")
    boot: str = Field(default="", max_length=200)
    sequence: int | None = Field(default=None, ge=0)
    document: str = Field(default="", max_length=200)
    line: str = Field(default="", max_length=200)
    party: str = Field(default="", max_length=200)


_MESSAGE = TypeAdapter(ScanMessage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanning:
    """What a scan lacks of its own: the scanner of the request, and the receipt for one without a clock."""

    scanner: str
    received_us: int


def parse(payload: bytes, *, scanning: Scanning) -> Parsed:
    """Reads and labels of a JSON body; never raises for bad data."""
    framed = frame(payload)
    parsed = Parsed(framed.raw)
    for index, value in enumerate(framed.values):
        try:
            _take(parsed, _message(value), index=index, scanning=scanning)
        except Rejected as rejected:
            scanner = value.get("scanner") if isinstance(value, dict) else None
            parsed.refused.append(Refused.of(rejected, index=index, raw=framed.raw(index), reader=scanner))
    return parsed


def parse_lines(payload: bytes, *, scanning: Scanning) -> Parsed:
    """Reads and labels of a text body, a label's data a line."""
    lines = [line for line in (line.rstrip(b"\r") for line in payload.split(b"\n")) if line]
    parsed = Parsed(lines.__getitem__)
    for index, line in enumerate(lines):
        try:
            _take(parsed, ScanMessage(data=_line(line)), index=index, scanning=scanning)
        except Rejected as rejected:
            parsed.refused.append(Refused.of(rejected, index=index, raw=line))
    return parsed


def _line(line: bytes) -> str:
    try:
        data = line.decode()
    except UnicodeDecodeError:
        raise wrong("data", "UTF-8", got=line, reason=Reason.ENCODING_INVALID) from None
    if len(data) > MAX_DATA:
        raise wrong("data", f"at most {MAX_DATA} characters", got=data)
    return data


def _message(value: Any) -> ScanMessage:
    if isinstance(value, Rejected):
        raise value
    try:
        return _MESSAGE.validate_python(value)
    except ValidationError as error:
        field, detail = first_error(error)
        raise Rejected(Reason.SCHEMA_INVALID, detail, field=field) from None


def _take(parsed: Parsed, message: ScanMessage, *, index: int, scanning: Scanning) -> None:
    device_us = _device_time(message, scanning)
    year = datetime.fromtimestamp(scanning.received_us / 1e6, UTC).year
    scan = parse_scan(message.data, symbology=message.symbology or None, today_year=year)
    scanner = message.scanner or scanning.scanner
    if scan.key is not None and not scan.key.startswith(_PLACES):
        parsed.reads.append(VendorRead(scan.key, 0, device_us, scanner))
        parsed.at.append(index)
        if scan.lot is not None and is_unit(scan.key):
            parsed.labels.append(_label(message, scan, lot=scan.lot, device_us=device_us, scanner=scanner, index=index))
    elif scan.lot is not None:
        parsed.labels.append(_label(message, scan, lot=scan.lot, device_us=device_us, scanner=scanner, index=index))
    else:
        raise wrong("data", "a serial, an SSCC or a lot", got=message.data, reason=Reason.BARCODE_INVALID)
    parsed.warnings += scan.warnings


def _device_time(message: ScanMessage, scanning: Scanning) -> int:
    if message.time is not None:
        return time_us(message.time, "time")
    if message.time_us is not None:
        return in_calendar(message.time_us, "time_us", got=message.time_us)
    return scanning.received_us


def _label(message: ScanMessage, scan: Scan, *, lot: str, device_us: int, scanner: str, index: int) -> Label:
    unit = scan.key if scan.key is not None and is_unit(scan.key) else ""
    return Label(
        index=index,
        scanner=scanner,
        boot=message.boot,
        sequence=message.sequence,
        lot=lot,
        unit=unit,
        amount=Decimal(1) if scan.amount is None else scan.amount,
        cases=scan.count if unit and scan.count else 1,
        uom=_PIECE if scan.unit is None else scan.unit,
        produced=scan.dates.get("11"),
        best_before=scan.dates.get("15"),
        expires=scan.dates.get("17"),
        raw=message.data,
        device_time_us=device_us,
        document=message.document,
        line=message.line,
        party=message.party,
    )
