"""EPC binary and URIs against the public vectors of the Tag Data Standard and of three libraries.

LEFT OUT, with the reason; the counts are asserted.

| file | rows | reason |
|---|---|---|
| epc_uri | BIC and IMOVN | container and vessel numbers have neither a GS1 key nor an EPC in binary: refused |
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from lotstream.schemas.identifiers import (
    IdentifierInvalid,
    Scheme,
    format_bracketed,
    key_to_epc_uri,
    parse_key,
    parse_scan,
    sgtin96_keys,
    tag_key,
)

Row = dict[str, Any]
Run = Callable[..., Counter[str]]
NO_KEY = "neither a GS1 key nor a binary form"
NEVER_GS1 = ("gid", "usdod", "adi")


def nothing_left_out(row: Row) -> str | None:
    return None


def prefix_length(uri: str) -> int:
    return len(uri.split(":")[4].split(".")[0])


def test_every_spelling_of_an_epc_gives_one_key(judge_vectors: Run) -> None:
    """Binary, tag URI and pure identity URI of one thing give one key, whose element string is the vector's."""

    def judge(row: Row) -> None:
        spellings = [row[name] for name in ("hex", "tag_uri", "pure_uri") if row.get(name)]
        keys = {tag_key(spelling) for spelling in spellings}
        if row["hex"]:
            keys |= {tag_key(row["hex"].lower()), *sgtin96_keys([row["hex"]])}
        assert len(keys) == 1
        key = keys.pop()
        assert tag_key(key) == key
        element_string = row["gs1_element_string"]
        if element_string is None:
            assert parse_key(key).scheme is Scheme.HEX
        elif row["scheme"] == "sgln-195" and element_string.endswith("(254)0"):
            assert format_bracketed(parse_key(key).fields) == element_string.removesuffix("(254)0")
        elif "+" in row["scheme"]:
            assert format_bracketed(parse_scan(row["hex"]).elements).replace("\\(", "(") == element_string
        else:
            assert format_bracketed(parse_key(key).fields).replace("\\(", "(") == element_string
        if row.get("digital_link_path"):
            assert "/" + key == row["digital_link_path"].split("?")[0]
        if row["pure_uri"]:
            assert key_to_epc_uri(key, company_prefix_length=_length(row)) == row["pure_uri"]

    judge_vectors("epc.jsonl", judge, nothing_left_out)


def _scheme_of(uri: str) -> str | None:
    try:
        tag_key(uri)
    except IdentifierInvalid:
        return None
    return uri.split(":")[3]


def _length(row: Row) -> int:
    scheme = row["scheme"].split("-")[0]
    return 7 if scheme in NEVER_GS1 else prefix_length(row["pure_uri"])


def test_epc_uris_are_taken_and_refused_as_the_library_does(judge_vectors: Run) -> None:
    """A valid URI has a key with the vector's element string and URI; an invalid one is refused."""

    def judge(row: Row) -> None:
        uri = row["pure_uri"]
        if not row["ok"]:
            assert _scheme_of(uri) != row["scheme"]  # a valid URI of another scheme is no URI of this one
            return
        key = parse_key(tag_key(uri))
        if row.get("gs1_element_string"):
            expected = row["gs1_element_string"]
            if row["scheme"] == "sgln":
                expected = expected.removesuffix("(254)0") if expected.endswith("(254)0") else expected
            assert format_bracketed(key.fields).replace("\\(", "(") == expected
        if row["scheme"] not in NEVER_GS1:
            assert key_to_epc_uri(str(key), company_prefix_length=prefix_length(uri)) == uri
        else:
            assert key.scheme is Scheme.HEX

    def left_out(row: Row) -> str | None:
        return NO_KEY if row["ok"] and row["scheme"] in ("bic", "imovn") else None

    found = judge_vectors("epc_uri.jsonl", judge, left_out)
    assert set(found) == {NO_KEY}
