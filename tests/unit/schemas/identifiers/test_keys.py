"""Keys, check digits and errors: small vectors that always run."""

import pickle

import pytest

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.identifiers import (
    IdentifierInvalid,
    Key,
    Rule,
    Scheme,
    check_digit,
    class_urn_to_key,
    digital_link_to_key,
    gln,
    gtin14,
    key_to_digital_link,
    key_to_epc_uri,
    lot_key,
    parse_key,
    sgtin96_keys,
    split_lot_key,
    sscc,
    tag_key,
)
from lotstream.schemas.identifiers.checks import check_pair

SGTIN_KEY = "01/80614141123458/21/6789"

SPELLINGS = {
    SGTIN_KEY: [
        "3074257BF7194E4000001A85",
        "3074257bf7194e4000001a85",
        "3074257BF7194E4000001A8500000000",
        "urn:epc:id:sgtin:0614141.812345.6789",
        "URN:EPC:id:sgtin:0614141.812345.6789",
        "urn:epc:tag:sgtin-96:3.0614141.812345.6789",
        "urn:epc:tag:sgtin-198:1.0614141.812345.6789",
        "https://id.gs1.org/01/80614141123458/21/6789",
        "https://shop.example.com/a/b/01/80614141123458/10/L7/21/6789?17=270100#top",
        "01/80614141123458/21/6789",
    ],
    "01/70614141123451/21/32a%2Fb": [
        "3674257BF6B7A659B2C2BF1000000000000000000000000000",
        "urn:epc:id:sgtin:0614141.712345.32a%2Fb",
        "urn:epc:id:sgtin:0614141.712345.32a%2fb",
        "01/70614141123451/21/32a%2fb",
        "http://example.com/01/70614141123451/21/32a%2fb",
    ],
    "00/106141412345678908": [
        "3174257BF4499602D2000000",
        "urn:epc:id:sscc:0614141.1234567890",
        "https://id.gs1.org/00/106141412345678908",
    ],
    "414/0614141123452": ["urn:epc:id:sgln:0614141.12345.0", "https://id.gs1.org/414/0614141123452"],
    "414/0614141123452/254/5678": ["3274257BF46072000000162E", "urn:epc:id:sgln:0614141.12345.5678"],
    "417/0614141123452": ["urn:epc:id:pgln:0614141.12345"],
    "8003/006141411234525678": ["3374257BF40C0E400000162E", "urn:epc:id:grai:0614141.12345.5678"],
    "8004/06141415678": ["3474257BF40000000000162E", "urn:epc:id:giai:0614141.5678"],
    "8018/061414112345678902": ["2D74257BF4499602D2000000", "urn:epc:id:gsrn:0614141.1234567890"],
    "253/06141411234525678": ["2C74257BF46072000000162E", "urn:epc:id:gdti:0614141.12345.5678"],
    "hex/350007AB70425D4000000586": ["350007AB70425D4000000586", "urn:epc:id:gid:31415.271828.1414"],
    "hex/E2801190A5021F80055817CA": ["E2801190A5021F80055817CA", "e2801190a5021f80055817ca"],
    "hex/30FC257BF7194E4000001A85": ["30FC257BF7194E4000001A85"],
    "hex/3074257BF7194E40": ["3074257BF7194E40"],
    "hex/000000000000000000000000": ["000000000000000000000000"],
}


@pytest.mark.parametrize(("key", "texts"), SPELLINGS.items())
def test_one_thing_has_one_key(key: str, texts: list[str]) -> None:
    """Every spelling of a thing gives its one key."""
    assert {text: tag_key(text) for text in texts} == dict.fromkeys(texts, key)


