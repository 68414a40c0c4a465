"""Master data: lots as decisions, the rest as events that others read."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from lotstream.readers.imports.check import Checked, check
from lotstream.readers.imports.import_map import read_map
from lotstream.readers.imports.kinds import FORMS, Kind
from lotstream.schemas.base import decode
from lotstream.schemas.decisions import DECISION, ChangeContent
from lotstream.schemas.epcis import parse_document

NOW = datetime(2026, 3, 2, tzinfo=UTC)
Said = Callable[..., Checked]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    """Checks rows of the plain form: each a dict of its cells."""

    def run(kind: Kind, *rows: dict[str, str]) -> Checked:
        names = [str(field) for field in FORMS[kind].fields]
        path = tmp_path / "rows.csv"
        lines = [",".join(row.get(name, "") for name in names) for row in rows]
        path.write_text("\n".join([",".join(names), *lines]) + "\n")
        return check(path, read_map("plain")[1], kind, now=NOW, by="ann")

    return run


def test_a_lot_is_a_decision_of_who_imports_it(said: Said) -> None:
    """What a row says of a lot is a change of its master data; the same row is the same decision."""
    row = {"product": "09506000134352", "lot": "A/1", "expires": "2026-05-31", "supplier_lot": "S-1"}
    first, again = said(Kind.LOTS, row), said(Kind.LOTS, row)
    assert first.events == again.events
    content = decode(DECISION, first.events[0])
    assert isinstance(content, ChangeContent)
    assert (content.lot, content.by, content.reason) == ("01/09506000134352/10/A%2F1", "ann", "import of rows.csv")
    assert (content.expires, content.supplier_code, content.at_us) == (date(2026, 5, 31), "S-1", None)


def test_a_lot_of_which_nothing_is_said_is_a_wrong_row(said: Said) -> None:
    """A number alone changes nothing and is told."""
    (fault,) = said(Kind.LOTS, {"product": "09506000134352", "lot": "A"}).faults
    assert fault.got == "its number alone"


@pytest.mark.parametrize(
    ("kind", "row", "subject", "names"),
    [
        (Kind.PRODUCTS, {"product": "9506000134352", "description": "Milk"}, "01/09506000134352", {}),
        (
            Kind.LOCATIONS,
            {"location": "0614141000012", "description": "Plant", "city": "Ulm", "country": "DE"},
            "414/0614141000012",
            {"cbvmda:city": "Ulm", "cbvmda:countryCode": "DE"},
        ),
        (
            Kind.PARTIES,
            {"party": "0614141001019", "description": "Shop", "phone": "+49 1"},
            "417/0614141001019",
            {"lotstream:phone": "+49 1"},
        ),
    ],
)
def test_master_data_are_events_about_what_they_name(
    said: Said, kind: Kind, row: dict[str, str], subject: str, names: dict[str, Any]
) -> None:
    """A product, location or party is the object of its event, with the attributes of CBV 2.0 as ILMD."""
    (parsed,) = parse_document(said(kind, row).events[0])
    assert parsed.rejected is None
    goods = [*parsed.fields["epcs"], *(one.epc_class for one in parsed.fields["quantities"])]
    assert goods == [subject]
    for name, text in names.items():
        assert f'"{name}":"{text}"' in parsed.text


def test_a_product_brings_its_conversions(said: Said) -> None:
    """Conversions hold from the date of their row; one that is none is a wrong row."""
    row = {"product": "09506000134352", "description": "Milk", "date": "2025-11-17", "conversions": "XCS = 12.5 KGM"}
    (parsed,) = parse_document(said(Kind.PRODUCTS, row).events[0])
    (conversion,) = parsed.fields["ilmd"].conversions
    assert (conversion.uom, str(conversion.factor), conversion.to) == ("XCS", "12.5", "KGM")
    assert parsed.fields["event_time_us"] == 1_763_380_800_000_000
    (fault,) = said(Kind.PRODUCTS, row | {"conversions": "a case is 12 kg"}).faults
    assert "XCS = 12.5 KGM" in fault.got


def test_a_product_brings_its_tolerance(said: Said) -> None:
    """The percentage that may be missing of a product's production; one that is none is a wrong row."""
    row = {"product": "09506000134352", "description": "Milk", "tolerance": "1.50"}
    (parsed,) = parse_document(said(Kind.PRODUCTS, row).events[0])
    assert '"lotstream:balanceTolerance":"1.5"' in parsed.text
    for wrong in ("-1", "little"):
        (fault,) = said(Kind.PRODUCTS, row | {"tolerance": wrong}).faults
        assert wrong in fault.got


def test_one_subject_said_in_two_ways_is_a_wrong_row(said: Said) -> None:
    """A file that contradicts itself about a product is told so; the same row twice is one."""
    milk, cream = ({"product": "09506000134352", "description": name} for name in ("Milk", "Cream"))
    found = said(Kind.PRODUCTS, milk, milk, cream)
    assert ([flag.row for flag in found.flags], [fault.row for fault in found.faults]) == ([3], [4])
