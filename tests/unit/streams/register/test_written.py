"""Documents as they were written become records and lines, each under the document's own name."""

from decimal import Decimal
from typing import Any

from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.decisions import DocumentItem, DocumentName, DocumentType
from lotstream.schemas.documents import DocumentLine, DocumentRecord
from lotstream.schemas.events import DocumentSaid
from lotstream.schemas.partitions import partition_of

LOT = "01/09521234543213/10/A"


def said(**given: Any) -> DocumentSaid:
    known: dict[str, Any] = {
        "type": DocumentType.INV,
        "number": "I-1",
        "at_us": 5,
        "decision": "hash",
        "subject": "inv:I-1",
        "stamp": Stamp(received_us=7, origin=Origin.LIVE, source="erp", request="r"),
        "to_party": "shop",
        "lines": (
            DocumentItem(line="1", goods=LOT, amount=Decimal(2), uom="KGM"),
            DocumentItem(line="2", units=("hex/A",)),
        ),
        "references": (DocumentName(type=DocumentType.DESADV, number="D-1"),) * 2,
    }
    return DocumentSaid(**(known | given))


def test_a_document_and_its_lines(register: Any) -> None:
    """A record that names what it refers to, once each, and a line for each line under the same hash."""
    record, *lines = register.facts(said())["documents.v1"]
    assert isinstance(record, DocumentRecord)
    assert (record.document, record.references, record.event) == ("inv:I-1", ("desadv:D-1",), "hash")
    assert [(line.line, line.lot, line.amount, line.event) for line in lines] == [
        ("1", LOT, Decimal(2), "hash"),
        ("2", "", None, "hash"),
    ]
    assert all(isinstance(line, DocumentLine) and line.biz_step == "" for line in lines)


def test_a_document_of_an_issuer(register: Any) -> None:
    """With the GLN of who numbered it, a document has the name by which EPCIS events call it."""
    named = DocumentName(type=DocumentType.PO, number="7", issuer="0614141000012")
    (record,) = register.facts(said(issuer="0614141000012", lines=(), references=(named,)))["documents.v1"]
    assert record.document == "inv:urn:epcglobal:cbv:bt:0614141000012:I-1"
    assert record.references == ("po:urn:epcglobal:cbv:bt:0614141000012:7",)


def test_a_cancelled_document_has_no_lines(register: Any) -> None:
    """It stays known, as cancelled."""
    (record,) = register.facts(said(cancelled=True))["documents.v1"]
    assert record.cancelled


def test_partitions(register: Any) -> None:
    """The record, and lines without lot, lie in the partition of the document; a line with one in the lot's."""
    outputs = register.outputs(said().encode())
    assert [output.partition for output in outputs] == [partition_of(key, 4) for key in ("inv:I-1", LOT, "inv:I-1")]
