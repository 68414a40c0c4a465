"""What spreadsheets do to rows is refused with its rule, or taken and flagged."""

from collections.abc import Callable
from datetime import datetime

import pytest

from lotstream.readers.imports.check import Checked
from lotstream.readers.imports.faults import TableInvalid
from lotstream.readers.imports.kinds import Kind

Check = Callable[..., Checked]
Cells = tuple[str, ...]


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("Date", "12/31/25", "a date like"),
        ("Date", "31.02.2025", "a date like"),
        ("Date", "46022", "a date like"),
        ("Date", "31.12.2030", "a date that has come"),
        ("Date", "", "a value"),
        ("Qty", "1,250.5", "a number like 1.234,5"),
        ("Qty", "12.50", "a number like 1.234,5"),
        ("Qty", "-3", "what comes back is a return"),
        ("Qty", "0,1234567", "at most 6 digits"),
        ("Qty", "=A1+B1", "a value"),
        ("Qty", "１２", "a number like"),
        ("Art", "CREAM", "a GTIN or a code of the map"),
        ("Art", "09506000134353", "check digit 2"),
        ("Lot", "", "a value"),
        ("Lot", "LÖT", ""),
        ("Lot", "A" * 21, ""),
        ("Unit", "crates", "UN/CEFACT Rec 20"),
        ("Site", "P9", "a GLN, a URI or a code of the map"),
        ("Site", "0614141000013", "check digit"),
        ("Customer", "", "a party"),
        ("Doc", "two\nlines", "one line"),
    ],
)
def test_a_wrong_cell_is_named(checked: Check, column: str, cell: str, expected: str) -> None:
    """A row with a wrong cell is not taken; the fault says its row, its column and the rule, and others are taken."""
    found = checked({}, {column: cell, "Line": "20"}, {"Line": "30"})
    (fault,) = found.faults
    assert (fault.row, fault.column) == (3, column)
    assert expected in fault.expected
    assert [line.line for line in found.lines] == ["10", "30"]


@pytest.mark.parametrize(
    ("cell", "amount"),
    [("1.250,5", "1250.5"), ("1250,5", "1250.5"), ("12", "12"), ("+3,0", "3"), ("1.000.000", "1000000"), ("0", "0")],
)
def test_amounts_are_read_as_the_map_says(checked: Check, cell: str, amount: str) -> None:
    """Decimal commas and thousands separators are those of the map, never guessed."""
    (line,) = checked({"Qty": cell}).lines
    assert str(line.amounts[0][0].quantize(1) if amount.isdecimal() else line.amounts[0][0]) == amount


def test_a_date_alone_has_the_maps_time_on_the_maps_clock(checked: Check) -> None:
    """31.12.2025 is noon in Berlin, and a time that is written is kept."""
    first, second = checked({}, {"Date": "01.07.2025 08:15", "Line": "20"}).lines
    assert first.at == datetime.fromisoformat("2025-12-31T12:00:00+01:00")
    assert second.at == datetime.fromisoformat("2025-07-01T08:15:00+02:00")


def test_totals_below_the_lines_are_passed_over(checked: Check, good: Cells) -> None:
    """A row of totals at the end is no line; one between lines is a wrong row."""
    tail = 'Total,,,,,"2.501,0",kg,,\n'
    found = checked({}, {"Line": "20"}, tail=tail)
    assert (len(found.lines), found.faults, found.flags[0].row) == (2, [], 4)
    between = checked({}, tail=tail + ",".join(f'"{cell}"' for cell in ("DN-1", "20", *good[2:])))
    assert [fault.row for fault in between.faults] == [3]


def test_a_line_twice_counts_once(checked: Check) -> None:
    """The same line again is flagged; the same line with another amount is a contradiction."""
    same = checked({}, {})
    assert (len(same.lines), same.flags[0].note) == (1, "the same as row 2: counted once")
    other = checked({}, {"Qty": "5"})
    assert (other.faults[0].row, other.faults[0].got) == (3, "also row 2")


def test_lines_without_numbers_are_two_when_they_are_two(checked: Check) -> None:
    """Two equal rows without line numbers are two deliveries of the lot, and the second is flagged."""
    found = checked({"Line": ""}, {"Line": ""})
    assert [line.line for line in found.lines] == ["AB-12/7", "AB-12/7#2"]
    assert "counted as another line" in found.flags[0].note


