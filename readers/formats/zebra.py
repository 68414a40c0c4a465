"""Zebra IoT Connector: data messages and management events, one, an array, a line each, or end to end.

Member names differ by firmware: loss counters are in reader_gateway or in its dataPathStatistics. Tag reads, BLE
reports and management events arrive on one end point and are told apart by ``type``.
"""

from typing import Any

from lotstream.readers.formats.framing import parse_items
from lotstream.readers.formats.items import Parsed, VendorEvent, VendorRead
from lotstream.readers.formats.values import hex_word, member, port, scaled, text, time_us, whole, wrong
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
    return parse_items(payload, _item)


def _item(value: Any) -> VendorRead | VendorEvent:
    if type(value) is not dict:
        raise wrong("message", "an object", value)
    data = value.get("data")
    if type(data) is dict and "idHex" in data:
        return _read(value, data)
    return _event(value, data)


def _read(value: dict[str, Any], data: dict[str, Any]) -> VendorRead:
    get = data.get
    word = get("idHex")
    if type(word) is not str:
        raise wrong("data.idHex", "hex", word, reason=Reason.IDENTIFIER_INVALID)
    return VendorRead(
        hex_word(word, "data.idHex"),
        port(get("antenna"), "data.antenna"),
        time_us(value.get("timestamp"), "timestamp"),
        _reader(value, data),
        NOT_REPORTED,
        whole(get("reads"), "data.reads", low=1, high=2**31 - 1),
        scaled(get("peakRssi"), "data.peakRssi", by=100, low=-20_000, high=5_000),
        scaled(get("phase"), "data.phase", by=100, low=-36_000, high=36_000),
        scaled(get("channel"), "data.channel", by=1_000, low=1, high=10_000_000),
        NOT_REPORTED,
        _tid(get("TID")),
        _protocol_control(get("PC")),
    )


def _reader(value: dict[str, Any], data: dict[str, Any]) -> str:
    for holder, name in ((data, "MAC"), (data, "hostName"), (value, "MAC"), (value, "hostName")):
        if (said := holder.get(name)) is not None:
            return text(said, name)
    return ""


def _tid(word: Any) -> str:
    if word is None or word == "":
        return ""
    if type(word) is not str:
        raise wrong("data.TID", "hex", word)
    return hex_word(word, "data.TID")


def _protocol_control(word: Any) -> int:
    if word is None or word == "":
        return NOT_REPORTED
    if type(word) is not str or len(hex_word(word, "data.PC")) != 4:
        raise wrong("data.PC", "two bytes in hex", word)
    return int(word, 16)


def _event(value: dict[str, Any], data: Any) -> VendorEvent:
    name = value.get("type")
    if type(name) is not str or not 0 < len(name) <= 200:
        raise wrong("type", "a message type or data.idHex", name, reason=Reason.UNKNOWN_FORMAT)
    if name in ("SIMPLE", "INVENTORY", "PORTAL", "CONVEYOR", "CUSTOM"):
        raise wrong("data.idHex", "hex", None, reason=Reason.IDENTIFIER_INVALID)
    kind = _TYPES.get(name, ReaderEventType.OTHER)
    body = data if type(data) is dict else {}
    at = time_us(value.get("timestamp"), "timestamp")
    return VendorEvent(
        type=kind,
        vendor_type=name,
        time_us=at,
        reader=_reader(value, body),
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
