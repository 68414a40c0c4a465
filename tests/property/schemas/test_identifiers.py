"""Identifiers: no value is ever shortened, no two things ever share a key, one thing never has two."""

import string
import sys

import pytest
from biip import parse as biip_parse
from epcpy.epc_schemes.sgtin import SGTIN, SGTINFilterValue
from epcpy.utils.common import ConvertException
from epcpy.utils.parsers import epc_pure_identity_to_tag_encodable, hex_to_tag_encodable
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lotstream.schemas.identifiers import (
    IdentifierInvalid,
    check_digit,
    describe,
    digital_link_to_key,
    epc_uri_to_key,
    format_bracketed,
    format_digital_link,
    format_key,
    format_raw,
    gtin14,
    key_to_digital_link,
    key_to_epc_uri,
    lot_key,
    parse_bracketed,
    parse_key,
    parse_raw,
    parse_scan,
    sgtin96_keys,
    split_lot_key,
    sscc,
    tag_key,
    year_of,
)
from lotstream.schemas.identifiers.checks import CSET39, CSET82
from lotstream.schemas.identifiers.separators import DEFAULT_SEPARATORS

DIGITS = string.digits
FNC1 = "\x1d"


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=length, max_size=length)


def checked(length: int) -> st.SearchStrategy[str]:
    return digits(length - 1).map(lambda head: f"{head}{check_digit(head)}")


def text(longest: int, shortest: int = 1) -> st.SearchStrategy[str]:
    return st.text(sorted(CSET82), min_size=shortest, max_size=longest)


def plain(longest: int, shortest: int = 1) -> st.SearchStrategy[str]:
    return st.text("ABCXYZ0123456789-/", min_size=shortest, max_size=longest)


GTINS = checked(14)
LOTS = st.one_of(text(20), plain(20))
SERIALS = st.one_of(text(20), digits(1), st.integers(0, 10**20 - 1).map(str))
DATES = st.tuples(st.integers(0, 99), st.integers(1, 12), st.integers(0, 28)).map(
    lambda d: f"{d[0]:02d}{d[1]:02d}{d[2]:02d}"
)
KEYS = st.one_of(
    st.tuples(GTINS, SERIALS).map(lambda v: (("01", v[0]), ("21", v[1]))),
    st.tuples(GTINS, LOTS).map(lambda v: (("01", v[0]), ("10", v[1]))),
    st.tuples(GTINS, text(28)).map(lambda v: (("01", v[0]), ("235", v[1]))),
    GTINS.map(lambda v: (("01", v),)),
    checked(18).map(lambda v: (("00", v),)),
    st.tuples(checked(13), text(16, 0)).map(lambda v: (("8003", f"0{v[0]}{v[1]}"),)),
    st.tuples(digits(12), text(18)).map(lambda v: (("8004", v[0] + v[1]),)),
    st.tuples(checked(13), text(20)).filter(lambda v: v[1] != "0").map(lambda v: (("414", v[0]), ("254", v[1]))),
    checked(13).map(lambda v: (("414", v),)),
    checked(13).map(lambda v: (("417", v),)),
    st.tuples(checked(13), text(17, 0)).map(lambda v: (("253", v[0] + v[1]),)),
    st.tuples(checked(13), st.text(DIGITS, max_size=12)).map(lambda v: (("255", v[0] + v[1]),)),
    st.tuples(checked(14), digits(4), text(20)).map(lambda v: (("8006", v[0] + v[1]), ("21", v[2]))),
    st.tuples(digits(12), st.text(sorted(CSET39), min_size=1, max_size=18), st.integers(0, 10**12 - 1)).map(
        lambda v: (("8010", v[0] + v[1]), ("8011", str(v[2])))
    ),
    checked(18).map(lambda v: (("8017", v),)),
    checked(18).map(lambda v: (("8018", v),)),
    checked(17).map(lambda v: (("402", v),)),
)


def as_key(fields: tuple[tuple[str, str], ...]) -> str:
    return str(parse_key("/".join(f"{ai}/{value.replace('%', '%25').replace('/', '%2F')}" for ai, value in fields)))


