"""Scanner data, dates, amounts and descriptions: small vectors that always run."""

from datetime import date
from decimal import Decimal

import pytest

from lotstream.schemas.identifiers import (
    IdentifierInvalid,
    Rule,
    Scheme,
    Separators,
    Written,
    describe,
    format_scan,
    parse_bracketed,
    parse_date,
    parse_scan,
    tag_key,
    year_of,
)
from lotstream.schemas.identifiers.ai import SPECS
from lotstream.schemas.identifiers.linters import LINTERS

GTIN = "09506000134352"
SSCC = "106141412345678908"
FNC1 = "\x1d"


def test_a_case_label_with_weight_and_lot() -> None:
    """GTIN, kilograms and lot of a GS1-128 label: the lot key and the amount with its unit."""
    scan = parse_scan(f"]C101{GTIN}310300175010LOT-7/a\r\n")
    assert (scan.symbology, scan.key, scan.lot) == ("C1", None, f"01/{GTIN}/10/LOT-7%2Fa")
    assert (scan.amount, scan.unit, scan.count) == (Decimal("1.750000"), "KGM", None)
    assert scan.warnings == ()


def test_a_pallet_label() -> None:
    """SSCC, content, count and lot: the key is the pallet's, the lot its content's."""
    scan = parse_scan(f"]C100{SSCC}02{GTIN}3724{FNC1}10L1".encode())
    assert (scan.key, scan.sscc, scan.gtin, scan.lot) == (f"00/{SSCC}", SSCC, GTIN, f"01/{GTIN}/10/L1")
    assert (scan.count, scan.amount, scan.unit) == (24, Decimal("24.000000"), "H87")


def test_half_a_pallet_label() -> None:
    """Content without its SSCC is refused, unless the caller reads the symbols of a label one by one."""
    half = f"]C102{GTIN}3724{FNC1}10L1"
    with pytest.raises(IdentifierInvalid) as caught:
        parse_scan(half)
    assert caught.value.rule is Rule.REQUIRED
    assert parse_scan(half, whole_label=False).lot == f"01/{GTIN}/10/L1"


@pytest.mark.parametrize(
    "data",
    [
        f"01{GTIN}10AB^21S1",
        f"01{GTIN}10AB~21S1",
        f"01{GTIN}10AB|21S1",
        f"01{GTIN}10AB{{GS}}21S1",
        f"01{GTIN}10AB[GS]21S1",
        f"01{GTIN}10AB␝21S1",
        f"01{GTIN}10AB␝21S1".encode(),
        f"^01{GTIN}10AB\x1d21S1\r",
        f"]d201{GTIN}10AB\x1d21S1",
        f"(01){GTIN}(10)AB(21)S1",
        f"https://example.com/01/{GTIN}/10/AB/21/S1",
    ],
)
def test_one_label_many_ways(data: str | bytes) -> None:
    """FNC1, its substitutes, brackets and Digital Link say the same."""
    scan = parse_scan(data)
    assert scan.elements == (("01", GTIN), ("10", "AB"), ("21", "S1"))
    assert (scan.key, scan.lot, scan.serial) == (f"01/{GTIN}/21/S1", f"01/{GTIN}/10/AB", "S1")


def test_substitutes_are_configurable() -> None:
    """A scanner that writes <GS> for FNC1 is believed when its configuration says so."""
    data = f"01{GTIN}10AB<GS>21S1"
    assert parse_scan(data).lot == f"01/{GTIN}/10/AB%3CGS%3E21S1"
    assert parse_scan(data).warnings[0].startswith("<GS> is read as data")
    configured = Separators(certain=("<GS>",), possible=())
    assert parse_scan(data, separators=configured).lot == f"01/{GTIN}/10/AB"
    with pytest.raises(IdentifierInvalid):
        parse_scan(f"01{GTIN}10AB^21S1", separators=configured)