def test_one_line_of_several_lots_is_several(checked: Check) -> None:
    """A line that was filled from two lots keeps both."""
    assert [line.code for line in checked({}, {"Lot": "B2"}).lines] == ["AB-12/7", "B2"]


def test_a_wrong_number_of_cells_is_a_wrong_row(checked: Check) -> None:
    """A row that is cut is refused, and no cell of it slips into another column."""
    found = checked({}, tail="DN-1,20,31.12.2025\n")
    assert (found.faults[0].row, found.faults[0].expected) == (3, "9 cells, as the header has")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"Doc;Line\n", "Expected a column 'Doc' (document), got Doc;Line"),
        (b"Doc,Doc\n", "Expected each column once, got Doc"),
        ("Doc,Prüfer\nä,b\n".encode("cp1252"), "got byte 0xfc in row 1; Excel in the West writes cp1252"),
        (b"", "Expected the names of the columns in row 1"),
        (b"PK\x03\x04", "got a workbook"),
        (b'Doc,"open\n', "Expected CSV, got at record 1"),
        ("Doc".encode("utf-16-le"), "zero bytes"),
    ],
)
def test_a_file_that_is_not_what_the_map_says_is_refused(check_bytes: Check, content: bytes, expected: str) -> None:
    """What is wrong with a file as a whole is said in one line."""
    with pytest.raises(TableInvalid) as refused:
        check_bytes(content)
    assert expected in str(refused.value)


def test_a_field_without_a_column_is_told(check_bytes: Check) -> None:
    """A column that the map names and the file lacks is no secret, though the kind can do without it."""
    found = check_bytes(b"Doc,Date,Art,Lot,Qty,Unit,Site,Customer\n")
    assert [(flag.row, flag.note) for flag in found.flags] == [(1, "no column for line")]


def test_a_byte_order_mark_is_no_part_of_the_first_column(checked: Check) -> None:
    """Excel's UTF-8 with a mark is read, whatever encoding the map names."""
    assert len(checked({}, encoding="utf-8-sig").lines) == 1


def test_a_count_may_be_nothing_and_needs_no_document(checked: Check) -> None:
    """Zero counted is a fact, named after its place and day."""
    found = checked({"Qty": "0"}, kind=Kind.COUNTS)
    assert (found.flags, found.lines[0].document.rpartition(":")[2]) == (
        [],
        "counts%2F0614141000012%2F2025-12-31T12%3A00%3A00%2B01%3A00",
    )


def test_workbooks_bring_dates_and_numbers_of_their_own(workbook: Check) -> None:
    """A date cell and a number cell need no format; whole numbers stay whole in codes."""
    found = workbook(("DN-1", 10, datetime(2025, 12, 31), 9506000134352, 4711, 1250.5, "kg", "P1", "C1"))
    (line,) = found.lines
    assert (found.faults, line.line, line.code, str(line.amounts[0][0])) == ([], "10", "4711", "1250.5")
    assert line.at == datetime.fromisoformat("2025-12-31T12:00:00+01:00")


def test_merged_cells_among_the_rows_are_refused(workbook: Check, good: Cells) -> None:
    """A merged cell says nothing of the rows that it covers: they are wrong rows."""
    found = workbook(good, ("DN-1", "20", *good[2:]), ("DN-1", "30", *good[2:]), merged="A3:A4")
    assert [(fault.row, fault.column) for fault in found.faults] == [(3, "A3:A4"), (4, "A3:A4")]
    assert [line.line for line in found.lines] == ["10"]


def test_formulas_need_their_value(workbook: Check, good: Cells) -> None:
    """A formula that no spreadsheet has computed has no value to take."""
    found = workbook((*good[:5], "=1+1", *good[6:]))
    assert "computed value" in found.faults[0].expected


def test_error_values_are_no_values(workbook: Check, good: Cells) -> None:
    """#N/A is a wrong cell, not a lot of that name."""
    found = workbook((*good[:4], "#N/A", *good[5:]))
    assert (found.faults[0].column, found.faults[0].got) == ("Lot", "#N/A")
