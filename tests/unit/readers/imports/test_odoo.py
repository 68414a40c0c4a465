"""Exports of Odoo under the shipped map: one file of moves holds five kinds."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lotstream.readers.imports.check import Checked, check
from lotstream.readers.imports.import_map import read_map
from lotstream.readers.imports.kinds import Kind

HEAD = (
    "External ID,Date,Reference,Product/Barcode,Lot/Serial Number,From,To,Quantity,Unit of Measure,Status,"
    "Transfer/Contact"
)
TECHNICAL = (
    "id,date,reference,product_id/barcode,lot_id/name,location_id/complete_name,location_dest_id/complete_name,quantity,"
    "product_uom_id/name,state,picking_id/partner_id/name"
)
VENDOR, STOCK, SHELF, MADE, CUSTOMER = (
    "Partners/Vendors",
    "WH/Stock",
    "WH/Stock/Shelf 1",
    "Virtual Locations/Production",
    "Partners/Customers",
)
MOVES = [
    (1, "WH/IN/00001", "R1", VENDOR, STOCK, "100.0", "kg", "Farm & Co"),
    (2, "WH/MO/00001", "R1", STOCK, MADE, "40.5", "kg", ""),
    (3, "WH/MO/00001", "F1", MADE, SHELF, "12.0", "Units", ""),
    (4, "WH/INT/0001", "F1", SHELF, STOCK, "12.0", "Units", ""),
    (5, "WH/OUT/0001", "F1", STOCK, CUSTOMER, "5.0", "Units", "Shop, Ulm"),
    (6, "WH/RET/0001", "F1", CUSTOMER, STOCK, "1.0", "Units", "Shop, Ulm"),
]


def moves(folder: Path, kind: Kind, *, head: str = HEAD, state: str = "Done", last: str = "") -> Checked:
    """The moves as Odoo exports them, read as one kind."""
    rows = [
        f"__export__.move_{number},2025-11-17 08:30:0{number},{reference},9506000134352,{lot},"
        f'{source},{to},{amount},{uom},{state},"{contact}"'
        for number, reference, lot, source, to, amount, uom, contact in MOVES
    ]
    path = folder / "moves.csv"
    path.write_text("\n".join([head, *rows, last]) + "\n", encoding="utf-8-sig")
    return check(path, read_map("odoo")[1], kind, now=datetime(2026, 1, 1, tzinfo=UTC), by="ann")


@pytest.mark.parametrize("head", [HEAD, TECHNICAL])
@pytest.mark.parametrize(
    ("kind", "number", "amount"),
    [
        (Kind.RECEIPTS, 1, "100 KGM"),
        (Kind.CONSUMPTION, 2, "40.5 KGM"),
        (Kind.PRODUCTION, 3, "12 H87"),
        (Kind.SHIPMENTS, 5, "5 H87"),
        (Kind.RETURNS, 6, "1 H87"),
    ],
)
def test_each_kind_takes_its_moves(tmp_path: Path, head: str, kind: Kind, number: int, amount: str) -> None:
    """From and To tell what a move is, by labels or technical names; moves within the house are none of these."""
    found = moves(tmp_path, kind, head=head)
    (line,) = found.lines
    assert (found.faults, found.passed_over, line.line) == ([], 5, f"__export__.move_{number}")
    assert " ".join((f"{line.amounts[0][0]:f}", line.amounts[0][1])) == amount
    assert (line.location.startswith("urn:lotstream:loc:WH%2FStock"), line.at) == (
        True,
        datetime(2025, 11, 17, 8, 30, number, tzinfo=UTC),
    )


def test_what_is_not_done_is_no_move(tmp_path: Path) -> None:
    """Reservations and drafts are passed over."""
    assert moves(tmp_path, Kind.SHIPMENTS, state="Available").lines == []


def test_a_product_without_barcode_is_a_wrong_row(tmp_path: Path) -> None:
    """Where Odoo knows no GTIN, the row says what to add; it is not guessed from the name."""
    last = f"m7,2025-11-17 09:00:00,WH/OUT/2,,F1,{STOCK},{CUSTOMER},1,Units,Done,Shop"
    (fault,) = moves(tmp_path, Kind.SHIPMENTS, last=last).faults
    assert (fault.column, fault.expected) == ("Product/Barcode", "a value")