@pytest.mark.parametrize(
    ("value", "swallowed"),
    [
        ("ABC21123", "21"),
        ("L717270630", "17"),
        ("L73103001750", "3103"),
        ("LOT2024", None),
        ("12345621", None),
        ("A-17-99", None),
        ("B12", None),
    ],
)
def test_a_missing_fnc1_is_named(value: str, swallowed: str | None) -> None:
    """A lot that looks as if it had swallowed the next AI is reported, and stays whole."""
    scan = parse_scan(f"]C101{GTIN}10{value}")
    assert scan.lot == f"01/{GTIN}/10/{value}"
    expected = (f"lot {value} looks like it swallowed AI ({swallowed}): an FNC1 is missing",) if swallowed else ()
    assert scan.warnings == expected


@pytest.mark.parametrize(
    ("data", "key", "gtin"),
    [
        ("9506000134352", None, GTIN),
        ("]E09506000134352", None, GTIN),
        ("]E3950600013435212", None, GTIN),
        ("]E402345673", None, "00000002345673"),
        ("]I119506000134359", None, "19506000134359"),
        (f"]C100{SSCC}", f"00/{SSCC}", None),
        (SSCC, f"00/{SSCC}", None),
        (f"00{SSCC}", f"00/{SSCC}", None),
        (f"]C000{SSCC}", f"00/{SSCC}", None),
        ("]Q1https://example.com/00/106141412345678908", f"00/{SSCC}", None),
        ("]Q1urn:epc:id:sgtin:0614141.812345.6789", "01/80614141123458/21/6789", "80614141123458"),
        ("3074257BF7194E4000001A85", "01/80614141123458/21/6789", "80614141123458"),
        (f"(01){GTIN}(414)0614141123452", None, GTIN),
        ("(414)0614141123452(254)A", "414/0614141123452/254/A", None),
    ],
)
def test_what_a_scan_names(data: str, key: str | None, gtin: str | None) -> None:
    """Numbers, EAN and ITF symbols, links, URIs and EPCs: the thing and the GTIN that they name."""
    scan = parse_scan(data)
    assert (scan.key, scan.gtin) == (key, gtin)


def test_a_symbology_beside_the_data() -> None:
    """The symbology may come in a field of its own, with its bracket or without."""
    data = f"01{GTIN}10A"
    assert parse_scan(data, symbology="]C1") == parse_scan(data, symbology="C1") == parse_scan(f"]C1{data}")
    with pytest.raises(IdentifierInvalid) as caught:
        parse_scan(data, symbology="C0")
    assert caught.value.rule is Rule.NOT_GS1
    with pytest.raises(IdentifierInvalid) as caught:
        parse_scan(data, symbology="??")
    assert caught.value.rule is Rule.UNKNOWN_SYMBOLOGY


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ("]C10109506000134353", Rule.CHECK_DIGIT),
        (f"]C101{GTIN}10", Rule.LENGTH),
        (f"]C101{GTIN}10{'A' * 21}", Rule.LENGTH),
        (f"]C101{GTIN}10A B", Rule.CHARACTERS),
        (f"]C101{GTIN}10Ä", Rule.CHARACTERS),
        (f"]C101{GTIN}37٣".encode(), Rule.CHARACTERS),
        (f"]C101{GTIN}17251300", Rule.DATE),
        (f"]C101{GTIN}17250230", Rule.DATE),
        (f"]C101{GTIN}10A{FNC1}10B", Rule.REPEATED),
        (f"]C101{GTIN}02{GTIN}375", Rule.EXCLUDED),
        ("]C110ABC", Rule.REQUIRED),
        (f"]C101{GTIN}0501", Rule.UNKNOWN_AI),
        ("]XX123", Rule.UNKNOWN_SYMBOLOGY),
        (b"\xff\xfe", Rule.UNKNOWN_AI),
        ("hello", Rule.UNKNOWN_AI),
        (f"01{GTIN}10AB ", Rule.CHARACTERS),
    ],
)
def test_a_broken_label_is_refused_with_its_rule(data: str | bytes, rule: Rule) -> None:
    """Wrong digits, lengths, characters, dates and companions: the rule is named."""
    with pytest.raises(IdentifierInvalid) as caught:
        parse_scan(data)
    assert caught.value.rule is rule