def test_filter_values_are_no_identity() -> None:
    """A USDOD or ADI tag has the key of its pure identity, whatever its filter value."""
    uri = "urn:epc:id:usdod:2S194.12345678901"
    assert {tag_key(uri), tag_key("2F02032533139342DFDC1C35"), tag_key("2F12032533139342DFDC1C35")} == {
        "hex/2F02032533139342DFDC1C35"
    }
    assert tag_key("2FFFFFFFFFFFFFFFFFFFFFFF") == "hex/2FFFFFFFFFFFFFFFFFFFFFFF"  # no USDOD: all bits its own


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ZZ74257BF7194E4000001A85",
        "0x3074257BF7194E4000001A85",
        "3074_257B",
        "urn:epc:id:sgtin:0614141.812345",
        "urn:epc:id:sgtin:٠٦١٤١٤١.812345.1",
        "urn:epc:id:sgtin:0614141.812345.a b",
        "urn:epc:id:bic:CSQU3054383",
        "urn:epc:id:imovn:9176187",
        "urn:uuid:7f1c2f0e-0f63-4d3b-8c79-d0a2b3a4d9c1",
        "urn:epc:idpat:sgtin:*.*.*",
        "urn:epc:tag:sgtin-96:3.0614141.812345.007",
        "https://example.com/products/7",
        "01/80614141123457/21/6789",
        "01/80614141123458/21/",
        "01/80614141123458/21/" + "A" * 21,
        "01/80614141123458/10/L/21/S",
        "01/0614141/21/1",
        "00/106141412345678909",
        "99/AB",
        "hex/XYZ",
        "01/80614141123458/21",
        "٠٠/106141412345678908",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    """Neither cut, guessed nor mended: refused with what was expected."""
    with pytest.raises(IdentifierInvalid, match=r"^Expected .* got .* in '.*'\.$"):
        tag_key(text)


def test_leading_zeros_count() -> None:
    """'007' and '7' are two units, and only the latter is a number."""
    seven, bond = parse_key("01/80614141123458/21/7"), parse_key("01/80614141123458/21/007")
    assert seven != bond
    assert (seven.numeric_serial, bond.numeric_serial) == (7, None)
    assert parse_key("01/80614141123458/21/0").numeric_serial == 0
    assert parse_key("01/80614141123458/21/" + "9" * 19).numeric_serial is None


def test_a_key_knows_its_parts() -> None:
    """Scheme, GTIN, serial and lot are read from the key; SSCC, GRAI and GIAI can carry things."""
    key = parse_key(SGTIN_KEY)
    assert key == Key(Scheme.SGTIN, (("01", "80614141123458"), ("21", "6789")))
    assert (key.gtin, key.serial, key.lot, key.is_logistic, key.is_instance) == (
        "80614141123458",
        "6789",
        None,
        False,
        True,
    )
    grai = parse_key("8003/006141411234525678")
    assert (grai.scheme, grai.serial, grai.is_logistic) == (Scheme.GRAI, "5678", True)
    pool = parse_key("8003/00614141123452")
    assert (pool.serial, pool.is_logistic, pool.is_instance) == (None, False, False)
    assert parse_key("8006/806141411234580102/21/A").gtin == "80614141123458"
    assert parse_key("01/80614141123458/10/L").lot == "L"
    assert [parse_key(text).is_logistic for text in ("00/106141412345678908", "8004/06141415678")] == [True, True]


def test_lot_keys() -> None:
    """GTIN and lot make one key; short GTINs are padded; nothing in the lot is lost."""
    assert lot_key("9506000134352", "AB-12/7") == "01/09506000134352/10/AB-12%2F7"
    assert split_lot_key("01/09506000134352/10/AB-12%2F7") == ("09506000134352", "AB-12/7")
    assert lot_key("02345673", "a") == "01/00000002345673/10/a"
    assert lot_key("416000336108", "a%") == "01/00416000336108/10/a%25"
    assert lot_key("09506000134352", "A") != lot_key("09506000134352", "a")
    for gtin, lot in (("9506000134353", "A"), ("95060001343", "A"), ("09506000134352", ""), ("09506000134352", "A B")):
        with pytest.raises(IdentifierInvalid):
            lot_key(gtin, lot)
    for other in (SGTIN_KEY, "01/80614141123458", "00/106141412345678908"):
        with pytest.raises(IdentifierInvalid):
            split_lot_key(other)


