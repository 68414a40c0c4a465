"""What a message of each topic becomes: every column filled, nothing invented, nothing bad let through."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.alerts import Alert, AlertCause, AlertEnd, AlertState
from lotstream.schemas.base import Evidence, Origin, Stamp
from lotstream.schemas.documents import DocumentLine, QuantityFact, Transformation
from lotstream.schemas.events import (
    Action,
    Conversion,
    EventType,
    Ilmd,
    LocationMaster,
    Quantity,
    QuantityScan,
    ReadPointMaster,
    SiteMapping,
    TraceEvent,
)
from lotstream.schemas.identity import Binding, BindingRows
from lotstream.schemas.lots import LotRecord
from lotstream.schemas.operations import BlindWindow, DeadLetter
from lotstream.schemas.reads import ReaderEvent, ReaderEventType, Tick
from lotstream.schemas.sightings import (
    Context,
    Declaration,
    Edition,
    Form,
    LotSighting,
    LotSightingRows,
    Sighting,
    SightingRows,
)
from lotstream.schemas.topics import TOPICS
from lotstream.schemas.unit_lots import Life, UnitLots, UnitLotsRows
from lotstream.schemas.unit_parents import UnitParents, UnitParentsRows
from lotstream.sinks.rows import COLUMNS, SINKS, Message, Row, columns_of

NOW = 1_763_370_000_000_000
LOT = "01/10614141073464/10/B1"
TAG = "01/10614141073464/21/7"
RUNS = [[NOW, NOW + 1, 12]]  # strength per antenna: beside the tag's sighting alone
STAMP = Stamp(received_us=NOW, origin=Origin.LIVE, source="source", request="request")


def rows_of(
    sink: str, value: bytes | None, headers: tuple[tuple[str, bytes], ...] = ()
) -> dict[str, list[dict[str, Any]]]:
    """What a sink makes of one message, by table and column."""
    found = next(found for found in SINKS if found.name == sink)
    tables = found.rows(Message(found.topic, 3, 42, value, headers, NOW))
    return {table: [_named(table, row) for row in rows] for table, rows in tables.items()}


def _named(table: str, row: Row) -> dict[str, Any]:
    plain = [list(value) if isinstance(value, tuple) else value for value in row]
    return dict(zip(COLUMNS[table], plain, strict=True))


def sighting(tag: str = TAG) -> Sighting:
    declaration = Declaration("e", "shipping", "in_transit", "po:1", "2", "417/3")
    form = Form(Context("dock", "reader", 5, 6), "plant", declaration, "late:9", "00/1", ("00/1",), 1, 2, 17, 1)
    return Sighting(tag, form, Edition((0, 42, 7), NOW + 2), 58_779_000, NOW, NOW + 1, 12, RUNS)


SIGHTING = {
    "tag": TAG, "read_point": "dock", "slot": 58_779_000, "lane": "late:9", "origin": "00/1", "path": ["00/1"],
    "version": [0, 42, 7], "reader": "reader", "policy": 5, "mapping": 6, "location": "plant", "first_at": NOW,
    "last_at": NOW + 1, "reads": 12, "state": 1, "direction": 2, "marks": 17, "evidence": 1, "recorded_at": NOW + 2,
    "event": "e", "biz_step": "shipping", "disposition": "in_transit", "document": "po:1", "line": "2",
    "party": "417/3", "source_partition": 3, "source_offset": 42,
}  # fmt: skip


def test_every_topic_that_sinks_read_has_one() -> None:
    """The topics table says who reads what; each topic of theirs has exactly one sink, and names are unique."""
    read = sorted(topic.name for topic in TOPICS if "sinks" in topic.readers)
    assert sorted(sink.topic for sink in SINKS) == read
    assert len({sink.name for sink in SINKS}) == len(SINKS)


def test_sightings() -> None:
    """A sighting is a row with all its columns, and where it came from."""
    assert rows_of("sightings", SightingRows([sighting()]).encode()) == {"sightings": [{**SIGHTING, "runs": RUNS}]}


def test_lot_sightings() -> None:
    """The same with the lot and the binding that says so; one message may hold several lots."""
    other = LOT + "2"
    value = LotSightingRows([LotSighting(LOT, 8, -1, sighting()), LotSighting(other, 9, 11, sighting("x/y"))]).encode()
    first, second = rows_of("lot-sightings", value)["lot_sightings"]
    assert first == {"lot": LOT, "binding": 8, "relabelled": -1, **SIGHTING}
    assert second == {"lot": other, "binding": 9, "relabelled": 11, **SIGHTING, "tag": "x/y"}


def test_whose_units_are_when_is_kept() -> None:
    """A message that tells a lot of its units' lives makes a row of each statement, with the lives as they are."""
    value = UnitLotsRows([UnitLots(LOT, "01/10614141073464", 5, 9, 3, -1, (Life(0, NOW, LOT),))]).encode()
    assert rows_of("lot-sightings", value) == {
        "unit_lots": [
            {
                "lot": LOT, "subject": "01/10614141073464", "first_serial": 5, "last_serial": 9, "binding": 3,
                "horizon_us": -1, "lives": [(0, NOW, LOT)], "source_partition": 3, "source_offset": 42,
            }
        ]
    }  # fmt: skip


