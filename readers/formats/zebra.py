"""Zebra IoT Connector: data messages and management events, one, an array, a line each, or end to end.

Member names differ by firmware: loss counters are in reader_gateway or in its dataPathStatistics. Tag reads, BLE
reports and management events arrive on one end point and are told apart by ``type``.
"""

from typing import Any

from lotstream.readers.formats.columns import Columns
from lotstream.readers.formats.framing import ItemFormat, frame, parse_items
from lotstream.readers.formats.items import Parsed, VendorEvent, VendorRead
from lotstream.readers.formats.values import member, port, text, time_us, wrong
from lotstream.runtime.errors import Reason
from lotstream.schemas.base import NOT_REPORTED
from lotstream.schemas.reads import ReaderEventType

_TYPES = {
    "heartbeat": ReaderEventType.HEARTBEAT,
    "gpi": ReaderEventType.GPI,
    "gpo": ReaderEventType.OTHER,
    "error": ReaderEventType.DIAGNOSTIC,
    "warning": ReaderEventType.DIAGNOSTIC,
    "exception": ReaderEventType.DIAGNOSTIC,
    "alert": ReaderEventType.DIAGNOSTIC,
    "alert_short": ReaderEventType.DIAGNOSTIC,
}


def parse(payload: bytes) -> Parsed:
    """Reads and events of a body; never raises for bad data."""
    return parse_items(frame(payload), _FORMAT)


def _is_read(value: Any) -> bool:
    return type(value) is dict and type(data := value.get("data")) is dict and "idHex" in data


def _reads(check: Columns, items: list[Any]) -> list[VendorRead]:
    data = [item["data"] for item in items]
    absent = [NOT_REPORTED] * len(items)
    return check.rows(
        check.tags([one["idHex"] for one in data], "data.idHex"),
        check.ports([one.get("antenna") for one in data], "data.antenna"),
        check.times([item.get("timestamp") for item in items], "timestamp"),
        check.texts([_reader(item, one) for item, one in zip(items, data, strict=True)], "MAC"),
        absent,
        check.wholes([one.get("reads") for one in data], "data.reads", low=1, high=2**31 - 1),
        check.scaleds([one.get("peakRssi") for one in data], "data.peakRssi", by=100, low=-20_000, high=5_000),
        check.scaleds([one.get("phase") for one in data], "data.phase", by=100, low=-36_000, high=36_000),
        check.scaleds([one.get("channel") for one in data], "data.channel", by=1_000, low=1, high=10_000_000),
        absent,
        check.words([one.get("TID") for one in data], "data.TID"),
        check.two_bytes(check.words([one.get("PC") for one in data], "data.PC"), "data.PC"),
    )


def _reader(value: dict[str, Any], data: dict[str, Any]) -> Any:
    """Whatever names the reader: MAC before host name, in the data or around it."""
    for holder in (data, value):
        if (said := holder.get("MAC", holder.get("hostName"))) is not None:
            return said
    return None


def _reader_of(item: dict[str, Any]) -> Any:
    data = item.get("data")
    return _reader(item, data if isinstance(data, dict) else {})


def _event(value: Any) -> VendorEvent:
    if type(value) is not dict:
        raise wrong("message", "an object", got=value)
    data = value.get("data")
    name = value.get("type")
    if type(name) is not str or not 0 < len(name) <= 200:
        raise wrong("type", "a message type or data.idHex", got=name, reason=Reason.UNKNOWN_FORMAT)
    if name in ("SIMPLE", "INVENTORY", "PORTAL", "CONVEYOR", "CUSTOM"):
        raise wrong("data.idHex", "hex", got=None, reason=Reason.IDENTIFIER_INVALID)
    kind = _TYPES.get(name, ReaderEventType.OTHER)
    body = data if type(data) is dict else {}
    at = time_us(value.get("timestamp"), "timestamp")
    return VendorEvent(
        type=kind,
        vendor_type=name,
        time_us=at,
        reader=text(_reader(value, body), "MAC"),
        port=port(body.get("pin"), "data.pin") if kind is ReaderEventType.GPI else None,
        state=_state(kind, body),
        dropped=_dropped(body) if kind is ReaderEventType.HEARTBEAT else None,
        since_us=_since(body, at) if kind is ReaderEventType.HEARTBEAT else None,
    )


def _state(kind: ReaderEventType, body: dict[str, Any]) -> str:
    if kind is ReaderEventType.DIAGNOSTIC:
        said = body.get("message")
        return said[:200] if type(said) is str else ""
    if kind is ReaderEventType.HEARTBEAT:
        return text(member(body, "radio_control").get("status"), "data.radio_control.status")
    return text(body.get("state"), "data.state")


def _dropped(body: dict[str, Any]) -> int | None:
    """Data messages dropped since the start, over all data paths."""
    gateway = body.get("reader_gateway")
    if type(gateway) is not dict:
        return None
    paths = gateway.get("dataPathStatistics")
    holders = paths if type(paths) is list else [gateway]
    counts = [holder.get("numDataMessagesDropped") for holder in holders if type(holder) is dict]
    known = [count for count in counts if type(count) is int and count >= 0]
    return sum(known) if known else None


def _since(body: dict[str, Any], at_us: int) -> int | None:
    """When the counters began: the heartbeat's time less the gateway's uptime (hh:mm:ss)."""
    gateway = body.get("reader_gateway")
    parts = str(gateway.get("uptime", "")).split(":") if type(gateway) is dict else []
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 6 for part in parts):
        return None
    hours, minutes, seconds = map(int, parts)
    return max(0, at_us - ((hours * 60 + minutes) * 60 + seconds) * 1_000_000)


_FORMAT = ItemFormat(is_read=_is_read, reads=_reads, event=_event, reader=_reader_of)