@given(GTINS, LOTS)
def test_a_lot_comes_back_whole(gtin: str, lot: str) -> None:
    """The GTIN and the lot code in a lot key are the ones that went in, every character."""
    assert split_lot_key(lot_key(gtin, lot)) == (gtin, lot)


@given(st.tuples(GTINS, LOTS), st.tuples(GTINS, LOTS))
def test_two_lots_never_share_a_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Different (GTIN, lot) have different keys, whatever characters they hold."""
    assert (lot_key(*one) == lot_key(*other)) is (one == other)


@given(GTINS, st.text(max_size=30))
@example("09506000134352", "AB-12/7 ")
@example("09506000134352", "AB\n")
@example("09506000134352", "١٢٣")
def test_a_lot_is_taken_whole_or_refused(gtin: str, lot: str) -> None:
    """Any text as a lot code gives a key that holds all of it, or is refused: never a part."""
    try:
        key = lot_key(gtin, lot)
    except IdentifierInvalid:
        assert not lot or len(lot) > 20 or not CSET82.issuperset(lot)
        return
    assert split_lot_key(key)[1] == lot


@given(GTINS, LOTS, SERIALS, DATES, st.integers(0, 999_999))
def test_every_way_of_writing_a_label_says_the_same(gtin: str, lot: str, serial: str, expiry: str, grams: int) -> None:
    """Raw, bracketed, as Digital Link and by scanner: the same elements, lot and key."""
    elements = (("01", gtin), ("10", lot), ("21", serial), ("17", expiry), ("3103", f"{grams:06d}"))
    assert parse_raw(format_raw(elements)) == elements
    assert parse_bracketed(format_bracketed(elements)) == elements
    link = parse_scan(format_digital_link(elements))
    scan = parse_scan(f"]C1{format_raw(elements)}")
    assert dict(link.elements) == dict(elements)
    assert scan.elements == elements
    assert scan.lot == link.lot == lot_key(gtin, lot)
    assert scan.key == link.key == as_key((("01", gtin), ("21", serial)))
    assert scan.dates == link.dates
    assert str(scan.amount) == f"{grams / 1000:.6f}" and scan.unit == "KGM"


@given(GTINS, LOTS, SERIALS, st.sampled_from(DEFAULT_SEPARATORS.certain))
def test_a_written_out_fnc1_separates_like_the_real_one(gtin: str, lot: str, serial: str, mark: str) -> None:
    """Each substitute that cannot be data ends a lot where FNC1 would."""
    assert parse_scan(f"01{gtin}10{lot}{mark}21{serial}").elements == (("01", gtin), ("10", lot), ("21", serial))


@given(GTINS, plain(20, 10), plain(20, 8), st.sampled_from(DEFAULT_SEPARATORS.possible))
def test_a_mark_that_could_be_data_is_data_unless_it_cannot(gtin: str, lot: str, serial: str, mark: str) -> None:
    """'<GS>' inside a lot short enough to hold it stays in the lot; where the lot would be too long it separates."""
    whole = f"{lot}{mark}21{serial}"
    scan = parse_scan(f"]C101{gtin}10{whole}")
    if len(whole) <= 20:
        assert scan.elements == (("01", gtin), ("10", whole))
        assert scan.warnings
    else:
        assert scan.elements == (("01", gtin), ("10", lot), ("21", serial))


@given(KEYS)
def test_a_key_is_its_own_key(fields: tuple[tuple[str, str], ...]) -> None:
    """tag_key is idempotent, and a key comes back from its text and its Digital Link."""
    key = as_key(fields)
    assert tag_key(key) == key
    assert format_key(parse_key(key)) == key
    assert parse_key(key).fields == fields
    assert digital_link_to_key(key_to_digital_link(key)) == key


@given(st.lists(KEYS, min_size=2, max_size=2, unique=True))
def test_two_things_never_share_a_key(pair: list[tuple[tuple[str, str], ...]]) -> None:
    """Different values give different keys, across all schemes."""
    assert as_key(pair[0]) != as_key(pair[1])


@given(KEYS, st.integers(6, 12))
def test_an_epc_uri_leads_back_to_its_key(fields: tuple[tuple[str, str], ...], prefix: int) -> None:
    """Key to EPC URI to key, whatever the length of the company prefix."""
    key = as_key(fields)
    try:
        uri = key_to_epc_uri(key, company_prefix_length=prefix)
    except IdentifierInvalid:
        assert not parse_key(key).is_instance
        return
    assert tag_key(uri) == key


PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)


def legal_word(header: int, filter_value: int, partition: int, prefix: int, reference: int, tail: int) -> int:
    """A 96-bit word whose fields are in range: random bits seldom are."""
    body = 58 if header == 0x31 else 44
    width = body - PREFIX_BITS[partition]
    digits_of_reference = partition + (5 if header == 0x31 else 1)
    word = (header << 6 | filter_value << 3 | partition) << body
    word |= (prefix % 10 ** (12 - partition)) << width | reference % 10**digits_of_reference
    return int(word << (82 - body) | tail % (1 << (82 - body)))


WORDS = st.one_of(
    st.builds(lambda header, body: header << 88 | body, st.sampled_from((0x30, 0x31)), st.integers(0, 2**88 - 1)),
    st.builds(
        legal_word,
        st.sampled_from((0x30, 0x31)),
        st.integers(0, 7),
        st.integers(0, 6),
        st.integers(0, 10**12),
        st.integers(0, 10**11),
        st.integers(0, 2**38 - 1),
    ),
)


@given(st.lists(WORDS, min_size=1, max_size=40))
def test_columns_agree_with_the_library(words: list[int]) -> None:
    """SGTIN-96 and SSCC-96 by columns, one by one, and by the reference library: the same keys."""
    epcs = [f"{word:024X}" for word in words]
    keys = sgtin96_keys(epcs)
    assert keys == [tag_key(epc) for epc in epcs]
    for epc, key in zip(epcs, keys, strict=True):
        try:
            expected = epc_uri_to_key(hex_to_tag_encodable(epc).epc_uri)
        except ConvertException:
            expected = f"hex/{epc}"
        assert key == expected


@given(st.integers(6, 12), GTINS, st.integers(0, 2**38 - 1))
def test_one_serial_has_one_key_in_both_sizes(prefix: int, gtin: str, serial: int) -> None:
    """SGTIN-96 and SGTIN-198 of one GTIN and serial, and its barcode, are one unit."""
    unit = SGTIN.from_gtin_plus_serial(gtin, str(serial), prefix)
    sizes = [
        unit.hex(binary_coding_scheme=size, filter_value=SGTINFilterValue.POS_ITEM)
        for size in (SGTIN.BinaryCodingScheme.SGTIN_96, SGTIN.BinaryCodingScheme.SGTIN_198)
    ]
    keys = {tag_key(epc) for epc in (*sizes, *(epc.lower() for epc in sizes))}
    assert keys == {parse_scan(f"(01){gtin}(21){serial}").key}


@given(st.integers(6, 12), GTINS, text(20), st.integers(0, 19), st.integers(1, 127))
def test_long_serials_are_read_to_their_end(prefix: int, gtin: str, serial: str, at: int, code: int) -> None:
    """SGTIN-198 gives the whole serial; a character behind the end makes it no serial, not a shorter one."""
    unit = SGTIN.from_gtin_plus_serial(gtin, "A", prefix)
    head = unit.binary(SGTIN.BinaryCodingScheme.SGTIN_198, SGTINFilterValue.POS_ITEM)[:58]
    codes = [ord(char) for char in serial] + [0] * (20 - len(serial))

    def epc() -> str:
        return f"{int(head + ''.join(f'{code:07b}' for code in codes), 2) << 10:052X}"

    assert tag_key(epc()) == as_key((("01", gtin), ("21", serial)))
    if at > len(serial):
        codes[at] = code
        assert tag_key(epc()) == f"hex/{epc()}"


def encodings(uri: str) -> list[str]:
    """The EPC of a pure identity URI in every size that the library can write it in."""
    if uri.count(":") > 4:
        return []  # the library cuts some values at a colon
    try:
        scheme = epc_pure_identity_to_tag_encodable(uri)
    except (ConvertException, ValueError):
        return []
    names = vars(sys.modules[type(scheme).__module__])
    filters = next(v for k, v in names.items() if k.endswith(("FilterValue", "FilterValues")))
    found = []
    for size in type(scheme).BinaryCodingScheme:
        try:
            scheme.tag_uri(binary_coding_scheme=size, filter_value=filters("0"))  # refuses what the size cannot hold
            found.append(scheme.hex(binary_coding_scheme=size, filter_value=filters("0")))
        except (ConvertException, ValueError):
            continue
    return found


@given(KEYS, st.integers(6, 12))
def test_every_binary_form_leads_to_its_key(fields: tuple[tuple[str, str], ...], prefix: int) -> None:
    """Whatever the library encodes, in any size, decodes to the key it was made from."""
    key = as_key(fields)
    assume(parse_key(key).is_instance)
    for epc in encodings(key_to_epc_uri(key, company_prefix_length=prefix)):
        assert tag_key(epc) == key


@given(st.lists(st.text("0123456789ABCDEFabcdef", min_size=1, max_size=40), max_size=20))
def test_any_hexadecimal_text_has_a_key(epcs: list[str]) -> None:
    """Whatever a reader reports has a key, alone and among others, in either case."""
    keys = sgtin96_keys(epcs)
    assert keys == [tag_key(epc) for epc in epcs] == [tag_key(epc.upper()) for epc in epcs]
    assert all(tag_key(key) == key for key in keys)


@given(st.text(max_size=60))
@example("(01)")
@example("https://a/01/%")
@example("urn:epc:id:sgtin:1")
@example("F7")
@example("]C1\x1d")
def test_nothing_but_identifier_invalid_is_raised(anything: str) -> None:
    """Arbitrary text is understood, or refused by IdentifierInvalid: never a crash."""
    for ask in (tag_key, parse_scan, describe):
        try:
            ask(anything)
        except IdentifierInvalid as error:
            assert str(error).startswith("Expected ")


@given(st.sampled_from(("01", "00", "8003", "253")), st.data())
def test_a_changed_digit_is_refused(ai: str, data: st.DataObject) -> None:
    """One wrong digit in a GTIN, SSCC, GRAI or GDTI never gives a key."""
    number = data.draw(checked({"01": 14, "00": 18}.get(ai, 13)))
    at = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from(DIGITS))
    assume(other != number[at])
    zero = "0" if ai == "8003" else ""
    with pytest.raises(IdentifierInvalid):
        tag_key(f"{ai}/{zero}{number[:at]}{other}{number[at + 1 :]}")


@given(st.sampled_from((8, 12, 13, 14)), st.data())
def test_short_gtins_are_padded(length: int, data: st.DataObject) -> None:
    """GTIN-8, -12, -13 and -14 of one number are one GTIN-14."""
    gtin = data.draw(checked(length))
    assert gtin14(gtin) == gtin.zfill(14)
    assert lot_key(gtin, "A") == lot_key(gtin.zfill(14), "A")


@given(st.integers(0, 99), st.integers(1950, 2150))
def test_years_stay_in_their_window(yy: int, today: int) -> None:
    """A two-digit year is read as the year from 49 back to 50 ahead that ends in it."""
    year = year_of(yy, today_year=today)
    assert year % 100 == yy and -49 <= year - today <= 50


@given(GTINS, plain(20), plain(20), DATES)
def test_an_independent_parser_reads_the_same(gtin: str, lot: str, serial: str, expiry: str) -> None:
    """The library biip finds the same elements in a valid message."""
    raw = format_raw((("01", gtin), ("17", expiry), ("10", lot), ("21", serial)))
    theirs = biip_parse(f"]C1{raw}").gs1_message
    assume(theirs is not None)
    assert theirs is not None
    assert tuple((e.ai.ai, e.value) for e in theirs.element_strings) == parse_scan(f"]C1{raw}").elements


@given(checked(18))
def test_an_sscc_is_itself(number: str) -> None:
    """An SSCC bare, with its AI, as key and as Digital Link is one logistic unit."""
    ways = (number, f"00{number}", f"(00){number}", f"https://example.org/00/{number}", f"]C100{number}")
    assert {parse_scan(way).key for way in ways} == {f"00/{sscc(number)}"}
    assert parse_key(f"00/{number}").is_logistic
