"""The public vectors of GS1's own engine and dictionary tests: all that apply pass, the others are listed here.

LEFT OUT, with the reason; the counts are asserted, so that a row which starts to fail cannot hide among them.

| file | op | rows | reason |
|---|---|---|---|
| ai_parse | parse_raw | 1 | data without the leading FNC1: our function starts behind it |
| dl_parse | dl_parse | 3 | words in place of AI numbers (/gtin/): deprecated in the standard, refused |
| dl_parse | dl_parse | 1 | an AI outside the dictionary taken on request: nobody can know its form |
| dl_generate | dl_generate | 1 | the same |
| dl_generate | dl_regenerate | 1 | a link written again from itself: ours are written from keys and elements |
| scan_data | scan_generate | 14 | plain data in plain symbols: nothing of GS1 to write |
| scan_data | scan_generate | 3 | a trailing FNC1 in the data is kept: ours writes none |
| scan_data | scan_generate | 1 | DataBar Limited takes GTINs below 20000000000000 only: a matter of printing |
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from lotstream.schemas.identifiers import (
    IdentifierInvalid,
    Rule,
    check_digit,
    format_digital_link,
    format_raw,
    format_scan,
    gtin14,
    parse_bracketed,
    parse_digital_link,
    parse_raw,
    parse_scan,
)
from lotstream.schemas.identifiers.ai import find_ai
from lotstream.schemas.identifiers.digital_link import escape_query, is_path_sequence, unescape_query
from lotstream.schemas.identifiers.elements import (
    require_associations,
    require_no_conflict,
    require_signed_serial,
)
from lotstream.schemas.identifiers.keys import escape, unescape
from lotstream.schemas.identifiers.symbology import split_symbology

Row = dict[str, Any]
Run = Callable[..., Counter[str]]

NO_LEAD = "data without the leading FNC1"
WORDS = "words in place of AI numbers"
UNKNOWN = "an AI outside the dictionary"
REWRITTEN = "a link written again from itself"
PLAIN = "plain data in plain symbols"
TRAILING = "a trailing FNC1"
LIMITED = "DataBar Limited"


def nothing_left_out(row: Row) -> str | None:
    return None


def pairs(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple((ai, value) for ai, value in row["ais"] or ())


def raw(elements: tuple[tuple[str, str], ...]) -> str:
    return "^" + format_raw(elements, fnc1="^")


def refused(judge: Callable[[], object]) -> None:
    try:
        found = judge()
    except IdentifierInvalid:
        return
    raise AssertionError(f"Expected IdentifierInvalid, got {found!r}.")


def parsed(judge: Callable[[], tuple[tuple[str, str], ...]], row: Row) -> None:
    if not row["ok"]:
        refused(judge)
        return
    elements = judge()
    if row["ais"] is not None:
        assert elements == pairs(row)
    if row.get("output") is not None:
        assert raw(elements) == row["output"]


def test_bracketed_elements_are_read_as_the_engine_reads_them(judge_vectors: Run) -> None:
    """Human readable element strings give the engine's elements, or are refused where it refuses."""

    def judge(row: Row) -> None:
        parsed(lambda: parse_bracketed(row["input"]), row)

    judge_vectors("ai_parse.jsonl", judge, nothing_left_out, op="parse_bracketed")


def test_raw_elements_are_read_as_the_engine_reads_them(judge_vectors: Run) -> None:
    """Raw element strings give the engine's elements, or are refused where it refuses."""

    def judge(row: Row) -> None:
        parsed(lambda: parse_raw(row["input"].removeprefix("^").replace("^", "\x1d")), row)

    def left_out(row: Row) -> str | None:
        return NO_LEAD if row["input"] and row["input"][0] != "^" else None

    assert judge_vectors("ai_parse.jsonl", judge, left_out, op="parse_raw") == {NO_LEAD: 1}


