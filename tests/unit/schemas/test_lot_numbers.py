"""Templates of lot numbers: what is one, what is none, and what they make."""

from datetime import date

import pytest

from lotstream.runtime.errors import Rejected
from lotstream.schemas.lot_numbers import check_character, parse_template

GTIN = "09521234543213"


def test_a_template_makes_numbers() -> None:
    """Site, line and production date name the series; the sequence counts in it; a check character ends it."""
    series = parse_template("{site}{line}{date:%y%j}-{seq:04}{check}").series(
        GTIN, site="P1", line="3", day=date(2026, 3, 2)
    )
    assert series.code(1) == "P1326061-0001L"
    assert check_character("P1326061-0001") == "L"
    assert series.code(2)[-1] != series.code(1)[-1]
    assert series.last == 9999


@pytest.mark.parametrize(
    ("code", "check"), [("7791-8534-2C23-9030-8610", "5"), ("0000-0000-D07A-0090", "Q"), ("0000-0000-d07a-0090", "Q")]
)
def test_check_characters(code: str, check: str) -> None:
    """ISO/IEC 7064 MOD 37,36, as EIDR and ISAN print it; capitals or not."""
    assert check_character(code) == check


def test_a_check_character_finds_a_wrong_digit_and_a_swap() -> None:
    """Any one character that is wrong, and any two neighbours that are swapped, give another check character."""
    code = "P1326061-0001"
    right = check_character(code)
    for at, was in enumerate(code):
        if was != "-":
            assert all(check_character(code[:at] + c + code[at + 1 :]) != right for c in "0123456789PX" if c != was)
    for at in range(7):
        swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
        assert swapped == code or check_character(swapped) != right


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1 to 200 characters"),
        ("ABC", "{seq:0N} once, got it 0 times"),
        ("{seq:02}{seq:02}", "{seq:0N} once, got it 2 times"),
        ("{check}{seq:04}", "{check} once, at the end"),
        ("{seq:04}{check}{check}", "{check} once, at the end"),
        ("{seq}", "{seq:0N}, N digits from 1 to 9, got {seq}"),
        ("{seq:4}", "{seq:0N}, N digits from 1 to 9"),
        ("{seq:010}", "{seq:0N}, N digits from 1 to 9"),
        ("{date}{seq:04}", "{date:…} with %y"),
        ("{date:%H}{seq:04}", "got {date:%H}"),
        ("{date:%y%}{seq:04}", "got {date:%y%}"),
        ("{sitte}{seq:04}", "{site}, {line}, {date:…}, {seq:0N} or {check}, got {sitte}"),
        ("{site:3}{seq:04}", "got {site:3}"),
        ("{ site }{seq:04}", "got { site }"),
        ("{seq:04", "a closing brace for each opening one, got '{' at character 1"),
        ("A}{seq:04}", "got '}' at character 2"),
        ("{{seq:04}}", "got '{' at character 1"),
    ],
)
def test_what_is_no_template(text: str, said: str) -> None:
    """A template is understood whole or refused, with what was expected where."""
    with pytest.raises(Rejected) as refused:
        parse_template(text)
    assert refused.value.field == "template"
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "field"),
    [("{site}{seq:02}", "site"), ("{line}{seq:02}", "line"), ("{date:%y}{seq:02}", "production_date")],
)
def test_a_word_that_is_missing(text: str, field: str) -> None:
    """What the template needs and nobody said is named."""
    with pytest.raises(Rejected) as refused:
        parse_template(text).series(GTIN)
    assert refused.value.field == field


@pytest.mark.parametrize("site", ["a long name of a site", "ö"])
def test_a_number_is_a_lot_code(site: str) -> None:
    """A series whose last number would not fit AI (10) is refused from the first."""
    with pytest.raises(Rejected):
        parse_template("{site}{seq:04}").series(GTIN, site=site)
