"""Documents of one shipment, which arrive at different times, on the real engine."""

import random
from decimal import Decimal
from typing import Any

import pytest

from lotstream.recall import ask
from lotstream.recall.documents import documents
from lotstream.recall.find import DocumentMissing
from lotstream.recall.problems import problem
from lotstream.schemas.base import Evidence
from lotstream.schemas.documents import DocumentLine, DocumentRecord, QuantityFact

NOW = 1_763_370_000_000_000
LOT = "01/10614141073464/10/B1"


def line(document: str, event: str, **given: Any) -> DocumentLine:
    known: dict[str, Any] = {"line": "1", "biz_step": "shipping", "at_us": NOW, "recorded_us": NOW, "lot": LOT}
    return DocumentLine(**({"document": document, "event": event} | known | given))


def written(document: str, event: str, *references: str, **given: Any) -> DocumentRecord:
    known: dict[str, Any] = {"at_us": NOW, "recorded_us": NOW, "references": references}
    return DocumentRecord(**({"document": document, "event": event} | known | given))


def put(warehouse: Any, *said: Any) -> None:
    warehouse.put("documents", [one.encode() for one in said])


def linked(warehouse: Any, number: str) -> dict[str, tuple[int, str]]:
    (found,) = documents(warehouse.history, number).documents
    return {link.document: (link.steps, link.via) for link in found.linked}


SHIPMENT = (
    written("po:O-1", "w-order", to_party="plant", from_party="shop"),
    line("po:O-1", "w-order", biz_step="", amount=Decimal(10), uom="KGM"),
    line("desadv:D-1", "e-ship", amount=Decimal(9), uom="KGM"),
    line("bol:B-1", "e-ship", amount=Decimal(9), uom="KGM"),
    written("desadv:D-1", "w-note", "po:O-1"),
    written("inv:I-1", "w-invoice", "desadv:D-1"),
    line("inv:I-1", "w-invoice", biz_step="", lot="01/10614141073464", amount=Decimal(9), uom="KGM"),
    line("desadv:D-2", "e-other"),
)


@pytest.mark.parametrize("seed", range(3))
def test_documents_of_a_shipment_belong_together(warehouse: Any, seed: int) -> None:
    """Order, note, bill of lading and invoice are linked by a shared event and by references, whatever came first; a
    document of another shipment is not."""
    draw = random.Random(seed)
    said = [*SHIPMENT, *SHIPMENT[:3]]
    draw.shuffle(said)
    put(warehouse, *said)
    assert linked(warehouse, "O-1") == {
        "desadv:D-1": (1, "reference"),
        "bol:B-1": (2, "event"),
        "inv:I-1": (2, "reference"),
    }
    assert linked(warehouse, "desadv:D-1") == {
        "po:O-1": (1, "reference"),
        "bol:B-1": (1, "event"),
        "inv:I-1": (1, "reference"),
    }
    assert linked(warehouse, "D-2") == {}


def test_links_go_on_for_four_steps(warehouse: Any) -> None:
    """From document to document, also round in a circle; what is farther away than documents of a shipment are is not
    named."""
    chain = [written(f"inv:{number}", f"w{number}", f"inv:{number + 1}") for number in range(1, 7)]
    put(warehouse, *chain, written("inv:3", "w-back", "inv:1", "inv:4", recorded_us=NOW + 1))
    assert linked(warehouse, "inv:7") == {f"inv:{number}": (7 - number, "reference") for number in (6, 5, 4, 3)}
    assert linked(warehouse, "inv:1")["inv:3"] == (1, "reference")


def test_what_is_on_a_document(warehouse: Any) -> None:
    """Line by line with goods and amounts; its date and parties as written; what was written of it and what events did
    on it side by side."""
    put(warehouse, *SHIPMENT, line("po:O-1", "e-made", biz_step="commissioning", line="2"))
    (order,) = documents(warehouse.history, "O-1").documents
    assert (order.type, order.number, order.from_party, order.to_party) == ("po", "O-1", "shop", "plant")
    assert [(one.line, one.biz_step, one.lot, one.amount, one.uom) for one in order.lines] == [
        ("1", "", LOT, Decimal(10), "KGM"),
        ("2", "commissioning", LOT, None, ""),
    ]


def test_a_corrected_document_has_its_new_lines_only(warehouse: Any) -> None:
    """Of what was written the newest version holds, its references too; a line declared wrong is gone; cancelled it is
    still there and says so."""
    put(
        warehouse,
        *SHIPMENT,
        written("inv:I-1", "w-2", "desadv:D-2", recorded_us=NOW + 5),
        line("inv:I-1", "w-2", biz_step="", line="7"),
        line("desadv:D-1", "e-ship", amount=Decimal(9), uom="KGM", retracted=True),
    )
    (invoice,) = documents(warehouse.history, "inv:I-1").documents
    assert [one.line for one in invoice.lines] == ["7"]
    assert linked(warehouse, "inv:I-1") == {"desadv:D-2": (1, "reference")}
    (note,) = documents(warehouse.history, "D-1").documents
    assert note.lines == ()
    put(warehouse, written("inv:I-1", "w-3", cancelled=True, recorded_us=NOW + 9))
    (invoice,) = documents(warehouse.history, "inv:I-1").documents
    assert (invoice.cancelled, invoice.lines, invoice.linked) == (True, (), ())


def test_ways_to_name_a_document(warehouse: Any) -> None:
    """In full, by its number, by the last part of an identifier; a number of several documents gives each."""
    put(
        warehouse,
        line("desadv:urn:epcglobal:cbv:bt:0614141000012:77", "e1"),
        line("inv:77", "e2"),
        line("po:177", "e3"),
    )
    found = documents(warehouse.history, " 77 ").documents
    assert [one.document for one in found] == ["desadv:urn:epcglobal:cbv:bt:0614141000012:77", "inv:77"]
    assert [one.document for one in documents(warehouse.history, "inv:77").documents] == ["inv:77"]
    with pytest.raises(DocumentMissing) as missing:
        documents(warehouse.history, "7")
    said = problem(missing.value)
    assert said is not None and said.error == "document_missing"


def test_affected_names_the_linked_documents(warehouse: Any) -> None:
    """Who received some: the line's document, and the order and the invoice that belong to it."""
    fact = QuantityFact(
        lot=LOT,
        identity="desadv:D-1|1|shipping",
        revision=1,
        source="plant",
        location="shop",
        disposition="in_transit",
        amount=Decimal(9),
        uom="KGM",
        biz_step="shipping",
        evidence=Evidence.DECLARED,
        document="desadv:D-1",
        line="1",
        party="shop",
        at_us=NOW,
        recorded_us=NOW,
    )
    put(warehouse, *SHIPMENT, fact)
    (recipient,) = ask.affected(warehouse.history, "B1").recipients
    assert (recipient.document, recipient.linked) == ("desadv:D-1", ("bol:B-1", "inv:I-1", "po:O-1"))