def test_what_units_are_packed_in_is_told_by_their_bindings() -> None:
    """So a message that tells units, or their lots, makes no rows."""
    value = UnitParentsRows([UnitParents("", "", "00/1", 3, ((5, 9),), ("00/1",), ("01/1",))]).encode()
    assert rows_of("sightings", value) == {"sightings": []}
    assert rows_of("lot-sightings", value) == {"lot_sightings": []}


def test_bindings() -> None:
    """A binding keeps its range, its event and whether it was taken back."""
    binding = Binding(0, "01/10614141073464", 5, 9, LOT, 0, NOW, "e", 1, NOW + 1)
    assert rows_of("identity", BindingRows([binding]).encode()) == {
        "bindings": [
            {
                "relation": 0, "subject": "01/10614141073464", "first_serial": 5, "last_serial": 9, "object": LOT,
                "action": 0, "at": NOW, "event": "e", "retracted": 1, "recorded_at": NOW + 1, "source_partition": 3,
                "source_offset": 42,
            }
        ]
    }  # fmt: skip


def test_lots() -> None:
    """A statement about a lot; what it does not say stays absent."""
    record = LotRecord(
        lot=LOT, gtin="10614141073464", code="B1", event="e", at_us=NOW, expires=date(2026, 3, 1),
        amount=Decimal("2.5"), uom="KGM", supplier_code="S", recorded_us=NOW + 1,
    )  # fmt: skip
    (row,) = rows_of("lots", record.encode())["lots"]
    assert (row["lot"], row["expires"], row["amount"], row["supplier_code"]) == (
        LOT,
        date(2026, 3, 1),
        Decimal("2.5"),
        "S",
    )
    assert (row["produced_at"], row["best_before"], row["units"], row["status"], row["retracted"]) == (
        None,
        None,
        None,
        "active",
        False,
    )


def test_documents() -> None:
    """A document line and a quantity fact go to tables of their own; amounts stay Decimal."""
    line = DocumentLine(
        document="po:1", line="2", biz_step="shipping", event="e", at_us=NOW, units=(TAG,), recorded_us=NOW
    )
    assert rows_of("documents", line.encode())["document_lines"][0]["units"] == [TAG]
    quantity = QuantityFact(
        lot=LOT, identity="i", revision=4, source="a", source_disposition="in_transit", location="b",
        disposition="d", amount=Decimal("0.000001"), uom="KGM", cases=1, biz_step="receiving",
        evidence=Evidence.DECLARED, at_us=NOW, recorded_us=NOW,
    )  # fmt: skip
    (row,) = rows_of("documents", quantity.encode())["quantities"]
    assert (row["source"], row["source_disposition"], row["location"], row["disposition"]) == (
        "a",
        "in_transit",
        "b",
        "d",
    )
    assert (row["amount"], type(row["amount"]), row["evidence"]) == (Decimal("0.000001"), Decimal, 2)


def test_conversions() -> None:
    """What an event says of the units of a product is a row for each product and unit, beside the event."""
    said = Ilmd(conversions=(Conversion(uom="XCS", factor=Decimal("12.5"), to="KGM"),))
    event = TraceEvent(
        event_type=EventType.OBJECT, event_hash="h", event_time_us=NOW, action=Action.ADD, text="{}", subject="s",
        quantities=(Quantity(epc_class=LOT[:17]),), ilmd=said, stamp=STAMP,
    )  # fmt: skip
    (row,) = rows_of("events", event.encode())["conversions"]
    assert (row["gtin"], row["uom"], row["factor"], row["to_uom"]) == (LOT[3:17], "XCS", Decimal("12.5"), "KGM")
    assert (row["event"], row["at"], row["error"]) == ("h", NOW, False)


def test_transformations() -> None:
    """A side of a transformation is a row; what was not said of its amount stays absent."""
    side = Transformation(
        process="p", event="e", side="output", units=(TAG,), items=1, part=2, at_us=NOW, recorded_us=NOW + 1
    )
    (row,) = rows_of("documents", side.encode())["transformations"]
    assert (row["process"], row["side"], row["lot"], row["units"], row["part"]) == ("p", 1, "", [TAG], 2)
    assert (row["amount"], row["uom"], row["retracted"], row["recorded_at"]) == (None, "", False, NOW + 1)


