"""Amounts and dates as spreadsheets of the world write them come back as they were."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lotstream.readers.imports import values
from lotstream.readers.imports.faults import RowInvalid
from lotstream.readers.imports.import_map import EXCEL, Dates, Numbers

SEPARATORS = [(".", ""), (",", ""), (",", "."), (".", ","), (",", " "), (".", "'")]
AMOUNTS = st.decimals(min_value=0, max_value=Decimal("999999999.999999"), places=6)
DAYS = st.dates(min_value=date(1971, 1, 2), max_value=date(2099, 12, 30))


@given(amount=AMOUNTS, separators=st.sampled_from(SEPARATORS), negative=st.booleans())
def test_a_number_comes_back_as_it_was_written(amount: Decimal, separators: tuple[str, str], negative: bool) -> None:
    """Whatever separators a map declares, a number written with them is that number."""
    decimal, thousands = separators
    signed = -amount if negative else amount
    text = f"{signed:,.6f}".translate({ord(","): thousands, ord("."): decimal})
    assert values.amount(text, "Qty", numbers=Numbers(decimal=decimal, thousands=thousands)) == signed


@given(day=DAYS, form=st.sampled_from(["%d.%m.%Y", "%m/%d/%y", "%Y-%m-%d", "%d %b %Y", EXCEL]))
def test_a_day_comes_back_as_it_was_written(day: date, form: str) -> None:
    """A day in the one format of the map is that day, in any century that the format can tell."""
    text = str((day - date(1899, 12, 30)).days) if form == EXCEL else day.strftime(form)
    found = values.day(text, "Date", dates=Dates(formats=[form]))
    assert found == day or (form == "%m/%d/%y" and (found.month, found.day) == (day.month, day.day))


@given(day=DAYS)
def test_a_date_of_two_readings_is_refused(day: date) -> None:
    """Where the map allows both orders of day and month, only what both read alike is taken."""
    dates = Dates(formats=["%d/%m/%Y", "%m/%d/%Y"])
    try:
        assert values.day(f"{day:%d/%m/%Y}", "Date", dates=dates) == day
        assert day.day > 12 or day.day == day.month
    except RowInvalid as invalid:
        assert "in one way only" in invalid.expected
        assert day.day <= 12


@given(text=st.text(max_size=30))
def test_no_text_breaks_a_reader(text: str) -> None:
    """A cell of anything is a value or a refusal, never an accident."""
    for read in (
        lambda: values.amount(text, "c", numbers=Numbers()),
        lambda: values.day(text, "c", dates=Dates(formats=["%d.%m.%Y", EXCEL])),
        lambda: values.lot_uri("09506000134352", text, "c"),
        lambda: values.place_uri(text, "c", ai="414", codes={}),
        lambda: values.unit(text, "c", units={}),
    ):
        try:
            read()
        except RowInvalid as invalid:
            assert invalid.expected
