"""The look that is taken at a query before the engine sees it."""

import pytest

from lotstream.deploy.embedded.clickhouse_errors import ClickHouseError
from lotstream.deploy.embedded.clickhouse_sql import (
    Statement,
    first_word,
    into_file,
    lex,
    parse_insertion,
    parse_statement,
)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (b"'it''s \\' here'", ["string"]),
        (b'`a\\`b` "c""d"', ["quoted", "quoted"]),
        (b"-- comment\n# shell\n/* a\nb */", []),
        (b"$tag$ 'x' $tag$", ["string"]),
        ("‘quoted’ “named”".encode(), ["string", "quoted"]),
        (b"1e5 a1 _b", ["number", "word", "word"]),
        (b"'open", ["other", "word"]),
    ],
)
def test_tokens(text: bytes, kinds: list[str]) -> None:
    """Strings, names and comments end where ClickHouse ends them."""
    assert [token.kind for token in lex(text)] == kinds


def test_first_word_skips_comments() -> None:
    """The verb is the first word after comments, in lower case."""
    assert first_word(b" /* x */ -- y\n SELECT 1") == "select"
    assert first_word(b" -- nothing") == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1 FORMAT JSON SETTINGS a = 1;", "JSON"),
        (b"SELECT 1 FORMAT/**/JSON -- x", "JSON"),
        (b"SELECT 'x FORMAT JSON'", None),
        (b"SELECT (SELECT 1 AS format x)", None),
        (b"SELECT format('{}', 1)", None),
        (b"SELECT 1 AS format", None),
        (b"SELECT * FROM format(CSV, '1') FORMAT TSV", "TSV"),
    ],
)
def test_own_format(text: bytes, name: str | None) -> None:
    """The format is the word after FORMAT at the query's own level, not in strings, functions or subqueries."""
    assert parse_statement(text).format == name


@pytest.mark.parametrize(
    ("text", "target", "settings", "name", "data"),
    [
        (b"INSERT INTO t FORMAT CSV\n1,2", b"INSERT INTO t ", b"", "CSV", b"1,2"),
        (b"insert into t format RowBinary\n\n\t ", b"insert into t ", b"", "RowBinary", b"\n\t "),
        (b"INSERT INTO t FORMAT CSV\r\n1", b"INSERT INTO t ", b"", "CSV", b"1"),
        (b"INSERT INTO t FORMAT JSONEachRow {}", b"INSERT INTO t ", b"", "JSONEachRow", b"{}"),
        (b"INSERT INTO t FORMAT CSV;\n1", b"INSERT INTO t ", b"", "CSV", b"1"),
        (b"INSERT INTO t FORMAT CSV", b"INSERT INTO t ", b"", "CSV", b""),
        (
            b"INSERT INTO t (values, `format x`) VALUES (1)",
            b"INSERT INTO t (values, `format x`) ",
            b"",
            "Values",
            b" (1)",
        ),
        (b"INSERT INTO d.settings FORMAT TSV\n1", b"INSERT INTO d.settings ", b"", "TSV", b"1"),
        (b"INSERT INTO values VALUES (1)", b"INSERT INTO values ", b"", "Values", b" (1)"),
        (
            b"INSERT INTO t SETTINGS a = 'FORMAT x' FORMAT TSV\n1",
            b"INSERT INTO t ",
            b"SETTINGS a = 'FORMAT x' ",
            "TSV",
            b"1",
        ),
    ],
)
def test_insertions(text: bytes, target: bytes, settings: bytes, name: str, data: bytes) -> None:
    """The data of an INSERT begin at their first byte, whatever it is."""
    found = parse_insertion(text)
    assert found is not None
    assert (found.target, found.settings, found.format) == (target + b"\n", settings + b"\n", name)
    assert text[found.data :] == data


@pytest.mark.parametrize(
    "text",
    [b"SELECT 1", b"INSERT INTO t SELECT 1 FORMAT CSV", b"INSERT INTO t WITH 1 AS x SELECT x", b"INSERT INTO t", b""],
)
def test_no_insertion(text: bytes) -> None:
    """A query that brings no data along is none."""
    assert parse_insertion(text) is None


def test_insertion_from_a_file() -> None:
    """The file stands where the grammar wants it: before SETTINGS and FORMAT."""
    found = parse_insertion(b"INSERT INTO t (a) -- x\nSETTINGS b = 1 FORMAT CSV\n1")
    assert found is not None
    words = found.from_file("/f").split()
    assert words.index(b"FROM") < words.index(b"SETTINGS") < words.index(b"FORMAT")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"SELECT 1", b"SELECT 1\nINTO OUTFILE '/f' APPEND "),
        (b"SELECT 1; -- x", b"SELECT 1\nINTO OUTFILE '/f' APPEND "),
        (b"SELECT 1 -- x\nFORMAT JSON;", b"SELECT 1 -- x\n\nINTO OUTFILE '/f' APPEND FORMAT JSON"),
    ],
)
def test_into_file(text: bytes, expected: bytes) -> None:
    """The answer goes into a file by a clause before FORMAT, safe from a comment before it."""
    assert into_file(text, parse_statement(text), "/f") == expected


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT file('x')",
        b"SELECT FILE ('x')",
        b"SELECT `file`('x')",
        b"SELECT * APPLY file FROM t",
        b"SELECT 1 INTO OUTFILE 'x'",
        b"CREATE TABLE t ENGINE = URL('x')",
        b"CREATE TABLE t ENGINE URL('x')",
        b"CREATE DATABASE d ENGINE = `SQLite`('x')",
        b"ATTACH TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = web)",
        b"INSERT INTO t SELECT * FROM input('a Int8') FORMAT CSV\n1",
    ],
)
def test_what_is_refused(text: bytes) -> None:
    """Queries that would leave the database are refused before they run."""
    with pytest.raises(ClickHouseError):
        parse_statement(text)


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 'file(x)', \"file\" FROM t -- INTO OUTFILE",
        b"SELECT count(file), file FROM t",
        b"SELECT engine, total_rows FROM system.tables WHERE engine = 'File'",
        b"CREATE TABLE file (file String) ENGINE = ReplacingMergeTree(first) ORDER BY file",
        b"CREATE MATERIALIZED VIEW v TO t AS SELECT 1",
        b"CREATE VIEW v AS SELECT engine FROM system.tables",
    ],
)
def test_what_is_not_refused(text: bytes) -> None:
    """Words that only look like it are none of our business."""
    assert parse_statement(text) == Statement(first_word(text))


def test_reading_statements() -> None:
    """Statements that only read are known by their first word."""
    assert all(parse_statement(text).reads for text in (b"SELECT 1", b"(SELECT 1)", b"SHOW TABLES", b"DESCRIBE t"))
    assert not any(
        parse_statement(text).reads for text in (b"DROP TABLE t", b"SYSTEM STOP MERGES", b"KILL QUERY WHERE 1")
    )