def test_dates() -> None:
    """Day 00 is the month's last day, leap years included; other AIs know no day 00."""
    scan = parse_scan(f"(01){GTIN}(11)240229(17)240200(15)270100(7006)260105(7003)2512312359")
    assert scan.dates == {
        "11": date(2024, 2, 29),
        "17": date(2024, 2, 29),
        "15": date(2027, 1, 31),
        "7006": date(2026, 1, 5),
        "7003": date(2025, 12, 31),
    }
    with pytest.raises(IdentifierInvalid):
        parse_scan(f"(01){GTIN}(7006)260100")
    with pytest.raises(IdentifierInvalid):
        parse_date("250229")


def test_two_digit_years_slide_with_the_year_passed() -> None:
    """51 years ahead is the last century, 50 back the next; the reading depends on nothing else."""
    assert [year_of(yy, today_year=2026) for yy in (26, 76, 77, 99, 0)] == [2026, 2076, 1977, 1999, 2000]
    assert [year_of(yy, today_year=2090) for yy in (40, 41, 0)] == [2140, 2041, 2100]
    assert parse_scan(f"(01){GTIN}(17)800101", today_year=2045).dates["17"] == date(2080, 1, 1)
    with pytest.raises(ValueError, match="two digits"):
        year_of(100)


@pytest.mark.parametrize(
    ("element", "amount", "unit"),
    [
        ("(3100)000012", "12.000000", "KGM"),
        ("(3105)123456", "1.234560", "KGM"),
        ("(3202)001050", "10.500000", "LBR"),
        ("(3113)002500", "2.500000", "MTR"),
        ("(3151)000015", "1.500000", "LTR"),
        ("(3165)000001", "0.000010", "MTQ"),
        ("(30)12", "12.000000", "H87"),
        ("(30)12(3103)000500", "0.500000", "KGM"),
        ("(3113)002500(3103)000500", "0.500000", "KGM"),
        ("(3302)001000", None, None),
    ],
)
def test_amounts_and_units(element: str, amount: str | None, unit: str | None) -> None:
    """Measures become decimals of six places with a Rec 20 unit; net weight before other measures before counts."""
    scan = parse_scan(f"(01){GTIN}{element}")
    assert (scan.amount and str(scan.amount), scan.unit) == (amount, unit)


def test_prices_are_exact() -> None:
    """A price keeps all its digits, and its currency where the label names one."""
    scan = parse_scan(f"(01){GTIN}(3103)000500(3922)0299")
    assert [(price.value, price.currency) for price in scan.prices] == [(Decimal("2.99"), None)]
    scan = parse_scan(f"(01){GTIN}(30)1(3939)978123456789012345")
    assert [(price.value, price.currency) for price in scan.prices] == [(Decimal("123456.789012345"), "978")]


def test_scanner_data_is_written_and_read_back() -> None:
    """What a simulator writes as a scanner is read as the same elements."""
    elements = parse_bracketed(rf"(01){GTIN}(10)A\(B(21)7")
    assert parse_scan(format_scan(elements)).elements == elements
    assert format_scan((("01", GTIN),), symbology="E0") == "]E09506000134352"
    for refused, symbology in ((elements, "E0"), ((("01", "19506000134359"),), "E0"), (elements, "Q1")):
        with pytest.raises(IdentifierInvalid):
            format_scan(refused, symbology=symbology)


def with_tail(head: str, *packed: str) -> str:
    """An SGTIN+ (filter 3, serial 7) with the AIDC toggle set and packed data behind it, filled to words of 16 bits."""
    bits = f"{int('F7', 16):08b}1011" + "".join(f"{int(d):04b}" for d in head) + "000" + "00001" + "0111"
    bits += "".join(packed)
    bits += "0" * (-len(bits) % 16)
    return f"{int(bits, 2):0{len(bits) // 4}X}"


def ai(digits: str) -> str:
    return "".join(f"{int(digit):04b}" for digit in digits)


def ascii7(value: str) -> str:
    return "100" + f"{len(value):05b}" + "".join(f"{ord(char):07b}" for char in value)