def test_every_content_check_refuses_what_its_linter_refuses(judge_vectors: Run) -> None:
    """A value that a reference linter refuses is refused, coupons and IBANs included."""

    def judge(row: Row) -> None:
        parsed(lambda: parse_bracketed(row["input"]), row)

    judge_vectors("ai_parse.jsonl", judge, nothing_left_out, op="lint")


def test_associations_exclusions_and_repeats_hold(judge_vectors: Run) -> None:
    """AIs stand with those they need, without those they exclude, and never with two values."""

    def judge(row: Row) -> None:
        check = {
            "repeats": require_no_conflict,
            "mutex": require_no_conflict,
            "requisites": require_associations,
            "digsig_serialised_key": require_signed_serial,
        }[row["rule"]]
        if row["ok"]:
            check(pairs(row))
        else:
            refused(lambda: check(pairs(row)))

    judge_vectors("ai_parse.jsonl", judge, nothing_left_out, op="validate")


def test_an_ai_is_found_by_its_prefix(judge_vectors: Run) -> None:
    """The AI at the start of a text is found, of any length or of the length asked for."""

    def judge(row: Row) -> None:
        found = find_ai(row["input"], length=row["ai_len"])
        assert (found and found.ai) == row["output"]

    judge_vectors("ai_parse.jsonl", judge, nothing_left_out, op="lookup")


def test_digital_links_are_read_as_the_engine_reads_them(judge_vectors: Run) -> None:
    """A Digital Link gives the engine's elements in its order, or is refused where it refuses."""

    def judge(row: Row) -> None:
        zero_suppressed = row["flags"].get("permit_zero_suppressed_gtin", False)
        parsed(lambda: parse_digital_link(row["input"], zero_suppressed=zero_suppressed), row)

    def left_out(row: Row) -> str | None:
        if row["ok"] and row["flags"].get("permit_convenience_alphas"):
            return WORDS
        return UNKNOWN if row["ok"] and row["flags"].get("permit_unknown_ais") else None

    assert judge_vectors("dl_parse.jsonl", judge, left_out, op="dl_parse") == {WORDS: 3, UNKNOWN: 1}


def test_paths_allow_the_listed_sequences(judge_vectors: Run) -> None:
    """Each listed order of key and qualifiers may form a path."""

    def judge(row: Row) -> None:
        assert is_path_sequence(row["input"].split()) is row["ok"]

    judge_vectors("dl_parse.jsonl", judge, nothing_left_out, op="dl_path_sequence")


def test_digital_links_are_written_as_the_engine_writes_them(judge_vectors: Run) -> None:
    """Elements become the engine's link: key and qualifiers in the path, the rest in the query."""

    def judge(row: Row) -> None:
        if not row["ok"]:
            refused(lambda: format_digital_link(pairs(row), stem=row["stem"]))
            return
        assert format_digital_link(pairs(row), stem=row["stem"]) == row["output"]

    def left_out(row: Row) -> str | None:
        return UNKNOWN if row["ok"] and row["flags"].get("permit_unknown_ais") else None

    def composite(row: Row) -> None:
        parts = row["input"].split("|")
        elements = [e for part in parts for e in parse_raw(part.removeprefix("^").replace("^", "\x1d"))]
        assert format_digital_link(tuple(elements), stem=row["stem"]) == row["output"]

    assert judge_vectors("dl_generate.jsonl", judge, left_out, op="dl_generate") == {UNKNOWN: 1}
    judge_vectors("dl_generate.jsonl", composite, nothing_left_out, op="dl_generate_composite")


def test_escapes_in_path_and_query(judge_vectors: Run) -> None:
    """A value is escaped and read back as in path and query of a Digital Link."""

    def judge_escape(row: Row) -> None:
        assert (escape(row["input"]), escape_query(row["input"])) == (row["output_path"], row["output_query"])

    def judge_unescape(row: Row) -> None:
        found = (unescape(row["input"]), unescape_query(row["input"]))
        assert found == (row["output_path"], row["output_query"])

    judge_vectors("uri_escape.jsonl", judge_escape, nothing_left_out, op="uri_escape")
    judge_vectors("uri_escape.jsonl", judge_unescape, nothing_left_out, op="uri_unescape")