def test_class_urns() -> None:
    """Lots and classes of EPCIS become lot keys and class keys."""
    assert class_urn_to_key("urn:epc:class:lgtin:4012345.012345.998877") == "01/04012345123456/10/998877"
    assert class_urn_to_key("urn:epc:class:lgtin:4012345.012345.A%2FB.1") == "01/04012345123456/10/A%2FB.1"
    assert class_urn_to_key("urn:epc:idpat:sgtin:4012345.012345.*") == "01/04012345123456"
    assert class_urn_to_key("urn:epc:idpat:grai:0614141.12345.*") == "8003/00614141123452"
    assert class_urn_to_key("urn:epc:idpat:sgtin:0614141.812345.6789") == SGTIN_KEY
    assert tag_key("urn:epc:class:lgtin:4012345.012345.998877") == "01/04012345123456/10/998877"
    for urn in ("urn:epc:idpat:sgtin:4012345.*.*", "urn:epc:idpat:sscc:0614141.*", "urn:epc:id:sgtin:1.2.3"):
        with pytest.raises(IdentifierInvalid):
            class_urn_to_key(urn)


def test_keys_become_links_and_uris() -> None:
    """A key is written as canonical Digital Link and, with the prefix length known, as EPC URI."""
    assert key_to_digital_link("01/70614141123451/21/32a%2Fb") == "https://id.gs1.org/01/70614141123451/21/32a%2Fb"
    assert digital_link_to_key("https://x.org/414/0614141123452/254/a") == "414/0614141123452/254/a"
    assert key_to_epc_uri(SGTIN_KEY, company_prefix_length=7) == "urn:epc:id:sgtin:0614141.812345.6789"
    assert key_to_epc_uri("01/04012345123456/10/A%2FB", company_prefix_length=7).endswith("4012345.012345.A%2FB")
    assert key_to_epc_uri("01/04012345123456", company_prefix_length=7) == "urn:epc:idpat:sgtin:4012345.012345.*"
    assert key_to_epc_uri("hex/350007AB70425D4000000586", company_prefix_length=7).startswith("urn:epc:id:gid:31415")
    for key, length in ((SGTIN_KEY, 5), ("8013/1987654Ad4X4bL5ttr2310c2K", 7), ("hex/E280", 7), ("8004/0614141", 7)):
        with pytest.raises(IdentifierInvalid):
            key_to_epc_uri(key, company_prefix_length=length)
    with pytest.raises(IdentifierInvalid):
        key_to_digital_link("hex/E280")


def test_many_at_once_keep_their_order() -> None:
    """SGTIN-96, SSCC-96, illegal words and other schemes in one batch, each key at its place."""
    epcs = [text for texts in SPELLINGS.values() for text in texts if "/" not in text and ":" not in text]
    assert sgtin96_keys(epcs) == [tag_key(epc) for epc in epcs]
    assert sgtin96_keys([]) == []
    with pytest.raises(IdentifierInvalid):
        sgtin96_keys(["3074257BF7194E4000001A85", "30ZZ257BF7194E4000001A85"])


def test_check_digits() -> None:
    """GTIN, SSCC and GLN end in their check digit, a GMN in its pair."""
    assert [check_digit(digits) for digits in ("0950600013435", "10614141234567890", "061414112345", "7")] == [
        2,
        8,
        2,
        9,
    ]
    assert (gtin14("9506000134352"), sscc("106141412345678908"), gln("0614141123452")) == (
        "09506000134352",
        "106141412345678908",
        "0614141123452",
    )
    assert check_pair("1987654Ad4X4bL5ttr2310c") == "2K"
    for refuse, text in (
        (gln, "061414112345"),
        (sscc, "10614141234567890"),
        (gtin14, "095060001343521"),
        (gln, "A" * 13),
    ):
        with pytest.raises(IdentifierInvalid):
            refuse(text)


def test_an_error_says_the_rule() -> None:
    """An error carries rule, expected, got and where, is bad data with its reason, and survives a process."""
    with pytest.raises(Rejected) as caught:
        gtin14("09506000134354")
    error = caught.value
    assert isinstance(error, IdentifierInvalid)
    assert str(error) == "Expected check digit 2, got 4 in '09506000134354'."
    assert (error.rule, error.expected, error.got, error.where, error.reason) == (
        Rule.CHECK_DIGIT,
        "check digit 2",
        "4",
        "09506000134354",
        Reason.CHECK_DIGIT_INVALID,
    )
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.rule, again.reason) == (str(error), error.rule, error.reason)
