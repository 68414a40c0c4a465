"""Business lines as EPCIS 2.0 events in JSON: one event a line, so that a line can be corrected by itself."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from lotstream.readers.imports.kinds import Kind
from lotstream.readers.imports.lines import Line

Event = dict[str, Any]
CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"lotstream": "https://lotstream.example/ns/", "cbvmda": "urn:epcglobal:cbv:mda:"},
]


def event_of(line: Line) -> bytes:
    """The event of a line, which stands alone."""
    event = _BUILDERS[line.kind](line)
    papers = [(line.document_type, line.document), *line.papers] if line.document else []
    if papers:
        event["bizTransactionList"] = [
            {**({"type": kind} if kind else {}), "bizTransaction": number} for kind, number in papers
        ]
    if line.line:
        event["lotstream:documentLine"] = line.line
    if line.revision:
        event["lotstream:lineRevision"] = line.revision
    return orjson.dumps(event)


def _receipt(line: Line) -> Event:
    """Goods from outside begin here, with what the supplier says of them; goods of ours come out of transit."""
    if line.other:
        return _object(line, "OBSERVE", "receiving") | _parties("source", _goods_from(line))
    event = _object(line, "ADD", "receiving") | {"ilmd": dict(line.ilmd)}
    return event | _parties("source", _goods_from(line))


def _shipment(line: Line) -> Event:
    to = [("owning_party", line.party), ("location", line.other or line.party)]
    return (
        _object(line, "OBSERVE", "shipping")
        | {"disposition": "in_transit"}
        | _parties("source", [("location", line.location)])
        | _parties("destination", to)
    )


def _return(line: Line) -> Event:
    came = [("owning_party", line.party), ("location", line.other or line.party)]
    return _object(line, "OBSERVE", "receiving") | {"disposition": "returned"} | _parties("source", came)


def _count(line: Line) -> Event:
    return _object(line, "OBSERVE", "cycle_counting")


def _production(line: Line) -> Event:
    event = _transformation(line) | {"outputQuantityList": _quantities(line)}
    return event | ({"ilmd": dict(line.ilmd)} if line.ilmd else {})


def _consumption(line: Line) -> Event:
    return _transformation(line) | {"inputQuantityList": _quantities(line)}


_BUILDERS: Mapping[Kind, Callable[[Line], Event]] = {
    Kind.RECEIPTS: _receipt,
    Kind.SHIPMENTS: _shipment,
    Kind.RETURNS: _return,
    Kind.COUNTS: _count,
    Kind.PRODUCTION: _production,
    Kind.CONSUMPTION: _consumption,
}


def _goods_from(line: Line) -> list[tuple[str, str]]:
    return [("owning_party", line.party), ("location", line.other)]


def event_at(kind: str, at: datetime) -> Event:
    """What every event has: its context, type and time with the offset of its place."""
    offset = at.strftime("%z")
    return {
        "@context": CONTEXT,
        "type": kind,
        "eventTime": at.isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": f"{offset[:3]}:{offset[3:5]}",
    }


def _object(line: Line, action: str, step: str) -> Event:
    return _placed(line, "ObjectEvent", step) | {"action": action, "quantityList": _quantities(line)}


def _transformation(line: Line) -> Event:
    return _placed(line, "TransformationEvent", "commissioning") | {"transformationID": line.document}


def _placed(line: Line, kind: str, step: str) -> Event:
    assert line.at is not None
    here = {"id": line.location}
    return event_at(kind, line.at) | {"bizStep": step, "readPoint": here, "bizLocation": here}


def _quantities(line: Line) -> list[Event]:
    return [{"epcClass": line.lot, "quantity": _number(amount), "uom": uom} for amount, uom in line.amounts]


def _number(amount: Decimal) -> orjson.Fragment:
    return orjson.Fragment(f"{amount:f}")  # a float has not digits enough for 18


def _parties(role: str, typed: list[tuple[str, str]]) -> Event:
    found = [{"type": kind, role: uri} for kind, uri in typed if uri]
    return {f"{role}List": found} if found else {}