NAMES = {
    "GS1 QR Code": "QR",
    "QR Code": "QR",
    "GS1 DataMatrix": "DM",
    "Data Matrix": "DM",
    "GS1 DotCode": "DotCode",
    "DotCode": "DotCode",
    "GS1 DataBar": "DataBarExpanded",
    "GS1-128": "GS1_128_CCA",
    "EAN-13": "EAN13",
    "EAN-8": "EAN8",
}


def test_scanner_data_is_read_as_the_engine_reads_it(judge_vectors: Run) -> None:
    """Data behind a symbology identifier gives symbol and elements; a plain symbol without GS1 data is refused."""

    def judge(row: Row) -> None:
        if not row["ok"]:
            refused(lambda: parse_scan(row["input"]))
            return
        symbology, body = split_symbology(row["input"])
        assert symbology is not None and NAMES[symbology.name] == row["symbology"]
        if row["symbology"] in ("EAN13", "EAN8"):
            scan = parse_scan(row["input"])
            assert scan.elements[0] == ("01", gtin14(row["output"].split("|")[0]))
            assert scan.elements[1:] == pairs(row)
        elif row["ais"]:
            elements = parse_scan(row["input"]).elements
            assert elements == pairs(row)
            assert raw(elements) == (row.get("dl_ai_output") or row["output"])
        else:
            with pytest.raises(IdentifierInvalid) as caught:
                parse_scan(row["input"])
            assert caught.value.rule is Rule.NOT_GS1
            assert body in (row["output"], row["output"][1:])  # the engine escapes a leading ^ or \^

    judge_vectors("scan_data.jsonl", judge, nothing_left_out, op="scan_process")


CODES = {
    "QR": "Q3",
    "DM": "d2",
    "DotCode": "J1",
    "DataBarExpanded": "e0",
    "DataBarOmni": "e0",
    "DataBarLimited": "e0",
    "GS1_128_CCA": "C1",
    "GS1_128_CCC": "C1",
    "UPCA": "E0",
    "UPCE": "E0",
    "EAN13": "E0",
    "EAN8": "E4",
}


def test_scanner_data_is_written_as_the_engine_writes_it(judge_vectors: Run) -> None:
    """Elements become what a scanner would send, composite components included."""

    def elements_of(text: str, row: Row) -> tuple[tuple[str, str], ...]:
        if text.startswith("^"):
            return parse_raw(text[1:].replace("^", "\x1d"))
        digits = text + str(check_digit(text)) if row["flags"].get("add_check_digit") else text
        return (("01", gtin14(digits)),)

    def judge(row: Row) -> None:
        linear, _, composite = row["input"].partition("|")

        def scanned() -> str:
            return format_scan(
                elements_of(linear, row),
                symbology=CODES[row["symbology"]],
                composite=elements_of(composite, row) if composite else (),
            )

        if row["ok"]:
            assert scanned() == row["output"]
        else:
            refused(scanned)

    def left_out(row: Row) -> str | None:
        if row["input"].endswith("^"):
            return TRAILING
        if row["symbology"] == "DataBarLimited" and not row["ok"]:
            return LIMITED
        return (
            PLAIN
            if not row["input"][:1].isdigit() and row["input"][:1] != "^" and row["symbology"] != "EAN13"
            else None
        )

    found = judge_vectors("scan_data.jsonl", judge, left_out, op="scan_generate")
    assert found == {PLAIN: 14, TRAILING: 3, LIMITED: 1}


def test_check_digits(judge_vectors: Run) -> None:
    """The check digit of each number is the engine's."""

    def judge(row: Row) -> None:
        digits = row["input"]
        assert digits[:-1] + str(check_digit(digits[:-1])) == row["output"]
        assert (row["output"] == digits) is row["ok"]

    judge_vectors("scan_data.jsonl", judge, nothing_left_out, op="check_digit")
