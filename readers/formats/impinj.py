"""Impinj IoT device interface (R700 family): webhook arrays, HTTP stream lines, single events.

``timestamp`` is the instant of queueing, ``lastSeenTime`` the instant of the read (off by default). Members
and enums: the device interface's public model, version 1.7.
"""

from functools import lru_cache
from typing import Any

from lotstream.readers.formats.framing import parse_items
from lotstream.readers.formats.items import Lost, Parsed, VendorEvent, VendorRead
from lotstream.readers.formats.values import (
    base64_word,
    hex_word,
    member,
    port,
    scaled,
    text,
    time_us,
    whole,
    wrong,
)
from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import NOT_REPORTED
from lotstream.schemas.reads import ReaderEventType

_IN = "tagInventoryEvent"


def parse(payload: bytes) -> Parsed:
    """Reads and events of a body; never raises for bad data."""
    return parse_items(payload, _item)


def _item(value: Any) -> VendorRead | VendorEvent:
    if type(value) is not dict:
        raise wrong("event", "an object", value)
    event = value.get(_IN)
    if event is not None:
        return _read(value, event)
    return _event(value)


def _read(value: dict[str, Any], event: Any) -> VendorRead:
    if type(event) is not dict:
        raise wrong(_IN, "an object", event)
    get = event.get
    seen = get("lastSeenTime")
    return VendorRead(
        _word(get("epc"), get("epcHex"), "epc"),
        port(get("antennaPort"), "antennaPort"),
        time_us(value.get("timestamp"), "timestamp") if seen is None else time_us(seen, "lastSeenTime"),
        text(value.get("hostname"), "hostname"),
        NOT_REPORTED,
        NOT_REPORTED,
        whole(get("peakRssiCdbm"), "peakRssiCdbm", low=-20_000, high=5_000),
        scaled(get("phaseAngle"), "phaseAngle", by=100, low=-36_000, high=36_000),
        whole(get("frequency"), "frequency", low=1, high=10_000_000),
        whole(get("transmitPowerCdbm"), "transmitPowerCdbm", low=-10_000, high=10_000),
        _optional_word(get("tid"), get("tidHex"), "tid"),
        _protocol_control(get("pc"), get("pcHex")),
    )


def _word(base64: Any, hexa: Any, field: str) -> str:
    if hexa is None:
        if type(base64) is not str:
            raise wrong(f"{_IN}.{field}", "base64", base64, reason=Reason.IDENTIFIER_INVALID)
        return base64_word(base64, field)
    if type(hexa) is not str:
        raise wrong(f"{_IN}.{field}Hex", "hex", hexa, reason=Reason.IDENTIFIER_INVALID)
    word = hex_word(hexa, f"{field}Hex")
    if base64 is not None and type(base64) is str and base64_word(base64, field) != word:
        raise Rejected(
            Reason.CONTRADICTION,
            f"Expected one word in {field} and {field}Hex, got {base64!r} and {hexa!r}.",
            field=f"{_IN}.{field}",
        )
    return word


def _optional_word(base64: Any, hexa: Any, field: str) -> str:
    return "" if base64 is None and hexa is None else _word(base64, hexa, field)


def _protocol_control(base64: Any, hexa: Any) -> int:
    return NOT_REPORTED if base64 is None and hexa is None else _two_bytes(_word(base64, hexa, "pc"))


@lru_cache(maxsize=256)
def _two_bytes(word: str) -> int:
    if len(word) != 4:
        raise wrong(f"{_IN}.pc", "two bytes", word)
    return int(word, 16)


_TYPES = {
    "antennaConnected": ReaderEventType.ANTENNA,
    "antennaDisconnected": ReaderEventType.ANTENNA,
    "antennaActivation": ReaderEventType.ANTENNA,
    "inventoryStatus": ReaderEventType.STATUS,
    "overflow": ReaderEventType.OVERFLOW,
    "gpiTransition": ReaderEventType.GPI,
    "diagnostic": ReaderEventType.DIAGNOSTIC,
    "diagnosticEvent": ReaderEventType.DIAGNOSTIC,
}
_STATES = {"antennaConnected": "connected", "antennaDisconnected": "disconnected", "antennaActivation": "active"}


def _event(value: dict[str, Any]) -> VendorEvent:
    name = value.get("eventType")
    if type(name) is not str or not 0 < len(name) <= 200:
        raise wrong("eventType", "an event type or a tagInventoryEvent", name, reason=Reason.UNKNOWN_FORMAT)
    if name == "tagInventory":
        raise wrong(_IN, "an object", None)
    kind = _TYPES.get(name, ReaderEventType.OTHER)
    body = {} if kind is ReaderEventType.OTHER else member(value, name if name.endswith("Event") else f"{name}Event")
    return VendorEvent(
        type=kind,
        vendor_type=name,
        time_us=time_us(value.get("timestamp"), "timestamp"),
        reader=text(value.get("hostname"), "hostname"),
        port=_event_port(kind, body),
        state=_state(name, body),
        lost=_lost(body) if kind is ReaderEventType.OVERFLOW else None,
    )


def _event_port(kind: ReaderEventType, body: Any) -> int | None:
    if kind is ReaderEventType.ANTENNA:
        return port(body.get("antennaPort"), "antennaPort")
    return port(body.get("gpi"), "gpi") if kind is ReaderEventType.GPI else None


def _state(name: str, body: Any) -> str:
    if name in _STATES:
        return _STATES[name]
    # public sources disagree on the member's name
    said = body.get("status", body.get("inventoryStatus", body.get("transition")))
    return text(said, "status")


def _lost(body: Any) -> Lost:
    purged = whole(body.get("eventsPurged"), "eventsPurged", low=0, high=2**53)
    start = time_us(body.get("firstEventTimestamp"), "firstEventTimestamp")
    end = time_us(body.get("lastEventTimestamp"), "lastEventTimestamp")
    return Lost(from_us=min(start, end), until_us=max(start, end), count=None if purged == NOT_REPORTED else purged)
