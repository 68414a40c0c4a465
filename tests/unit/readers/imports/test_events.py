"""What each kind of line becomes, as the gateway's door understands it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from lotstream.readers.imports.events import event_of
from lotstream.readers.imports.kinds import Kind
from lotstream.readers.imports.lines import Line
from lotstream.schemas.epcis import parse_document

HERE, THERE, PARTY = (
    "https://id.gs1.org/414/0614141000012",
    "urn:lotstream:loc:B",
    "https://id.gs1.org/417/0614141001019",
)
LOT = "01/09506000134352/10/A"


def line(kind: Kind, **said: Any) -> Line:
    """A line of a kind."""
    return Line(
        row=2,
        kind=kind,
        gtin="09506000134352",
        code="A",
        lot=f"https://id.gs1.org/{LOT}",
        at=datetime.fromisoformat("2025-12-31T12:00:00+01:00"),
        document="urn:lotstream:bt:7",
        document_type="",
        line="10",
        amounts=((Decimal("123456789012.123456"), "KGM"),),
        location=HERE,
        **said,
    )


def fields(one: Line) -> dict[str, Any]:
    """The event's fields as the gateway reads them."""
    (parsed,) = parse_document(event_of(one))
    assert parsed.rejected is None, parsed.rejected
    return parsed.fields


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        (Kind.RECEIPTS, {"party": PARTY}, {"action": "ADD", "biz_step": "receiving", "disposition": ""}),
        (Kind.RECEIPTS, {"other": THERE}, {"action": "OBSERVE", "biz_step": "receiving"}),
        (Kind.SHIPMENTS, {"party": PARTY}, {"action": "OBSERVE", "biz_step": "shipping", "disposition": "in_transit"}),
        (Kind.RETURNS, {"party": PARTY}, {"action": "OBSERVE", "biz_step": "receiving", "disposition": "returned"}),
        (Kind.COUNTS, {}, {"action": "OBSERVE", "biz_step": "cycle_counting"}),
        (Kind.PRODUCTION, {}, {"transformation_id": "urn:lotstream:bt:7", "biz_step": "commissioning"}),
        (Kind.CONSUMPTION, {}, {"transformation_id": "urn:lotstream:bt:7", "biz_step": "commissioning"}),
    ],
)
def test_each_kind_has_its_event(kind: Kind, said: dict[str, str], expected: dict[str, str]) -> None:
    """Step, action and disposition say what happened; the line, its document and its zone are kept."""
    found = fields(line(kind, **said))
    assert expected.items() <= found.items()
    assert (found["document_line"], found["documents"][0].id) == ("10", "urn:lotstream:bt:7")
    assert found["event_time_zone_offset"] == "+01:00"


def test_amounts_keep_all_their_digits() -> None:
    """Eighteen digits arrive as eighteen digits, which a binary fraction could not carry."""
    (quantity,) = fields(line(Kind.COUNTS))["quantities"]
    assert (quantity.epc_class, quantity.quantity, quantity.uom) == (LOT, Decimal("123456789012.123456"), "KGM")


def test_what_was_shipped_comes_back_from_where_it_went() -> None:
    """A return leaves the place that a shipment to the same party went to, named or not."""
    for other in ("", THERE):
        sent = fields(line(Kind.SHIPMENTS, party=PARTY, other=other))["destinations"]
        back = fields(line(Kind.RETURNS, party=PARTY, other=other))["sources"]
        assert [(one.type, one.id) for one in sent] == [(one.type, one.id) for one in back]


def test_a_supplier_says_what_he_knows_of_the_lot() -> None:
    """Master data of a receipt stand in its event."""
    said = (("cbvmda:itemExpirationDate", "2026-05-31"), ("lotstream:supplierLot", "S-1"))
    ilmd = fields(line(Kind.RECEIPTS, ilmd=said))["ilmd"]
    assert (str(ilmd.expires), ilmd.supplier_lot) == ("2026-05-31", "S-1")