def test_the_lot_behind_a_plus_epc() -> None:
    """AIDC data behind an SGTIN+ is read: lot, expiry, weight, count; the key is the tag's alone."""
    epc = with_tail(
        GTIN,
        ai("10") + ascii7("LOT-7/a"),
        ai("17") + f"{27:07b}{1:04b}{0:05b}",
        ai("3103") + f"{1750:020b}",
        ai("30") + "0010" + f"{12:07b}",
    )
    assert tag_key(epc) == f"01/{GTIN}/21/7"
    scan = parse_scan(epc)
    assert (scan.key, scan.lot, scan.dates["17"]) == (f"01/{GTIN}/21/7", f"01/{GTIN}/10/LOT-7%2Fa", date(2027, 1, 31))
    assert (scan.amount, scan.count) == (Decimal("1.750000"), 12)


def test_a_broken_tail_does_not_hide_the_tag() -> None:
    """Unreadable data behind a + EPC leaves the key, and is refused as a scan instead of being cut."""
    epc = with_tail(GTIN, ai("10") + "100" + f"{20:05b}" + "1000001")
    assert tag_key(epc) == f"01/{GTIN}/21/7"
    with pytest.raises(IdentifierInvalid):
        parse_scan(epc)
    unknown = with_tail(GTIN, ai("8008") + "01" + "1" * 20)
    assert parse_scan(unknown).elements == (("01", GTIN), ("21", "7"))


def test_texts_of_plus_epcs() -> None:
    """The six encodings of a serial: number, upper and lower hexadecimal, base64, ASCII, URN code 40."""
    head = f"{int('F7', 16):08b}0011" + ai(GTIN)
    packed = {
        "42": "000" + f"{2:05b}" + f"{42:07b}",
        "AF": "001" + f"{2:05b}" + "10101111",
        "af": "010" + f"{2:05b}" + "10101111",
        "Az_": "011" + f"{3:05b}" + "000000" + "110011" + "111111",
        "a/b": ascii7("a/b"),
        "AB-1": "101" + f"{4:05b}" + f"{1 * 1600 + 2 * 40 + 27 + 1:016b}" + f"{31 * 1600 + 1:016b}",
    }
    for serial, bits in packed.items():
        whole = head + bits
        whole += "0" * (-len(whole) % 16)
        epc = f"{int(whole, 2):X}"
        assert tag_key(epc) == tag_key(f"https://a.b/01/{GTIN}/21/{serial.replace('/', '%2F')}")


def test_descriptions() -> None:
    """describe tells how a text is written, what it names, and its other spellings."""
    label = describe(f"]C101{GTIN}310300175010LOT-7/a")
    assert (label.written, label.scheme, label.key) == (Written.ELEMENT_STRING, Scheme.LGTIN, f"01/{GTIN}/10/LOT-7%2Fa")
    assert [element.title for element in label.elements] == ["GTIN", "NET WEIGHT (kg)", "BATCH/LOT"]
    assert label.digital_link == f"https://id.gs1.org/01/{GTIN}/10/LOT-7%2Fa"
    epc = describe("3074257BF7194E4000001A85")
    assert (epc.written, epc.epc_uri) == (Written.EPC, "urn:epc:id:sgtin:0614141.812345.6789")
    assert describe("E2801190A5021F80055817CA").scheme is Scheme.HEX
    assert describe("urn:epc:class:lgtin:0614141.812345.L").lot == "01/80614141123458/10/L"
    assert describe("https://a.b/01/9506000134352").key == f"01/{GTIN}"
    assert describe(f" 00/{SSCC} ").written is Written.KEY
    assert describe("(91)AB").key is None
    for broken in ("", "00106141412345678909", f"01{GTIN[:-1]}3", "what?"):
        with pytest.raises(IdentifierInvalid):
            describe(broken)


def test_the_table_is_whole() -> None:
    """Every AI has a title or is a number reserved so, every check named in the table exists, no AI starts another."""
    assert len(SPECS) == 541
    assert {name for spec in SPECS.values() for part in spec.components for name in part.linters} <= set(LINTERS)
    assert not [(a, b) for a in SPECS for b in SPECS if a != b and b.startswith(a)]