def test_events() -> None:
    """An event as sent; a scan is in the quantities already; a mapping is its locations and read points."""
    event = TraceEvent(
        event_type=EventType.OBJECT, event_hash="h", event_time_us=NOW, action=Action.ADD, biz_step="commissioning",
        text='{"type":"ObjectEvent"}', subject="s", stamp=STAMP,
    )  # fmt: skip
    (row,) = rows_of("events", event.encode())["events"]
    assert (row["event"], row["event_type"], row["action"], row["error"], row["text"]) == (
        "h",
        "ObjectEvent",
        "ADD",
        False,
        '{"type":"ObjectEvent"}',
    )
    scan = QuantityScan(
        scanner="s", lot=LOT, amount=Decimal(1), uom="H87", raw="x", biz_step="storing", read_point="p", location="l",
        time_us=NOW, device_time_us=NOW, subject="s", stamp=STAMP,
    )  # fmt: skip
    assert rows_of("events", scan.encode()) == {}
    mapping = SiteMapping(
        version=7,
        locations=(LocationMaster(id="plant", name="Plant"),),
        read_points=(ReadPointMaster(id="dock", door="dock", inside="plant"),),
        stamp=STAMP,
    )
    tables = rows_of("events", mapping.encode())
    assert (tables["locations"][0]["id"], tables["locations"][0]["mapping"]) == ("plant", 7)
    assert (tables["read_points"][0]["inside"], tables["read_points"][0]["recorded_at"]) == ("plant", NOW)


def test_reader_events() -> None:
    """Of reads.v1 only what readers said besides reads; batches and ticks are passed over."""
    event = ReaderEvent(
        reader="r", door="dock", time_us=NOW, type=ReaderEventType.GPI, text="t", read_point="dock", stamp=STAMP
    )
    (row,) = rows_of("reader-events", event.encode())["reader_events"]
    assert (row["reader"], row["at"], row["read_point"], row["recorded_at"]) == ("r", NOW, "dock", NOW)
    assert rows_of("reader-events", Tick().encode()) == {}
    assert rows_of("reader-events", b'{"kind":"reads","rest":"is not looked at"}') == {}


def test_blind_windows() -> None:
    """A window that lasts has no end."""
    window = BlindWindow(subject="dock", cause="down", from_us=NOW, recorded_us=NOW + 1)
    (row,) = rows_of("blind-windows", window.encode())["blind_windows"]
    assert (row["subject"], row["from_at"], row["until_at"], row["lost"]) == ("dock", NOW, None, None)


def test_alerts() -> None:
    """Every version of an alert is a row, with why it was cleared, or nothing."""
    alert = Alert(
        key="0" * 32,
        version=2,
        state=AlertState.CLEARED,
        end=AlertEnd.RELEASED,
        cause=AlertCause.HELD,
        lot=LOT,
        hold="H1",
        tag="00/1",
        read_point="dock",
        slot=7,
        location="plant",
        evidence=Evidence.INFERRED,
        units=1,
        inside=(TAG,),
        first_us=NOW,
        last_us=NOW + 1,
        recorded_us=NOW + 2,
    )
    (row,) = rows_of("alerts", alert.encode())["alerts"]
    assert (row["alert"], row["version"], row["state"], row["ending"], row["inside"]) == (
        "0" * 32, 2, "cleared", "released", [TAG],
    )  # fmt: skip
    (row,) = rows_of("alerts", alert.model_copy(update={"state": AlertState.RAISED, "end": None}).encode())["alerts"]
    assert (row["state"], row["ending"], row["hold"], row["last_at"], row["recorded_at"]) == (
        "raised", "", "H1", NOW + 1, NOW + 2,
    )  # fmt: skip


def test_dead_letters() -> None:
    """The untouched bytes with the reason in the headers; foreign headers are left aside."""
    letter = DeadLetter(
        reason=Reason.JSON_INVALID, detail="d", field="f", source="s", stage="gateway", origin="o", received_us=NOW
    )
    (row,) = rows_of("dead-letters", b"\xff\x00{", (*letter.headers(), ("trace", b"\xfe")))["dead_letters"]
    assert (row["bytes"], row["reason"], row["source"], row["received_at"]) == (b"\xff\x00{", "json_invalid", "s", NOW)


@pytest.mark.parametrize("headers", [(), (("reason", b"because"), ("received_us", b"soon"))])
def test_a_dead_letter_without_its_headers(headers: tuple[tuple[str, bytes], ...]) -> None:
    """A message that somebody else put among the dead letters is kept with what can be said of it."""
    (row,) = rows_of("dead-letters", b"?", headers)["dead_letters"]
    assert (row["bytes"], row["source"], row["reason"], row["received_at"]) == (b"?", "unknown", "schema_invalid", NOW)
    assert row["origin"] == "dead-letters.v1:3:42"


@pytest.mark.parametrize("sink", [sink.name for sink in SINKS if sink.name != "dead-letters"])
@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"kind":"other"}', b"\xff\xfe"])
def test_what_is_not_understood(sink: str, value: bytes | None) -> None:
    """Bytes of another shape are rejected with a reason, never half taken."""
    with pytest.raises(Rejected) as caught:
        rows_of(sink, value)
    assert caught.value.reason in (Reason.JSON_INVALID, Reason.SCHEMA_INVALID)


def test_columns() -> None:
    """Rows turn into columns of one length."""
    assert columns_of([(1, "a"), (2, "b")]) == [[1, 2], ["a", "b"]]
