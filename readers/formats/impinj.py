"""Impinj IoT device interface (R700 family): webhook arrays, HTTP stream lines, single events.

``timestamp`` is the instant of queueing, ``lastSeenTime`` the instant of the read (off by default). Members
and enums: the device interface's public model, version 1.7.
"""

from typing import Any

from lotstream.readers.formats.columns import Columns
from lotstream.readers.formats.framing import ItemFormat, frame, parse_items
from lotstream.readers.formats.items import Lost, Parsed, VendorEvent, VendorRead
from lotstream.readers.formats.values import base64_word, hex_word, member, port, text, time_us, whole, wrong
from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import NOT_REPORTED
from lotstream.schemas.reads import ReaderEventType

_IN = "tagInventoryEvent"


def parse(payload: bytes) -> Parsed:
    """Reads and events of a body; never raises for bad data."""
    return parse_items(frame(payload), _FORMAT)


def _is_read(value: Any) -> bool:
    return type(value) is dict and type(value.get(_IN)) is dict


def _reads(check: Columns, items: list[Any]) -> list[VendorRead]:
    events = [item[_IN] for item in items]
    absent = [NOT_REPORTED] * len(items)
    return check.rows(
        _words(check, events, "epc", hexa="epcHex"),
        check.ports([event.get("antennaPort") for event in events], "antennaPort"),
        _times(check, items, events=events),
        check.texts([item.get("hostname") for item in items], "hostname"),
        absent,
        absent,
        check.wholes([event.get("peakRssiCdbm") for event in events], "peakRssiCdbm", low=-20_000, high=5_000),
        check.scaleds([event.get("phaseAngle") for event in events], "phaseAngle", by=100, low=-36_000, high=36_000),
        check.wholes([event.get("frequency") for event in events], "frequency", low=1, high=10_000_000),
        check.wholes(
            [event.get("transmitPowerCdbm") for event in events], "transmitPowerCdbm", low=-10_000, high=10_000
        ),
        _words(check, events, "tid", hexa="tidHex", needed=False),
        check.two_bytes(_words(check, events, "pc", hexa="pcHex", needed=False), "pc"),
    )


def _times(check: Columns, items: list[Any], *, events: list[Any]) -> list[int]:
    seen = [event.get("lastSeenTime") for event in events]
    if None not in seen:
        return check.times(seen, "lastSeenTime")

    def time(last: Any, queued: Any) -> int:
        return time_us(queued, "timestamp") if last is None else time_us(last, "lastSeenTime")

    return check.each(time, seen, [item.get("timestamp") for item in items], hole=0)


def _words(check: Columns, events: list[Any], base64: str, *, hexa: str, needed: bool = True) -> list[str]:
    """A memory bank that a reader sends in base64, in hex, or in both, as hex."""
    coded = [event.get(base64) for event in events]
    plain = [event.get(hexa) for event in events]
    if coded.count(None) == len(coded):
        return check.tags(plain, hexa) if needed else check.words(plain, hexa)

    def word(code: Any, word: Any) -> str:
        return "" if code is None and word is None and not needed else _word(code, word, field=base64)

    return check.each(word, coded, plain, hole="")


def _word(code: Any, word: Any, *, field: str) -> str:
    if word is None and code is not None:
        if type(code) is not str:
            raise wrong(field, "base64", got=code, reason=Reason.IDENTIFIER_INVALID)
        return base64_word(code, field)
    found = hex_word(word, f"{field}Hex")
    if code is not None and (type(code) is not str or base64_word(code, field) != found):
        detail = f"Expected one word in {field} and {field}Hex, got {code!r} and {word!r}."
        raise Rejected(Reason.CONTRADICTION, detail, field=field)
    return found


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


def _event(value: Any) -> VendorEvent:
    if type(value) is not dict:
        raise wrong("event", "an object", got=value)
    name = value.get("eventType")
    if type(name) is not str or not 0 < len(name) <= 200:
        raise wrong("eventType", "an event type or a tagInventoryEvent", got=name, reason=Reason.UNKNOWN_FORMAT)
    if name == "tagInventory":
        raise wrong(_IN, "an object", got=value.get(_IN))
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


_FORMAT = ItemFormat(is_read=_is_read, reads=_reads, event=_event, reader=lambda item: item.get("hostname"))
