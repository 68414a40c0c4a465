"""The FSMA 204 spreadsheet of a small world, on the real engine."""

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from lotstream.recall.fsma_answer import Fsma
from lotstream.recall.fsma_ask import fsma
from lotstream.recall.fsma_rule import Cte
from lotstream.recall.fsma_sheet import write_sheet
from lotstream.recall.steps import steps
from lotstream.recall.store import History
from lotstream.schemas.base import Evidence, Origin, Stamp
from lotstream.schemas.documents import DocumentLine, QuantityFact, Transformation
from lotstream.schemas.events import Action, EventType, LocationMaster, SiteMapping, TraceEvent
from lotstream.schemas.lots import LotRecord

GTIN = "90614141000411"
RAW, SALAD = f"01/{GTIN}/10/RAW", f"01/{GTIN}/10/%3D1%2B1"
PLANT, STORE, FARM = "414/0614141000012", "414/0614141001019", "414/0614141009992"
# 23:30 UTC: the next day in Berlin, the same day in Chicago
LATE = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
STAMP = Stamp(received_us=1, source="test", request="r", origin=Origin.LIVE)


def us(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def event(name: str, ilmd: dict[str, str], at: datetime = LATE, **given: Any) -> TraceEvent:
    """An event that brings something into being, with its text as sent."""
    sent = {"type": "ObjectEvent", "action": "ADD", "ilmd": ilmd} | given
    return TraceEvent(
        event_type=EventType.OBJECT, event_hash=name, event_time_us=us(at), action=Action.ADD, text=json.dumps(sent),
        subject="s", stamp=STAMP, biz_step="commissioning",
    )  # fmt: skip


def master(name: str, key: str, ilmd: dict[str, str]) -> TraceEvent:
    return event(name, ilmd, epcList=[f"https://id.gs1.org/{key}"])


@pytest.fixture
def world(warehouse: Any) -> Any:
    """Raw goods are packed in Berlin and made into a salad, which is shipped to Chicago and half received there."""
    plant = LocationMaster(id=PLANT, name="Plant", site="plant", time_zone="Europe/Berlin", gln=PLANT[4:])
    store = LocationMaster(id=STORE, name="Store", site="store", time_zone="America/Chicago", gln=STORE[4:])
    warehouse.put("events", [SiteMapping(version=1, locations=(plant, store), read_points=(), stamp=STAMP).encode()])
    address = {
        "cbvmda:name": "Plant GmbH", "lotstream:phone": "+49 30 1", "cbvmda:streetAddressOne": "Weg 1",
        "cbvmda:city": "Berlin", "cbvmda:state": "BE", "cbvmda:postalCode": "10115", "cbvmda:countryCode": "DE",
    }  # fmt: skip
    packed = {"lotstream:farmLocation": FARM, "cbvmda:harvestEndDate": "2026-02-27", "lotstream:commodity": "Lettuce"}
    paper = {"bizTransactionList": [{"type": "prodorder", "bizTransaction": "PO-1"}]}
    said = [
        master("m1", PLANT, address),
        master("m2", FARM, {"cbvmda:name": "Farm", "cbvmda:city": "Werder"}),
        event("begun", packed, **paper),
    ]
    warehouse.put("events", [one.encode() for one in said])
    known: dict[str, Any] = {"event": "begun", "at_us": us(LATE), "recorded_us": 1, "location": PLANT, "gtin": GTIN}
    raw = LotRecord(lot=RAW, code="RAW", amount=Decimal("12.50"), uom="KGM", description="Lettuce, raw", **known)
    made = LotRecord(lot=SALAD, code="=1+1", description="=Salad", **(known | {"event": "made"}))
    warehouse.put("lots", [raw.encode(), made.encode()])
    side: dict[str, Any] = {
        "process": "p",
        "event": "made",
        "at_us": us(LATE),
        "recorded_us": 1,
        "location": PLANT,
        "uom": "KGM",
    }
    sides = [
        Transformation(side="input", lot=RAW, amount=Decimal(10), document="prodorder:PO-2", **side),
        Transformation(side="output", lot=SALAD, amount=Decimal(9), **side),
    ]
    warehouse.put("documents", [one.encode() for one in sides])
    move(warehouse, "shipping", "10", "desadv:urn:epcglobal:cbv:bt:0614141000012:D%2F1", LATE + timedelta(hours=3))
    move(warehouse, "receiving", "4", "recadv:R1", LATE + timedelta(hours=30))
    return warehouse


def move(warehouse: Any, step: str, amount: str, document: str, at: datetime) -> None:
    way = {"source": PLANT, "location": STORE} if step == "shipping" else {"source": STORE, "location": STORE}
    common: dict[str, Any] = {
        "lot": SALAD, "amount": Decimal(amount), "uom": "KGM", "biz_step": step, "document": document, "line": "1",
        "event": f"{step} event", "at_us": us(at), "recorded_us": 1,
    }  # fmt: skip
    fact = QuantityFact(**common, identity=document or step, revision=1, evidence=Evidence.DECLARED, **way)
    lines = [DocumentLine(**common, from_location=PLANT, to_location=STORE)] if document else []
    warehouse.put("documents", [one.encode() for one in (*lines, fact)])


def asked(world: Any, *lots: str, **when: Any) -> Fsma:
    with History(world.settings, **when) as history:
        return fsma(history, lots)


def values(answer: Fsma, cte: Cte) -> list[dict[str, str]]:
    return [row.values for sheet in answer.sheets if sheet.cte is cte for row in sheet.rows]


def lacking(answer: Fsma, cte: Cte) -> dict[str, str]:
    return {lack.kde: lack.detail for lack in answer.missing if lack.cte is cte}


def test_shipping_and_receiving(world: Any) -> None:
    """Each has its own amount, ends, paper and day: that of the site where it happened."""
    answer = asked(world, SALAD)
    (shipped,) = values(answer, Cte.SHIPPING)
    assert (shipped["traceability_lot_code"], shipped["quantity"], shipped["uom"]) == (
        f"(01){GTIN}(10)=1+1",
        "10",
        "KGM",
    )
    assert (shipped["ship_date"], shipped["product_description"]) == ("2026-03-02", "=Salad")
    assert (shipped["ship_from_location_business_name"], shipped["ship_from_location_zip"]) == ("Plant GmbH", "10115")
    assert shipped["subsequent_recipient_location_business_name"] == "Store"
    assert shipped["tlc_source_location_phone"] == "+49 30 1"
    assert (shipped["reference_document_type"], shipped["reference_document_number"]) == ("Despatch advice", "D/1")
    (received,) = values(answer, Cte.RECEIVING)
    assert (received["quantity"], received["receive_date"]) == ("4", "2026-03-02")  # 05:30 UTC is the day before there
    assert received["previous_source_location_business_name"] == "Plant GmbH"


def test_missing_is_listed_and_never_invented(world: Any) -> None:
    """What nobody said is empty in the sheet, and listed by event, with the members of a location that lack."""
    answer = asked(world, SALAD)
    assert lacking(answer, Cte.SHIPPING) == {
        "subsequent_recipient_location": "master data without phone, street or geo, city, state, zip, country"
    }
    assert values(answer, Cte.SHIPPING)[0]["subsequent_recipient_location_city"] == ""
    packed = lacking(asked(world, RAW), Cte.INITIAL_PACKING)
    assert {"harvester_business_name", "received_date", "farm_location", "field_name"} <= packed.keys()
    assert "variety" not in packed and "harvest_date" not in packed
    assert {lack.event for lack in answer.missing if lack.cte is Cte.SHIPPING} == {"shipping event"}


def test_packing_and_transformation(world: Any) -> None:
    """A lot's beginning is the packing of its food, with what its event says; a process names input and output."""
    answer = asked(world, RAW)
    (packed,) = values(answer, Cte.INITIAL_PACKING)
    assert (packed["commodity"], packed["harvest_date"], packed["packing_date"]) == (
        "Lettuce",
        "2026-02-27",
        "2026-03-02",
    )
    assert (packed["farm_location_city"], packed["packed_quantity"]) == ("Werder", "12.5")
    assert packed["reference_document_number"] == "PO-1"
    for one in (answer, asked(world, SALAD)):
        (made,) = values(one, Cte.TRANSFORMATION)
        assert (made["input_traceability_lot_code"], made["input_quantity"]) == (f"(01){GTIN}(10)RAW", "10")
        assert (made["quantity"], made["completion_date"], made["reference_document_number"]) == (
            "9",
            "2026-03-02",
            "PO-2",
        )


def test_as_of_and_corrected_masters(world: Any) -> None:
    """What had not happened is not there; a corrected address is the address."""
    world.put("events", [master("m3", FARM, {"cbvmda:name": "Farm", "cbvmda:city": "Potsdam"}).model_copy(
        update={"stamp": STAMP.model_copy(update={"received_us": 9})}).encode()])  # fmt: skip
    assert values(asked(world, RAW), Cte.INITIAL_PACKING)[0]["farm_location_city"] == "Potsdam"
    assert values(asked(world, SALAD, as_of=LATE), Cte.SHIPPING) == []


def test_files(world: Any, tmp_path: Path) -> None:
    """XLSX has a sheet a kind, with numbers and dates as such and texts as texts; CSV has every row."""
    answer = asked(world, RAW, SALAD)
    write_sheet(answer, tmp_path / "f.xlsx")
    book = openpyxl.load_workbook(tmp_path / "f.xlsx")
    assert book.sheetnames == ["about", "initial_packing", "shipping", "receiving", "transformation", "missing"]
    head, row = list(book["shipping"].iter_rows(values_only=True))
    found = dict(zip(head, row, strict=True))
    assert (found["quantity"], found["ship_date"], found["event"]) == (10, datetime(2026, 3, 2), "shipping event")
    assert found["product_description"] == "=Salad"
    assert "certifies nothing" in book["about"]["B3"].value
    assert book["missing"].max_row == len(answer.missing) + 1
    write_sheet(answer, tmp_path / "f.csv")
    rows = list(csv.DictReader((tmp_path / "f.csv").open(encoding="utf-8")))
    assert [row["critical_tracking_event"] for row in rows] == [
        "initial_packing",
        "shipping",
        "receiving",
        "transformation",
    ]


def test_steps(world: Any) -> None:
    """One step back and forward name who, what, how much and when, and what of it nobody said."""
    with History(world.settings) as history:
        answer = steps(history, SALAD)
    (sent,) = answer.forward
    assert (sent.sender.name, sent.sender.address) == ("Plant GmbH", "Weg 1, 10115 Berlin, BE, DE")
    assert (sent.receiver.name, sent.receiver.address, sent.amount, sent.document) == (
        "Store",
        "",
        10,
        "desadv:urn:epcglobal:cbv:bt:0614141000012:D%2F1",
    )
    assert sent.missing == ("receiver's address",)
    assert (sent.dispatched_at, sent.origin, sent.destination) == (sent.at, None, None)
    (received,) = answer.back
    assert (received.amount, received.dispatched_at) == (4, None)
    assert "date of dispatch" in received.missing
    assert (answer.made_from, answer.made_into) == ((RAW,), ())


def test_a_receipt_without_a_document_has_no_dispatch(world: Any) -> None:
    """When something was sent is said by a dispatch on the same document, never by another that has none either."""
    move(world, "shipping", "2", "", LATE + timedelta(hours=4))
    move(world, "receiving", "2", "", LATE + timedelta(hours=5))
    with History(world.settings) as history:
        received = steps(history, SALAD).back
    assert {(one.document, one.dispatched_at) for one in received} == {("recadv:R1", None), ("", None)}


def test_a_bought_lot_has_no_source_of_ours(world: Any) -> None:
    """What came into our records by a receipt was not packed by us, and where its code comes from is missing."""
    bought = f"01/{GTIN}/10/BOUGHT"
    receipt = event("receipt", {}).model_copy(update={"biz_step": "receiving"})
    world.put("events", [receipt.encode()])
    record = LotRecord(
        lot=bought, gtin=GTIN, code="BOUGHT", event="receipt", at_us=us(LATE), location=PLANT, amount=Decimal(1),
        uom="KGM", recorded_us=1,
    )  # fmt: skip
    world.put("lots", [record.encode()])
    fact = QuantityFact(
        lot=bought, identity="r", revision=1, location=PLANT, amount=Decimal(1), uom="KGM", biz_step="receiving",
        evidence=Evidence.DECLARED, event="receipt", at_us=us(LATE), recorded_us=1,
    )  # fmt: skip
    world.put("documents", [fact.encode()])
    answer = asked(world, bought)
    assert values(answer, Cte.INITIAL_PACKING) == []
    (row,) = values(answer, Cte.RECEIVING)
    assert (row["receiving_location_city"], row["tlc_source_location_city"]) == ("Berlin", "")
    assert {"tlc_source_location", "previous_source_location"} <= lacking(answer, Cte.RECEIVING).keys()


def test_owners_and_places_of_a_step(world: Any) -> None:
    """Consignor and consignee are told apart from the places that the food left and went to; a receipt on the same
    document knows when it was dispatched (EU 931/2011, article 3)."""
    owner, buyer = "417/0614141000005", "417/0614141000029"
    for hours, step, way in ((1, "shipping", {"source": FARM}), (9, "receiving", {"source": STORE})):
        common: dict[str, Any] = {
            "lot": RAW, "amount": Decimal(5), "uom": "KGM", "biz_step": step, "document": "desadv:9", "line": "1",
            "event": f"raw {step}", "at_us": us(LATE + timedelta(hours=hours)), "recorded_us": 1,
        }  # fmt: skip
        line = DocumentLine(**common, from_party=owner, from_location=FARM, to_party=buyer, to_location=STORE)
        fact = {
            "identity": step,
            "revision": 1,
            "evidence": Evidence.DECLARED,
            "location": STORE,
            "party": buyer,
            **way,
        }
        world.put("documents", [line.encode(), QuantityFact(**common, **fact).encode()])
    with History(world.settings) as history:
        (received,) = steps(history, RAW).back
    assert received.origin is not None and received.destination is not None
    assert (received.sender.key, received.origin.key, received.origin.address) == (owner, FARM, "Werder")
    assert (received.receiver.key, received.destination.key) == (buyer, STORE)
    assert received.dispatched_at == LATE + timedelta(hours=1)
    assert "date of dispatch" not in received.missing
